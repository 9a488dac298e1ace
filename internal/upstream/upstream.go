// Package upstream reads the texts from which lists take images: files of
// releases on GitHub and of other sites, kubeadm's constants, and what Helm makes
// of a chart. A text only names images; it is as little trusted as an issue.
//
// It connects to public servers only, by HTTPS, follows few redirects, and limits
// the time and the size of every text. It sends no login.
package upstream

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/lists"
	"github.com/imageferry/ferry/internal/pattern"
	"github.com/imageferry/ferry/internal/selection"
)

// Text is one text with names of images.
type Text struct {
	Name string // the upstream with its version: "kubernetes v1.34.1"
	Body string
	Note string // what is not as expected, a clause; empty for nothing
}

// Reader reads upstreams.
type Reader struct {
	Web *Web
	// Helm runs Helm with arguments and returns its output.
	Helm func(ctx context.Context, args ...string) ([]byte, error)
}

// maxVersions is how many versions of one upstream are read.
const maxVersions = 50

// timeLimit is the limit for one upstream. Helm takes a few seconds for a chart.
const timeLimit = 3 * time.Minute

// Read reads the texts of an upstream. The verdicts are the results of the
// selection for all versions; nil if there are none to select from. The error is a
// clause.
func (r *Reader) Read(ctx context.Context, u *lists.Upstream) (texts []Text, verdicts []selection.Verdict, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeLimit)
	defer cancel()
	read, repository := r.release, u.From
	versions := u.Versions.Tags
	switch u.Kind {
	case lists.Chart, lists.Text:
		read, versions = r.file, []string{""}
		if u.Kind == lists.Chart {
			read = r.chart
		}
	case lists.Kubernetes:
		read, repository = r.kubernetes, "kubernetes/kubernetes"
	default: // lists.Release
	}
	if versions == nil {
		tags, err := tags(ctx, r.Web, repository)
		if err != nil {
			return nil, nil, err
		}
		verdicts = u.Versions.Choose(tags)
		for _, v := range verdicts {
			if v.Chosen {
				versions = append(versions, v.Tag)
			}
		}
		if n := len(versions); n == 0 || n > maxVersions {
			return nil, verdicts, fmt.Errorf("selects %d of the %d versions of %s; from 1 to %d are possible", n, len(tags), repository, maxVersions)
		}
	}
	for _, version := range versions {
		text := Text{Name: repository + " " + version}
		if err := read(ctx, u, version, &text); err != nil {
			return texts, verdicts, err
		}
		texts = append(texts, text)
	}
	return texts, verdicts, nil
}

// file reads a file.
func (r *Reader) file(ctx context.Context, u *lists.Upstream, _ string, to *Text) error {
	to.Name = u.From
	return r.fetch(ctx, u.From, to)
}

func (r *Reader) fetch(ctx context.Context, address string, to *Text) error {
	body, err := r.Web.Read(ctx, address, "")
	to.Body = string(body)
	return err
}

// release reads a file of a release on GitHub.
func (r *Reader) release(ctx context.Context, u *lists.Upstream, version string, to *Text) error {
	place := "download/" + strings.ReplaceAll(version, "+", "%2B")
	if version == "latest" {
		place = "latest/download"
	}
	return r.fetch(ctx, gitHub+u.From+"/releases/"+place+"/"+u.Name, to)
}

// kubeadmImages are the images of kubeadm, with the versions that are read.
const kubeadmImages = `registry.k8s.io/kube-apiserver:%[1]s
registry.k8s.io/kube-controller-manager:%[1]s
registry.k8s.io/kube-scheduler:%[1]s
registry.k8s.io/kube-proxy:%[1]s
registry.k8s.io/coredns/coredns:%[2]s
registry.k8s.io/pause:%[3]s
registry.k8s.io/etcd:%[4]s
`

// constants match the versions of the images in kubeadm's constants.go.
var constants = []*pattern.Regexp{
	{Text: `(?m)^\s*CoreDNSVersion\s*=\s*"(v[0-9.]+)"`},
	{Text: `(?m)^\s*PauseVersion\s*=\s*"([0-9.]+)"`},
	{Text: `(?m)^\s*DefaultEtcdVersion\s*=\s*"([0-9.-]+)"`},
}

// kubernetes names the images of a version of Kubernetes. If kubeadm's constants
// cannot be read, they are those that Ferry knows.
func (r *Reader) kubernetes(ctx context.Context, _ *lists.Upstream, version string, to *Text) error {
	version = "v" + strings.TrimPrefix(version, "v")
	to.Name = "kubernetes " + version
	err := r.fetch(ctx, "https://raw.githubusercontent.com/kubernetes/kubernetes/"+version+"/cmd/kubeadm/app/constants/constants.go", to)
	found := []any{version}
	for _, c := range constants {
		if m := c.FindStringSubmatch(to.Body); m != nil {
			found = append(found, m[1])
		}
	}
	if err == nil && len(found) <= len(constants) { // as before 1.21
		err = errors.New("kubeadm's constants do not have the versions of its images")
	}
	if err != nil {
		to.Note = err.Error() + "; the images of " + to.Name + " are those that this version of Ferry knows"
		to.Body = "kubeadm " + version
		return nil
	}
	to.Body = fmt.Sprintf(kubeadmImages, found...)
	return nil
}

// chart reads the description of a chart, its Images.lock, if it has one, and what Helm
// makes of it with the values of the list, or its own.
func (r *Reader) chart(ctx context.Context, u *lists.Upstream, _ string, to *Text) error {
	to.Name = strings.TrimSpace(u.From + " " + u.Name)
	folder, err := os.MkdirTemp("", "ferry-chart-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	args := []string{"pull", u.From, "--version=" + u.Range, "--untar", "--untardir=" + folder}
	if u.Name != "" {
		args[1] = u.Name
		args = append(args, "--repo="+u.From)
	}
	if _, err := r.Helm(ctx, args...); err != nil {
		return err
	}
	root, err := filepath.Glob(filepath.Join(folder, "*", "Chart.yaml"))
	if err != nil || len(root) != 1 {
		return errors.New("helm has not unpacked one chart")
	}
	root[0] = filepath.Dir(root[0])
	about, err := r.Helm(ctx, "show", "chart", root[0])
	if err != nil {
		return err
	}
	if found := chartVersion.Compiled().FindSubmatch(about); found != nil {
		to.Name += " " + string(found[1])
	}
	args = []string{"template", "ferry", root[0]}
	if u.Values != "" {
		args = append(args, "--values="+u.Values)
	}
	rendered, err := r.Helm(ctx, args...)
	to.Body = string(about) + "\n---\n" + string(rendered)
	if lock, missing := os.ReadFile(filepath.Join(root[0], "Images.lock")); missing == nil && len(lock) <= maxText {
		to.Body += "\n---\n" + strings.Join(lockedImage.Compiled().FindAllString(string(lock), -1), "\n")
	}
	return err
}

// lockedImage matches an image in Images.lock
// (https://github.com/vmware-labs/distribution-tooling-for-helm).
var lockedImage = &pattern.Regexp{Text: `(?m)^\s*(?:- )?image: \S+$`}

var chartVersion = &pattern.Regexp{Text: `(?m)^version: "?([0-9A-Za-z.+-]+)"?$`}
