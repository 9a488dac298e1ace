package request

import (
	"slices"
	"strings"
)

// registries are the hosts that are certainly registries. A name behind one
// of them is an image, wherever it stands; other hosts need a tag or a place
// where only an image can stand. The list decides nothing else: which hosts
// may be used is the owner's policy.
var registries = set(
	"docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com", "registry.docker.io", "dhi.io",
	"gcr.io", "us.gcr.io", "eu.gcr.io", "asia.gcr.io", "marketplace.gcr.io", "mirror.gcr.io", "launcher.gcr.io", "k8s.gcr.io", "registry.k8s.io",
	"quay.io", "ghcr.io", "docker.pkg.github.com", "mcr.microsoft.com", "nvcr.io", "public.ecr.aws",
	"docker.elastic.co", "registry.gitlab.com", "registry.access.redhat.com", "registry.redhat.io", "registry.connect.redhat.com",
	"registry.fedoraproject.org", "registry.opensuse.org", "registry.suse.com", "registry.rancher.com", "registry.ollama.ai",
	"cr.l5d.io", "cgr.dev", "icr.io", "us.icr.io", "gitea.com", "codeberg.org",
	"docker.n8n.io", "docker.gitea.com", "docker.getoutline.com", "docker.dragonflydb.io", "docker.redpanda.com", "docker.cloudsmith.io",
	"cr.weaviate.io", "cr.fluentbit.io", "cr.kuma.io", "cr.smallstep.com", "cr.step.sm", "cr.loongnix.cn",
	"registry.opensource.zalan.do", "registry.jujucharms.com", "rocks.canonical.com", "container-registry.oracle.com",
	"lscr.io", "releases-docker.jfrog.io", "docker.bintray.io", "reg.kyverno.io", "xpkg.upbound.io", "xpkg.crossplane.io",
	"community.wave.seqera.io", "hub.opensciencegrid.org", "docker.osgeo.org", "projects.registry.vmware.com",
	"registry.k0sproject.io", "ccr.ccs.tencentyun.com", "mirrors.tencent.com",
	"code.forgejo.org", "data.forgejo.org",
)

// registrySuffixes are the families of registries that have many hosts.
var registrySuffixes = []string{
	".gcr.io", "-docker.pkg.dev", ".pkg.dev", ".azurecr.io", ".aliyuncs.com", ".myhuaweicloud.com", ".tencentcloudcr.com",
	".cr.volces.com", ".bcebos.com", ".dkr.ecr.us-east-1.amazonaws.com", ".amazonaws.com", ".jfrog.io", ".icr.io", ".ocir.io", ".baidubce.com",
}

// isRegistry reports whether host is certainly a registry.
func isRegistry(host string) bool {
	host = strings.ToLower(host)
	if registries[host] {
		return true
	}
	for _, suffix := range registrySuffixes {
		if strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return false
}

// needsNamespace are registries where nothing lives right beneath the host:
// "ghcr.io/kyverno" is somebody's namespace, not an image.
var needsNamespace = set("ghcr.io", "quay.io", "lscr.io", "nvcr.io", "gcr.io")

// sites are hosts of source code and pages, which serve no images under the
// names that people paste.
var sites = set(
	"github.com", "www.github.com", "gitee.com", "gitlab.com", "bitbucket.org", "raw.githubusercontent.com", "github.io",
	"hub.docker.com", "docker.com", "www.docker.com", "docs.docker.com", "registry.hub.docker.com", "gitcode.com", "gitcode.net",
	"kubernetes.io", "k8s.io", "helm.sh", "artifacthub.io", "baidu.com", "www.baidu.com", "google.com", "www.google.com",
	"golang.org", "npmjs.com", "pypi.org", "huggingface.co",
)

// isSite reports whether host is that of pages rather than images.
func isSite(host string) bool {
	host = strings.ToLower(host)
	return sites[host] || strings.HasSuffix(host, ".github.io") || strings.HasSuffix(host, ".readthedocs.io")
}

// wellKnown are the hosts that people mistype: they get the benefit of a doubt.
var wellKnown = []string{
	"docker.io", "gcr.io", "k8s.gcr.io", "registry.k8s.io", "quay.io", "ghcr.io", "mcr.microsoft.com",
	"nvcr.io", "public.ecr.aws", "docker.elastic.co", "registry.gitlab.com",
}

// misnomers are hosts that do not exist and what those who write them mean.
var misnomers = map[string]string{
	"registry.gcr.io": "registry.k8s.io", "registry.k8s.gcr.io": "registry.k8s.io", "k8s.registry.io": "registry.k8s.io",
	"registry.kubernetes.io": "registry.k8s.io", "registry.k8s.com": "registry.k8s.io", "k8s.io": "registry.k8s.io",
	"registry.io": "registry.k8s.io", "gcr.k8s.io": "k8s.gcr.io", "k8s-gcr.io": "k8s.gcr.io", "k8sgcr.io": "k8s.gcr.io",
	"gcr.com": "gcr.io", "google.gcr.io": "gcr.io", "quay.com": "quay.io", "ghcr.com": "ghcr.io", "github.io": "ghcr.io",
	"docker.com": "docker.io", "dockerhub.io": "docker.io", "docker.hub": "docker.io", "dockerhub.com": "docker.io", "docker.hub.com": "docker.io",
	"mcr.microsoft.io": "mcr.microsoft.com", "microsoft.com": "mcr.microsoft.com", "docker.elastic.com": "docker.elastic.co", "nvcr.com": "nvcr.io",
	"dokcer.io": "docker.io", "ghrc.io": "ghcr.io", "docker.oi": "docker.io",
}

// lookalike is the well-known host that somebody who wrote host surely meant,
// or empty: a known misnomer, or one slip of the keyboard away.
func lookalike(host string) string {
	host = strings.ToLower(host)
	if isRegistry(host) && misnomers[host] == "" {
		return ""
	}
	if meant := misnomers[host]; meant != "" {
		return meant
	}
	found := ""
	for _, known := range wellKnown {
		if strings.HasPrefix(host, known+".") {
			return known // "docker.io.library/nginx"
		}
		if isSlip(host, known) {
			switch {
			case found == "" || isAnagram(host, known):
				found = known
			case !isAnagram(host, found):
				return "" // gcr.io or ghcr.io, say: nobody can tell
			}
		}
	}
	return found
}

// isSlip reports whether a is b with one character too many, too few or wrong,
// two neighbours changed, or two such slips in a name of a dozen characters.
func isSlip(a, b string) bool {
	allowed := 1
	if len(b) >= 12 {
		allowed = 2
	}
	return len(a)-len(b) <= allowed && len(b)-len(a) <= allowed && distance(a, b) <= allowed
}

// isAnagram reports whether two hosts have the same letters: a slip that only
// changes their order.
func isAnagram(a, b string) bool {
	x, y := []byte(a), []byte(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// distance is the optimal string alignment distance of two short strings: the
// number of insertions, deletions, substitutions and swaps of neighbours.
func distance(a, b string) int {
	var before, last, row [32]int // no well-known host is longer
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(row[j-1]+1, last[j]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

// isDomain reports whether s could be a host: a dotted name whose last label is
// a word, an IPv4 address, or anything with a port.
func isDomain(s string) bool {
	name, port, hasPort := strings.Cut(s, ":")
	if hasPort && !isDigits(port) {
		return false
	}
	if name == "localhost" {
		return true
	}
	labels := strings.Split(name, ".")
	if len(labels) < 2 {
		return hasPort
	}
	if slices.Contains(labels, "") {
		return false
	}
	last := labels[len(labels)-1]
	if isDigits(last) {
		return len(labels) == 4 && !hasLetter(name)
	}
	return len(last) >= 2 && !strings.ContainsAny(last, "0123456789_")
}

// topLevels are the last labels of the hosts that people name alone.
var topLevels = set("io", "com", "cn", "org", "net", "dev", "me", "cc", "top", "xyz", "run", "live", "pro", "cloud", "aws", "app", "site", "icu", "co", "info", "tech", "de", "us", "edu", "gov")

// isHostName reports whether a dotted word is a host rather than an image.
func isHostName(s string) bool {
	return isDomain(s) && topLevels[strings.ToLower(s[strings.LastIndexByte(s, '.')+1:])]
}
