package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
)

// untagged returns an image without a tag, from a text that names versions.
func untagged(t *testing.T, name string, versions ...string) request.Image {
	t.Helper()
	ref, err := reference.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	return request.Image{Reference: ref, Written: name, Assumptions: []request.Assumption{request.AssumedHost, request.AssumedTag}, Alternatives: versions}
}

func TestSettle(t *testing.T) {
	const name = "quay.io/a/b"
	for _, test := range []struct {
		versions string
		exist    string // existing tags; others that were looked up do not exist
		unknown  string // tags that could not be looked up
		want     string // the image
		choices  string // tags
	}{
		{versions: "1.2", exist: "1.2", want: "quay.io/a/b:1.2"},
		{versions: "1.2", exist: "v1.2", want: "quay.io/a/b:v1.2"},
		{versions: "v1.2", exist: "1.2 latest-1", want: "quay.io/a/b:1.2"},
		{versions: "1.2", exist: "1.2 v1.2", want: "quay.io/a/b:1.2"},
		{versions: "1.2 v1.2", exist: "1.2", want: "quay.io/a/b:1.2"},
		{versions: "1.2", exist: "latest", want: "quay.io/a/b:latest"},
		{versions: "1.2", want: "quay.io/a/b:latest"},
		{versions: "1.2", exist: "1.2 latest", choices: "1.2 latest"},
		{versions: "1.2 1.3", exist: "1.2 1.3", choices: "1.2 1.3"},
		{versions: "1.2 1.3", exist: "1.3", want: "quay.io/a/b:1.3"},
		{versions: "1.2", exist: "1.2", unknown: "latest", want: "quay.io/a/b:latest"},
		{versions: "1.2", exist: "latest", unknown: "1.2", want: "quay.io/a/b:latest"},
		{exist: "latest", want: "quay.io/a/b:latest"},
	} {
		t.Run(fmt.Sprint(test.versions, "/", test.exist, "/", test.unknown), func(t *testing.T) {
			req := request.Request{Images: []request.Image{untagged(t, name, strings.Fields(test.versions)...)}}
			exists := map[reference.Reference]bool{}
			for _, ref := range (Plan{Steps: []Step{{Image: req.Images[0]}}}).Doubts() {
				if !slices.Contains(strings.Fields(test.unknown), ref.Tag()) {
					exists[ref] = slices.Contains(strings.Fields(test.exist), ref.Tag())
				}
			}
			got := Settle(req, exists)
			image := ""
			for _, i := range got.Images {
				image = i.Reference.String()
				if found := slices.Contains(i.Assumptions, request.FoundTag); found != (i.Reference.Tag() != "latest") || found == slices.Contains(i.Assumptions, request.AssumedTag) {
					t.Errorf("the assumptions are %v", i.Assumptions)
				}
			}
			if image != test.want {
				t.Errorf("the image is %q, want %q", image, test.want)
			}
			var choices []string
			for _, p := range got.Problems {
				choices = append(choices, p.Choices...)
			}
			for i := range choices {
				choices[i] = strings.TrimPrefix(choices[i], name+":")
			}
			if !slices.Equal(choices, strings.Fields(test.choices)) {
				t.Errorf("the choices are %q, want %q", choices, test.choices)
			}
			if len(req.Images) != 1 || !slices.Contains(req.Images[0].Assumptions, request.AssumedTag) {
				t.Error("the request that was given has changed")
			}
		})
	}
}

// TestSettleKnowsTheAnswer checks that questions that the request answers are
// not asked.
func TestSettleKnowsTheAnswer(t *testing.T) {
	vague := untagged(t, "quay.io/a/b", "1.2")
	tagged := request.Image{Reference: must(vague.Reference.Repository().Tagged("1.2"))}
	got := Settle(request.Request{Images: []request.Image{vague, tagged}}, map[reference.Reference]bool{
		vague.Reference: true, tagged.Reference: true, must(vague.Reference.Repository().Tagged("v1.2")): false,
	})
	if len(got.Images) != 1 || got.Images[0].Reference != tagged.Reference || len(got.Problems) > 0 {
		t.Errorf("the request is settled as %v with %v", got.Images, got.Problems)
	}
}

// TestSettleNames checks that a guessed name is looked up, and that the
// requester is asked about a namesake instead of failing.
func TestSettleNames(t *testing.T) {
	for _, test := range []struct{ tag, versions, exist, want, choices string }{
		{exist: "library/jellyfin:latest jellyfin/jellyfin:latest", want: "library/jellyfin:latest"},
		{exist: "jellyfin/jellyfin:latest", choices: "jellyfin/jellyfin:latest"},
		{versions: "10.9.11", exist: "jellyfin/jellyfin:latest jellyfin/jellyfin:10.9.11", choices: "jellyfin/jellyfin:10.9.11 jellyfin/jellyfin:latest"},
		{versions: "10.9.11", exist: "library/jellyfin:10.9.11 jellyfin/jellyfin:10.9.11", want: "library/jellyfin:10.9.11"},
		{tag: ":10.9.11", exist: "jellyfin/jellyfin:10.9.11", choices: "jellyfin/jellyfin:10.9.11"},
		{tag: ":10.9.11", exist: "jellyfin/jellyfin:latest", want: "library/jellyfin:10.9.11"},
		{want: "library/jellyfin:latest"},
	} {
		image := untagged(t, "jellyfin"+test.tag, strings.Fields(test.versions)...)
		if test.tag != "" {
			image.Assumptions = nil
		}
		other, err := reference.NewRepository(reference.DockerHub, "jellyfin/jellyfin")
		if err != nil {
			t.Fatal(err)
		}
		image.Namesakes = []reference.Repository{other}
		exists := map[reference.Reference]bool{}
		for _, ref := range (Plan{Steps: []Step{{Image: image}}}).Doubts() {
			exists[ref] = slices.Contains(strings.Fields(test.exist), strings.TrimPrefix(ref.String(), "docker.io/"))
		}
		var got, choices []string
		settled := Settle(request.Request{Images: []request.Image{image}}, exists)
		for _, i := range settled.Images {
			got = append(got, strings.TrimPrefix(i.Reference.String(), "docker.io/"))
		}
		for _, p := range settled.Problems {
			for _, choice := range p.Choices {
				choices = append(choices, strings.TrimPrefix(choice, "docker.io/"))
			}
		}
		if strings.Join(got, " ") != test.want || strings.Join(choices, " ") != test.choices {
			t.Errorf("%+v: images %q, choices %q", test, got, choices)
		}
	}
}

func TestDoubtsAreBounded(t *testing.T) {
	var p Plan
	for i := range 100 {
		p.Steps = append(p.Steps, Step{Image: untagged(t, fmt.Sprintf("quay.io/a/b%d", i), "1.2", "1.3", "1.4")})
	}
	if n := len(p.Doubts()); n == 0 || n > maxDoubts || n%7 != 0 {
		t.Errorf("there are %d doubts", n)
	}
}

func must(ref reference.Reference, err error) reference.Reference {
	if err != nil {
		panic(err)
	}
	return ref
}
