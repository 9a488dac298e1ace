package runner

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// commands are the commands of the runner (ActionCommandManager.cs), including
// deprecated ones, which it still executes.
var commands = []string{
	"add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group", "notice",
	"remove-matcher", "save-state", "set-env", "set-output", "stop-commands", "warning",
}

// executed parses a line like the runner (ActionCommand.cs, TryParseV2 and
// TryParse), and returns the name and the data of a command in it. The runner
// compares by the rules of a culture, which ignore characters without weight,
// so the line is also parsed without them.
func executed(line string) (name, data string, ok bool) {
	for _, reading := range []string{line, strings.Map(weighty, line)} {
		if name, data, ok = parseV2(reading); ok {
			return name, data, true
		}
		if name, data, ok = parseV1(reading); ok {
			return name, data, true
		}
	}
	return "", "", false
}

func weighty(r rune) rune {
	if r != ' ' && (unicode.In(r, unicode.C, unicode.M, unicode.Z) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)) {
		return -1
	}
	return r
}

func parseV2(line string) (name, data string, ok bool) {
	rest, ok := strings.CutPrefix(strings.TrimLeftFunc(line, unicode.IsSpace), "::")
	if !ok {
		return "", "", false
	}
	info, data, ok := strings.Cut(rest, "::")
	if !ok {
		return "", "", false
	}
	name, _, _ = strings.Cut(info, " ")
	return name, strings.NewReplacer("%0D", "\r", "%0A", "\n", "%25", "%").Replace(data), registered(name)
}

func parseV1(line string) (name, data string, ok bool) {
	_, rest, ok := strings.Cut(line, "##[")
	if !ok {
		return "", "", false
	}
	info, data, ok := strings.Cut(rest, "]")
	if !ok {
		return "", "", false
	}
	name, _, _ = strings.Cut(info, " ")
	return name, data, registered(name)
}

// registered ignores case, like the runner.
func registered(name string) bool {
	for _, c := range commands {
		if strings.EqualFold(c, name) {
			return true
		}
	}
	return false
}

// runnerLines returns the lines that .NET's reader finds in the output of a
// process.
func runnerLines(output string) []string {
	return strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(output), "\n")
}

func TestOracle(t *testing.T) {
	for line, want := range map[string]string{
		"::add-mask::x":                    "add-mask",
		" \u00a0\t::error title=a::x":      "error",
		"::ERROR::x":                       "ERROR",
		">>>   ##[add-mask]x":              "add-mask",
		"a ##[set-output name=t;]x":        "set-output",
		"\u00ad::stop-commands::x":         "stop-commands",
		"#\u200d#\ufeff[stop-commands]x":   "stop-commands",
		"::unknown::x":                     "",
		"text ::add-mask::x":               "",
		"::add-mask:x":                     "",
		"## [add-mask]x":                   "",
		"##[section]Starting: nothing bad": "",
	} {
		if name, _, _ := executed(line); name != want && (want != "" || registered(name)) {
			t.Errorf("executed(%q) = %q, want %q", line, name, want)
		}
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"":                                        "",
		"copying gcr.io/a/b:1 → docker.io/u":      "copying gcr.io/a/b:1 → docker.io/u",
		"镜像 nginx:1.27 已完成":                       "镜像 nginx:1.27 已完成",
		"std::vector is fine":                     "std::vector is fine",
		"::add-mask::a":                           "· ::add-mask::a",
		"  ::add-mask::a":                         "·   ::add-mask::a",
		":one colon":                              "· :one colon",
		"x ##[add-mask]a ###[add-mask]b":          "x ## [add-mask]a ### [add-mask]b",
		"\x1b[31mred\x1b[0m":                      "red",
		"\x1b]8;;http://evil\x07link\x1b]8;;\x07": "link",
		"\u009b31mred":                            "red",
		"#\x00#\x1b[0m[add-mask]a":                "## [add-mask]a",
		":\u200b:add-mask::a":                     "· ::add-mask::a",
		"a\rb\nc\td\u2028e":                       "a b c d e",
		"good\u202edab":                           "gooddab",
		"\xff\xfe":                                "\ufffd",
		"\x07bell\x7f":                            "bell",
	} {
		if got := clean(in); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCleanBoundsLines(t *testing.T) {
	for _, unit := range []string{"x", "é", "镜", "\xff", "##[", "😀"} {
		got := clean(strings.Repeat(unit, 10*maxLine))
		if len(got) > maxLine || !strings.HasSuffix(got, "…") || !utf8.ValidString(got) {
			t.Errorf("a line of %q became %d bytes ending in %q", unit, len(got), got[max(0, len(got)-8):])
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, seed := range []string{
		"copying gcr.io/ns/img:tag", "::add-mask::a", "\t\v\f\u0085\u00a0\u3000::set-output name=t::evil",
		"x ##[stop-commands]token", "##\u200b[add-mask]a", "#\x1b[0m#[add-mask]a", "a\r::error::b\n##[warning]c",
		"\u00ad:\u034f:\ufe0fgroup::x", "\u1160::debug::x", "\x9b::debug::x", "\xc2::debug::x", "########[[[[add-mask]",
		strings.Repeat(" ", maxLine-3) + "::add-mask::a", strings.Repeat("é", maxLine) + "##[add-mask]a",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, line := range append(lines(text), clean(text)) {
			if len(line) > maxLine {
				t.Errorf("%q has %d bytes", line, len(line))
			}
			if !utf8.ValidString(line) {
				t.Errorf("%q is not UTF-8", line)
			}
			for _, r := range line {
				if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
					t.Errorf("%q has %U", line, r)
				}
			}
			for _, read := range runnerLines(line) {
				if name, _, ok := executed(read); ok {
					t.Errorf("%q became %q, which the runner takes for %s", text, line, name)
				}
			}
			if again := clean(line); again != line && len(line) < maxLine-8 {
				t.Errorf("%q is changed again, to %q", line, again)
			}
		}
	})
}
