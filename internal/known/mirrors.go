package known

import (
	"strings"
	"sync"
)

// publicMirror is a mirror of registries that anybody can pull from. Mirrors
// that no longer exist stay in the table, because people still paste their
// addresses.
type publicMirror struct {
	source  string // its documentation, or lists that contain it
	hosts   []mirrored
	domains []string // behind the short name of the original: "gcr.m.daocloud.io"
}

// mirrored is a registry with the hosts that mirror it; an empty one if paths there
// begin with the original's host.
type mirrored struct {
	original, hosts string
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
		source: "https://github.com/DaoCloud/public-image-mirror",
		hosts: []mirrored{
			{"", "m.daocloud.io"},
			{"docker.io", "f1361db2.m.daocloud.io"},
		},
		domains: []string{".m.daocloud.io"},
	},
	{
		source:  "https://github.com/kubesre/docker-registry-mirrors",
		domains: []string{".kubesre.xyz", ".chenby.cn", ".unsee.tech", ".mirrorify.net", ".actima.top", ".linkos.org", ".gbfeng.com", ".libcuda.so"},
		hosts: []mirrored{
			{"docker.io", "docker.chenby.cn"},
		},
	},
	{
		source: "https://github.com/lank8s",
		hosts: []mirrored{
			{"registry.k8s.io", "registry.lank8s.cn"},
			{"gcr.io", "gcr.lank8s.cn"},
			{"k8s.gcr.io", "lank8s.cn k8s.lank8s.cn"},
		},
		domains: []string{".lank8s.cn"},
	},
	{
		source: "https://mirrors.ustc.edu.cn/help/dockerhub.html",
		hosts: []mirrored{
			{"docker.io", "docker.mirrors.ustc.edu.cn"},
			{"gcr.io", "gcr.mirrors.ustc.edu.cn"},
			{"quay.io", "quay.mirrors.ustc.edu.cn"},
			{"ghcr.io", "ghcr.mirrors.ustc.edu.cn"},
			{"registry.k8s.io", "k8s.mirrors.ustc.edu.cn"},
		},
		domains: []string{".mirrors.ustc.edu.cn"},
	},
	{
		source: "https://github.com/Azure/container-service-for-azure-china",
		hosts: []mirrored{
			{"gcr.io", "gcr.azk8s.cn gcr.azure.cn"},
			{"quay.io", "quay.azk8s.cn quay.azure.cn"},
			{"docker.io", "dockerhub.azk8s.cn dockerhub.azure.cn"},
			{"mcr.microsoft.com", "mcr.azk8s.cn"},
			{"k8s.gcr.io", "k8sgcr.azk8s.cn"},
		},
		domains: []string{".azk8s.cn"},
	},
	{
		source: "https://doc.nju.edu.cn/books/35f4a/page/docker-hub",
		hosts: []mirrored{
			{"docker.io", "docker.nju.edu.cn"},
			{"ghcr.io", "ghcr.nju.edu.cn"},
			{"gcr.io", "gcr.nju.edu.cn"},
			{"quay.io", "quay.nju.edu.cn"},
			{"nvcr.io", "nvcr.nju.edu.cn"},
			{"registry.k8s.io", "k8s.nju.edu.cn k8s.mirror.nju.edu.cn"},
		},
		domains: []string{".nju.edu.cn"},
	},
	{
		source: "https://mirrors.sjtug.sjtu.edu.cn",
		hosts: []mirrored{
			{"docker.io", "docker.mirrors.sjtug.sjtu.edu.cn docker.mirrors.sjtu.edu.cn"},
			{"k8s.gcr.io", "k8s-gcr-io.mirrors.sjtug.sjtu.edu.cn k8s-gcr.mirrors.sjtug.sjtu.edu.cn"},
			{"gcr.io", "gcr-io.mirrors.sjtug.sjtu.edu.cn"},
			{"quay.io", "quay-io.mirrors.sjtug.sjtu.edu.cn"},
		},
		domains: []string{".sjtug.sjtu.edu.cn"},
	},
	{
		source: "public lists of Docker Hub's accelerators",
		hosts: []mirrored{
			{"docker.io", "mirror.gcr.io registry.docker-cn.com hub-mirror.c.163.com docker.163.com mirror.ccs.tencentyun.com " +
				"mirror.baidubce.com reg-mirror.qiniu.com dockerproxy.com dockerproxy.cn dockerproxy.net docker.1ms.run " +
				"docker.1panel.live hub.rat.dev docker.xuanyuan.me dockerpull.com dockerpull.org dockerpull.cn " +
				"docker.rainbond.cc dockerhub.icu hub.geekery.cn docker.udayun.com docker.anyhub.us.kg dockerhub.timeweb.cloud " +
				"huecker.io hub.uuuadc.top docker.ckyl.me docker.awsl9527.cn docker.imgdb.de docker.hlmirror.com " +
				"docker.mirrors.tuna.tsinghua.edu.cn docker.ketches.cn docker.wanpeng.top dockertest.jsdelivr.fyi"},
		},
		domains: []string{
			".dockerproxy.com", ".dockerproxy.cn", ".dockerproxy.net", ".1ms.run", ".rainbond.cc", ".ketches.cn", ".xuanyuan.run", ".xuanyuan.me",
		},
	},
}

// mirrorHosts returns the registries that all public mirrors mirror, by their hosts.
var mirrorHosts = sync.OnceValue(func() *map[string]string {
	all := map[string]string{}
	for _, m := range publicMirrors {
		for _, by := range m.hosts {
			for _, host := range strings.Fields(by.hosts) {
				all[host] = by.original
			}
		}
	}
	return &all
})

// Mirrored returns the host of the registry that host, a public mirror,
// mirrors. It is empty with ok set if paths there begin with the original's
// host.
func Mirrored(host string) (original string, ok bool) {
	if original, ok = (*mirrorHosts())[host]; ok {
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
