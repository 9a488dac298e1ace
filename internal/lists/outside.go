package lists

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/pattern"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
	"github.com/imageferry/ferry/internal/selection"
)

// The addresses that a list may name. Ferry follows redirects from them, and
// connects to public servers only.
var (
	gitHubName   = &pattern.Regexp{Text: `^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9_.-]+$`}
	webAddress   = &pattern.Regexp{Text: `^https://[A-Za-z0-9.-]+(?::[0-9]+)?/[^\s"'@]*$`}
	chartAddress = &pattern.Regexp{Text: `^(?:oci|https)://[A-Za-z0-9.-]+(?::[0-9]+)?(?:/[A-Za-z0-9._~/-]*)?$`}
	chartName    = &pattern.Regexp{Text: `^[A-Za-z0-9][A-Za-z0-9._-]*$`}
	valuesFile   = &pattern.Regexp{Text: `^[A-Za-z0-9_.][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_.-]+)*$`}
	assetName    = &pattern.Regexp{Text: `^[A-Za-z0-9_][A-Za-z0-9._+-]*$`}
	versionStart = &pattern.Regexp{Text: `^(?:[vV]?[0-9]|[<>=~^*]|newest)`}
)

// upstream reads a line that starts with a Kind:
//
//	kubernetes SELECTION
//	release OWNER/REPOSITORY [SELECTION] FILE
//	chart oci://REGISTRY/CHART [RANGE] [values=FILE]
//	chart https://REPOSITORY CHART [RANGE] [values=FILE]
//	text https://ADDRESS
//
// It reports false, without a fault, if the line has another form.
func (r *reader) upstream(n int, words []string, given []reference.Platform) bool {
	if len(words) < 2 {
		return false
	}
	u := Upstream{Line: n, Kind: Kind(words[0]), Platforms: given}
	var rest []string
	for _, word := range words[1:] {
		more, isPlatforms := platforms(word)
		values, isValues := strings.CutPrefix(word, "values=")
		switch {
		case isPlatforms:
			u.Platforms = append(u.Platforms, more...)
		case isValues && u.Kind == Chart:
			u.Values = values
		default:
			rest = append(rest, word)
		}
	}
	if words = rest; len(words) == 0 {
		return false
	}
	invalid := func(isNot, cure string) bool {
		r.fault(n, "has "+quote(u.From)+isNot, cure)
		return true
	}
	switch u.Kind {
	case Kubernetes:
		if !versionStart.MatchString(words[0]) {
			return false
		}
	case Release:
		if u.From = words[0]; !gitHubName.MatchString(u.From) {
			return invalid(", which is not a repository on GitHub", "write OWNER/NAME")
		}
		if u.Name = words[len(words)-1]; len(words) < 2 || !assetName.MatchString(u.Name) {
			r.fault(n, "names no file of the release", "write its name at the end: release OWNER/NAME ^1.2 FILE")
			return true
		}
		words = words[1 : len(words)-1]
	case Chart:
		if u.From = words[0]; !chartAddress.MatchString(u.From) {
			return invalid(", which is not the address of a chart", "write oci://REGISTRY/CHART, or https://REPOSITORY CHART")
		}
		if words = words[1:]; strings.HasPrefix(u.From, "https:") {
			if len(words) == 0 || !chartName.MatchString(words[0]) {
				r.fault(n, "names no chart", "write its name after the address of the repository")
				return true
			}
			u.Name, words = words[0], words[1:]
		}
		if u.Values != "" && (!valuesFile.MatchString(u.Values) || !filepath.IsLocal(u.Values)) {
			r.fault(n, "has the values "+quote(u.Values)+", which is not a file of this folder", "write a path such as values=charts/app.yaml")
			return true
		}
		u.Range = strings.Join(words, " ")
		if _, err := selection.ParseRange(u.Range, selection.Masterminds); err != nil && u.Range != "" {
			r.fault(n, fmt.Sprintf("has the range %s, which %s", quote(u.Range), err), "")
			return true
		}
	case Text:
		if u.From = words[0]; len(words) > 1 || !webAddress.MatchString(u.From) {
			return invalid(", which is not the address of a file", "write https://HOST/FILE")
		}
	default:
		return false
	}
	if u.Kind == Kubernetes || u.Kind == Release {
		var err error
		if u.Versions, err = versions(words); err != nil {
			r.fault(n, err.Error(), "")
			return true
		}
	}
	r.Upstreams = append(r.Upstreams, u)
	return true
}

// versions reads the selection of versions.
func versions(words []string) (selection.Selection, error) {
	first := ""
	if len(words) > 0 && !selection.IsKeyword(words[0]) {
		first, words = words[0], words[1:]
	}
	if len(words) == 0 && strings.Contains(first, "+") && !strings.ContainsAny(first, "<>=~^*, |") {
		return selection.Selection{Tags: []string{first}}, nil // not a tag of an image
	}
	s, err := selection.Parse(first, words)
	if len(s.Tags) == 0 && s.Newest == 0 && s.NewestPatchOf == 0 {
		s.Newest = 1
	}
	return s, err
}

// Entries returns the images that a text of the upstream names, and what in it
// cannot be read, each at the line of the upstream. If the text is a list, each
// line has to name an image.
func (u *Upstream) Entries(text string) ([]Entry, []Fault) {
	var entries []Entry
	var faults []Fault
	parts := []string{text}
	if u.Kind == Chart {
		parts = strings.Split(text, "\n---\n")
	}
	for _, part := range parts {
		read := request.Parse(request.Input{Body: part, List: u.Kind != Chart})
		for _, p := range read.Problems {
			faults = append(faults, Fault{Line: u.Line, Reason: fmt.Sprintf("has %s, which cannot be read (%s)", quote(p.Written), p.Code)})
		}
		for _, image := range read.Images {
			e := entryOf(u.Line, image)
			if e.Platforms == nil {
				e.Platforms = u.Platforms
			}
			e.Targets = u.Targets
			if !slices.ContainsFunc(entries, func(o Entry) bool {
				return o.Source == e.Source && o.Digest == e.Digest && slices.Equal(o.Tags.Tags, e.Tags.Tags)
			}) {
				entries = append(entries, e)
			}
		}
	}
	return entries, faults
}

// entryOf returns the entry of an image that a request names.
func entryOf(line int, image request.Image) Entry {
	e := Entry{Line: line, Source: image.Reference.Repository(), Digest: image.Reference.Digest(), Platforms: image.Platforms, As: image.As}
	if tag := image.Reference.Tag(); tag != "" {
		e.Tags.Tags = []string{tag}
	}
	return e
}
