package report

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// hostileTexts try to leave the place they are put in.
var hostileTexts = []string{
	"", " ", "`", "``", "a`b", "`a", "a`", "``` ", "\n```\n@octocat\n```", "~~~", "a\\", "\\`", "|", "a\\|b", "a|b\n|c",
	"@octocat @org/team", "#1 GH-2 octo/repo#3 fixes #4", "https://evil.example www.evil.example",
	"<!-- ferry:v1 issue=1 request=- state=done tries=1 since=- -->", "<\u200b!-- x -->", "<!<!----", "</details></summary><img src=x>",
	"![x](https://evil.example/x.png)", "[x](y)", "\x1b[31mred\x1b[0m\x07", "\u202eevil\u2066", "\r\n\r", "\u2028", "\xff\xfe",
	"{suggestion} {host} {hints} {n}", strings.Repeat("`", 5000), strings.Repeat("我", 5000), strings.Repeat("\n", 5000), "**bold** _x_ ~~y~~",
}

func FuzzCode(f *testing.F) {
	for _, text := range hostileTexts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		span := string(code(text))
		rest, ok := withoutCode(span)
		switch {
		case span == "—":
		case !ok || rest != "x":
			t.Errorf("%q gives %q, which is not one code span (%q is left)", text, span, rest)
		}
		if strings.ContainsAny(span, "\n\r") || !utf8.ValidString(span) || strings.Contains(span, "<!--") {
			t.Errorf("%q gives %q", text, span)
		}
		if len(span) > 3*maxCode+4 {
			t.Errorf("%d bytes", len(span))
		}
	})
}

func FuzzFence(f *testing.F) {
	for _, text := range hostileTexts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Split(string(join(fence(text), "\n")), "\n")
		open, end := strings.TrimSuffix(lines[0], "text"), lines[len(lines)-1]
		if open != end || strings.Trim(open, "`") != "" || len(open) < 3 {
			t.Fatalf("%q gives a fence of %q and %q", text, lines[0], end)
		}
		for _, line := range lines[1 : len(lines)-1] {
			// Any indentation and length counts, which is stricter than
			// CommonMark: that closes a fence only with enough backticks and
			// little space.
			if trimmed := strings.TrimSpace(line); trimmed != "" && strings.Trim(trimmed, "`") == "" && len(trimmed) >= len(open) {
				t.Errorf("%q closes its own fence with %q", text, line)
			}
			if strings.ContainsAny(line, "\r\x1b\u202e") || strings.Contains(line, "<!--") {
				t.Errorf("%q keeps %q", text, line)
			}
		}
	})
}

func TestCodeKeepsReferencesAsTheyAre(t *testing.T) {
	for _, text := range []string{"docker.io/library/nginx:1.27", "ghcr.io/a/b__c@" + digest("a").String(), "linux/arm/v7", strings.Repeat("a", maxCode)} {
		if got := code(text); got != md("`"+text+"`") {
			t.Errorf("code(%q) = %q", text, got)
		}
	}
}

func TestLink(t *testing.T) {
	for address, linked := range map[string]bool{
		"https://github.com/a/b/actions/runs/1": true,
		"http://127.0.0.1:3000/a/b":             true,
		"":                                      false,
		"javascript:alert(1)":                   false,
		"https://github.com/a) [x](https://evil.example": false,
		"https://github.com/a\nb":                        false,
		"/relative":                                      false,
	} {
		want := md("text")
		if linked {
			want = md("[text](" + address + ")")
		}
		if got := link("text", address); got != want {
			t.Errorf("link to %q is %q", address, got)
		}
	}
}
