package front

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// TestSample reads the sample image of each source like a client: every part
// has the digest, size and type that refer to it.
func TestSample(t *testing.T) {
	w := newWorld(t)
	read := func(host, kind string, d v1.Descriptor) []byte {
		t.Helper()
		rec := w.expect(w.get("GET", "/v2/"+SamplePath+"/"+kind+"/"+d.Digest.String()+"?ns="+host), http.StatusOK)
		if sum := fmt.Sprintf("%x", sha256.Sum256(rec.Body.Bytes())); sum != d.Digest.Hex || int64(rec.Body.Len()) != d.Size || rec.Header().Get("Content-Type") != string(d.MediaType) {
			t.Errorf("%s %s is %d bytes of %s with the digest %s", kind, d.Digest, rec.Body.Len(), rec.Header().Get("Content-Type"), sum)
		}
		return rec.Body.Bytes()
	}
	for _, host := range []string{"docker.io", "gcr.io"} {
		rec := w.expect(w.get("GET", "/v2/"+SamplePath+"/manifests/"+SampleTag+"?ns="+host), http.StatusOK)
		if got := rec.Header().Get("Docker-Content-Digest"); !slices.Contains(SampleDigests(), got) {
			t.Errorf("the tag is %s", got)
		}
		var index v1.IndexManifest
		if err := json.Unmarshal(rec.Body.Bytes(), &index); err != nil || len(index.Manifests) != len(samplePlatforms) {
			t.Fatalf("%v: %s", err, rec.Body)
		}
		for _, d := range index.Manifests {
			var m v1.Manifest
			if err := json.Unmarshal(read(host, "manifests", d), &m); err != nil {
				t.Fatal(err)
			}
			var config v1.ConfigFile
			if err := json.Unmarshal(read(host, "blobs", m.Config), &config); err != nil || config.Architecture != d.Platform.Architecture {
				t.Fatalf("%v: %+v", err, config)
			}
			unpacked, err := gzip.NewReader(bytes.NewReader(read(host, "blobs", m.Layers[0])))
			if err != nil {
				t.Fatal(err)
			}
			tar, err := io.ReadAll(unpacked)
			if err != nil || fmt.Sprintf("sha256:%x", sha256.Sum256(tar)) != config.RootFS.DiffIDs[0].String() {
				t.Errorf("the layer holds %d bytes, %v", len(tar), err)
			}
		}
		w.expect(w.get("GET", "/v2/"+SamplePath+"/blobs/"+index.Manifests[0].Digest.String()+"?ns="+host), http.StatusNotFound)
		w.expect(w.get("GET", "/v2/"+SamplePath+"/manifests/2?ns="+host), http.StatusNotFound)
	}
	if w.log.Len() == 0 {
		t.Error("requests for the sample image are not logged")
	}
}

// TestOnlyTheSampleIsServed: a source may have a repository with the name of the
// sample image, for which the owner's rules hold.
func TestOnlyTheSampleIsServed(t *testing.T) {
	w := newWorld(t, func(w *world) { w.options.Repositories = &Rules{Allowed: patterns(t, "gcr.io/harbour/*")} })
	w.expect(w.get("GET", "/v2/"+SamplePath+"/manifests/"+SampleTag+"?ns=gcr.io"), http.StatusOK)
	for _, other := range []string{"manifests/2", "tags/list", "blobs/sha256:" + strings.Repeat("a", 64)} {
		w.expect(w.get("GET", "/v2/"+SamplePath+"/"+other+"?ns=gcr.io"), http.StatusForbidden)
	}
}
