package fanout

import (
	"os"
	"strings"
	"testing"
)

// TestTable compares the table of docs/fanout.md with the simulation, except for
// the large catalogs. Other processors round the sums of floating-point numbers
// differently.
func TestTable(t *testing.T) {
	docs, err := os.ReadFile("../../docs/fanout.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range settings() {
		if s.images > 1000 {
			continue
		}
		if rows := s.rows(); !strings.Contains(string(docs), rows) {
			t.Errorf("docs/fanout.md has other figures than the simulation:\n%s", rows)
		}
	}
}
