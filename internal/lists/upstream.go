package lists

import (
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/selection"
)

// Kind is the kind of an Upstream, and the first word of its line.
type Kind string

// The kinds.
const (
	Kubernetes Kind = "kubernetes" // the images of kubeadm
	Chart      Kind = "chart"      // the images of a Helm chart
	Release    Kind = "release"    // those in a file of a release on GitHub
	Text       Kind = "text"       // those in a file on the web
)

// Upstream is a text outside of the list that names images.
type Upstream struct {
	Line int // from 1
	Kind Kind
	// From is the repository of a Release, as "owner/name", or the address of
	// a Text, a Chart in a registry ("oci://") or a repository of charts.
	From string
	// Name is the file of a Release, or the Chart in a repository of charts.
	Name string
	// Range is the range of versions of a Chart as Helm reads it; empty for the
	// newest.
	Range string
	// Values is a file with values of a Chart, relative to the folder of the run; empty
	// for the chart's own.
	Values string
	// Versions selects the versions of Kubernetes or a Release: the newest,
	// unless the line says how many.
	Versions  selection.Selection
	Platforms []reference.Platform
	Targets   []string
}
