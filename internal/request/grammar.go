package request

import (
	_ "embed"
	"strings"
	"sync"

	"github.com/imageferry/ferry/internal/texts"
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

// commandFile holds the known commands in the order of the fields of command. In
// command lines of other programs, only words with certain evidence count. Sources:
// the reference pages of the programs' documentation.
//
//go:embed texts/commands.json
var commandFile string

func commands() (all []command) {
	var rows [][4]string
	_ = texts.Decode(commandFile, &rows) // each row has a test
	flags := strings.NewReplacer("$run", runFlags, "$move", moveFlags, "$cluster", clusterFlags)
	for _, row := range rows {
		all = append(all, command{row[0], row[1], flags.Replace(row[2]), row[3]})
	}
	return all
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
func grammars() map[string]*grammar { return *compiled() }

var compiled = sync.OnceValue(func() *map[string]*grammar {
	all := compile(commands())
	return &all
})

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
	for _, c := range commands() {
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
var globalFlags = wordSet{list: "globalFlags"}

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
			if !strings.Contains(text, "=") && !globalFlags.has(strings.TrimLeft(text, "-")) {
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
