package known

import "github.com/imageferry/ferry/internal/pattern"

// registries are the registries that are known, one row each. Rows with hosts
// alone mean that a name behind such a host is an image wherever it stands.
//
// Sources of the fields:
//   - Allowed: the registries that requests on the public mirror bots were for,
//     hosts exactly, since anybody can rent one of a family ("*.pkg.dev").
//   - Misspelt, Websites: requests on the public mirror bots.
//   - Short: the documentation of the mirrors in mirrors.go.
//   - Tokens: the challenges of the registries. One that has moved costs a
//     round trip, no more.
//   - Names: docs/names.md has the vendor's page for each.
var registries = []Registry{
	{
		Hosts:   []string{"docker.io"},
		Aliases: []string{"index.docker.io", "registry-1.docker.io", "registry.hub.docker.com", "registry.docker.io"},
		API:     "registry-1.docker.io",
		Vendor:  Docker, Allowed: true, Searched: true, Often: true,
		Misspelt: []string{"docker.com", "dockerhub.io", "docker.hub", "dockerhub.com", "docker.hub.com", "dokcer.io", "docker.oi"},
		Websites: []string{"docker.com", "www.docker.com", "hub.docker.com", "app.docker.com"},
		Short:    []string{"docker", "hub", "dockerhub", "dhub"},
		Label:    "docker",
		Names:    Names{Least: 1, Most: 2, Shortest: 2, Longest: 255},
		Tokens:   TokenServer{"https://auth.docker.io/token", "registry.docker.io"},
		Manager:  "hub.docker.com", // https://docs.docker.com/reference/api/hub/latest/
		Console:  Page{"hub.docker.com", "https://hub.docker.com/repositories/{account}"},
		Logins:   Page{"Personal access tokens", "https://app.docker.com/settings/personal-access-tokens"},
	},
	{
		Hosts: []string{"gcr.io", "asia.gcr.io", "eu.gcr.io", "us.gcr.io"}, Domains: []string{".gcr.io"}, Cloud: Google,
		Allowed: true, Often: true,
		Misspelt: []string{"gcr.com", "google.gcr.io"},
		Short:    []string{"gcr"},
		Label:    "gcr", // left out if the name is unambiguous without it
		Names:    Names{Least: 2},
		Tokens:   TokenServer{"https://gcr.io/v2/token", "gcr.io"},
	},
	{Hosts: []string{"mirror.gcr.io"}, Allowed: true}, // Google's mirror of Docker Hub
	{
		Hosts:   []string{Kubernetes},
		Allowed: true, Searched: true, Often: true,
		Misspelt: []string{
			"registry.gcr.io", "registry.k8s.gcr.io", "k8s.registry.io", "registry.kubernetes.io", "registry.k8s.com", "k8s.io", "registry.io",
		},
		Short: []string{"k8s", "registry", "k8s-registry"},
		Label: "google-containers", // the original project on gcr.io
	},
	{
		Hosts:  []string{"k8s.gcr.io"},
		SameAs: Kubernetes, // redirects since 2023-03-20, https://kubernetes.io/blog/2023/03/10/image-registry-redirect/
		Often:  true, Allowed: true,
		Misspelt: []string{"gcr.k8s.io", "k8s-gcr.io", "k8sgcr.io"},
		Short:    []string{"k8s-gcr", "k8sgcr", "kgcr"},
	},
	{
		Hosts:  []string{"quay.io"},
		Vendor: Quay, Allowed: true, Searched: true, Often: true,
		Misspelt: []string{"quay.com"},
		Short:    []string{"quay"},
		Label:    "quay",
		Names:    Names{Least: 2},
		Tokens:   TokenServer{"https://quay.io/v2/auth", "quay.io"},
		Console:  Page{"quay.io", "https://quay.io/repository/{namespace}/{repository}?tab=settings"},
	},
	{
		Hosts:  []string{"ghcr.io"},
		Vendor: GitHub, Allowed: true, Searched: true, Often: true,
		Misspelt: []string{"ghcr.com", "github.io", "ghrc.io"},
		Websites: []string{"github.com", "www.github.com"},
		Short:    []string{"ghcr"},
		Label:    "ghcr",
		Names:    Names{Least: 2},
		Tokens:   TokenServer{"https://ghcr.io/token", "ghcr.io"},
		Console:  Page{"Packages", "https://github.com/{account}?tab=packages"},
		Logins:   Page{"Personal access tokens", "https://github.com/settings/tokens"},
	},
	{
		Hosts:   []string{"mcr.microsoft.com"},
		Allowed: true, Often: true,
		Misspelt: []string{"mcr.microsoft.io", "microsoft.com"},
		Short:    []string{"mcr"}, Label: "mcr",
	},
	{
		Hosts:   []string{"nvcr.io"},
		Allowed: true, Often: true,
		Misspelt: []string{"nvcr.com"},
		Short:    []string{"nvcr"}, Label: "nvcr",
		Names: Names{Least: 2},
	},
	{Hosts: []string{"public.ecr.aws"}, Cloud: Amazon, Allowed: true, Often: true, Short: []string{"ecr"}},
	{
		Hosts:   []string{"docker.elastic.co"},
		Allowed: true, Often: true,
		Misspelt: []string{"docker.elastic.com"},
		Short:    []string{"elastic", "docker-elastic"}, Label: "elastic",
	},
	{
		Hosts:   []string{"registry.gitlab.com"},
		Allowed: true, Often: true,
		Websites: []string{"gitlab.com"},
		Short:    []string{"gitlab"},
		Tokens:   TokenServer{"https://gitlab.com/jwt/auth", "container_registry"},
	},
	{Hosts: []string{"registry.access.redhat.com"}, Allowed: true},
	{Hosts: []string{"dhi.io"}, Allowed: true},
	{Hosts: []string{"lscr.io"}, Allowed: true, Names: Names{Least: 2}},
	{Hosts: []string{"cgr.dev"}, Allowed: true},
	{Hosts: []string{"cr.fluentbit.io"}, Allowed: true},

	// Vendors with many hosts.
	{
		Domains: []string{".aliyuncs.com"}, Vendor: Alibaba,
		Names:   Names{Least: 2, Most: 2, Shortest: 2, Longest: 64},
		Refuses: Refuses{EmptyConfig: true}, // ACR: "unknown manifest class for application/vnd.oci.empty.v1+json"
		// https://help.aliyun.com/zh/ack/, "network access": dockerauth and
		// dockerauth-ee, one or more a region, a dash instead of the dot in
		// Zhangjiakou, -vpc inside of its own network.
		TokenHosts: &pattern.Regexp{Text: `^dockerauth(?:-ee)?(?:-vpc)?[.-]([a-z]+-[a-z0-9-]+)\.aliyuncs\.com$`},
		Console:    Page{"cr.console.aliyun.com", "https://cr.console.aliyun.com/"},
	},
	{
		Hosts: []string{"ccr.ccs.tencentyun.com"}, Domains: []string{".tencentyun.com", ".tencentcloudcr.com"}, Vendor: Tencent,
		Names:   Names{Least: 2, Most: 2, Shortest: 3, Longest: 244},
		Console: Page{"console.cloud.tencent.com", "https://console.cloud.tencent.com/tcr/"},
	},
	{
		Domains: []string{".myhuaweicloud.com", ".myhuaweicloud.eu"}, Vendor: Huawei,
		Names:   Names{Least: 2, Shortest: 1, Longest: 128, SingleDash: true},
		Refuses: Refuses{OCIIndex: true}, // SWR: "Invalid image, fail to parse 'manifest.json'"
		Console: Page{"console.huaweicloud.com", "https://console.huaweicloud.com/swr/"},
	},
	{Domains: []string{"-docker.pkg.dev", ".pkg.dev"}, Cloud: Google},
	{Domains: []string{".azurecr.io", ".azurecr.cn", ".azurecr.us"}, Cloud: Azure},
	{Domains: []string{".amazonaws.com", ".amazonaws.com.cn"}, Cloud: Amazon},
	{Domains: []string{".jfrog.io"}, Hosts: []string{"releases-docker.jfrog.io"}},
	{Domains: []string{".cr.volces.com"}},
	{Domains: []string{".bcebos.com", ".baidubce.com"}},
	{Domains: []string{".icr.io"}, Hosts: []string{"icr.io"}},
	{Domains: []string{".ocir.io"}},

	// Registries of projects and companies.
	{Hosts: []string{"cr.l5d.io"}, Short: []string{"l5d"}},
	{Hosts: []string{"registry.jujucharms.com"}, Short: []string{"jujucharms"}},
	{Hosts: []string{"rocks.canonical.com"}, Short: []string{"rocks-canonical"}},
	{Hosts: []string{"registry.ollama.ai"}, Short: []string{"ollama"}},
	{Hosts: []string{"docker.pkg.github.com"}},
	{Hosts: []string{"registry.redhat.io"}},
	{Hosts: []string{"registry.connect.redhat.com"}},
	{Hosts: []string{"registry.fedoraproject.org"}},
	{Hosts: []string{"registry.opensuse.org"}},
	{Hosts: []string{"registry.suse.com"}},
	{Hosts: []string{"registry.rancher.com"}},
	{Hosts: []string{"gitea.com", "docker.gitea.com"}},
	{Hosts: []string{"codeberg.org"}},
	{Hosts: []string{"code.forgejo.org", "data.forgejo.org"}},
	{Hosts: []string{"docker.n8n.io"}},
	{Hosts: []string{"docker.getoutline.com"}},
	{Hosts: []string{"docker.dragonflydb.io"}},
	{Hosts: []string{"docker.redpanda.com"}},
	{Hosts: []string{"docker.cloudsmith.io"}},
	{Hosts: []string{"cr.weaviate.io"}},
	{Hosts: []string{"cr.kuma.io"}},
	{Hosts: []string{"cr.smallstep.com", "cr.step.sm"}},
	{Hosts: []string{"cr.loongnix.cn"}},
	{Hosts: []string{"registry.opensource.zalan.do"}},
	{Hosts: []string{"container-registry.oracle.com"}},
	{Hosts: []string{"docker.bintray.io"}},
	{Hosts: []string{"reg.kyverno.io"}},
	{Hosts: []string{"xpkg.upbound.io", "xpkg.crossplane.io"}},
	{Hosts: []string{"community.wave.seqera.io"}},
	{Hosts: []string{"hub.opensciencegrid.org"}},
	{Hosts: []string{"docker.osgeo.org"}},
	{Hosts: []string{"projects.registry.vmware.com"}},
	{Hosts: []string{"registry.k0sproject.io"}},
	{Hosts: []string{"mirrors.tencent.com"}},
}

// sites are hosts of source code and pages, which do not serve images under the
// names that people paste.
var sites = []string{
	"github.com", "www.github.com", "gitee.com", "gitlab.com", "bitbucket.org", "raw.githubusercontent.com", "github.io",
	"hub.docker.com", "docker.com", "www.docker.com", "docs.docker.com", "registry.hub.docker.com", "gitcode.com", "gitcode.net",
	"kubernetes.io", "k8s.io", "helm.sh", "artifacthub.io", "baidu.com", "www.baidu.com", "google.com", "www.google.com",
	"golang.org", "npmjs.com", "pypi.org", "huggingface.co",
}

// siteDomains are common endings of such hosts.
var siteDomains = []string{".github.io", ".readthedocs.io"}
