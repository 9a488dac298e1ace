package cli

import (
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/lists"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/request"
	"github.com/imageferry/ferry/internal/wiring"
)

var parseCommand = command{
	name:    "parse",
	args:    "[TEXT...]",
	summary: "show which images Ferry finds in a text",
	declare: func(env wiring.Env, flags *flagSet) action {
		title := flags.String("title", "", "the issue's `title`")
		file := flags.String("body", "", "`file` with the issue's body; - for standard input")
		flags.letter("body", "f")
		asJSON := flags.Bool("json", false, "print JSON")
		explain := flags.Bool("explain", false, "show every word that was considered, and why it was accepted or not")
		return func(_ context.Context, args []string) (int, error) {
			return runParse(env, *title, *file, args, *asJSON, *explain)
		}
	},
}

func runParse(env wiring.Env, title, file string, text []string, asJSON, explain bool) (int, error) {
	body, err := bodyText(env, file, text, title != "")
	if err != nil {
		return wiring.StatusUsage, err
	}
	in := request.Input{Title: title, Body: body}
	req := lists.Parse(in)
	switch {
	case asJSON:
		if u := understood(req); explain {
			x := lists.Explain(in)
			err = writeJSON(env.Stdout, explanation{u, considered(x.Findings), x.Score, weights(x.Signals), x.Wording, weights(x.Marks)})
		} else {
			err = writeJSON(env.Stdout, u)
		}
	case explain:
		_, err = io.WriteString(env.Stdout, report.Terminal{Language: language(env)}.Considered(lists.Explain(in)))
	default:
		_, err = io.WriteString(env.Stdout, report.Terminal{Language: language(env)}.Understood(req))
	}
	switch {
	case err != nil:
		return wiring.StatusFailed, err
	case len(req.Images) == 0 && len(req.Problems) == 0:
		return wiring.StatusNothing, wiring.ErrNothing
	case len(req.Problems) > 0:
		return wiring.StatusFailed, nil
	}
	return wiring.StatusDone, nil
}

// bodyText returns the text of a request from the place that the command line
// names.
func bodyText(env wiring.Env, file string, text []string, titled bool) (string, error) {
	switch {
	case file != "" && len(text) > 0:
		return "", usageError{"the body is given twice: by --body and as an argument"}
	case len(text) > 0:
		return strings.Join(text, "\n"), nil
	case file == "" && titled:
		return "", nil
	case file == "":
		file = "-"
	}
	data, err := fileText(env, file, request.MaxInput)
	return string(data), err
}

// lookalike returns the problem of a text whose host resembles a well-known
// registry.
func lookalike(text string) (request.Problem, bool) {
	problems := request.Parse(request.Input{Body: text}).Problems
	i := slices.IndexFunc(problems, func(p request.Problem) bool { return p.Code == request.LookalikeHost })
	if i < 0 {
		return request.Problem{}, false
	}
	return problems[i], true
}

// The JSON of "ferry parse". Its fields are stable; docs/outputs.md describes them.
type (
	understanding struct {
		Images    []understoodImage    `json:"images"`
		Problems  []understoodProblem  `json:"problems"`
		Platforms []reference.Platform `json:"platforms"`
		LeftOut   []leftOut            `json:"left_out"`
	}
	// explanation is added by --explain.
	explanation struct {
		understanding
		Considered []consideredWord `json:"considered"`
		Score      int              `json:"score"`
		Signals    []weight         `json:"signals"`
		Wording    int              `json:"wording"`
		Marks      []weight         `json:"marks"`
	}
	weight struct {
		Name   string  `json:"name"`
		Weight float64 `json:"weight"`
	}
	understoodImage struct {
		Reference    reference.Reference  `json:"reference"`
		Written      string               `json:"written"`
		Platforms    []reference.Platform `json:"platforms"`
		As           string               `json:"as"`
		Assumptions  []request.Assumption `json:"assumptions"`
		Alternatives []string             `json:"alternatives"`
	}
	leftOut struct {
		Reference reference.Reference `json:"reference"`
		Written   string              `json:"written"`
		Line      int                 `json:"line"`
		Reason    request.Reason      `json:"reason"`
	}
	consideredWord struct {
		Line      int      `json:"line"`
		Column    int      `json:"column"`
		Written   string   `json:"written"`
		Reference string   `json:"reference"`
		Strength  string   `json:"strength"`
		Place     string   `json:"place"`
		Needs     string   `json:"needs"`
		Verdict   string   `json:"verdict"`
		Rules     []string `json:"rules"`
	}
	understoodProblem struct {
		Code       request.ProblemCode `json:"code"`
		Text       string              `json:"text"`
		Suggestion string              `json:"suggestion"`
		Written    string              `json:"written"`
		Line       int                 `json:"line"`
	}
)

func understood(req request.Request) understanding {
	u := understanding{
		Images:    make([]understoodImage, 0, len(req.Images)),
		Problems:  make([]understoodProblem, 0, len(req.Problems)),
		Platforms: present(req.Platforms),
		LeftOut:   make([]leftOut, 0, len(req.LeftOut)),
	}
	for _, i := range req.Images {
		u.Images = append(u.Images, understoodImage{i.Reference, i.Written, present(i.Platforms), i.As.String(), present(i.Assumptions), present(i.Alternatives)})
	}
	for _, l := range req.LeftOut {
		u.LeftOut = append(u.LeftOut, leftOut(l))
	}
	for _, p := range req.Problems {
		u.Problems = append(u.Problems, understoodProblem{p.Code, report.Problem(p), p.Suggestion, p.Written, p.Line})
	}
	return u
}

func considered(findings []request.Finding) []consideredWord {
	words := make([]consideredWord, 0, len(findings))
	for _, f := range findings {
		words = append(words, consideredWord{f.Line, f.Column, f.Written, f.Reference, f.Strength, f.Place, f.Needs, f.Verdict, present(f.Rules)})
	}
	return words
}

func weights(all []request.Weight) []weight {
	list := make([]weight, 0, len(all))
	for _, w := range all {
		list = append(list, weight(w))
	}
	return list
}

// present returns an empty list for nil, so that JSON has [] and not null.
func present[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func writeJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
