package report

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestRecordsIn checks that the catalog finds in each comment the records of what
// has arrived, and nothing else.
func TestRecordsIn(t *testing.T) {
	for name, in := range scenarios(t) {
		r := Render(in)
		var all, found []Record
		if err := json.Unmarshal([]byte(r.Outputs.Images), &all); err != nil {
			t.Fatal(err)
		}
		arrived := 0
		for _, each := range all {
			if each.Status == Copied || each.Status == Present {
				arrived++
			}
		}
		text, ok := RecordsIn(r.Comment)
		if ok && json.Unmarshal(text, &found) != nil {
			t.Errorf("%s: the records are %s", name, text)
		}
		if in.Phase == Running {
			arrived = 0
		}
		// A comment that is too long has no room for them.
		if len(found) != arrived && len(r.Comment) < MaxComment/2 {
			t.Errorf("%s: %d records, want %d", name, len(found), arrived)
		}
		if strings.Contains(r.Summary, recordsOpen) && !ok {
			t.Errorf("%s: the records are in the summary alone", name)
		}
	}
	if _, ok := RecordsIn("text\n<!-- ferry:records\n{}"); ok {
		t.Error("records without an end are read")
	}
}
