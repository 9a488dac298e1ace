package request

import (
	"strconv"
	"strings"

	"github.com/imageferry/ferry/internal/reference"
)

// release says which images besides its own a release of Kubernetes consists
// of, as kubeadm lists them.
type release struct {
	patch                int // the first patch release that it is true of
	coredns, pause, etcd string
}

// releases are the minor releases of Kubernetes 1.x and what changed in the
// course of each.
//
// Sources: kubernetes/kubernetes, cmd/kubeadm/app/constants/constants.go
// (CoreDNSVersion, PauseVersion, DefaultEtcdVersion, SupportedEtcdVersion),
// held against published output of "kubeadm config images list" for 1.13.2,
// 1.14.0, 1.16.6, 1.17.3, 1.18.0, 1.18.15, 1.19.0, 1.19.2, 1.20.4, 1.21.0,
// 1.22.0, 1.23.0, 1.24.3, 1.25.1, 1.26.0, 1.27.2, 1.28.1, 1.28.4, 1.29.2,
// 1.29.3, 1.30.1, 1.30.5, 1.30.13, 1.31.0, 1.31.6, 1.31.14, 1.32.4, 1.33.5,
// 1.34.0, 1.35.8, 1.36.4 and 1.37.1. Where a patch release between two of those
// brought a change, its number follows from the other branches' releases of the
// same day. Before 1.21 coredns had no directory of its own and no "v".
var releases = map[int][]release{
	13: {{0, "1.2.6", "3.1", "3.2.24"}},
	14: {{0, "1.3.1", "3.1", "3.3.10"}},
	15: {{0, "1.3.1", "3.1", "3.3.10"}},
	16: {{0, "1.6.2", "3.1", "3.3.15-0"}},
	17: {{0, "1.6.5", "3.1", "3.4.3-0"}},
	18: {{0, "1.6.7", "3.2", "3.4.3-0"}},
	19: {{0, "1.7.0", "3.2", "3.4.9-1"}, {1, "1.7.0", "3.2", "3.4.13-0"}},
	20: {{0, "1.7.0", "3.2", "3.4.13-0"}},
	21: {{0, "v1.8.0", "3.4.1", "3.4.13-0"}},
	22: {{0, "v1.8.4", "3.5", "3.5.0-0"}},
	23: {{0, "v1.8.6", "3.6", "3.5.1-0"}},
	24: {{0, "v1.8.6", "3.7", "3.5.3-0"}},
	25: {{0, "v1.9.3", "3.8", "3.5.4-0"}},
	26: {{0, "v1.9.3", "3.9", "3.5.6-0"}},
	27: {{0, "v1.10.1", "3.9", "3.5.7-0"}},
	28: {{0, "v1.10.1", "3.9", "3.5.9-0"}},
	29: {{0, "v1.11.1", "3.9", "3.5.10-0"}, {3, "v1.11.1", "3.9", "3.5.12-0"}},
	30: {{0, "v1.11.1", "3.9", "3.5.12-0"}, {5, "v1.11.3", "3.9", "3.5.15-0"}},
	31: {{0, "v1.11.1", "3.10", "3.5.15-0"}, {1, "v1.11.3", "3.10", "3.5.15-0"}, {14, "v1.11.3", "3.10", "3.5.24-0"}},
	32: {{0, "v1.11.3", "3.10", "3.5.16-0"}, {10, "v1.11.3", "3.10", "3.5.24-0"}},
	33: {{0, "v1.12.0", "3.10", "3.5.21-0"}, {6, "v1.12.0", "3.10", "3.5.24-0"}},
	34: {{0, "v1.12.1", "3.10.1", "3.6.4-0"}, {2, "v1.12.1", "3.10.1", "3.6.5-0"}},
	35: {{0, "v1.13.1", "3.10.1", "3.6.6-0"}},
	36: {{0, "v1.14.2", "3.10.2", "3.6.8-0"}},
	37: {{0, "v1.14.6", "3.10.2", "3.7.0-0"}},
}

// newestRelease is the first patch of the newest minor release in the table.
func newestRelease() string {
	newest := 0
	for minor := range releases {
		newest = max(newest, minor)
	}
	return "v1." + strconv.Itoa(newest) + ".0"
}

// releaseImages are the images that kubeadm needs for one release, "v1.30.2"
// or "1.30.2", in the order in which kubeadm lists them.
func releaseImages(version string) ([]reference.Reference, *Problem) {
	unknown := &Problem{Code: UnknownRelease, Written: clip(version), Suggestion: newestRelease()}
	version = strings.TrimRight(strings.TrimPrefix(strings.ToLower(version), "v"), ".-_")
	parts := strings.SplitN(version, ".", 3)
	if len(parts) == 2 && parts[0] == "1" {
		if minor, err := strconv.Atoi(parts[1]); err == nil && releases[minor] != nil {
			unknown.Suggestion = "v1." + parts[1] + ".0"
		}
		return nil, unknown
	}
	if len(parts) != 3 || parts[0] != "1" || !isDigits(parts[2]) && !strings.Contains(parts[2], "-") {
		return nil, unknown
	}
	minor, err := strconv.Atoi(parts[1])
	if err != nil {
		return nil, unknown
	}
	digits, _, _ := strings.Cut(parts[2], "-")
	patch, err := strconv.Atoi(digits)
	if err != nil || releases[minor] == nil {
		return nil, unknown
	}
	var r release
	for _, since := range releases[minor] {
		if since.patch <= patch {
			r = since
		}
	}
	coredns := "coredns:"
	if strings.HasPrefix(r.coredns, "v") {
		coredns = "coredns/coredns:"
	}
	names := []string{
		"kube-apiserver:v" + version, "kube-controller-manager:v" + version, "kube-scheduler:v" + version, "kube-proxy:v" + version,
		coredns + r.coredns, "pause:" + r.pause, "etcd:" + r.etcd,
	}
	images := make([]reference.Reference, 0, len(names))
	for _, name := range names {
		ref, err := reference.Parse("registry.k8s.io/" + name)
		if err != nil {
			return nil, unknown
		}
		images = append(images, ref)
	}
	return images, nil
}

// release finds all images of a release of Kubernetes.
func (s *scan) release(l line, at int, version string) {
	images, problem := releaseImages(version)
	if problem != nil {
		s.flaw(l, at, *problem, tagged)
		return
	}
	for _, ref := range images {
		s.finds = append(s.finds, find{line: l.number, at: at, weight: tagged,
			image: &Image{Reference: ref, Written: clip(version), Assumptions: []Assumption{ReleaseSet}}})
	}
}

// readReleases reads "kubeadm v1.30.2", "k8s 1.30.2" and "-t v1.30.2" on a
// line of its own: the whole set of that release.
func (s *scan) readReleases() {
	s.rest(func(i int, l line) {
		if len(l.text) > 120 || !strings.ContainsAny(l.text, "0123456789") {
			return
		}
		if words := lower(l.text); !strings.Contains(words, "k8s") && !strings.Contains(words, "kube") && !strings.Contains(words, "-t ") {
			return
		}
		text, _ := stripMarkers(l.text)
		if isEnvironment(text) {
			return
		}
		version, named, at := token{}, strings.HasPrefix(strings.TrimSpace(l.text), "-t "), 0
		for _, t := range tokens(text) {
			word := lower(strings.Trim(t.text, ".:=-"))
			switch {
			case t.kind == separator || isFiller(t.text):
			case word == "kubeadm" || word == "k8s" || word == "kubernetes":
				named = true
			case word == "t" || word == "all" || word == "version" || word == "config" || word == "release" || word == "set" || word == "full" || word == "for" || word == "of":
			case t.kind == otherWord:
				if !releaseWords(t.text) {
					return
				}
			case isVersion(word) && strings.Count(word, ".") >= 1 && version.text == "":
				version, at = token{text: word}, t.at
			default:
				return
			}
		}
		if !named || version.text == "" {
			return
		}
		s.taken[i] = true
		s.release(l, at, version.text)
	})
}

// releaseWords reports whether Chinese words go with the wish for a release.
func releaseWords(text string) bool {
	for _, word := range []string{"全部", "所有", "全套", "整套", "一套", "需要", "的", "镜像", "版本", "集群", "组件", "同步", "安装", "部署", "请", "求", "帮忙", "一下", "核心", "搬运", "系统"} {
		text = strings.ReplaceAll(text, word, "")
	}
	return text == ""
}
