package request

import (
	"strings"
	"sync"
)

// kind is the kind of an argument of a command or of the value of a flag.
type kind string

const (
	anyValue       kind = "VALUE"    // not an image
	imageValue     kind = "IMAGE"    // an image to read
	linkValue      kind = "LINK"     // the same, if a scheme such as "docker://" stands in front of it
	enrootValue    kind = "ENROOT"   // the same, with "#" behind the registry
	pairValue      kind = "PAIR"     // "container=image"
	settingValue   kind = "SETTING"  // "image.repository=a/b,image.tag=1"
	targetValue    kind = "TARGET"   // the name of an image to write
	copyValue      kind = "COPY"     // a target, if it is the first image at another registry; otherwise an image to read
	commandValue   kind = "COMMAND"  // the command inside the container: it ends the arguments
	platformsValue kind = "PLATFORM" // platforms, separated by commas
	releaseValue   kind = "RELEASE"  // a Kubernetes release, which means its images
	versionValue   kind = "VERSION"  // the tag of an image that is a link
	everyTagFlag   kind = "ALL"      // no value: all tags are requested
	loneFlag       kind = ""         // no value
)

// command describes the arguments of one command of a program.
type command struct {
	// path is the program with all its sub-commands: "create" alone has five
	// different meanings. Words separated by "|" share the row.
	path string
	// args are the kinds of the arguments in order. "..." repeats the last one;
	// further arguments are not images.
	args string
	// flags are the flags without a plain value: "name" has none, "name=KIND"
	// has one of that kind.
	flags string
	// shows is an example with its images after "=>": the test of the row.
	shows string
}

// runFlags are the flags of "docker run" and "create" without a value.
const runFlags = " d i t P q detach interactive tty rm privileged init publish-all read-only no-healthcheck oom-kill-disable sig-proxy quiet" +
	" replace disable-content-trust help tls-verify net-host use-api-socket platform=PLATFORM arch=PLATFORM"

// moveFlags are those of commands that move or show images.
const moveFlags = " q quiet disable-content-trust tls-verify insecure k all-platforms plain-http skip-verify local v debug D a all preserve-digests" +
	" remove-signatures src-no-creds dest-no-creds no-creds unpack rm skip-metadata insecure-policy scoped keep-going dry-run r recursive f force print" +
	" hosts verbose d i t net-host raw config nv pem no-https platform=PLATFORM arch=PLATFORM override-arch=PLATFORM"

// clusterFlags are those of programs for Kubernetes clusters.
const clusterFlags = " f force v dry-run q quiet i t it rm all-namespaces A recursive R insecure image=IMAGE"

// commands are the known commands. In command lines of other programs, only
// words with certain evidence count. Sources: the reference pages of the
// programs' documentation.
var commands = []command{
	{"docker pull", "IMAGE...", moveFlags + " a=ALL all-tags=ALL", "docker pull -q quay.io/a/b:1 => quay.io/a/b:1"},
	{"docker run", "IMAGE COMMAND", runFlags, "docker run --rm -it -p 80:80 alpine:3.19 sh -c nginx:1 => docker.io/library/alpine:3.19"},
	{"docker create", "IMAGE COMMAND", runFlags, "docker create -t --name x nginx:1 sh => docker.io/library/nginx:1"},
	{"docker save", "IMAGE...", moveFlags, "docker save -o x.tar nginx:1 redis:7 => docker.io/library/nginx:1 docker.io/library/redis:7"},
	{"docker tag", "IMAGE TARGET", moveFlags, "docker tag nginx:1 me/nginx:1 => docker.io/library/nginx:1"},
	{"docker history|inspect|sbom|mount|diff|tree", "IMAGE", moveFlags, "docker inspect nginx:1 => docker.io/library/nginx:1"},
	{"docker scp", "IMAGE TARGET", moveFlags, "podman image scp a/b:1 root@host:: => docker.io/a/b:1"},
	{"docker scout", "VALUE IMAGE", moveFlags, "docker scout cves nginx:1 => docker.io/library/nginx:1"},
	{"docker convert", "IMAGE TARGET", moveFlags + " oci estargz zstd uncompress", "nerdctl image convert --oci a/b:1 a/b:1-zstd => docker.io/a/b:1"},
	{"docker encrypt|decrypt", "IMAGE TARGET", moveFlags, "nerdctl image encrypt --recipient=x a/b:1 me/b:1 => docker.io/a/b:1"},
	{"docker push", "TARGET", moveFlags, "docker push me/b:1 =>"},
	{"docker build|bud|import|commit|load", "VALUE TARGET", moveFlags + " no-cache pull t=TARGET tag=TARGET", "docker build -t me/b:1 . =>"},
	{"docker rmi|rm|untag|images|ps|ls|prune|exec|logs|info|version|search|start|stop|restart|kill|export|attach|wait|port|rename|cp|stats|top|update|login|logout", "VALUE", moveFlags, "docker rmi nginx:1 =>"},
	{"docker compose|stack|swarm|network|volume|system|context|plugin|node|secret|config|trust|model|machine|pod|play|kube|generate|unshare|artifact|desktop", "VALUE", moveFlags, "docker compose pull web =>"},
	{"docker service create", "IMAGE COMMAND", runFlags, "docker service create --name web nginx:1.25 => docker.io/library/nginx:1.25"},
	{"docker service update", "VALUE", runFlags + " force rollback image=IMAGE", "docker service update --image nginx:1.25 web => docker.io/library/nginx:1.25"},
	{"docker service ls|ps|rm|logs|scale|inspect|rollback", "VALUE", moveFlags, "docker service ps web =>"},
	{"docker manifest inspect", "IMAGE", moveFlags, "docker manifest inspect -v nginx:1 => docker.io/library/nginx:1"},
	{"docker manifest create|annotate|push|rm|add", "TARGET VALUE...", moveFlags, "docker manifest create me/b:1 me/b:1-arm64 =>"},
	{"docker buildx create", "VALUE", "use bootstrap leave append driver-opt=SETTING", "docker buildx create --use --name mybuilder --driver-opt image=moby/buildkit:v0.12.0 => docker.io/moby/buildkit:v0.12.0"},
	{"docker buildx build|bake|use|ls|rm|inspect|stop|du|prune|version|install|history", "VALUE", "push load no-cache pull t=TARGET tag=TARGET", "docker buildx build --push -t me/b:1 . =>"},
	{"docker buildx imagetools create", "IMAGE...", "append dry-run t=TARGET tag=TARGET", "docker buildx imagetools create -t me/b:1 quay.io/a/b:1 => quay.io/a/b:1"},
	{"docker buildx imagetools inspect", "IMAGE", "raw", "docker buildx imagetools inspect --raw quay.io/a/b:1 => quay.io/a/b:1"},
	{"buildah from", "IMAGE", runFlags, "buildah from --name x quay.io/a/b:1 => quay.io/a/b:1"},

	{"ctr images pull|fetch|check|mount|unpack", "IMAGE VALUE", moveFlags, "ctr -n k8s.io images pull --all-platforms quay.io/a/b:1 => quay.io/a/b:1"},
	{"ctr images tag|convert", "IMAGE TARGET...", moveFlags, "ctr i tag quay.io/a/b:1 me.io/b:1 => quay.io/a/b:1"},
	{"ctr images export", "VALUE IMAGE...", moveFlags, "ctr images export b.tar quay.io/a/b:1 => quay.io/a/b:1"},
	{"ctr images push|import|ls|list|rm|remove|delete|label|usage|inspect", "VALUE", moveFlags, "ctr images push me.io/b:1 =>"},
	{"ctr run", "IMAGE VALUE COMMAND", runFlags, "ctr run --rm -t quay.io/a/b:1 b sh => quay.io/a/b:1"},
	{"ctr containers create", "IMAGE VALUE COMMAND", runFlags, "ctr c create quay.io/a/b:1 b => quay.io/a/b:1"},
	{"ctr content fetch", "IMAGE", moveFlags, "ctr content fetch quay.io/a/b:1 => quay.io/a/b:1"},
	{"ctr version|plugins|namespaces|snapshots|tasks|leases", "VALUE", moveFlags, "ctr version =>"},
	{"ctr pull", "IMAGE", moveFlags, "ctr pull quay.io/a/b:1 => quay.io/a/b:1"},
	{"crictl pull|inspecti", "IMAGE", moveFlags, "crictl pull quay.io/a/b:1 => quay.io/a/b:1"},
	{"crictl images|image|img|ps|rmi|pods|info|logs|rm|rmp|exec|inspect", "VALUE", moveFlags, "crictl images nginx =>"},

	{"skopeo copy", "IMAGE TARGET", moveFlags, "skopeo copy --all docker://quay.io/a/b:1 docker://me.io/b:1 => quay.io/a/b:1"},
	{"skopeo inspect", "IMAGE", moveFlags, "skopeo inspect docker://quay.io/a/b:1 => quay.io/a/b:1"},
	{"skopeo list-tags", "ALL", moveFlags, "skopeo list-tags docker://quay.io/a/b =>"},
	{"skopeo sync", "IMAGE TARGET", moveFlags, "skopeo sync --src docker --dest docker quay.io/a/b:1 me.io/x => quay.io/a/b:1"},
	{"skopeo login|logout|delete", "VALUE", moveFlags, "skopeo delete docker://me.io/b:1 =>"},
	{"crane copy|cp", "IMAGE TARGET", moveFlags + " n no-clobber a=ALL all-tags=ALL", "crane cp quay.io/a/b:1 me.io/b:1 => quay.io/a/b:1"},
	{"crane pull|export", "IMAGE VALUE", moveFlags, "crane pull quay.io/a/b:1 b.tar => quay.io/a/b:1"},
	{"crane digest|config|manifest|validate", "IMAGE", moveFlags + " remote=IMAGE", "crane digest quay.io/a/b:1 => quay.io/a/b:1"},
	{"crane ls|push|auth|login|logout|tag|delete|catalog|append|mutate|registry|version|flatten|rebase|index|blob", "VALUE", moveFlags, "crane tag me.io/b:1 latest =>"},
	{"regctl image copy|cp", "IMAGE TARGET", moveFlags + " digest-tags referrers include-external fast force-recursive", "regctl image copy quay.io/a/b:1 me.io/b:1 => quay.io/a/b:1"},
	{"regctl image export|digest|inspect|config|manifest|ratelimit|check-base|get-file", "IMAGE VALUE", moveFlags, "regctl image digest quay.io/a/b:1 => quay.io/a/b:1"},
	{"regctl manifest|artifact get|head|diff|list|tree", "IMAGE", moveFlags, "regctl manifest get quay.io/a/b:1 => quay.io/a/b:1"},
	{"regctl image mod|delete|import|create", "VALUE", moveFlags, "regctl image delete me.io/b:1 =>"},
	{"regctl registry|tag|repo|blob|version", "VALUE", moveFlags, "regctl tag ls quay.io/a/b =>"},
	{"oras cp|copy", "IMAGE TARGET", moveFlags, "oras cp -r ghcr.io/a/b:1 me.io/b:1 => ghcr.io/a/b:1"},
	{"oras pull|discover|resolve", "IMAGE", moveFlags, "oras pull ghcr.io/a/b:1 => ghcr.io/a/b:1"},
	{"oras manifest fetch|fetch-config", "IMAGE", moveFlags, "oras manifest fetch ghcr.io/a/b:1 => ghcr.io/a/b:1"},
	{"oras push|attach|tag|login|logout|version|repo|backup|restore", "VALUE", moveFlags, "oras push me.io/b:1 x.txt =>"},
	{"imgpkg copy|pull", "VALUE", "b=IMAGE bundle=IMAGE i=IMAGE image=IMAGE to-repo=TARGET cosign-signatures", "imgpkg copy -b x.io/a/b:1 --to-repo y.io/c => x.io/a/b:1"},
	{"imgpkg push|describe|tag|version", "VALUE", "b=TARGET i=TARGET", "imgpkg push -b y.io/c:1 -f . =>"},
	{"cosign copy", "IMAGE TARGET", moveFlags, "cosign copy ghcr.io/a/b:1 me.io/b:1 => ghcr.io/a/b:1"},
	{"cosign verify|tree|triangulate|verify-attestation|save", "IMAGE", moveFlags, "cosign verify --key k.pub ghcr.io/a/b:1 => ghcr.io/a/b:1"},
	{"hauler store add image", "IMAGE", moveFlags, "hauler store add image ghcr.io/a/b:1 => ghcr.io/a/b:1"},
	{"trivy image", "IMAGE", moveFlags, "trivy image ghcr.io/a/b:1 => ghcr.io/a/b:1"},
	{"az acr import", "VALUE", "force no-wait source=IMAGE image=TARGET t=TARGET", "az acr import -n me --source docker.io/a/b:1 --image b:1 => docker.io/a/b:1"},

	{"kubectl run|debug", "VALUE COMMAND", clusterFlags, "kubectl run x --image=a/b:1 -- sh => docker.io/a/b:1"},
	{"kubectl create", "VALUE VALUE VALUE", clusterFlags, "kubectl create deployment x --image=a/b:1 => docker.io/a/b:1"},
	{"kubectl set image", "VALUE PAIR...", clusterFlags, "kubectl set image deploy/x web=a/b:1 side=a/c:2 => docker.io/a/b:1 docker.io/a/c:2"},
	{"kubectl set", "VALUE", clusterFlags, "kubectl set env deploy/x A=b =>"},
	{"kubectl apply|get|describe|delete|logs|edit|exec|rollout|scale|expose|patch|label|taint|drain|cluster-info|version|port-forward|top|wait|replace|annotate|cordon|attach|cp|proxy|config", "VALUE", clusterFlags, "kubectl get pods =>"},
	{"oc new-app", "IMAGE...", clusterFlags + " docker-image=IMAGE", "oc new-app quay.io/a/b:1 => quay.io/a/b:1"},
	{"oc import-image", "VALUE", clusterFlags + " confirm all from=IMAGE", "oc import-image b:1 --from=quay.io/a/b:1 --confirm => quay.io/a/b:1"},
	{"oc tag", "IMAGE TARGET", clusterFlags, "oc tag quay.io/a/b:1 b:1 => quay.io/a/b:1"},
	{"oc image mirror", "IMAGE TARGET", clusterFlags, "oc image mirror quay.io/a/b:1 me.io/b:1 => quay.io/a/b:1"},
	{"oc image info|extract", "IMAGE", clusterFlags, "oc image info quay.io/a/b:1 => quay.io/a/b:1"},
	{"oc adm release mirror", "VALUE", clusterFlags + " from=IMAGE to=TARGET to-release-image=TARGET", "oc adm release mirror --from=quay.io/a/b:1 --to=me.io/b => quay.io/a/b:1"},
	{"helm install|upgrade|template|pull|show|fetch", "LINK...", "i install wait create-namespace dry-run debug atomic untar devel set=SETTING set-string=SETTING version=VERSION", "helm install x oci://ghcr.io/a/b --version 1.2.3 --set image.repository=a/c,image.tag=2 => ghcr.io/a/b:1.2.3 docker.io/a/c:2"},
	{"helm repo|search|dependency|list|uninstall|push|create|package|lint|registry|status|get|rollback|history|env", "VALUE", "", "helm repo add a https://a.io =>"},
	{"kubeadm config|init|join|reset|token", "VALUE", moveFlags + " kubernetes-version=RELEASE", "kubeadm config images list => "},
	{"kubeadm upgrade", "VALUE RELEASE", moveFlags + " y kubernetes-version=RELEASE", "kubeadm upgrade plan =>"},
	{"kind create|get|delete|export", "VALUE", moveFlags + " image=IMAGE", "kind create cluster --image kindest/node:v1.30.0 => docker.io/kindest/node:v1.30.0"},
	{"kind build", "VALUE", moveFlags + " base-image=IMAGE image=TARGET", "kind build node-image --base-image kindest/base:v1 => docker.io/kindest/base:v1"},
	{"kind load docker-image", "IMAGE...", "n=VALUE name=VALUE nodes=VALUE", "kind load docker-image a/b:1 a/c:2 --name x => docker.io/a/b:1 docker.io/a/c:2"},
	{"kind load", "VALUE", moveFlags, "kind load image-archive b.tar =>"},
	{"minikube image load|pull", "IMAGE...", moveFlags, "minikube image load a/b:1 => docker.io/a/b:1"},
	{"minikube cache add", "IMAGE...", moveFlags, "minikube cache add a/b:1 => docker.io/a/b:1"},
	{"minikube start|delete|stop|status|addons|tunnel|dashboard|config|image|cache|service", "VALUE", moveFlags + " base-image=IMAGE kubernetes-version=VALUE", "minikube start --base-image=a/b:1 => docker.io/a/b:1"},
	{"k3d image import", "IMAGE...", "c=VALUE cluster=VALUE k", "k3d image import a/b:1 -c x => docker.io/a/b:1"},
	{"k3d cluster|node|registry|kubeconfig", "VALUE VALUE", "i=IMAGE image=IMAGE", "k3d cluster create x --image rancher/k3s:v1.30.0-k3s1 => docker.io/rancher/k3s:v1.30.0-k3s1"},

	{"apptainer pull|build", "LINK...", moveFlags + " F sandbox fakeroot", "apptainer pull x.sif docker://a/b:1 => docker.io/a/b:1"},
	{"apptainer exec|run|shell|inspect|instance|test", "LINK COMMAND", moveFlags + " nv e c C cleanenv containall writable", "apptainer exec --nv docker://a/b:1 sh => docker.io/a/b:1"},
	{"apptainer push|sign|verify|cache|version|remote|key", "VALUE", moveFlags, "apptainer push x.sif oras://me.io/b:1 =>"},
	{"enroot import", "ENROOT", moveFlags, "enroot import -o x.sqsh docker://nvcr.io#nvidia/pytorch:24.01-py3 => nvcr.io/nvidia/pytorch:24.01-py3"},
	{"enroot create|start|list|remove|export|bundle|batch", "VALUE", moveFlags, "enroot start x =>"},
	{"srun|sbatch|salloc", "COMMAND", "container-image=ENROOT exclusive pty", "srun -N1 --container-image=nvcr.io#nvidia/pytorch:24.01-py3 python => nvcr.io/nvidia/pytorch:24.01-py3"},
	{"ch-image pull", "IMAGE VALUE", moveFlags, "ch-image pull a/b:1 => docker.io/a/b:1"},
	{"shifterimg pull", "IMAGE", moveFlags, "shifterimg -v pull docker:a/b:1 => docker.io/a/b:1"},
	{"shifter", "COMMAND", "image=IMAGE", "shifter --image=docker:a/b:1 sh => docker.io/a/b:1"},
	{"udocker|sarus|img pull|create|run", "IMAGE COMMAND", runFlags, "udocker pull a/b:1 => docker.io/a/b:1"},
	{"distrobox|toolbox|distrobox-create create", "VALUE", runFlags + " i=IMAGE image=IMAGE", "distrobox create -n x -i quay.io/a/b:1 => quay.io/a/b:1"},
	{"bootc switch", "IMAGE", moveFlags, "bootc switch quay.io/a/b:1 => quay.io/a/b:1"},
	{"gcloud run deploy", "VALUE", "quiet q allow-unauthenticated image=IMAGE", "gcloud run deploy x --image gcr.io/a/b:1 => gcr.io/a/b:1"},
	{"pack build|builder", "TARGET", "B=IMAGE builder=IMAGE run-image=IMAGE publish", "pack build me/b --builder paketobuildpacks/builder:base => docker.io/paketobuildpacks/builder:base"},

	// Commands to other bots, in issues and comments.
	{"/sync|/syncimage|/sync-image|/mirror|/mirror-image|/copy|/copyimage|/transfer", "IMAGE COPY...", "platform=PLATFORM", "/syncimage --platform linux/arm64 a.io/b/c:1 d.io/e/c:1 => a.io/b/c:1"},

	// Programs with arguments that look like images.
	{"ollama run|pull|show|create|cp|push|rm|list|serve|ps|stop", "VALUE", "verbose", "ollama run deepseek-r1:7b =>"},
	{"ramalama|lms|llm run|pull|serve|get|load", "VALUE", "", "ramalama run llama3:8b =>"},
	{"earthly", "VALUE", "push P", "earthly +build =>"},
	{"docker-compose|curl|wget|apt|apt-get|yum|dnf|apk|brew|pip|pip3|npm|npx|yarn|pnpm|git|gh|systemctl|journalctl|huggingface-cli|go|cargo", "VALUE", "", "curl -fsSL https://a.io/b:1 =>"},
}

// programs are alternative names of programs.
var programs = map[string]string{
	"podman": "docker", "nerdctl": "docker", "buildah": "docker", "finch": "docker", "podman-hpc": "docker", "nerdctl.lima": "docker",
	"gcrane": "crane", "oc": "kubectl", "singularity": "apptainer",
}

// groups are optional groups of commands, and alternative names of groups.
var groups = map[string]string{
	"docker image": "docker", "docker container": "docker", "podman image": "podman", "podman container": "podman",
	"nerdctl image": "nerdctl", "nerdctl container": "nerdctl", "finch image": "finch", "finch container": "finch",
	"ctr i": "ctr images", "ctr image": "ctr images", "ctr c": "ctr containers", "ctr container": "ctr containers",
	"ctr images i": "ctr images",
}

// grammar is one command, prepared for use.
type grammar struct {
	args   []kind
	repeat bool // the last of args repeats
	flags  map[string]kind
}

// arg returns the kind of the n-th argument.
func (g *grammar) arg(n int) kind {
	switch {
	case n < len(g.args):
		return g.args[n]
	case g.repeat:
		return g.args[len(g.args)-1]
	}
	return anyValue
}

// flag returns the kind of a flag's value.
func (g *grammar) flag(name string) kind {
	if k, ok := g.flags[name]; ok {
		return k
	}
	return anyValue
}

// isCluster reports whether a flag combines several short ones without values:
// "-itd".
func (g *grammar) isCluster(name string) bool {
	for i := range len(name) {
		if k, ok := g.flags[name[i:i+1]]; !ok || k != loneFlag {
			return false
		}
	}
	return len(name) > 1
}

// grammars returns the commands by their paths; the value is nil for the beginning
// of a longer path.
var grammars = sync.OnceValue(func() map[string]*grammar { return compile(commands) })

func compile(commands []command) map[string]*grammar {
	all := make(map[string]*grammar)
	for _, c := range commands {
		g := &grammar{flags: make(map[string]kind)}
		for _, word := range strings.Fields(c.args) {
			word, g.repeat = strings.CutSuffix(word, "...")
			g.args = append(g.args, kind(word))
		}
		for _, word := range strings.Fields(c.flags) {
			name, value, _ := strings.Cut(word, "=")
			g.flags[name] = kind(value)
		}
		for _, path := range pathsOf(c) {
			for i := range path {
				if path[i] == ' ' && all[path[:i]] == nil {
					all[path[:i]] = nil
				}
			}
			all[path] = g
		}
	}
	for group := range groups {
		all[group] = nil
	}
	return all
}

// pathsOf returns the paths of a command, each in full.
func pathsOf(c command) []string {
	paths := []string{""}
	for _, word := range strings.Fields(c.path) {
		var longer []string
		for _, path := range paths {
			for _, one := range strings.Split(word, "|") {
				longer = append(longer, strings.TrimPrefix(path+" "+one, " "))
			}
		}
		paths = longer
	}
	return paths
}

// programNames returns the names of all programs with known commands.
func programNames() []string {
	var names []string
	for _, c := range commands {
		first, _, _ := strings.Cut(c.path, " ")
		names = append(names, wordsIn(first)...)
	}
	for name := range programs {
		names = append(names, name)
	}
	return names
}

// programOf returns the name of a program with known commands; empty for
// others.
func programOf(name string) string {
	name = lower(strings.TrimSuffix(name, ".exe"))
	if _, known := grammars()[name]; known || programs[name] != "" {
		return name
	}
	return ""
}

// globalFlags are flags without a value in front of a sub-command.
var globalFlags = set(wordsIn("debug|D|insecure-policy|q|quiet|v|verbose|insecure|k|tls|tlsverify|it|remote|r|h|help")...)

// grammarOf returns the grammar of the command in a program's arguments, and
// the arguments after its path; nil if it is unknown.
func grammarOf(program string, args []token) (*grammar, []token) {
	if g, rest := commandOf(program, args); g != nil || programs[program] == "" {
		return g, rest
	}
	return commandOf(programs[program], args)
}

func commandOf(path string, args []token) (*grammar, []token) {
	found := grammars()[path]
	for i := 0; i < len(args); i++ {
		text := args[i].text
		if strings.HasPrefix(text, "-") {
			if found != nil {
				return found, args[i:]
			}
			if !strings.Contains(text, "=") && !globalFlags[strings.TrimLeft(text, "-")] {
				i++
			}
			continue
		}
		longer := path + " " + lower(text)
		if group, ok := groups[longer]; ok {
			path = group
			continue
		}
		g, known := grammars()[longer]
		if !known {
			return found, args[i:]
		}
		path, found = longer, g
	}
	return found, nil
}
