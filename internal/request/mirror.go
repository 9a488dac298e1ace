package request

import "strings"

// mirrors are the hosts of public mirrors and what each stands for. An empty
// original means that the path begins with the original's own host.
// Sources: the mirrors' own documentation (DaoCloud/public-image-mirror,
// kubesre/docker-registry-mirrors, USTC, NJU, SJTUG, Azure China, lank8s) and
// the public lists of Docker Hub accelerators. A host that is gone stays here:
// people go on pasting it.
var mirrors = map[string]string{
	"m.daocloud.io": "",

	"registry.lank8s.cn": "registry.k8s.io", "gcr.lank8s.cn": "gcr.io", "lank8s.cn": "k8s.gcr.io", "k8s.lank8s.cn": "k8s.gcr.io",

	"docker.mirrors.ustc.edu.cn": "docker.io", "gcr.mirrors.ustc.edu.cn": "gcr.io", "quay.mirrors.ustc.edu.cn": "quay.io",
	"ghcr.mirrors.ustc.edu.cn": "ghcr.io", "k8s.mirrors.ustc.edu.cn": "registry.k8s.io",

	"gcr.azk8s.cn": "gcr.io", "quay.azk8s.cn": "quay.io", "dockerhub.azk8s.cn": "docker.io", "mcr.azk8s.cn": "mcr.microsoft.com",
	"k8sgcr.azk8s.cn": "k8s.gcr.io",
	"gcr.azure.cn":    "gcr.io", "dockerhub.azure.cn": "docker.io", "quay.azure.cn": "quay.io",

	"docker.nju.edu.cn": "docker.io", "ghcr.nju.edu.cn": "ghcr.io", "gcr.nju.edu.cn": "gcr.io", "quay.nju.edu.cn": "quay.io",
	"nvcr.nju.edu.cn": "nvcr.io", "k8s.nju.edu.cn": "registry.k8s.io", "k8s.mirror.nju.edu.cn": "registry.k8s.io",
	"docker.mirrors.sjtug.sjtu.edu.cn": "docker.io", "docker.mirrors.sjtu.edu.cn": "docker.io",
	"k8s-gcr-io.mirrors.sjtug.sjtu.edu.cn": "k8s.gcr.io", "gcr-io.mirrors.sjtug.sjtu.edu.cn": "gcr.io", "k8s-gcr.mirrors.sjtug.sjtu.edu.cn": "k8s.gcr.io",
	"quay-io.mirrors.sjtug.sjtu.edu.cn": "quay.io",

	"mirror.gcr.io": "docker.io", "registry.docker-cn.com": "docker.io", "hub-mirror.c.163.com": "docker.io", "docker.163.com": "docker.io",
	"mirror.ccs.tencentyun.com": "docker.io", "mirror.baidubce.com": "docker.io", "reg-mirror.qiniu.com": "docker.io",
	"dockerproxy.com": "docker.io", "dockerproxy.cn": "docker.io", "dockerproxy.net": "docker.io", "docker.1ms.run": "docker.io",
	"docker.1panel.live": "docker.io", "hub.rat.dev": "docker.io", "docker.xuanyuan.me": "docker.io", "dockerpull.com": "docker.io",
	"dockerpull.org": "docker.io", "dockerpull.cn": "docker.io", "docker.rainbond.cc": "docker.io", "dockerhub.icu": "docker.io",
	"hub.geekery.cn": "docker.io", "docker.udayun.com": "docker.io", "docker.anyhub.us.kg": "docker.io", "dockerhub.timeweb.cloud": "docker.io",
	"huecker.io": "docker.io", "hub.uuuadc.top": "docker.io", "docker.ckyl.me": "docker.io", "docker.awsl9527.cn": "docker.io",
	"docker.imgdb.de": "docker.io", "docker.hlmirror.com": "docker.io", "docker.chenby.cn": "docker.io", "docker.mirrors.tuna.tsinghua.edu.cn": "docker.io",
	"f1361db2.m.daocloud.io": "docker.io", "docker.ketches.cn": "docker.io", "docker.wanpeng.top": "docker.io", "dockertest.jsdelivr.fyi": "docker.io",
}

// proxies are the domains of mirrors that put the original's short name in
// front: "gcr.m.daocloud.io", "k8s.kubesre.xyz".
var proxies = []string{
	".m.daocloud.io", ".kubesre.xyz", ".lank8s.cn", ".dockerproxy.com", ".dockerproxy.cn", ".dockerproxy.net",
	".mirrors.ustc.edu.cn", ".azk8s.cn", ".nju.edu.cn", ".chenby.cn", ".unsee.tech", ".1ms.run", ".mirrorify.net", ".actima.top",
	".linkos.org", ".rainbond.cc", ".ketches.cn", ".sjtug.sjtu.edu.cn", ".xuanyuan.run", ".xuanyuan.me", ".gbfeng.com", ".libcuda.so",
}

// shortNames are the first labels that proxies use.
var shortNames = map[string]string{
	"docker": "docker.io", "hub": "docker.io", "dockerhub": "docker.io", "dhub": "docker.io",
	"gcr": "gcr.io", "ghcr": "ghcr.io", "quay": "quay.io", "mcr": "mcr.microsoft.com", "nvcr": "nvcr.io",
	"k8s": "registry.k8s.io", "registry": "registry.k8s.io", "k8s-registry": "registry.k8s.io", "k8s-gcr": "k8s.gcr.io", "k8sgcr": "k8s.gcr.io", "kgcr": "k8s.gcr.io",
	"elastic": "docker.elastic.co", "docker-elastic": "docker.elastic.co", "ecr": "public.ecr.aws", "gitlab": "registry.gitlab.com",
	"l5d": "cr.l5d.io", "jujucharms": "registry.jujucharms.com", "rocks-canonical": "rocks.canonical.com", "ollama": "registry.ollama.ai",
}

// kubernetesMirrors are namespaces that hold the images of registry.k8s.io by
// the last component of their name.
var kubernetesMirrors = []string{"google_containers/", "google-containers/"}

// flattened says where images of registry.k8s.io live whose path has more
// than one component. Older tags of coredns had no directory (see releases).
var flattened = map[string]string{
	"coredns": "coredns/coredns", "metrics-server": "metrics-server/metrics-server", "kube-state-metrics": "kube-state-metrics/kube-state-metrics",
	"nginx-ingress-controller": "ingress-nginx/controller", "kube-webhook-certgen": "ingress-nginx/kube-webhook-certgen",
}

// undoMirror turns the address of an image at a public mirror back into that
// of the original: host and rest (a path with tag or digest) of it.
func undoMirror(host, rest string) (originalHost, originalRest string, ok bool) {
	host = strings.ToLower(host)
	if original, known := mirrors[host]; known {
		if original != "" {
			return original, afterOwnHost(original, rest), true
		}
		if first, after, cut := strings.Cut(rest, "/"); cut && strings.Contains(first, ".") {
			return first, after, true
		}
		return "docker.io", rest, true
	}
	for _, domain := range proxies {
		if label, cut := strings.CutSuffix(host, domain); cut {
			if original := shortNames[label]; original != "" {
				return original, afterOwnHost(original, rest), true
			}
		}
	}
	switch {
	case host == "048912060910.dkr.ecr.cn-northwest-1.amazonaws.com.cn": // nwcdlabs/container-mirror
		if first, after, cut := strings.Cut(rest, "/"); cut && shortNames[first] != "" {
			return shortNames[first], after, true
		}
	case strings.HasSuffix(host, ".mirror.aliyuncs.com"), strings.HasSuffix(host, ".mirror.swr.myhuaweicloud.com"):
		return "docker.io", rest, true
	case strings.HasSuffix(host, ".aliyuncs.com"):
		for _, namespace := range kubernetesMirrors {
			if name, cut := strings.CutPrefix(rest, namespace); cut && !strings.Contains(name, "/") {
				return "registry.k8s.io", unflatten(name), true
			}
		}
	case strings.HasSuffix(host, ".myhuaweicloud.com"):
		// Mirrors keep the original's host beneath their namespace: "ddn-k8s/gcr.io/a/b".
		if _, inner, cut := strings.Cut(rest, "/"); cut {
			if first, after, cut := strings.Cut(inner, "/"); cut && (isRegistry(first) || isHostName(first)) {
				return first, after, true
			}
		}
	}
	return "", "", false
}

// afterOwnHost drops the original's host where a mirror of one registry bears
// it all the same ("docker.m.daocloud.io/docker.io/library/nginx").
func afterOwnHost(original, rest string) string {
	if after, ok := strings.CutPrefix(rest, original+"/"); ok {
		return after
	}
	return rest
}

// components are the images that kubeadm sets a cluster up with, and add-ons of
// old releases. Docker Hub has no official images of these names, so that
// nothing else can be meant.
var components = set("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "coredns", "etcd", "pause",
	"hyperkube", "k8s-dns-kube-dns", "k8s-dns-sidecar", "k8s-dns-dnsmasq-nanny", "heapster", "defaultbackend")

// isComponentOfKubernetes reports whether name, without host and tag, is one of
// components, also with the architecture that old releases put behind it.
func isComponentOfKubernetes(name string) bool {
	return components[strings.TrimSuffix(strings.TrimSuffix(name, "-amd64"), "-arm64")]
}

// unflatten gives name, an image of registry.k8s.io without its directory, the
// directory back.
func unflatten(name string) string {
	base, tag, _ := strings.Cut(name, ":")
	directory, ok := flattened[base]
	if !ok || base == "coredns" && !strings.HasPrefix(tag, "v") {
		return name
	}
	return directory + name[len(base):]
}
