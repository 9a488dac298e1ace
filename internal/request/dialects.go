package request

// A dialect is one way of writing image names. It reads the lines that it
// recognises, removes them from later dialects, and offers the images as
// candidates, each with its place. It decides nothing.
type dialect struct {
	name    string
	says    string // what it reads, one sentence without a full stop, for docs/shapes.md
	example string // a text in it, with the images behind "=> "; it is a test
	// keywords are lower-case pieces of text, of which every text in the
	// dialect contains one; nil if there are none.
	keywords *phrases
	read     func(*scan)
}

// dialects are the dialects in the order of precedence: the less ambiguous a
// format, the earlier.
var dialects = []dialect{
	{"release", "all images of a Kubernetes release",
		"kubeadm v1.30.2 => registry.k8s.io/kube-apiserver:v1.30.2 registry.k8s.io/kube-controller-manager:v1.30.2 registry.k8s.io/kube-scheduler:v1.30.2" +
			" registry.k8s.io/kube-proxy:v1.30.2 registry.k8s.io/coredns/coredns:v1.11.1 registry.k8s.io/pause:3.9 registry.k8s.io/etcd:3.5.12-0",
		newPhrases("kube", "k8s", "-t "), (*scan).readReleases},
	{"form", "fields of a form, after labels or below headings, in fourteen languages",
		"Image: coreos/flannel\nVersion: v0.15.1\nRegistry: quay.io => quay.io/coreos/flannel:v0.15.1", nil, (*scan).readForms},
	{"namespace", "names in a list below their common namespace",
		"From quay.io/cilium, all v1.15.1:\n- operator\n- hubble-relay => quay.io/cilium/operator:v1.15.1 quay.io/cilium/hubble-relay:v1.15.1", newPhrases(":"), (*scan).readNamespaces},
	{"dockerfile", "FROM, COPY --from, RUN --mount and the syntax line in Dockerfiles and Earthfiles",
		"ARG V=1.25\nFROM nginx:$V\nCOPY --from=ghcr.io/a/uv:0.5 /uv / => docker.io/library/nginx:1.25 ghcr.io/a/uv:0.5", newPhrases("from", "syntax", "copy"), (*scan).readDockerfiles},
	{"table", "tables with headings, in Markdown or plain columns, and the output of docker images and similar commands",
		"| Image | Tag |\n| --- | --- |\n| quay.io/a/b | 1.2 | => quay.io/a/b:1.2", newPhrases("|", ",", ";", "  ", "image", "ref "), (*scan).readTables},
	{"document", "YAML and JSON: Kubernetes manifests, Compose files, chart values, pipelines, copy lists with source and target",
		"image:\n  repository: quay.io/a/b\n  tag: v1 => quay.io/a/b:v1", newPhrases(":"), (*scan).readDocuments},
	{"assignments", "settings, one per line, in HCL, Nix or files of variables",
		"image = \"gcr.io/a/b\"\ntag = \"1.2\" => gcr.io/a/b:1.2", newPhrases("="), (*scan).readAssignments},
	{"xml", "elements of XML templates such as Unraid's",
		"<Repository>lscr.io/linuxserver/plex:1.40</Repository> => lscr.io/linuxserver/plex:1.40", newPhrases("<"), (*scan).readElements},
	{"log", "events, logs and error messages that name an image",
		"Failed to pull image \"quay.io/a/b:1\": i/o timeout => quay.io/a/b:1", logRoots, (*scan).readLogs},
	{"items", "the list in requests for hub-mirror",
		"\"hub-mirror\": [\"quay.io/a/b:1\", \"nginx:1.25\"] => quay.io/a/b:1 docker.io/library/nginx:1.25", newPhrases("hub-mirror", "hubsync"), (*scan).readItems},
	{"command", "command lines of container tools, parsed by the grammar of each command",
		"skopeo copy docker://quay.io/a/b:1 docker://me.io/b:1 => quay.io/a/b:1", &phrases{all: programNames}, (*scan).readCommands},
	{"text", "everything else: lists, lines, sentences",
		"quay.io/a/b and quay.io/a/c, both at 1.2 => quay.io/a/b:1.2 quay.io/a/c:1.2", nil, (*scan).readText},
}
