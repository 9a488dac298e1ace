package workload

import (
	"io"
	"log"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func TestWhatHasToBeSent(t *testing.T) {
	for name, want := range map[string]struct {
		blobs int
		mib   float64
	}{
		"a": {5, 5}, "b": {8, 200}, "c": {25, 100}, "d": {4, 1027}, "d256": {4, 259}, "f": {3, 66},
		"e": {10 + 30, 30*6 + 3 + (64+16+128+8+512+256+32)/1024.},
	} {
		var sum int64
		blobs := All()[name].Blobs()
		for _, n := range blobs {
			sum += n
		}
		if got := float64(sum) / mib; len(blobs) != want.blobs || got != want.mib {
			t.Errorf("%s: %d blobs of %.3f MiB, want %d of %.3f", name, len(blobs), got, want.blobs, want.mib)
		}
	}
}

// The digest pins the bytes: results of different machines are of one content.
func TestPushedImagesAreTheSameEverywhere(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	digests, err := All()["a"].Push(host)
	if err != nil {
		t.Fatal(err)
	}
	const want = "sha256:cef2b3b9303d44026b8d3f82acf84ad194c5d3e26486a79abdf615c1f60b275b"
	if got := digests[0].String(); got != want {
		t.Errorf("digest of a is %s, want %s", got, want)
	}
	ref, err := name.ParseReference(host + "/w/a:1")
	if err != nil {
		t.Fatal(err)
	}
	pushed, err := remote.Head(ref)
	if err != nil {
		t.Fatal(err)
	}
	if pushed.Digest != digests[0] {
		t.Errorf("the registry has %s, want %s", pushed.Digest, digests[0])
	}
}
