package archive

import (
	"archive/tar"
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTarHeader: the standard library reads the headers that are written here,
// also of files that are too large for octal digits.
func TestTarHeader(t *testing.T) {
	for _, size := range []int64{0, 1, 8<<30 - 1, 8 << 30, 40 << 30} {
		h, err := tar.NewReader(bytes.NewReader(tarHeader("blobs/sha256/ab", size))).Next()
		if err != nil {
			t.Fatal(err)
		}
		if h.Name != "blobs/sha256/ab" || h.Size != size || h.Typeflag != tar.TypeReg || h.Mode != 0o644 || h.ModTime.Unix() != 0 {
			t.Errorf("%+v", h)
		}
		if e, err := parseHeader(tarHeader("blobs/sha256/ab", size)); err != nil || e.size != size || e.name != "blobs/sha256/ab" {
			t.Errorf("%+v, %v", e, err)
		}
	}
}

// TestScan reads what the standard library writes, in every format.
func TestScan(t *testing.T) {
	long := strings.Repeat("deep/", 60) + "file"
	for _, format := range []tar.Format{tar.FormatUSTAR, tar.FormatPAX, tar.FormatGNU} {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		want := map[string]string{"index.json": "{}", "blobs/sha256/a": strings.Repeat("x", 1000)}
		if format != tar.FormatUSTAR {
			want[long] = "text"
		}
		for _, name := range []string{"index.json", "blobs/sha256/a", long} {
			text, ok := want[name]
			if !ok {
				continue
			}
			if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(text)), Mode: 0o600, Format: format}); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(w, text); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: "link", Linkname: "index.json", Format: format}); err != nil {
			t.Fatal(err)
		}
		want["link"] = ""
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		r := bytes.NewReader(b.Bytes())
		err := scan(r, r.Size(), func(e tarEntry) error {
			text := make([]byte, e.size)
			_, err := r.ReadAt(text, e.offset)
			got[e.name] = string(text)
			return err
		})
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("%v: %v: %s", format, err, cmp.Diff(want, got))
		}
	}
}

func TestScanBroken(t *testing.T) {
	good := append(append(tarHeader("a", 5), "hello"...), make([]byte, tarBlock-5+2*tarBlock)...)
	sum := bytes.Clone(good)
	sum[0] = 'b'
	negative := tarHeader("a", 9<<30)
	negative[125] = 0xff
	copy(negative[148:], "0000000\x00")
	for name, test := range map[string]struct {
		text []byte
		want string
	}{
		"nothing":       {nil, "is not a tar file"},
		"text":          {bytes.Repeat([]byte("hello "), 200), "is not a tar file"},
		"cut off":       {good[:tarBlock+3], `is cut off: "a" ends at byte 517`},
		"no end":        {good[:2*tarBlock], "is cut off after 1024 bytes"},
		"wrong sum":     {sum, "is not a tar file"},
		"in the middle": {append(bytes.Clone(good[:2*tarBlock]), sum...), "has no entry at byte 1024"},
		"too large":     {tarHeader("a", 1<<62), "is cut off"},
		"negative":      {negative, "is not a tar file"},
	} {
		r := bytes.NewReader(test.text)
		if err := scan(r, r.Size(), func(tarEntry) error { return nil }); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

// FuzzScan: whatever the file, no entry reaches beyond it, and what is read here
// is what the standard library reads.
func FuzzScan(f *testing.F) {
	f.Add(append(append(tarHeader("a", 5), "hello"...), make([]byte, tarBlock-5+2*tarBlock)...))
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	_ = w.WriteHeader(&tar.Header{Name: strings.Repeat("n", 300), Size: 3, Format: tar.FormatPAX})
	_, _ = w.Write([]byte("abc"))
	_ = w.Close()
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, text []byte) {
		r := bytes.NewReader(text)
		var found []tarEntry
		if scan(r, r.Size(), func(e tarEntry) error {
			if e.offset < tarBlock || e.size < 0 || e.offset+e.size > r.Size() {
				t.Fatalf("%+v in %d bytes", e, r.Size())
			}
			found = append(found, e)
			return nil
		}) != nil {
			return
		}
		std := tar.NewReader(bytes.NewReader(text))
		for _, e := range found {
			h, err := std.Next()
			if err != nil {
				// It is stricter about fields that are of no use here.
				return
			}
			if h.Typeflag == tar.TypeXGlobalHeader {
				return
			}
			if e.kind == tarFile && h.Typeflag == tar.TypeReg && (h.Name != e.name && h.Name != e.name+"/" || h.Size != e.size) {
				t.Fatalf("%+v, the standard library has %q of %d bytes", e, h.Name, h.Size)
			}
		}
		if _, err := std.Next(); err == nil {
			t.Fatal("the standard library finds more entries")
		}
	})
}
