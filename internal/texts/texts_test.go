package texts

import (
	"bytes"
	"compress/gzip"
	"slices"
	"testing"
)

func packed(t *testing.T, text string) string {
	t.Helper()
	var file bytes.Buffer
	w := gzip.NewWriter(&file)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.String()
}

func TestUnpack(t *testing.T) {
	for _, text := range []string{"", "a", "多行\n文本\n", "\x1f\x8b"} {
		if got := Unpack(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
		if got := Unpack(packed(t, text)); got != text {
			t.Errorf("%q became %q after it was compressed", text, got)
		}
	}
}

const header = "msgid \"\"\nmsgstr \"Content-Type: text/plain; charset=UTF-8\\n\"\n"

func TestMessages(t *testing.T) {
	const file = "# A comment.\n" + header + `
# Another.
msgid "is {}"
msgstr "是 {1}"

msgid "b\n"
msgstr ""
"“b”\n"
"\"c\""
`
	want := []Message{{"is {}", "是 {1}"}, {"b\n", "“b”\n\"c\""}}
	for _, file := range []string{file, packed(t, file)} {
		if got, err := Messages(file); err != nil || !slices.Equal(got, want) {
			t.Errorf("got %q, %v", got, err)
		}
	}
}

func TestFaultsOfMessages(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{"", "no header"},
		{`msgid "a"` + "\n" + `msgstr "b"`, "no header"},
		{`"a"`, `line 1: "\"a\"" has no place here`},
		{`msgstr "a"`, `line 1: "msgstr \"a\"" has no place here`},
		{header + `msgstr "a"`, `line 3: "msgstr \"a\"" has no place here`},
		{header + `msgctxt "a"`, `line 3: "msgctxt \"a\"" has no place here`},
		{header + "msgid", `line 3: "msgid" has no place here`},
		{header + `msgid "a`, "line 3: invalid syntax"},
		{header + `msgid "a" b`, "line 3: invalid syntax"},
	} {
		if got, err := Messages(c.file); err == nil || err.Error() != c.want {
			t.Errorf("%q: %v %v", c.file, got, err)
		}
	}
}
