package request

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

var update = flag.Bool("update", false, "write docs/shapes.md anew, and with -learn the weights")

func referencesIn(body string) []string {
	var all []string
	for _, image := range Parse(Input{Body: body}).Images {
		all = append(all, image.Reference.String())
	}
	return all
}

// TestDialects reads the example of each dialect.
func TestDialects(t *testing.T) {
	for _, d := range dialects {
		body, want, ok := strings.Cut(exampleOf(d), " => ")
		if got := referencesIn(body); !ok || !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%s: got %q, want %q", d.name, got, want)
		}
	}
}

// allPlaces returns the places of the table and those of masked text.
func allPlaces() []*place {
	places := []*place{inLine, inRelease, inCommand, inSpoken, besideOne, inFrom, inCopyFrom, inKey, inField, inOtherKey, inSource, inSyncKey, inNamespace, inColumn, inCell,
		inLog, inLogDone, inLogLink, inSentence, inQuotes, inWish, inPlainWish, inExclusion, leftOver}
	for _, why := range []reason{isQuoted, isExample, isRemoved, isUnchanged, isExcerpt, isNot, isHidden} {
		places = append(places, maskedPlaces[why])
	}
	return places
}

// TestEveryRow checks that each place and each rule occurs in a case.
func TestEveryRow(t *testing.T) {
	places, touched := map[string]bool{}, map[string]bool{}
	for _, text := range caseTexts(t) {
		for _, f := range Explain(Input{Title: text.title, Body: text.body, Repository: "imageferry/ferry"}).Findings {
			places[f.Place] = true
			for _, rule := range f.Rules {
				touched[rule] = true
			}
		}
	}
	for _, p := range allPlaces() {
		if !places[p.name] && !touched[p.name] { // masks are noted like rules
			t.Errorf("no case has a word in the place %q", p.name)
		}
	}
	for _, r := range rules {
		if !touched[r.name] {
			t.Errorf("no case is touched by the rule %q", r.name)
		}
	}
}

type caseText struct {
	folder, title, body, want string
	templates                 []string
}

// caseTexts returns the titles and bodies of all cases.
func caseTexts(t testing.TB) []caseText {
	t.Helper()
	var all []caseText
	files, err := filepath.Glob("testdata/*/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for part := range strings.SplitSeq(string(data), "\n=== ") {
			c := caseText{folder: filepath.Base(filepath.Dir(file))}
			for section := range strings.SplitSeq(part, "\n-- ") {
				switch key, text, _ := strings.Cut(section, " --\n"); key {
				case "title":
					c.title = text
				case "body":
					c.body = text
				case "template":
					c.templates = append(c.templates, strings.TrimSuffix(text, "\n"))
				case "want":
					c.want = strings.TrimSpace(strings.Replace(text, "! none", "", 1))
				}
			}
			all = append(all, c)
		}
	}
	return all
}

// TestCasesOfDialects checks that each dialect has a folder of cases, one of which
// comes out otherwise without the dialect.
func TestCasesOfDialects(t *testing.T) {
	before, cases := dialects, caseTexts(t)
	defer func() { dialects = before }()
	found := func(c caseText) string {
		return fmt.Sprint(Parse(Input{Title: c.title, Body: c.body, Templates: c.templates}))
	}
	for i, d := range before {
		rest := slices.Delete(slices.Clone(before), i, i+1)
		if !slices.ContainsFunc(cases, func(c caseText) bool {
			if c.folder != d.name {
				return false
			}
			dialects = before
			with := found(c)
			dialects = rest
			return found(c) != with
		}) {
			t.Errorf("no case in testdata/%s needs the dialect", d.name)
		}
	}
	for _, c := range cases {
		if !slices.ContainsFunc(before, func(d dialect) bool { return d.name == c.folder }) {
			t.Errorf("testdata/%s is no dialect", c.folder)
			return
		}
	}
}

// TestSignals reads the example of each signal.
func TestSignals(t *testing.T) {
	for _, s := range signals {
		shows := strings.ReplaceAll(rowComments()["signals.go "+s.name].shows, `\n`, "\n")
		title, body, ok := strings.Cut(shows, " / ")
		e, _ := understand(Input{Title: title, Body: body})
		if names := namesOf(e.given()); !ok || !slices.Contains(names, s.name) {
			t.Errorf("%q has the signals %q, not %q", shows, names, s.name)
		}
	}
}

// namesOf returns the names of signals.
func namesOf(given []*signal) (names []string) {
	for _, s := range given {
		names = append(names, s.name)
	}
	return names
}

// exampleOf returns the example of a dialect.
func exampleOf(d dialect) string {
	return strings.ReplaceAll(rowComments()["dialects.go "+d.name].shows, `\n`, "\n")
}

// rowComment is the comment on a row of a table.
type rowComment struct{ says, shows string }

// rowComments returns the comments on the rows of the tables of dialects, places,
// rules and signals by their files and names. They are no part of the program.
var rowComments = sync.OnceValue(func() map[string]rowComment {
	all := map[string]rowComment{}
	for _, file := range []string{"dialects.go", "place.go", "rules.go", "signals.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			panic(err)
		}
		var one rowComment
		for line := range strings.SplitSeq(string(source), "\n") {
			line = strings.TrimSpace(line)
			if says, ok := strings.CutPrefix(line, "// says: "); ok {
				one.says = says
			} else if shows, ok := strings.CutPrefix(line, "// shows: "); ok {
				one.shows = shows
			} else if one.says != "" {
				_, name, _ := strings.Cut(line, `"`)
				name, _, quoted := strings.Cut(name, `"`)
				if ident, _, ok := strings.Cut(line, ":"); ok && !quoted {
					name = strings.Replace(strings.ToLower(strings.TrimPrefix(ident, "is")), "not", isNot.String(), 1)
				}
				all[file+" "+name], one = one, rowComment{}
			}
		}
	}
	return all
})

// TestEverySignal checks that each signal occurs in a case, and that no text has
// one that says nothing.
func TestEverySignal(t *testing.T) {
	met := map[string]bool{}
	for _, text := range caseTexts(t) {
		e, _ := understand(Input{Title: text.title, Body: text.body})
		for _, s := range e.given() {
			met[s.name] = true
		}
	}
	for _, s := range signals {
		if !met[s.name] || s.weight == 0 || len(signals) > 64 {
			t.Errorf("no case has the signal %q, or it is worth nothing", s.name)
		}
	}
}

// TestEveryWordOfSignals checks that each word of a signal gives it.
func TestEveryWordOfSignals(t *testing.T) {
	for _, s := range signals {
		if s.words == nil {
			continue
		}
		for _, w := range s.words.all() {
			in := Input{Title: "x", Body: w + " x"}
			switch s.region {
			case inHeads:
				in.Body = "## " + w + " x"
			case inTitleHead:
				in = Input{Title: w + " x", Body: "x"}
			case inCode:
				in.Body = "  " + w + " x"
			case inAnyLine, inOwnWords:
			}
			e, _ := understand(in)
			if names := namesOf(e.given()); !slices.Contains(names, s.name) {
				t.Errorf("%q gives %q, not %q", w, names, s.name)
			}
		}
	}
}

// TestEveryWordOfIntent checks that each entry of the word lists about the whole
// text has its intended effect, and that none contains another one, which would
// find it. "W" stands for the word.
func TestEveryWordOfIntent(t *testing.T) {
	const image = "quay.io/me/b:1"
	for _, list := range []struct {
		name, text string
		words      wordList
		holds      func(body *text) bool
	}{
		{"failing", "docker pull W x", failing.list, func(body *text) bool { return body.fails && body.lacks }},
		{"apart", "x W y", apart.list, func(body *text) bool { return body.isolated && !body.fails }},
		{"fetching", "cannot W x", fetching.list, func(body *text) bool { return body.lacks }},
		{"absent", "W x", absent.list, func(body *text) bool { return body.lacks }},
		{"running", "it W x", running.list, func(body *text) bool { return body.running }},
		{"desires", "W x y " + image, desires.list, func(body *text) bool { return body.desire }},
		{"orders", "W x y " + image, orders.list, func(body *text) bool { return body.wanted }},
		{"proposals", "xW功能", proposals.list, func(body *text) bool { return body.defect }},
		{"matters", "建议W, docker pull " + image, matters.list, func(body *text) bool { return body.defect }},
		{"topics", "W x y", topics.list, func(body *text) bool { return body.defect }},
		{"helping", "建议功能W x y", helping.list, func(body *text) bool { return !body.defect }},
		{"doings", "xx yy please W zz qq", doings.list, func(body *text) bool { return body.about }},
		{"foreignDoings", "xx yy please W zz qq", foreignDoings.list, func(body *text) bool { return body.about }},
		{"foreignNouns", "xx yy please W zz qq", foreignNouns.list, func(body *text) bool { return body.about }},
		{"others", "please mirror W zz qq", others.list, func(body *text) bool { return !body.about }},
		{"reports", "W x y z", reports.list, func(body *text) bool { return body.report }},
		{"additions", "xx W " + image + " y", additions.list, func(body *text) bool { return body.also }},
		{"reportHeads", "## W x", reportHeads.list, func(body *text) bool { return body.sections == 1 }},
		{"topicHeads", "## W x", topicHeads.list, func(body *text) bool { return body.sections == 1 }},
	} {
		holds := func(word string) bool {
			e, _ := understand(Input{Title: "x", Body: strings.ReplaceAll(list.text, "W", word)})
			return list.holds(&e.body)
		}
		if holds("qqq") {
			t.Errorf("%s: %q holds without any word", list.name, list.text)
		}
		words := list.words.words()
		for _, word := range words {
			if !holds(word) {
				t.Errorf("%s: %q has no effect", list.name, word)
			}
			others := phrases{of: func() []string {
				return slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == word })
			}}
			if others.in(word) && !strings.HasSuffix(list.name, "Heads") { // heads are looked for at the beginning only
				t.Errorf("%s: %q contains another word of the list", list.name, word)
			}
		}
	}
}

// TestEveryWord checks that each entry of the word lists has its intended
// effect.
func TestEveryWord(t *testing.T) {
	expect := func(what, body string, want ...string) {
		t.Helper()
		if got := referencesIn(body); !slices.Equal(got, want) {
			t.Errorf("%s: %q gives %q, want %q", what, body, got, want)
		}
	}
	for label, p := range labels() {
		switch p {
		case namePart:
			expect("label", label+": me/b\ntag: 1.2", "docker.io/me/b:1.2")
		case tagPart:
			expect("label", "image: me/b\n"+label+": 1.2", "docker.io/me/b:1.2")
		case registryPart:
			expect("label", "image: me/b\ntag: 1.2\n"+label+": quay.io", "quay.io/me/b:1.2")
		}
	}
	for _, w := range notBefore.list.words() {
		expect("before", "quay.io/me/b:1 is what we need here, "+w+" quay.io/me/c:2", "quay.io/me/b:1")
	}
	for _, w := range notBehind.all() {
		expect("behind", "we need quay.io/me/b:1 here; quay.io/me/c:2 "+w, "quay.io/me/b:1")
	}
	for _, head := range exampleHeads.words() {
		expect("example", "quay.io/me/b:1\n\n"+head+":\nquay.io/me/c:2", "quay.io/me/b:1")
	}
	for _, head := range unwantedHeads.words() {
		expect("unwanted", "quay.io/me/b:1\n\n"+head+":\nquay.io/me/c:2", "quay.io/me/b:1")
	}
	for _, w := range mailHeads.all() {
		expect("mail", "quay.io/me/b:1\n\n----- "+w+" -----\nquay.io/me/c:2", "quay.io/me/b:1")
	}
	for _, end := range mailEnds.words() {
		expect("mail", "quay.io/me/b:1\n\n2025-01-02 me@a.io"+end+"\nquay.io/me/c:2", "quay.io/me/b:1")
	}
	expect("tag list", "please mirror quay.io/me/b:1.2 | 1.3", "quay.io/me/b:1.2", "quay.io/me/b:1.3")
	for _, w := range foreignWishes.all() {
		expect("wish", "xx "+w+" quay.io/me/b:1?", "quay.io/me/b:1")
	}
}

// TestEveryWordOfSentences checks the same for the word lists of sentences. "W"
// stands for the word.
func TestEveryWordOfSentences(t *testing.T) {
	const b, c = "quay.io/me/b", "quay.io/me/c"
	for _, list := range []struct {
		name, text string
		words      wordList
		want       string
	}{
		{"distributives", b + " and " + c + " are in use, W 1.2.3", distributives.list, b + ":1.2.3 " + c + ":1.2.3"},
		{"tagMarks", "we use it, W 1.2.3 " + b, tagMarks.list, b + ":1.2.3"},
		{"tagNouns", "please add " + b + ", W nightly", tagNouns.list, b + ":nightly"},
		{"hostMarks", "please mirror grafana/k6:1 W quay.io", hostMarks.list, "quay.io/grafana/k6:1"},
		{"articles", "mirror 1.2.3 of W " + b + " and " + c + ":2", articles.list, b + ":1.2.3 " + c + ":2"},
		{"ofMarks", "it is 1.2.3 W " + b, ofMarks.list, b + ":1.2.3"},
		{"owners", "please mirror " + b + " W 1.2.3 is what it is", owners.list, b + ":latest"},
		{"ownersBefore", "请同步 " + b + " W 1.2.3 了", ownersBefore.list, b + ":latest"},
		{"replacements", b + ":1.1 W " + b + ":1.2", replacements.list, b + ":1.2"},
		{"corrections", "please mirror " + b + ":1.1, W " + b + ":1.2", corrections.list, b + ":1.2"},
		{"newcomers", "the mirror has " + b + ":1.1, W 1.2", newcomers.list, b + ":1.2"},
		{"inUseBefore", "W " + b + ":1.1, please add " + b + ":1.2", inUseBefore.list, b + ":1.2"},
		{"inUseBehind", b + ":1.1 W, please add " + b + ":1.2", inUseBehind.list, b + ":1.2"},
		{"fillersBehind", "we need " + b + ":1; " + c + ":2 W 不需要", fillersBehind.list, b + ":1"},
		{"fillersBefore", "we need " + b + ":1 but not W " + c + ":2 here", fillersBefore.list, b + ":1"},
		{"onlyFirst", b + ":1 and " + c + ":2, W please", onlyFirst.list, b + ":1"},
		{"onlyLast", b + ":1 and " + c + ":2, W please", onlyLast.list, c + ":2"},
		{"oneOfThem", "please mirror " + b + ":1 or " + c + ":2, W", oneOfThem.list, ""},
		{"models", "please mirror me/tiny-7b which is on W", models.list, ""},
		{"unwanted", "we need " + b + ":1; please mirror here, W: " + c + ":2", unwanted.list, b + ":1"},
		{"joins", "we need " + b + ":1 here, not " + c + ":2 W " + c + ":3", joins.list, b + ":1"},
		{"fromMarks", "we need node and cni W docker.io/calico here", fromMarks.list, "docker.io/calico/node:latest docker.io/calico/cni:latest"},
		{"ofHost", "需要 quay.io W acme/gate:1.2", ofHost.list, "quay.io/acme/gate:1.2"},
		{"hostSides", "quay Wxx acme/gate:1.2, acme/door:2", hostSides.list, "quay.io/acme/gate:1.2 quay.io/acme/door:2"},
		{"otherSources", "acme/gate:1.2\nacme/door:2\nall from quay, xx W xx", otherSources.list, "docker.io/acme/gate:1.2 docker.io/acme/door:2"},
		{"origins", "please copy W quay.io acme/gate:1.2", origins.list, "quay.io/acme/gate:1.2"},
		{"ofNamespace", "需要 docker.io/calico W node, cni", ofNamespace.list, "docker.io/calico/node:latest docker.io/calico/cni:latest"},
		{"spaceMarks", "please mirror W goharbor:\n\nharbor-core:v1\nnginx-photon:v1", spaceMarks.list, "docker.io/goharbor/harbor-core:v1 docker.io/goharbor/nginx-photon:v1"},
		{"spaceNouns", "please mirror W goharbor:\n\nharbor-core:v1\nnginx-photon:v1", spaceNouns.list, "docker.io/goharbor/harbor-core:v1 docker.io/goharbor/nginx-photon:v1"},
		{"samePlaces", "please mirror quay.io/me/server:v1 and web-hook v1, W", samePlaces.list, "quay.io/me/server:v1 quay.io/me/web-hook:v1"},
		{"spaceEnds", "please mirror goharbor W:\n\nharbor-core:v1\nnginx-photon:v1", spaceEnds.list, "docker.io/goharbor/harbor-core:v1 docker.io/goharbor/nginx-photon:v1"},
		{"notSpaces", "please mirror the W namespace:\n\nnginx-photon:v1\nredis-photon:v1", notSpaces.list, "docker.io/library/nginx-photon:v1 docker.io/library/redis-photon:v1"},
		{"newVersions", "| Image | Old | W version |\n|-|-|-|\n| " + b + " | 1.1 | 1.2 |", newVersions.list, b + ":1.2"},
		{"oldVersions", "| Image | W | New |\n|-|-|-|\n| " + b + " | 1.1 | 1.2 |", oldVersions.list, b + ":1.2"},
		{"components", "| W | Old | New |\n|-|-|-|\n| " + b + " | 1.1 | 1.2 |", components.list, b + ":1.2"},
		{"wishes", "xx W grafana/loki yy zz", wishes.list, "docker.io/grafana/loki:latest"},
		{"polite", "xx W " + b + ":1?", polite.list, b + ":1"},
		{"questions", "W xx " + b + ":1 yy", questions.list, ""},
		{"interrogatives", "Wxx " + b + ":1 yy", interrogatives.list, ""},
		{"foreignQuestions", "por favor W " + b + ":1?", foreignQuestions.list, ""},
		{"defects", "with " + b + ":1 it W here", defects.list, ""},
		{"commits", "W " + b + ":1 in the tests", commits.list, ""},
		{"mirroring", "feat: W " + b + ":1 please", mirroring.list, b + ":1"},
		{"corrections", "please mirror " + b + ":1.1\n\nW 1.2", corrections.list, b + ":1.2"},
		{"regrets", "please mirror " + b + ":1.1\n\nW 1.2", regrets.list, b + ":1.2"},
		{"letterBefore", "please mirror " + b + " 1.1, xx W v here", letterBefore.list, b + ":v1.1"},
		{"letterBehind", "please mirror " + b + " 1.1, xx v W it", letterBehind.list, b + ":v1.1"},
		{"notLetters", "please mirror " + b + " 1.1, W v in front", notLetters.list, b + ":1.1"},
		{"noLetters", "please mirror " + b + " 1.1, W v 的", noLetters.list, b + ":1.1"},
		{"alsoThese", "please mirror " + b + ":1.1, W 1.1-slim", alsoThese.list, b + ":1.1 " + b + ":1.1-slim"},
		{"addings", "please mirror " + b + ":1.1\n\nW 1.2", addings.list, b + ":1.1 " + b + ":1.2"},
		{"conjunctions", "please mirror " + b + ":1.1\n\nW 1.2", conjunctions.list, b + ":1.1 " + b + ":1.2"},
		{"withdrawals", b + ":1.1\n\nW", withdrawals.list, ""},
		{"withdrawalEnds", b + ":1.1\n\nqqq W", withdrawalEnds.list, ""},
		{"everyTag", "please mirror W of " + b + " here", everyTag.list, ""},
		{"renames", b + ":1 W mine:1", renames.list, b + ":1"},
		{"belowMarks", "registry.k8s.io/sig-storage W csi-attacher:v4.8.1", belowMarks.list, "registry.k8s.io/sig-storage/csi-attacher:v4.8.1"},
		{"latestMarks", "docker.io/me/b:1.2 W 1.3", latestMarks.list, "docker.io/me/b:1.2 docker.io/me/b:1.3"},
		{"tagListMarks", "please mirror " + b + ":1.2 W 1.3", tagListMarks.list, b + ":1.2 " + b + ":1.3"},
		{"faultWords", b + ":1.1 qqq W qqq. Please mirror " + b + ":1.2.", faultWords.list, b + ":1.2"},
		{"series", "please mirror W node 20", series.list, ""},
		{"dones", "Please mirror:\n\n- [x] " + b + ":1 (W)\n- [ ] " + c + ":1", dones.list, c + ":1"},
		{"laterTags", "Please mirror " + b + ", W", laterTags.list, ""},
		{"untickeds", "Please mirror what is W:\n\n- [x] " + b + ":1\n- [ ] " + c + ":1", untickeds.list, c + ":1"},
		{"exampleMarks", "please write it like W " + b + ":1", exampleMarks, ""},
		{"thereCells", "| Image | Note |\n|-|-|\n| " + b + ":1 | qqq |\n| " + c + ":2 | W xx |", thereCells.list, b + ":1"},
		{"yesCells", "| Image | Exists |\n|-|-|\n| " + b + ":1 | qqq |\n| " + c + ":2 | W |", yesCells.list, b + ":1"},
		{"noCells", "| Image | Needed |\n|-|-|\n| " + b + ":1 | qqq |\n| " + c + ":2 | W |", noCells.list, b + ":1"},
		{"thereHeads", "| Image | W |\n|-|-|\n| " + b + ":1 | qqq |\n| " + c + ":2 | yes |", thereHeads.list, b + ":1"},
		{"wantedHeads", "| Image | W |\n|-|-|\n| " + b + ":1 | qqq |\n| " + c + ":2 | no |", wantedHeads.list, b + ":1"},
		{"newestTag", "please mirror " + b + ":1 for all who are in the new lab, and there me/c also\n\nxx W xx", newestTag.list, b + ":1 docker.io/me/c:latest"},
		{"purposes", "- redis 7.2 W qqq\n- " + b + ":1", purposes.list, "docker.io/library/redis:7.2 " + b + ":1"},
		{"finites", "- redis 7.2 for xx W yy\n- " + b + ":1", finites.list, b + ":1"},
		{"surroundings", "- redis 7.2 for xx W yy\n- " + b + ":1", surroundings.list, b + ":1"},
		{"onceMore", "You mirrored " + b + ":1 last week. Can you copy it W here?", onceMore.list, b + ":1"},
		{"respectives", "please mirror " + b + " and " + c + ", 1.2.3 and 1.2.4 W", respectives.list, b + ":1.2.3 " + c + ":1.2.4"},
		{"eachOnes", "please mirror " + b + " and " + c + ", 1.2.3 and 1.2.4 W", eachOnes.list, b + ":1.2.3 " + b + ":1.2.4 " + c + ":1.2.3 " + c + ":1.2.4"},
		{"eachParts", "please mirror " + b + " and " + c + ", 1.2.3 and 1.2.4 W", eachParts.list, b + ":1.2.3 " + b + ":1.2.4 " + c + ":1.2.3 " + c + ":1.2.4"},
		{"denials", b + ":1\n\nW present:\n" + c + ":2", denials.list, b + ":1 " + c + ":2"},
	} {
		if got := strings.Join(referencesIn(strings.ReplaceAll(list.text, "W", "qqq")), " "); got == list.want && list.name != "oldVersions" && list.name != "articles" { // any unknown word is as good
			t.Errorf("%s: %q gives %q without any word", list.name, list.text, got)
		}
		for _, word := range list.words.words() {
			text := strings.ReplaceAll(list.text, "W", word)
			if got := strings.Join(referencesIn(text), " "); got != list.want {
				t.Errorf("%s: %q gives %q, want %q", list.name, text, got, list.want)
			}
		}
	}
}

// TestEveryWordThatAddsToTheTitle checks that the body does not replace the title below
// each of the words.
func TestEveryWordThatAddsToTheTitle(t *testing.T) {
	images := func(word string) int {
		return len(Parse(Input{Title: "quay.io/me/b:1", Body: word + " quay.io/me/c:2"}).Images)
	}
	if n := images("qqq"); n != 1 {
		t.Errorf("%d images without any word", n)
	}
	for _, word := range addsFirst.list.words() {
		if n := images(word); n != 2 {
			t.Errorf("%d images with %q", n, word)
		}
	}
}

// TestEveryWordForAllBut checks that a title with each of the words excludes an image by
// its name.
func TestEveryWordForAllBut(t *testing.T) {
	for _, w := range allBut.all() {
		req := Parse(Input{Title: "Mirror images, " + w + " loki", Body: "image: grafana/loki:3.1\nimage: grafana/tempo:2.5"})
		if len(req.Images) != 1 || req.Images[0].Reference.String() != "docker.io/grafana/tempo:2.5" {
			t.Errorf("%q: got %v", w, req.Images)
		}
	}
}

// TestEveryWordForCopying checks that each of the words asks for a copy once more.
func TestEveryWordForCopying(t *testing.T) {
	if asksOnceMore("qqq it again") {
		t.Error("no word is needed")
	}
	for _, word := range copying.list.words() {
		if !asksOnceMore("x\ny. " + word + " it again") {
			t.Errorf("%q asks for nothing", word)
		}
	}
}

// TestEveryCommonPart checks that each of the words excludes no image of which it is a
// part of the name.
func TestEveryCommonPart(t *testing.T) {
	images := func(word string) int {
		return len(referencesIn("quay.io/me/b:1\nquay.io/me/" + word + "-x:2\n\nThe driver " + word + " is not needed."))
	}
	if n := images("qqq"); n != 1 {
		t.Errorf("%d images without any word", n)
	}
	for _, word := range commonParts.list.words() {
		if n := images(word); n != 2 {
			t.Errorf("%d images with %q", n, word)
		}
	}
}

// TestMasksKeepLength checks that masking inside a line does not move the rest.
func TestMasksKeepLength(t *testing.T) {
	for name, mask := range map[string]func(string) string{"comments": maskComments, "struck": maskStruck, "bold": maskBold, "tags": maskTags, "links": resolveLinks, "gaps": closeGaps} {
		for _, text := range caseTexts(t) {
			for line := range strings.SplitSeq(text.body, "\n") {
				if got := mask(line); len(got) != len(line) {
					t.Fatalf("%s: %q became %q", name, line, got)
				}
			}
		}
	}
}

// TestSpans checks that a candidate is at its reported line and column.
func TestSpans(t *testing.T) {
	const word = "quay.io/me/b:v1"
	for _, body := range []string{
		word, "  - " + word, "x\r\n请同步　“" + word + "”，谢谢", "# <br>\n<code>" + word + "</code>", "~~x~~ please mirror " + word,
		"image: " + word + "\nkind: Pod", "docker pull -q " + word, "see [this](https://a.io) and mirror " + word, "镜像：" + word, "Failed to pull image \"" + word + "\": x",
		"| Image |\n|---|\n| " + word + " |", "FROM " + word, "é́ need " + word, "\ufeff" + word,
	} {
		found := false
		for _, f := range Explain(Input{Body: body}).Findings {
			line := []rune(originalLines(body)[f.Line-1])
			rest := string(line[f.Column-1:])
			found = found || f.Written == word && strings.HasPrefix(rest, word)
		}
		if !found {
			t.Errorf("%q: %+v", body, Explain(Input{Body: body}))
		}
	}
}

// TestSpansOfCases checks the same for all candidates of all cases: what is
// written there is a part of the candidate, or a variable.
func TestSpansOfCases(t *testing.T) {
	for _, text := range caseTexts(t) {
		lines := append([]string{strings.Join(originalLines(text.title), " ")}, originalLines(text.body)...)
		for _, f := range Explain(Input{Title: text.title, Body: text.body}).Findings {
			if f.Line >= len(lines) || strings.HasSuffix(lines[f.Line], "\\") {
				continue // the body has no line ends, or a command goes on
			}
			rest := strings.TrimLeft(normalise(string([]rune(lines[f.Line])[f.Column-1:])), "\"'")
			word := rest
			if end := strings.IndexFunc(rest, func(r rune) bool { return !strings.ContainsRune("-._/:@", r) && (r > 0x7f || !isAlnum(byte(r))) }); end >= 0 {
				word = rest[:end]
			}
			word = strings.TrimRight(word, "-._/:@")
			if written := f.Written + " " + f.Reference; (word == "" || !strings.Contains(lower(written), lower(word[:min(len(word), 2)]))) && !strings.HasPrefix(rest, "$") && !strings.HasPrefix(rest, "{") {
				t.Errorf("%q is said to be at %q", written, rest)
			}
		}
	}
}

// TestRules checks that a rule depends only on the evidence and does not change
// its argument.
func TestRules(t *testing.T) {
	for _, text := range caseTexts(t) {
		e, _ := understand(Input{Title: text.title, Body: text.body})
		for _, r := range rules {
			before := fmt.Sprintf("%+v", verdictsOf(e))
			one, two := e.clone(), e.clone()
			r.apply(&one)
			r.apply(&two)
			if after := fmt.Sprintf("%+v", verdictsOf(e)); after != before {
				t.Errorf("%s changes its argument: %s became %s", r.name, before, after)
			}
			if a, b := fmt.Sprintf("%+v", verdictsOf(one)), fmt.Sprintf("%+v", verdictsOf(two)); a != b {
				t.Errorf("%s gives %s and %s", r.name, a, b)
			}
		}
	}
}

func verdictsOf(e evidence) []string {
	var all []string
	for _, t := range e.texts() {
		for _, c := range t.candidates {
			all = append(all, fmt.Sprint(c.image.Reference, c.verdict, c.reasons, c.image.Assumptions))
		}
	}
	return all
}

// TestShapesDocument checks docs/shapes.md and its translation against the
// tables.
func TestShapesDocument(t *testing.T) {
	for name, text := range map[string]string{"shapes.md": shapesDocument(false), "shapes.zh-CN.md": shapesDocument(true)} {
		path := filepath.Join("..", "..", "docs", name)
		if *update {
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("docs/%s is not what the tables say (-update writes it anew): %v", name, err)
		}
	}
}

// TestChinese checks that the tables in Chinese have every row of docs/shapes.md,
// and no other.
func TestChinese(t *testing.T) {
	var places, marks, all []string
	for _, p := range allPlaces() {
		places = append(places, p.name)
	}
	for _, r := range rules {
		places = append(places, r.name)
	}
	for _, s := range signals {
		marks = append(marks, s.name)
	}
	for _, d := range dialects {
		all = append(all, d.name)
	}
	for _, table := range []struct {
		chinese map[string]string
		names   []string
	}{{inChinese, places}, {signalsInChinese, marks}, {dialectsInChinese, all}} {
		for _, name := range table.names {
			if table.chinese[name] == "" {
				t.Errorf("%s has no Chinese", name)
			}
		}
		for name := range table.chinese {
			if !slices.Contains(table.names, name) {
				t.Errorf("%s has Chinese, but is in no table", name)
			}
		}
	}
}

func shapesDocument(chinese bool) string {
	say := func(english, other string) string {
		if chinese {
			return other
		}
		return english
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n%s\n", say("# What Ferry reads", "# Ferry 能读懂什么"), say(
		"Generated from the tables in `internal/request`; each example is a test.\n`ferry parse --explain` shows the decision about every word of a text.",
		"本页由 `internal/request` 里的表生成，每个例子都是测试。\n`ferry parse --explain` 会列出一段文字里每个词是怎么判断的。"))
	for _, d := range dialects {
		says := rowComments()["dialects.go "+d.name].says
		body, images, _ := strings.Cut(exampleOf(d), " => ")
		fmt.Fprintf(&b, "\n## %s\n\n%s%s\n\n```text\n%s\n```\n\n", d.name, say(strings.ToUpper(says[:1])+says[1:], dialectsInChinese[d.name]), say(".", "。"), body)
		for image := range strings.FieldsSeq(images) {
			fmt.Fprintf(&b, "- `%s`\n", image)
		}
	}
	fmt.Fprintf(&b, "\n## %s\n\n| %s |\n| --- | --- |\n", say("Commands", "命令"), say("example | images", "例子 | 镜像"))
	for _, c := range commands() {
		line, images, _ := strings.Cut(c.shows, "=>")
		cell := say("none", "无")
		if all := strings.Fields(images); len(all) > 0 {
			cell = "`" + strings.Join(all, "`, `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", strings.TrimSpace(line), cell)
	}
	fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| %s |\n| --- | --- | --- | --- |\n", say("Places", "位置"), say(
		"A word counts if its form is at least as certain as its place requires: `bare`\n(immich), `official` (nginx), `path` (grafana/grafana), `tagged`\n(grafana/grafana:11), `certain` (quay.io/me/b).",
		"一个词的写法要达到所在位置的要求才算镜像，由弱到强：`bare`（immich）、`official`（nginx）、\n`path`（grafana/grafana）、`tagged`（grafana/grafana:11）、`certain`（quay.io/me/b）。"), say("place | requires | otherwise | meaning", "位置 | 要求 | 达不到时 | 含义"))
	for _, p := range allPlaces() {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", p.name, strengths[p.needs], verdicts[p.weaker], say(rowComments()["place.go "+p.name].says, inChinese[p.name]))
	}
	fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| %s |\n| --- | --- | --- |\n", say("Signals", "信号"), fmt.Sprintf(say(
		"The sum of the weights of its signals and of its wording decides whether a text asks\nfor its images or only mentions them: %d or more is a request, %d or less a mention. In\nbetween, Ferry asks the author.\n\nThe wording weighs from -%d to %d. It is the words of the text outside code blocks, those of the\ntitle once more, the pairs of neighbours among them, the places of images, and how long the text is\nand how much of it is code. Their weights were learned, beside the signals, from texts\nwhose meaning is known; see [Extending Ferry](extending.md#a-text-that-is-taken-for-a-request).\n\nThat an image cannot be pulled is a request if the text says nothing else. In a question\nwithout a polite wish, or in the form of a bug report, it is none.",
		"一段文字是要镜像还是只提到镜像，由各信号与措辞的权重之和决定：不小于 %d 是请求，不大于 %d 只是提到，\n介于两者之间则询问。\n\n措辞的权重在 -%d 到 %d 之间，取决于代码块以外的词和相邻的词对（标题里的另计一次）、镜像所在的位置、文字的长短和\n代码所占的比例。各项权重是在已有信号的基础上，从已标注的文本中学到的，见 [Extending Ferry](extending.md#a-text-that-is-taken-for-a-request)。\n\n只说某个镜像拉取不了，也算请求；写成没有礼貌请求的问句，或写在问题报告的表单里，则不算。"), requests, mentions, maxWording, maxWording), say("signal | weight | meaning", "信号 | 权重 | 含义"))
	for _, s := range signals {
		fmt.Fprintf(&b, "| %s | %+d | %s |\n", s.name, s.weight, say(rowComments()["signals.go "+s.name].says, signalsInChinese[s.name]))
	}
	fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| %s |\n| --- | --- |\n", say("Rules", "规则"), say("Relations between title, body and sentences, applied in this order.", "标题、正文和句子之间的关系，按以下顺序应用。"), say("rule | meaning", "规则 | 含义"))
	for _, r := range rules {
		fmt.Fprintf(&b, "| %s | %s |\n", r.name, say(rowComments()["rules.go "+r.name].says, inChinese[r.name]))
	}
	return b.String()
}

// inChinese are the places and rules in Chinese.
var inChinese = map[string]string{
	"line": "只有镜像和随带词语的一行", "release": "Kubernetes 的一个版本，其镜像已知", "command": "粘贴的命令中，按语法是镜像的参数", "spoken-command": "句子里的命令，同上",
	"beside-command": "命令所在行的其他词", "from": "Dockerfile 里的 FROM", "copy-from": "Dockerfile 里的 COPY --from= 和 RUN --mount=from=", "image-key": "任何配置文件里表示镜像的键的值",
	"field": "表单里合起来是一个镜像的几个字段", "other-key": "其他键的值，须带标签或摘要", "source": "写明源和目标的列表里的源", "sync-key": "image-syncer 列表的键，其值是目标", "namespace": "列在共同命名空间下面的名称", "column": "程序输出里的镜像列", "cell": "表格里的镜像列",
	"log": "日志里点名的镜像", "log-done": "日志说已经拉取的镜像，以及拉取它的命令，别处没有镜像时才算；列表里的镜像，日志说从别的地址拉到了、而同一列表的另一个没拉到时，就不算请求", "log-link": "日志里 manifest 的地址", "sentence": "句子里的词", "quotes": "句子里加了引号的词", "wish": "提出请求的句子里的词，或只写了一个镜像的标题里的词",
	"plain-wish": "礼貌请求的句子里唯一的词", "exclusion": "句子说明不需要的词", "elsewhere": "其他任何地方",
	"quoted": "引用的消息", "example": "文中举的例子", "removed": "diff 删除的行", "unchanged": "diff 未改动的行", "excerpt": "报错或工具显示的上下文", "not-wanted": "写明不需要的列表", "hidden": "GitHub 页面上看不到的内容：链接定义、代码块开头的说明、样式、脚本",
	"again":    "文中说已有的镜像，如果是唯一的一个，而文字又要求再同步一次，就算请求",
	"excluded": "某处写明不需要的镜像，别处写了也不算；带镜像的句子说其余的不要时，其余的也不算", "correction": "“更正”“我是说”等词后面的镜像，代替前面的同名镜像；后面只有版本时，换成版本前所写的那个镜像的标签，没有写名字就换成唯一那个镜像的标签", "apart-tag": "单独写的标签，归前面写了名称的那个没有标签的镜像；写明是标签，或全文要求同步镜像、又没有别的标签时，归唯一的镜像或同一行的镜像；写明各个镜像都要，或一行以同一系列的标签开头时，归所有镜像；其他情况先询问", "copy": "私有网络里的主机上的镜像，或未知主机上的“library/…”，是副本：文字里的另一个镜像才是来源，标签以副本的为准；没有别的来源时，那里的官方镜像取自 Docker Hub；完整路径放在某个命名空间下面、标签相同的镜像也是副本，diff 里被替换的镜像同样是来源；主机名或命名空间里写着 mirror 之类字样的未知主机上的镜像也是副本，路径可以与来源相同，对 diff 里被替换的镜像只要名称和标签相同；句子说要复制到的地址，或与带标签的镜像同名、自己没有标签的，也是副本；命令和日志里的镜像，如果句子或列表里另有名称和标签都相同的，也是副本；云账号自己的仓库里的镜像，如果别处有名称和标签都相同的，也是副本", "faulty": "所在分句说明有问题或先不要动的镜像，如果还要了它的另一个版本，就不算请求", "sample": "“img:tag”这样代替名称和标签的写法，如果文中另有镜像，就不算请求", "later-tag": "文中说版本以后再定时，没写标签的镜像先询问", "range": "“1.16.x”这样的标签表示一个版本范围：先询问要其中哪个版本", "title-versions": "标题只写了一个官方镜像的名称，文字要求同步镜像而且没有写别的镜像时，正文开头（前面可以有几个词）的版本或发行版代号就是它的标签", "stated-registry": "标题写明镜像来自哪个仓库（“keycloak from quay”），或者短文只提到一个仓库并写明镜像来自它（“都要 quay 的”）时，没写仓库地址的镜像归该仓库", "arrow": "单独一行箭头下面的镜像，是上面镜像的复制目标", "destination": "句子说把另一个同名镜像复制到某个地址时，这个地址只是目标，写在它后面的标签归来源镜像", "untagged": "句子里没有仓库地址也没有标签的名称，如果文中另有带标签的镜像而且没提到最新版，就不算请求；紧挨着别的镜像的除外", "bid": "文字是请求，而且有句子要镜像或者措辞像是要镜像时，疑问句里的镜像就算请求", "names-in-space": "短文只写明一个带仓库的命名空间、没有写别的镜像时，列表里的名称都在该命名空间里", "stated-namespace": "文中写明列表所在的命名空间时，没写命名空间、又不是官方镜像的名称归入该命名空间；只写了一个词、名称也对不上时先询问", "only-mention": "文字要镜像，或者肯定是请求，而没有别的镜像可用时，句子里带命名空间的名称就是所要的镜像；正文里没有时，标题里带标签的也算", "item": "行首的镜像后面带说明时，上一行或下一行是列表中的镜像，它也是其中一项；同一列表的另一项是镜像时，列表项开头的镜像也是", "mention": "文字在讲别的事，既不要镜像也没说拉取不了，句子、命令和文件里的镜像就不算请求", "heading": "只有别处没有镜像时，标题行和注释行里的才算镜像", "lone-name": "唯一的镜像只是一个官方镜像名，而旁边的文字谈别的事时，先询问",
	"listed-tags": "每行一个的标签列表，归上一行里没写标签的镜像；上一行没有时，归它前面最近的那个，或标题里唯一的镜像", "lone-tag": "正文里单独写的版本，是唯一那个没写标签的镜像的标签", "shared-tag": "一行里为所有镜像写的版本，是没写标签的镜像的标签", "body-gets-tag": "正文里没写标签的镜像，用标题里写的标签",
	"title-or-body": "以正文里的镜像为准，除非正文只是提到而标题本身就是镜像，或者标题除了正文里的镜像还列出了别的", "title-names": "正文里带标签的官方镜像名，如果标题要的是它（没写标签，或者只写了该标签的开头），或者是同一行的另一个镜像，就算请求的镜像", "aside": "没有提出要求的分句里的镜像只是顺带提到，如果别的镜像在列表里或者在提出要求的分句里；旁边写着已有、已下线、以后再说或写错的镜像也是，如果别的镜像写全了", "letter": "文中说标签前面带 v 时，与镜像名分开写的版本前面加上 v，除非已有镜像的标签带 v", "longer-tag": "同一版本的更长的标签（比如 1.2.3 后面的 1.2.3-debug，或者标题写 1.2 时正文里的）如果前文提到它的变体名或者它在括号里，就代替该版本镜像的标签；旁边写着“也要”之类的词，或者两个并列时，是又一个标签", "more-tags": "在补充说明里的版本，或者单独占一行的版本，是前面唯一那个镜像（或前面写明名字的那个镜像）的又一个标签", "beside": "镜像旁边的文字比其他镜像旁边的更像是不要它，就不算请求的镜像；这些词的权重是学来的", "own-name": "被请求的代码仓库自己的名字不是镜像", "tried": "命令没写仓库，日志接着试过别的仓库：后者不算请求", "only-tag": "文中只给出该仓库的一个标签时，没写标签的镜像就用这个标签；带标签的那个本来就算请求的镜像，没写标签的就去掉；带标签的被排除，或者两个都是列表里的行，则不适用", "says-less": "比同一镜像的另一处写得少的链接、词，日志里 manifest 的地址和没写标签的镜像，只是提及",
	"listed-release": "如果文中列出了 Kubernetes 的多个组件，其中有该版本的，则以列出的为准", "title-tags": "要镜像的文字里没有别的镜像时，正文中写明的标签，归标题（标题没有时归正文）里唯一的官方镜像名", "list-item": "镜像列表里单独一行的词，先询问", "guess": "没有别的请求时，单独一个词当作 Docker Hub 的镜像",
}

// signalsInChinese are the signals in Chinese.
var signalsInChinese = map[string]string{
	"wish": "有一句话要镜像", "title-wish": "标题要镜像", "title-hint": "标题里有请求用的词",
	"untitled": "没有标题，只有一段文字", "replacement": "有一句话把一个镜像换成另一个", "title-names": "标题点名要某个镜像",
	"wanted-head": "有列出所需内容的小标题", "title-image": "标题就是镜像", "title-order": "标题说要添加的，正是正文里写的镜像", "titled": "标题里有镜像",
	"form": "表单里填了镜像", "list": "有一行只写了镜像，或者表格里有一行是带标签的镜像", "unreachable": "拉取不了或连不上",
	"title-unreachable": "标题说拉取不了", "isolated": "有一句话提到隔离的网络", "logged": "日志里有没拉到的镜像",
	"bare": "除了镜像几乎没有别的词", "terse": "除了镜像没几个词", "pasted": "文件或表格里有镜像",
	"fails": "有东西失败，但不是拉取镜像", "spoken": "镜像只出现在句子里，没有哪句要它或说拉不到", "told": "镜像之外还有一句话",
	"tale": "镜像之外还有几句话", "long-tale": "镜像之外有很多话", "question": "有问句，不是礼貌地要镜像，旁边也没有镜像列表",
	"running": "有一句话谈的是运行容器", "defect": "有一句话报告项目的问题或提建议", "report": "有问题报告的小标题",
	"bug-form": "有问题报告的表单，没有礼貌地要镜像", "reports": "有好几个问题报告的小标题", "changes": "有发布说明、会议纪要或故障复盘的小标题",
	"event-title": "标题是会议纪要、公告、提案或故障复盘", "daemon": "配置容器引擎从哪里拉取", "version-title": "标题是发布的版本号",
	"commit": "标题是提交说明，没有要镜像", "diff": "正文里有文件改动", "removal": "有一句话要求删除镜像", "row": "有一行以镜像和标签开头", "mirror-fails": "读者自己的镜像站上的镜像拉不下来，也没有哪句话要镜像；或者唯一的镜像在私有网络里", "change-form": "有代码改动模板里的小标题", "access": "标题要的是访问权限、角色或账号", "withdrawn": "有一句不带镜像的话撤回了请求",
	"proposal": "标题提议一个功能", "do-not": "标题说不要做某事，正文也没有要镜像", "news": "有一句话宣布或告知某事",
	"aftermath": "有一句话说更新之后发生的事，没有要镜像", "advice": "有一句话说应当怎么做，没有要镜像", "scan": "有扫描工具的输出或程序的调用栈",
	"containers": "列出了运行中的容器，没有要镜像", "service": "文件写明容器如何运行", "tagged": "标题标明是缺陷、问题、建议或感谢",
	"project": "有句子谈项目的代码", "solved": "有一句话说已经解决", "praise": "有一句话说能用了，没有要镜像", "job": "有一句话谈同步任务本身",
	"outage": "有一句话谈服务故障",
}

// dialectsInChinese are the dialects in Chinese.
var dialectsInChinese = map[string]string{
	"release":     "Kubernetes 某个版本的全套镜像",
	"form":        "表单字段，写在标签后面或标题下面，支持十四种语言",
	"namespace":   "列在共同命名空间下面的名称",
	"dockerfile":  "Dockerfile（以及 Earthfile）里的 FROM、COPY --from、RUN --mount 和 syntax 行",
	"table":       "带表头的表格（Markdown 或纯文本列），以及 docker images 等命令的输出",
	"document":    "YAML 和 JSON：Kubernetes 清单、Compose 文件、Chart 的 values、流水线，以及写明源和目标的同步列表",
	"assignments": "逐行的配置项：HCL、Nix 或变量文件",
	"xml":         "Unraid 等 XML 模板里的元素",
	"log":         "提到镜像的事件、日志和报错",
	"items":       "hub-mirror 的请求列表",
	"command":     "容器工具的命令行，按每条命令的语法解析",
	"text":        "其余内容：列表、单行文字、句子",
}
