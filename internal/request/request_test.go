package request_test

import (
	"testing"

	"github.com/imageferry/ferry/internal/request"
)

func TestParseLines(t *testing.T) {
	in := request.Input{Title: "[PORTER]k8s.gcr.io/pause:3.2", Body: ""}
	got := request.Parse(in)
	if len(got.Images) != 1 || got.Images[0].Reference.String() != "k8s.gcr.io/pause:3.2" {
		t.Errorf("got %+v", got)
	}
	got = request.Parse(request.Input{Body: "nginx\n- grafana/grafana:11, quay.io/a/b\n请同步 `redis:7`"})
	var refs []string
	for _, i := range got.Images {
		refs = append(refs, i.Reference.String())
	}
	if len(refs) != 4 {
		t.Errorf("got %q", refs)
	}
}
