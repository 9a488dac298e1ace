package request

import (
	"slices"
	"strings"
	"testing"
)

// TestWhatIsNotShownIsNoWish checks that invisible text is not part of a
// request, so that approvals cover nothing that GitHub does not show.
func TestWhatIsNotShownIsNoWish(t *testing.T) {
	for _, hidden := range []string{
		"<!-- SECRET -->", "<!--\nSECRET", "[//]: # (SECRET)", "[x]: SECRET", "[x]:\nSECRET", "[x\ny]: <SECRET>", "[x]: /a\n'SECRET'", "> [x]: SECRET", "1. [x]: SECRET",
		"``` SECRET\n```", "~~~text SECRET\n~~~", "- ```SECRET\n  ```", "<style>\nSECRET\n</style>", "<style>SECRET</style>", "<SCRIPT>\nSECRET", "<? SECRET ?>", "[x] <style>\nSECRET\n</style>", "<![CDATA[\nSECRET\n]]>",
		`<a href="SECRET"></a>`, "<a\ntitle='SECRET' >x</a>", "![SECRET](https://example.com/a.png)", "a\u2028[x]: SECRET", "\r[x]: SECRET",
	} {
		for _, around := range []string{"gcr.io/a/b:1\n\nHERE\n", "HERE\n\ngcr.io/a/b:1", "HERE"} {
			body := strings.Replace(around, "HERE", strings.Replace(hidden, "SECRET", "quay.io/team/secret:1.0", 1), 1)
			if got := referencesIn(body); slices.Contains(got, "quay.io/team/secret:1.0") || len(got) != strings.Count(body, "gcr.io/a/b:1") && !strings.HasSuffix(hidden, "SECRET") {
				t.Errorf("%q asks for %q", body, got)
			}
		}
	}
}
