package catalog

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/reference"
)

// stocked is a log of five tags of two repositories, a day apart.
func stocked(t *testing.T) []Change {
	t.Helper()
	var log []Change
	for n, row := range []struct{ source, mirror, by, platform string }{
		{"quay.io/a/b:1", "docker.io/me/quay.a.b:1", "#1", "linux/amd64"},
		{"quay.io/a/b:2", "docker.io/me/quay.a.b:2", "images.txt:1", "linux/arm64"},
		{"quay.io/a/b:3", "docker.io/me/quay.a.b:3", "#2", "linux/amd64"},
		{"registry.k8s.io/pause:1", "docker.io/me/google-containers.pause:1", "#3", "linux/amd64"},
		{"k8s.gcr.io/pause:1", "docker.io/me/google-containers.pause:1", "images.txt:2", "linux/amd64"},
	} {
		l := fmt.Sprintf(`{"v":1,"at":"2026-11-%02dT00:00:00Z","what":"copied","source":%q,"mirror":%q,"digest":"sha256:%064d","platforms":[%q],"by":%q}`, n+1, row.source, row.mirror, n, row.platform, row.by)
		changes, faults := Read([]byte(l))
		if faults != nil {
			t.Fatal(faults)
		}
		log = append(log, changes...)
	}
	return log
}

func TestSurplus(t *testing.T) {
	now := time.Date(2026, 11, 6, 0, 0, 0, 0, time.UTC)
	arm, err := reference.ParsePlatform("linux/arm64")
	if err != nil {
		t.Fatal(err)
	}
	stockedMirror, err := reference.Parse("docker.io/me/quay.a.b:1")
	if err != nil {
		t.Fatal(err)
	}
	asked := map[reference.Reference]time.Time{stockedMirror: now.AddDate(0, 0, -1)}
	one, two, three, pause := "docker.io/me/quay.a.b:1", "docker.io/me/quay.a.b:2", "docker.io/me/quay.a.b:3", "docker.io/me/google-containers.pause:1"
	for _, test := range []struct {
		name  string
		rules Rules
		want  []string // surplus; a mirror of two sources stands twice
	}{
		{"the newest", Rules{Newest: 1}, []string{one, two}},
		{"the newest two", Rules{Newest: 2}, []string{one}},
		{"changed in three days", Rules{Days: 4}, []string{one, two}},
		{"of lists", Rules{Listed: true}, []string{one, three}},
		{"asked for", Rules{Asked: 3}, []string{pause, two, three, pause}},
		{"asked for too long ago", Rules{Asked: 1}, []string{pause, one, two, three, pause}},
		{"of lists or the newest", Rules{Listed: true, Newest: 1}, []string{one}},
		{"another platform", Rules{Newest: 3, Platforms: []reference.Platform{arm}}, []string{pause, one, three, pause}},
	} {
		log := stocked(t)
		rand.Shuffle(len(log), func(i, j int) { log[i], log[j] = log[j], log[i] })
		var got []string
		for _, i := range Fold(log).Surplus(test.rules, asked, now) {
			got = append(got, i.Mirror.String())
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: surplus is %v, want %v", test.name, got, test.want)
		}
	}
}

// TestDeletedMirrors checks that a deleted mirror leaves the site and the count of the
// quota, is not brought back by an older answer, and is there again once it is copied.
func TestDeletedMirrors(t *testing.T) {
	log := stocked(t)
	before := Fold(log)
	when := time.Date(2026, 11, 7, 0, 0, 0, 0, time.UTC)
	surplus := before.Surplus(Rules{Newest: 1}, nil, when)
	for _, i := range surplus {
		log = append(log, Change{At: when, What: Deleted, Source: i.Source, Mirror: i.Mirror})
	}
	text, err := Lines(log)
	if err != nil {
		t.Fatal(err)
	}
	log, faults := Read(text)
	if faults != nil {
		t.Fatal(faults)
	}
	rand.Shuffle(len(log), func(i, j int) { log[i], log[j] = log[j], log[i] })
	s := Fold(log)
	if n := s.Holdings().Repositories["docker.io/me/quay.a.b"]; n != 1 {
		t.Errorf("%d tags are left, want 1", n)
	}
	file, err := s.Holdings().File()
	if err != nil || !bytes.HasSuffix(file, []byte(`"deleted":["docker.io/me/quay.a.b:1","docker.io/me/quay.a.b:2"]}`+"\n")) {
		t.Errorf("the file is %s, %v", file, err)
	}
	held, err := ReadHoldings(file)
	if err != nil || !held.HasDeleted(surplus[0].Mirror) || !held.HasDeleted(surplus[1].Mirror) {
		t.Errorf("read: %v, %v", held, err)
	}
	record := fmt.Sprintf(`[{"source":"quay.io/a/b:1","mirror":"docker.io/me/quay.a.b:1","status":"copied","digest":"sha256:%064d"}]`, 0)
	for after, want := range map[time.Duration]int{-time.Hour: 0, time.Hour: 1} {
		changes, _ := Harvest(s, []Answer{{Issue: 1, Records: []byte(record), At: when.Add(after)}})
		if len(changes) != want {
			t.Errorf("an answer %s after the deletion makes %d changes, want %d", after, len(changes), want)
		}
		if again := Fold(append(slices.Clone(log), changes...)); again.Holdings().Repositories["docker.io/me/quay.a.b"] != 1+want {
			t.Errorf("after it, %v", again.Holdings())
		}
	}
	for _, broken := range []string{"", "{", `{"version":2,"deleted":["docker.io/me/quay.a.b:1"]}`, "[]"} {
		if got, err := ReadHoldings([]byte(broken)); len(got.Deleted) > 0 || err == nil {
			t.Errorf("%q is read as %v", broken, got)
		}
	}
}

// TestListedLater checks that the rule "listed" keeps an image that an issue got first,
// and that a list has since.
func TestListedLater(t *testing.T) {
	log := stocked(t)[:1]
	record := fmt.Sprintf(`[{"source":"quay.io/a/b:1","mirror":"docker.io/me/quay.a.b:1","status":"present","digest":"sha256:%064d","list":"images.txt:3"}]`, 0)
	now := log[0].At.Add(time.Hour)
	for want := range 2 {
		if got := Fold(log).Surplus(Rules{Listed: true}, nil, now); len(got) != 1-want {
			t.Errorf("surplus is %v", got)
		}
		changes, faults, err := Changes(Fold(log), []byte(record), now)
		if err != nil || faults != nil || len(changes) != 1-want {
			t.Errorf("%d changes, %v, %v", len(changes), faults, err)
		}
		log = append(log, changes...)
	}
}

// TestSameTime: of mirrors that changed at the same time none is newer than another.
func TestSameTime(t *testing.T) {
	log := stocked(t)[:3]
	log[0].At = log[1].At
	for newest, want := range map[int]int{0: 3, 1: 2, 2: 0, 3: 0} {
		if got := Fold(log).Surplus(Rules{Newest: newest}, nil, at(9)); len(got) != want {
			t.Errorf("newest %d: surplus is %v, want %d", newest, got, want)
		}
	}
}

// TestUnknownPlatforms checks that the rule "platforms" deletes nothing of a log that was
// rebuilt, which has no platforms.
func TestUnknownPlatforms(t *testing.T) {
	log := stocked(t)[:1]
	amd := log[0].Platforms
	for _, test := range []struct {
		platforms []reference.Platform
		want      int
	}{{amd, 0}, {nil, 0}, {[]reference.Platform{{OS: "linux", Architecture: "arm64"}}, 1}} {
		log[0].Platforms = test.platforms
		if got := Fold(log).Surplus(Rules{Newest: 1, Platforms: amd}, nil, at(1)); len(got) != test.want {
			t.Errorf("%v: surplus is %v", test.platforms, got)
		}
	}
}
