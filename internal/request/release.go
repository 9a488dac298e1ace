package request

import (
	"strconv"
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// newestRelease returns the first patch of the newest known minor release.
func newestRelease() string {
	return "v1." + strconv.Itoa(known.NewestKubernetes()) + ".0"
}

// releaseImages returns the images of kubeadm for one release, "v1.30.2" or
// "1.30.2", in kubeadm's order.
func releaseImages(version string) ([]reference.Reference, *Problem) {
	unknown := &Problem{Code: UnknownRelease, Written: clip(version), Suggestion: newestRelease()}
	version = strings.TrimRight(strings.TrimPrefix(strings.ToLower(version), "v"), ".-_")
	parts := strings.SplitN(version, ".", 3)
	if len(parts) == 2 && parts[0] == "1" {
		if minor, err := strconv.Atoi(parts[1]); err == nil {
			if _, ok := known.KubernetesRelease(minor, 0); ok {
				unknown.Suggestion = "v1." + parts[1] + ".0"
			}
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
	if err != nil {
		return nil, unknown
	}
	r, ok := known.KubernetesRelease(minor, patch)
	if !ok {
		return nil, unknown
	}
	coredns := "coredns:"
	if strings.HasPrefix(r.CoreDNS, "v") {
		coredns = "coredns/coredns:"
	}
	names := []string{
		"kube-apiserver:v" + version, "kube-controller-manager:v" + version, "kube-scheduler:v" + version, "kube-proxy:v" + version,
		coredns + r.CoreDNS, "pause:" + r.Pause, "etcd:" + r.Etcd,
	}
	images := make([]reference.Reference, 0, len(names))
	for _, name := range names {
		ref, err := reference.Parse(known.Kubernetes + "/" + name)
		if err != nil {
			return nil, unknown
		}
		images = append(images, ref)
	}
	return images, nil
}

// release adds all images of a Kubernetes release.
func (s *scan) release(l *line, at int, version string) {
	images, problem := releaseImages(version)
	if problem != nil {
		s.flaw(l, at, *problem)
		return
	}
	for _, ref := range images {
		image := Image{Reference: ref, Written: clip(version), Assumptions: []Assumption{ReleaseSet}}
		s.offer(l, at, reading{strength: tagged, images: []Image{image}}, inRelease)
	}
}

// readReleases reads "kubeadm v1.30.2", "k8s 1.30.2" and "-t v1.30.2" on a
// separate line: all images of that release.
func (s *scan) readReleases() {
	s.rest(func(i int, l *line) {
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

// releaseWords reports whether Chinese words accompany the request for a
// release.
func releaseWords(text string) bool {
	for _, word := range []string{"全部", "所有", "全套", "整套", "一套", "需要", "的", "镜像", "版本", "集群", "组件", "同步", "安装", "部署", "请", "求", "帮忙", "一下", "核心", "搬运", "系统"} {
		text = strings.ReplaceAll(text, word, "")
	}
	return text == ""
}
