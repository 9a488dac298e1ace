package mirror

import (
	"crypto/sha512"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fakeregistry"
)

// TestBySHA512 copies an image that its source knows by both algorithms. The
// target knows it by sha256 alone.
func TestBySHA512(t *testing.T) {
	for _, platforms := range [][]string{{"linux/amd64"}, {"linux/amd64", "linux/arm64"}} {
		w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{})
		img := fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: platforms, Layers: []int{1000}})
		w.source.Add("a/b", "1", img)
		body := img.Root().Body
		sum := sha512.Sum512(body)
		named, other := "sha512:"+hex.EncodeToString(sum[:]), "sha512:"+strings.Repeat("0", 128)
		want := fakeregistry.Digest(body)
		w.source.Behave(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				r.URL.Path = strings.NewReplacer(named, want, other, want).Replace(r.URL.Path)
				next.ServeHTTP(rw, r)
			})
		})
		for _, name := range []string{"a/b@", "a/b:1@"} {
			s := w.step("a/b:1")
			s.Image.Reference = parse(t, w.from+"/"+name+named)
			if receipt := w.one(s); receipt.Digest.String() != want || receipt.SourceDigest.String() != want {
				t.Errorf("%s: the digest is %s, of the source %s, want %s", name, receipt.Digest, receipt.SourceDigest, want)
			}
		}
		s := w.step("a/b:1")
		s.Image.Reference = parse(t, w.from+"/a/b@"+other)
		if result := w.run(s)[0]; code(result.Failure) != failure.Corrupt {
			t.Errorf("content of another digest: %v, want %s", result.Failure, failure.Corrupt)
		}
	}
}
