package cli

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/imageferry/ferry/internal/report"
)

// TestRecordsInPieces checks that a list of records is written as by writeJSON, and not
// held as a whole.
func TestRecordsInPieces(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3000} {
		records := make([]report.Record, n)
		for i := range records {
			records[i] = report.Record{Source: "docker.io/library/a<b>:1", Status: report.Copied, Platforms: []string{"linux/amd64", "linux/arm64"}}
		}
		var want bytes.Buffer
		if err := writeJSON(&want, records); err != nil {
			t.Fatal(err)
		}
		got := &pieces{}
		if err := writeRecords(got, records); err != nil {
			t.Fatal(err)
		}
		if got.text.String() != want.String() {
			t.Errorf("%d records are not written as by writeJSON", n)
		}
		if got.longest > 128<<10 {
			t.Errorf("%d bytes of %d records are written at once", got.longest, n)
		}
	}
	if err := writeRecords(broken{}, make([]report.Record, 1)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("error is %v, want that of the writer", err)
	}
}

// pieces records the longest piece that is written.
type pieces struct {
	text    bytes.Buffer
	longest int
}

func (p *pieces) Write(piece []byte) (int, error) {
	p.longest = max(p.longest, len(piece))
	return p.text.Write(piece)
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
