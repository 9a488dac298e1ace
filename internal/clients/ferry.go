package clients

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/name"
)

// ferry is "ferry pull", which has another client pull the mirror by its digest
// and gives it the name of its source. It finds mirrors with default names only.
func ferry(m Mirror) []string {
	from := m.target()
	if from == "" || m.Beside {
		return nil
	}
	words := slices.Concat([]string{"ferry", "pull", m.Source.String()}, m.platformFlag(), []string{"--from", from})
	return []string{strings.Join(words, " ")}
}

// target returns the registry and namespace at which m has its default name,
// "docker.io/user"; empty if its name is another one.
func (m Mirror) target() string {
	repository := m.Name.Repository()
	end := strings.LastIndexByte(repository.Path(), '/')
	if end < 0 {
		return ""
	}
	target := name.Target{Host: repository.Host(), Namespace: repository.Path()[:end], Profile: name.Flat}
	scheme, err := name.New(target, nil)
	if err != nil {
		return ""
	}
	if made, err := scheme.Mirror(m.Source); err != nil || made.Reference != m.Name {
		return ""
	}
	return target.Host + "/" + target.Namespace
}
