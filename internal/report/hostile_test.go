package report

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
)

// hostileInput puts the text everywhere that foreign text can come from, even
// where earlier rooms let none through.
func hostileInput(t testing.TB, text string) Input {
	detail := &failure.Error{Code: failure.TargetRefused, Side: failure.Target, Detail: text, Hints: []string{text, text}}
	nobody := &failure.Error{Code: failure.Code(text), Side: failure.Side(text), Detail: text, Hints: []string{text}}
	foreign := image(t, "quay.io/a/b:1", request.AssumedTag, request.Assumption(text))
	foreign.Written, foreign.Platforms, foreign.As = text, []reference.Platform{{OS: text, Architecture: text}}, request.Alias{Path: text}
	odd := copied()
	odd.Platforms = []reference.Platform{{OS: text, Architecture: text, Variant: text}}
	odd.Digest.Hex, odd.Changes = text, []mirror.Change{mirror.Change(text)}
	s := scenario(t).
		step(foreign, hub+"quay.a.b:1", odd, acr+"quay.a.b:1", detail).
		step(image(t, "gcr.io/c/d:2"), hub+"c.d:2", nobody).
		refuse(image(t, "gcr.io/e/f:3"), &failure.Error{Code: failure.HostNotAllowed, Hints: []string{text}})
	s.Plan.Refusals = append(s.Plan.Refusals, plan.Refusal{Image: image(t, "gcr.io/g/h:4"), Target: text, Failure: detail})
	s.Title, s.Version = text, text
	s.RunURL, s.Repository = "https://github.com/"+text, "https://github.com/"+text // only the runner sets the host
	s.Request.Problems = []request.Problem{
		{Code: request.Malformed, Written: text, Line: 1, Suggestion: text},
		{Code: request.ProblemCode(text), Written: text, Suggestion: text},
		{Code: request.TooLarge, Suggestion: text},
	}
	return s.Input
}

// checkHostile renders the text everywhere, in every form.
func checkHostile(t *testing.T, text string, phase uint8, chinese bool) {
	in := hostileInput(t, text)
	in.Language, in.Phase = "en", Phase(phase%uint8(GivenUp+1))
	if chinese {
		in.Language = "zh"
	}
	if phase > 127 {
		in.SetUp = config.Faults{{Name: text, Place: config.Place(text), Path: text, Reason: text, Cure: text}, {Name: text, Place: config.File, Path: text, Line: 3, Reason: text}}
		in.Plan, in.Results, in.Phase = plan.Plan{Refused: &failure.Error{Code: failure.TooMany, Hints: []string{text}}}, nil, Finished
	}
	r := Render(in)
	for _, complaint := range inspect(WithHelp(r.Comment, in)) {
		t.Error(complaint)
	}
	if m, ok := ledger.ParseMarker(r.Comment); !ok || m.Issue != in.Issue || m.State != r.State {
		t.Errorf("the comment has the marker %+v", m)
	}
	for _, a := range r.Annotations {
		if strings.ContainsAny(a.Title+a.Message, "\n\r\x1b\u202e") {
			t.Errorf("annotation %q, %q", a.Title, a.Message)
		}
	}
	if !json.Valid([]byte(r.Outputs.Images)) || strings.ContainsAny(r.Outputs.Images, "\n\r") {
		t.Errorf("output %q", r.Outputs.Images)
	}
	for _, lines := range []string{Terminal{}.Copies(in.Plan, in.Results), Terminal{}.Understood(in.Request)} {
		if strings.ContainsAny(lines, "\r\x1b\x07\u202e") {
			t.Errorf("the terminal shows %q", lines)
		}
	}
}

func FuzzComment(f *testing.F) {
	for i, text := range hostileTexts {
		f.Add(text, uint8(i), i%2 == 0)
		f.Add(text, uint8(i+1), i%2 == 1)
		f.Add(text, uint8(255), i%2 == 0)
	}
	f.Fuzz(checkHostile)
}

// TestBudget renders far more than a comment on GitHub can hold.
func TestBudget(t *testing.T) {
	long := strings.Repeat("我`@octocat ", 300)
	for _, n := range []int{5, 50, 500} {
		for _, language := range []string{"en", "zh"} {
			s := scenario(t)
			s.Language = language
			for i := range n {
				img := image(t, fmt.Sprintf("registry.example.com/%s/image-%d:v1", strings.Repeat("n", 80), i), request.AssumedTag)
				name := fmt.Sprintf("%s.image-%d:v1", strings.Repeat("n", 80), i)
				switch i % 3 {
				case 0:
					s.step(img, hub+name, copied(), acr+name, changed(mirror.DockerMediaTypes))
				case 1:
					s.step(img, hub+name, copied(), acr+name, &failure.Error{Code: failure.TargetRefused, Side: failure.Target, Detail: fmt.Sprint(i, long), Hints: []string{fmt.Sprint(i)}})
				default:
					s.refuse(img, &failure.Error{Code: failure.HostNotAllowed, Hints: []string{fmt.Sprint(i)}})
				}
				s.Request.Problems = append(s.Request.Problems, request.Problem{Code: request.Malformed, Written: fmt.Sprint(i, long[:100]), Line: i + 1})
			}
			r := Render(s.Input)
			for _, complaint := range inspect(r.Comment) {
				t.Errorf("%d images, %s: %s", n, language, complaint)
			}
			if len(r.Summary) > MaxSummary {
				t.Errorf("%d images: a summary of %d bytes", n, len(r.Summary))
			}
			cut := strings.Contains(r.Comment, "评论长度有限") || strings.Contains(r.Comment, "a comment cannot be longer")
			for _, block := range []string{"Digests and times", "摘要和用时"} {
				if strings.Contains(r.Comment, block+", "+block) || strings.Contains(r.Comment, block+"、"+block) {
					t.Errorf("%d images: %q is said twice to be left out", n, block)
				}
			}
			if cut != (n > 5) {
				t.Errorf("%d images, %s: note about the cut: %v", n, language, cut)
			}
			if len(r.Comment) < MaxComment/2 && n > 5 {
				t.Errorf("%d images: only %d bytes are left", n, len(r.Comment))
			}
			if !strings.Contains(r.Comment, "docker pull ") || !strings.Contains(r.Comment, "/ferry help") {
				t.Errorf("%d images: the commands or the footer are missing", n)
			}
		}
	}
}

// TestNothingIsLost asks for more images than a comment can hold commands for.
// The summary has the commands of every image, and the comment links to it.
func TestNothingIsLost(t *testing.T) {
	s := scenario(t)
	for i := range 1000 {
		s.step(image(t, fmt.Sprintf("registry.k8s.io/kubernetes/component-%d:v1.30.2", i)),
			acr+fmt.Sprintf("google-containers.kubernetes.component-%d:v1.30.2", i), copied())
	}
	r := Render(s.Input)
	if len(r.Comment) > MaxComment || len(r.Summary) > MaxSummary {
		t.Fatalf("%d and %d bytes", len(r.Comment), len(r.Summary))
	}
	for _, m := range s.Results {
		for _, text := range []string{"docker pull " + m.Destination.Mirror.String() + "\n", " " + m.Image.Reference.String() + "\n", "- ✅ `" + m.Image.Reference.String() + "` · 123 MB"} {
			if !strings.Contains(r.Summary, text) {
				t.Fatalf("the summary lacks %q", text)
			}
		}
	}
	if n := strings.Count(r.Comment, "\ndocker pull "); n < 150 {
		t.Errorf("the comment holds only %d commands", n)
	}
	if !strings.Contains(r.Comment, "The [summary of the run]("+s.RunURL+") has the full answer.") {
		t.Error("the comment does not say where the rest is")
	}
}
