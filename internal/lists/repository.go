package lists

import (
	"errors"
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
)

// repository reads a repository, with the same meaning as in an issue. An
// invalid one is a fault.
func (r *reader) repository(line int, text string) (reference.Repository, bool) {
	found, ok := r.repositories[text]
	if !ok {
		found = readRepository(text)
		r.repositories[text] = found
	}
	if found.reason != "" {
		r.fault(line, found.reason, found.cure)
	}
	return found.Repository, found.reason == ""
}

func readRepository(text string) repository {
	ref, err := reference.Parse(text + ":tag")
	if err == nil {
		repo := ref.Repository()
		// A shortcut for most names.
		bare := !strings.Contains(text, "/")
		if known.Of(repo.Host()).Allowed && !(bare && known.IsKubernetesComponent(text)) {
			return repository{Repository: repo}
		}
	}
	read := request.Parse(request.Input{Body: text + ":tag"})
	switch {
	case len(read.Images) == 1 && len(read.Problems) == 0 && read.Images[0].Reference.Tag() == "tag":
		return repository{Repository: read.Images[0].Reference.Repository()}
	case len(read.Problems) == 1 && read.Problems[0].Suggestion != "":
		cure := strings.TrimSuffix(read.Problems[0].Suggestion, ":tag")
		return repository{reason: fmt.Sprintf("has %s, which is not a known repository", quote(text)), cure: fmt.Sprintf("did you mean %q?", cure)}
	case err == nil:
		return repository{Repository: ref.Repository()}
	}
	reason := "is not a repository"
	if syntax, ok := errors.AsType[*reference.SyntaxError](err); ok {
		reason = "is not a repository: the " + string(syntax.Part) + " " + syntax.Reason
	}
	return repository{reason: fmt.Sprintf("has %s, which %s", quote(text), reason)}
}

// digest parses a digest. An invalid one is a fault.
func (r *reader) digest(line int, text string) (v1.Hash, bool) {
	digest, err := reference.ParseAnyDigest(text)
	if err != nil {
		r.fault(line, fmt.Sprintf("has %s, which is not a digest", quote(text)), "write sha256: and 64 hexadecimal digits")
	}
	return digest, err == nil
}

// platforms parses platforms separated by commas. It reports false if the text
// is something else.
func platforms(text string) ([]reference.Platform, bool) {
	var all []reference.Platform
	for _, part := range strings.Split(text, ",") {
		switch strings.ToLower(part) {
		case "arm", "386", "wasm", "x64", "x86": // words that also have other meanings
			return nil, false
		}
		p, err := reference.ParsePlatform(part)
		if err != nil {
			return nil, false
		}
		all = append(all, p)
	}
	return all, true
}

// platform reads platforms; "all" means none in particular. It reports false if
// one is invalid.
func (r *reader) platform(line int, texts []string) (all []reference.Platform, ok bool) {
	ok = true
	for _, text := range texts {
		if strings.EqualFold(text, "all") {
			return nil, ok
		}
		for _, part := range strings.Split(text, ",") {
			p, err := reference.ParsePlatform(strings.TrimSpace(part))
			if err != nil {
				r.fault(line, fmt.Sprintf("has %s, which is not a platform", quote(part)), "write os/arch or os/arch/variant, such as linux/arm64")
				ok = false
				continue
			}
			all = append(all, p)
		}
	}
	return all, ok
}
