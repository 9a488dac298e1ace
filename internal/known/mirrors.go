package known

import (
	"maps"
	"strings"
	"sync"
)

// publicMirror is a mirror of registries that anybody can pull from. Mirrors
// that no longer exist stay in the table, because people still paste their
// addresses.
type publicMirror struct {
	source  string            // its documentation, or lists that contain it
	hosts   map[string]string // the registry that each host mirrors; empty: the path begins with the original's host
	domains []string          // behind the short name of the original: "gcr.m.daocloud.io"
}

// Answering are public mirrors to ask for images, a row each, with the page that
// describes it and the month in which that was read last. They change often; others belong
// in the owner's policy file.
var Answering = []struct {
	At     string   // a registry, or a registry and a path
	Names  string   // how it names its copies: name.Naming
	Images []string // what it may have: name.Pattern
}{
	{
		At: "m.daocloud.io", Names: "prefix",
		Images: []string{"docker.io/*", "gcr.io/*", "ghcr.io/*", "quay.io/*", "registry.k8s.io/*"},
		// https://github.com/DaoCloud/public-image-mirror, 2026-08
	},
	{
		At: "registry.aliyuncs.com/google_containers", Names: "last",
		Images: []string{
			"registry.k8s.io/kube-apiserver", "registry.k8s.io/kube-controller-manager", "registry.k8s.io/kube-scheduler", "registry.k8s.io/kube-proxy",
			"registry.k8s.io/pause", "registry.k8s.io/etcd", "registry.k8s.io/coredns/coredns", "registry.k8s.io/metrics-server/metrics-server",
		},
		// https://github.com/AliyunContainerService/sync-repo, 2026-11; used with kubeadm 1.35 and pause 3.10.2
	},
}

// GalaxyDepot holds, below "singularity/", the images of BioContainers in the format
// of Singularity (https://depot.galaxyproject.org/singularity).
const (
	GalaxyDepot   = "depot.galaxyproject.org"
	BioContainers = "quay.io/biocontainers"
)

var publicMirrors = []publicMirror{
	{
		source:  "https://github.com/DaoCloud/public-image-mirror",
		hosts:   map[string]string{"m.daocloud.io": "", "f1361db2.m.daocloud.io": "docker.io"},
		domains: []string{".m.daocloud.io"},
	},
	{
		source:  "https://github.com/kubesre/docker-registry-mirrors",
		domains: []string{".kubesre.xyz", ".chenby.cn", ".unsee.tech", ".mirrorify.net", ".actima.top", ".linkos.org", ".gbfeng.com", ".libcuda.so"},
		hosts:   map[string]string{"docker.chenby.cn": "docker.io"},
	},
	{
		source: "https://github.com/lank8s",
		hosts: map[string]string{
			"registry.lank8s.cn": "registry.k8s.io", "gcr.lank8s.cn": "gcr.io", "lank8s.cn": "k8s.gcr.io", "k8s.lank8s.cn": "k8s.gcr.io",
		},
		domains: []string{".lank8s.cn"},
	},
	{
		source: "https://mirrors.ustc.edu.cn/help/dockerhub.html",
		hosts: map[string]string{
			"docker.mirrors.ustc.edu.cn": "docker.io", "gcr.mirrors.ustc.edu.cn": "gcr.io", "quay.mirrors.ustc.edu.cn": "quay.io",
			"ghcr.mirrors.ustc.edu.cn": "ghcr.io", "k8s.mirrors.ustc.edu.cn": "registry.k8s.io",
		},
		domains: []string{".mirrors.ustc.edu.cn"},
	},
	{
		source: "https://github.com/Azure/container-service-for-azure-china",
		hosts: map[string]string{
			"gcr.azk8s.cn": "gcr.io", "quay.azk8s.cn": "quay.io", "dockerhub.azk8s.cn": "docker.io", "mcr.azk8s.cn": "mcr.microsoft.com",
			"k8sgcr.azk8s.cn": "k8s.gcr.io",
			"gcr.azure.cn":    "gcr.io", "dockerhub.azure.cn": "docker.io", "quay.azure.cn": "quay.io",
		},
		domains: []string{".azk8s.cn"},
	},
	{
		source: "https://doc.nju.edu.cn/books/35f4a/page/docker-hub",
		hosts: map[string]string{
			"docker.nju.edu.cn": "docker.io", "ghcr.nju.edu.cn": "ghcr.io", "gcr.nju.edu.cn": "gcr.io", "quay.nju.edu.cn": "quay.io",
			"nvcr.nju.edu.cn": "nvcr.io", "k8s.nju.edu.cn": "registry.k8s.io", "k8s.mirror.nju.edu.cn": "registry.k8s.io",
		},
		domains: []string{".nju.edu.cn"},
	},
	{
		source: "https://mirrors.sjtug.sjtu.edu.cn",
		hosts: map[string]string{
			"docker.mirrors.sjtug.sjtu.edu.cn": "docker.io", "docker.mirrors.sjtu.edu.cn": "docker.io",
			"k8s-gcr-io.mirrors.sjtug.sjtu.edu.cn": "k8s.gcr.io", "gcr-io.mirrors.sjtug.sjtu.edu.cn": "gcr.io",
			"k8s-gcr.mirrors.sjtug.sjtu.edu.cn": "k8s.gcr.io", "quay-io.mirrors.sjtug.sjtu.edu.cn": "quay.io",
		},
		domains: []string{".sjtug.sjtu.edu.cn"},
	},
	{
		source: "public lists of Docker Hub's accelerators",
		hosts: map[string]string{
			"mirror.gcr.io": "docker.io", "registry.docker-cn.com": "docker.io", "hub-mirror.c.163.com": "docker.io", "docker.163.com": "docker.io",
			"mirror.ccs.tencentyun.com": "docker.io", "mirror.baidubce.com": "docker.io", "reg-mirror.qiniu.com": "docker.io",
			"dockerproxy.com": "docker.io", "dockerproxy.cn": "docker.io", "dockerproxy.net": "docker.io", "docker.1ms.run": "docker.io",
			"docker.1panel.live": "docker.io", "hub.rat.dev": "docker.io", "docker.xuanyuan.me": "docker.io", "dockerpull.com": "docker.io",
			"dockerpull.org": "docker.io", "dockerpull.cn": "docker.io", "docker.rainbond.cc": "docker.io", "dockerhub.icu": "docker.io",
			"hub.geekery.cn": "docker.io", "docker.udayun.com": "docker.io", "docker.anyhub.us.kg": "docker.io", "dockerhub.timeweb.cloud": "docker.io",
			"huecker.io": "docker.io", "hub.uuuadc.top": "docker.io", "docker.ckyl.me": "docker.io", "docker.awsl9527.cn": "docker.io",
			"docker.imgdb.de": "docker.io", "docker.hlmirror.com": "docker.io", "docker.mirrors.tuna.tsinghua.edu.cn": "docker.io",
			"docker.ketches.cn": "docker.io", "docker.wanpeng.top": "docker.io", "dockertest.jsdelivr.fyi": "docker.io",
		},
		domains: []string{
			".dockerproxy.com", ".dockerproxy.cn", ".dockerproxy.net", ".1ms.run", ".rainbond.cc", ".ketches.cn", ".xuanyuan.run", ".xuanyuan.me",
		},
	},
}

// mirrorHosts returns the hosts of all public mirrors.
var mirrorHosts = sync.OnceValue(func() map[string]string {
	originals := map[string]string{}
	for _, m := range publicMirrors {
		maps.Copy(originals, m.hosts)
	}
	return originals
})

// Mirrored returns the host of the registry that host, a public mirror,
// mirrors. It is empty with ok set if paths there begin with the original's
// host.
func Mirrored(host string) (original string, ok bool) {
	if original, ok = mirrorHosts()[host]; ok {
		return original, true
	}
	for _, m := range publicMirrors {
		for _, domain := range m.domains {
			if label, cut := strings.CutSuffix(host, domain); cut {
				if original = table.short[label]; original != "" {
					return original, true
				}
			}
		}
	}
	return "", false
}

// ByShortName returns the host of the registry that public mirrors call by the
// given label; empty if there is none.
func ByShortName(label string) string { return table.short[label] }
