package known

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"

	"github.com/imageferry/ferry/internal/suggest"
)

// The lists of images are made from their publishers' own sources; each file
// begins with where it is from. The workflow known proposes what is new.
//
//go:generate go run ./generate -official ../../official/library -kubernetes ../../releases
var (
	//go:embed official.txt
	officialText string
	//go:embed kubernetes.txt
	kubernetesText string
)

// rows returns the lines of a list without comments and empty lines.
func rows(text string) (lines []string) {
	for _, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// officialNames are the repositories of docker.io/library, in order and as a set.
type officialNames struct {
	all []string
	set map[string]bool
}

var official = sync.OnceValue(func() *officialNames {
	names := &officialNames{rows(officialText), map[string]bool{}}
	for _, name := range names.all {
		names.set[name] = true
	}
	return names
})

// NearOfficial returns the repository of docker.io/library of which name is a
// misspelling; empty if there is none.
func NearOfficial(name string) string {
	if len(name) > 64 {
		return ""
	}
	return suggest.Nearest(name, official().all)
}

// IsOfficial reports whether name is a repository of docker.io/library.
func IsOfficial(name string) bool { return official().set[name] }

// Release lists the images of a Kubernetes release besides Kubernetes' own,
// according to kubeadm.
type Release struct {
	Patch                int // the first patch release to which it applies
	CoreDNS, Pause, Etcd string
}

// releases are the rows of kubernetes.txt by minor release of Kubernetes 1.x.
func releases() map[int][]Release { return *releaseTable() }

var releaseTable = sync.OnceValue(func() *map[int][]Release {
	table := map[int][]Release{}
	for _, row := range rows(kubernetesText) {
		f := strings.Fields(row)
		version := strings.Split(f[0], ".")
		minor, _ := strconv.Atoi(version[1])
		patch, _ := strconv.Atoi(version[2])
		table[minor] = append(table[minor], Release{patch, f[1], f[2], f[3]})
	}
	return &table
})

// KubernetesRelease returns the release of Kubernetes 1.minor.patch, and false
// for an unknown minor release.
func KubernetesRelease(minor, patch int) (r Release, ok bool) {
	for _, since := range releases()[minor] {
		if since.Patch <= patch {
			r, ok = since, true
		}
	}
	return r, ok
}

// NewestKubernetes returns the newest known minor release of Kubernetes 1.x.
func NewestKubernetes() int {
	newest := 0
	for minor := range releases() {
		newest = max(newest, minor)
	}
	return newest
}

// kubernetesComponents are the images with which kubeadm sets up a cluster, and
// add-ons of old releases. Docker Hub has no official images of these names, so
// they are unambiguous.
var kubernetesComponents = map[string]bool{
	"kube-apiserver": true, "kube-controller-manager": true, "kube-scheduler": true, "kube-proxy": true, "coredns": true, "etcd": true,
	"pause": true, "hyperkube": true, "k8s-dns-kube-dns": true, "k8s-dns-sidecar": true, "k8s-dns-dnsmasq-nanny": true, "heapster": true,
	"defaultbackend": true,
}

// IsKubernetesComponent reports whether name, without host and tag, is an image
// of a cluster, possibly with the architecture that old releases append.
func IsKubernetesComponent(name string) bool {
	return kubernetesComponents[strings.TrimSuffix(strings.TrimSuffix(name, "-amd64"), "-arm64")]
}

// kubernetesDirectories are the directories of images at registry.k8s.io whose
// path has several components.
var kubernetesDirectories = map[string]string{
	"coredns": "coredns/coredns", "metrics-server": "metrics-server/metrics-server", "kube-state-metrics": "kube-state-metrics/kube-state-metrics",
	"nginx-ingress-controller": "ingress-nginx/controller", "kube-webhook-certgen": "ingress-nginx/kube-webhook-certgen",
}

// KubernetesPath returns the path and tag at registry.k8s.io of name, which
// mirrors use without the directory. Before Kubernetes 1.21, coredns had tags
// without "v" and no directory.
func KubernetesPath(name string) string {
	base, tag, _ := strings.Cut(name, ":")
	path, ok := kubernetesDirectories[base]
	if !ok || base == "coredns" && !strings.HasPrefix(tag, "v") {
		return name
	}
	return path + name[len(base):]
}

// KubernetesNamespaces are namespaces of mirrors that have the images of
// registry.k8s.io under the last component of their names.
var KubernetesNamespaces = []string{"google_containers/", "google-containers/"}
