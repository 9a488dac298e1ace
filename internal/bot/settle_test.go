package bot

import (
	"testing"

	"github.com/imageferry/ferry/internal/fakeworld"
	"github.com/imageferry/ferry/internal/wiring"
)

// TestSourceSettlesTags checks that the source is asked before copying if no
// tag is given, but a version that could be meant.
func TestSourceSettlesTags(t *testing.T) {
	const body = "Since we upgraded to 11.2.0 we need quay.io/grafana/grafana here, it can't be pulled."
	for _, test := range []struct {
		name, body string
		tags       []string
		want       string // the mirror's tag
		says       []string
	}{
		{"only the version", body, []string{"11.2.0"}, "11.2.0", []string{"no tag given: the version that the text names, because there is no `:latest`"}},
		{"in another spelling", body, []string{"v11.2.0"}, "v11.2.0", nil},
		{"only latest", body, []string{"latest", "10.0.0"}, "latest", []string{"no tag given: `:latest`"}},
		{"both", body, []string{"latest", "11.2.0"}, "", []string{"No tag is given, and all of these exist: `quay.io/grafana/grafana:11.2.0`, `quay.io/grafana/grafana:latest`. Write the one that you need."}},
		{"neither", body, []string{"11.2.1", "9.0.0"}, "", []string{"Did you mean `11.2.1`"}},
		{
			"in Chinese", "quay.io/grafana/grafana 拉不下来，集群目前 11.2.0，一直这样", []string{"latest", "11.2.0"}, "",
			[]string{"没有写标签，而这些标签都存在：`quay.io/grafana/grafana:11.2.0`、`quay.io/grafana/grafana:latest`。请写明要哪一个。"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			for i, tag := range test.tags {
				w.Publish("grafana/grafana", tag, uint64(i+1))
			}
			n := w.open(stranger, "please mirror", test.body)
			status, log := w.happens("issues", "opened", n, nil)
			w.WantStatus(status, wiring.StatusDone, log)
			fakeworld.WantText(t, "the comment", w.comment(n), test.says...)
			for _, tag := range test.tags {
				if there := w.Mirrored("quay.grafana.grafana", tag) != ""; there != (tag == test.want) {
					t.Errorf("%s is mirrored: %v", tag, there)
				}
			}
			before := w.Source.Count("")
			if _, log := w.happens("issues", "edited", n, nil); w.Source.Count("") != before {
				t.Errorf("the same text is served again: %s", log)
			}
		})
	}
}

// TestNothingIsAskedBeforeTheGate checks that requests without permission cause
// no requests to sources.
func TestNothingIsAskedBeforeTheGate(t *testing.T) {
	w := newWorld(t)
	w.SetPolicy(fakeworld.Policy + "requests: collaborators\n")
	w.Publish("grafana/grafana", "11.2.0", 1)
	n := w.open(stranger, "please mirror", "Since we upgraded to 11.2.0 we need quay.io/grafana/grafana here, it can't be pulled.")
	w.happens("issues", "opened", n, nil)
	if asked := w.Source.Count(""); asked > 0 {
		t.Errorf("the source was asked %d times", asked)
	}
}
