package clients

import (
	"strings"

	"github.com/imageferry/ferry/internal/reference"
)

// Kustomization returns an entry of "images:" in kustomization.yaml, which
// compares names as written, and people rarely write the full name of official
// images. It is empty if there is none.
func Kustomization(m Mirror) string {
	if m.Beside {
		return ""
	}
	entry := "  - name: " + familiar(m.Source.Repository()) + "\n    newName: " + m.Name.Repository().String()
	if m.Source.Tag() != "" && m.Source.Tag() != m.Name.Tag() {
		entry += "\n    newTag: \"" + m.Name.Tag() + "\""
	}
	return entry
}

// familiar returns the repository in its short form: without Docker Hub's host
// and the "library/" of official images.
func familiar(r reference.Repository) string {
	if r.Host() != reference.DockerHub {
		return r.String()
	}
	return strings.TrimPrefix(r.Path(), "library/")
}
