package texts

import (
	"bytes"
	"compress/gzip"
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

func TestDecode(t *testing.T) {
	const file = `[["is {}", "是 {1}"]]`
	for _, file := range []string{file, packed(t, file)} {
		var got [][2]string
		if err := Decode(file, &got); err != nil || len(got) != 1 || got[0] != [2]string{"is {}", "是 {1}"} {
			t.Errorf("got %q, %v", got, err)
		}
		if err := Decode(file[1:], &got); err == nil {
			t.Errorf("got %q of half a file", got)
		}
	}
}
