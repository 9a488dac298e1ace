package request

// A dialect is one way of writing image names. It reads the lines that it
// recognises, removes them from later dialects, and offers the images as
// candidates, each with its place. It decides nothing.
type dialect struct {
	name string
	// keywords are lower-case pieces of text, of which every text in the
	// dialect contains one; nil if there are none.
	keywords *phrases
	read     func(*scan)
}

// dialects are the dialects in the order of precedence: the less ambiguous a
// format, the earlier. The comments on a row are read by tests: what it reads, for
// docs/shapes.md, and a text in it, with the images behind "=> ".
var dialects = []dialect{
	// says: all images of a Kubernetes release
	// shows: kubeadm v1.30.2 => registry.k8s.io/kube-apiserver:v1.30.2 registry.k8s.io/kube-controller-manager:v1.30.2 registry.k8s.io/kube-scheduler:v1.30.2 registry.k8s.io/kube-proxy:v1.30.2 registry.k8s.io/coredns/coredns:v1.11.1 registry.k8s.io/pause:3.9 registry.k8s.io/etcd:3.5.12-0
	{"release", &phrases{list: "kube|k8s|-t "}, (*scan).readReleases},
	// says: fields of a form, after labels or below headings, in fourteen languages
	// shows: Image: coreos/flannel\nVersion: v0.15.1\nRegistry: quay.io => quay.io/coreos/flannel:v0.15.1
	{"form", nil, (*scan).readForms},
	// says: names in a list below their common namespace
	// shows: From quay.io/cilium, all v1.15.1:\n- operator\n- hubble-relay => quay.io/cilium/operator:v1.15.1 quay.io/cilium/hubble-relay:v1.15.1
	{"namespace", &phrases{list: ":"}, (*scan).readNamespaces},
	// says: FROM, COPY --from, RUN --mount and the syntax line in Dockerfiles and Earthfiles
	// shows: ARG V=1.25\nFROM nginx:$V\nCOPY --from=ghcr.io/a/uv:0.5 /uv / => docker.io/library/nginx:1.25 ghcr.io/a/uv:0.5
	{"dockerfile", &phrases{list: "from|syntax|copy"}, (*scan).readDockerfiles},
	// says: tables with headings, in Markdown or plain columns, and the output of docker images and similar commands
	// shows: | Image | Tag |\n| --- | --- |\n| quay.io/a/b | 1.2 | => quay.io/a/b:1.2
	{"table", &phrases{of: func() []string { return []string{"|", ",", ";", "  ", "image", "ref "} }}, (*scan).readTables},
	// says: YAML and JSON: Kubernetes manifests, Compose files, chart values, pipelines, copy lists with source and target
	// shows: image:\n  repository: quay.io/a/b\n  tag: v1 => quay.io/a/b:v1
	{"document", &phrases{list: ":"}, (*scan).readDocuments},
	// says: settings, one per line, in HCL, Nix or files of variables
	// shows: image = "gcr.io/a/b"\ntag = "1.2" => gcr.io/a/b:1.2
	{"assignments", &phrases{list: "="}, (*scan).readAssignments},
	// says: elements of XML templates such as Unraid's
	// shows: <Repository>lscr.io/linuxserver/plex:1.40</Repository> => lscr.io/linuxserver/plex:1.40
	{"xml", &phrases{list: "<"}, (*scan).readElements},
	// says: events, logs and error messages that name an image
	// shows: Failed to pull image "quay.io/a/b:1": i/o timeout => quay.io/a/b:1
	{"log", &logRoots, (*scan).readLogs},
	// says: the list in requests for hub-mirror
	// shows: "hub-mirror": ["quay.io/a/b:1", "nginx:1.25"] => quay.io/a/b:1 docker.io/library/nginx:1.25
	{"items", &phrases{list: "hub-mirror|hubsync"}, (*scan).readItems},
	// says: command lines of container tools, parsed by the grammar of each command
	// shows: skopeo copy docker://quay.io/a/b:1 docker://me.io/b:1 => quay.io/a/b:1
	{"command", &phrases{of: programNames}, (*scan).readCommands},
	// says: everything else: lists, lines, sentences
	// shows: quay.io/a/b and quay.io/a/c, both at 1.2 => quay.io/a/b:1.2 quay.io/a/c:1.2
	{"text", nil, (*scan).readText},
}
