package request

import (
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// undoMirror returns the original of an image at a public mirror, as host and
// rest (a path with tag or digest).
func undoMirror(host, rest string) (originalHost, originalRest string, ok bool) {
	host = strings.ToLower(host)
	if original, ok := known.Mirrored(host); ok {
		if original != "" {
			return original, afterOwnHost(original, rest), true
		}
		if first, after, cut := strings.Cut(rest, "/"); cut && strings.Contains(first, ".") {
			return first, after, true
		}
		return reference.DockerHub, rest, true
	}
	switch {
	case host == known.GalaxyDepot:
		if name, cut := strings.CutPrefix(rest, "singularity/"); cut && !strings.Contains(name, "/") {
			host, namespace, _ := strings.Cut(known.BioContainers, "/")
			return host, namespace + "/" + name, true
		}
	case host == "048912060910.dkr.ecr.cn-northwest-1.amazonaws.com.cn": // nwcdlabs/container-mirror
		if first, after, cut := strings.Cut(rest, "/"); cut && known.ByShortName(first) != "" {
			return known.ByShortName(first), after, true
		}
	case strings.HasSuffix(host, ".mirror.aliyuncs.com"), strings.HasSuffix(host, ".mirror.swr.myhuaweicloud.com"):
		return reference.DockerHub, rest, true
	case known.Of(host).Vendor == known.Alibaba:
		for _, namespace := range known.KubernetesNamespaces {
			if name, cut := strings.CutPrefix(rest, namespace); cut && !strings.Contains(name, "/") {
				return known.Kubernetes, known.KubernetesPath(name), true
			}
		}
	case known.Of(host).Vendor == known.Huawei:
		// Mirrors have the original's host below their namespace:
		// "ddn-k8s/gcr.io/a/b".
		if _, inner, cut := strings.Cut(rest, "/"); cut {
			if first, after, cut := strings.Cut(inner, "/"); cut && (known.IsRegistry(first) || isHostName(first)) {
				return first, after, true
			}
		}
	}
	return "", "", false
}

// afterOwnHost removes the original's host from paths at a mirror of one
// registry that contain it anyway
// ("docker.m.daocloud.io/docker.io/library/nginx").
func afterOwnHost(original, rest string) string {
	if after, ok := strings.CutPrefix(rest, original+"/"); ok {
		return after
	}
	return rest
}

// isMirror reports whether host is that of a public mirror.
func isMirror(host string) bool {
	_, ok := known.Mirrored(strings.ToLower(host))
	return ok
}
