package shards

import (
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/report"
)

// TestPresent checks that an image counts as copied although another job was faster, if
// the target did not have it when it was planned.
func TestPresent(t *testing.T) {
	old, now := v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("0", 64)}, v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("1", 64)}
	p := &Plan{Images: []report.Synced{{}, {Before: old}, {Before: now}}}
	folder := t.TempDir()
	file, err := p.Create(folder, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i := range p.Images {
		if err := file.Add(&Receipt{Index: i, Receipt: &mirror.Receipt{Digest: now, Present: true}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := p.Receipts(folder, func(format string, _ ...any) { t.Error(format) })
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{false, false, true} {
		if got[i] == nil || got[i].Receipt.Present != want {
			t.Errorf("%d: %+v, want present: %v", i, got[i], want)
		}
	}
}
