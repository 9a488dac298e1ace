package cli

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/setup"
	"github.com/imageferry/ferry/internal/wiring"
)

var setupCommand = command{
	name:    "setup",
	summary: "configure container clients to pull by original names",
	help: `Finds the container clients on this machine and shows what to change in their
configuration files so that they pull by original names through a front ("ferry
serve"): docker, containerd, podman with buildah, skopeo and CRI-O, k3s, RKE2 and
buildkit. --apply writes the changes; every other line stays as it is.

    ferry setup --front http://127.0.0.1:5050
    ferry setup --front http://127.0.0.1:5050 --apply
    ferry setup --undo

A copy of each changed file is kept beside it, and --undo removes exactly what was
inserted. Clients are not restarted; the commands for that are printed.

Exit status: 0 if everything is set up or shown, 1 if something must be done by
hand.`,
	declare: func(env wiring.Env, flags *flagSet) action {
		var o setupOptions
		flags.StringVar(&o.front, "front", "", "`address` of the front, such as http://127.0.0.1:5050")
		flags.Var(&o.hosts, "host", "`host` of a source that the front serves; may be repeated (default: the usual public registries)")
		flags.Var(&o.only, "only", "`client` to set up: "+strings.Join(setup.Clients(), ", ")+"; may be repeated (default: all that are found)")
		flags.values["only"] = setup.Clients()
		flags.StringVar(&o.root, "root", "/", "root `folder` of the machine to set up")
		flags.BoolVar(&o.apply, "apply", false, "write the changes")
		flags.BoolVar(&o.undo, "undo", false, "remove the changes")
		return func(ctx context.Context, args []string) (int, error) {
			if err := noArguments(args); err != nil {
				return wiring.StatusUsage, err
			}
			return runSetup(ctx, env, o)
		}
	},
}

// setupOptions are the flags of "ferry setup".
type setupOptions struct {
	front, root string
	hosts, only list
	apply, undo bool
}

func runSetup(ctx context.Context, env wiring.Env, o setupOptions) (int, error) {
	disk := setup.Disk{Root: o.root}
	if o.undo {
		restored, err := disk.Undo()
		for _, file := range restored {
			say(env, env.Stdout, "restored %s\n", file)
		}
		if err != nil {
			return wiring.StatusFailed, err
		}
		if len(restored) == 0 {
			say(env, env.Stdout, "there is nothing to undo\n")
		}
		return wiring.StatusDone, nil
	}
	front, err := o.frontOf(env)
	if err != nil {
		return wiring.StatusUsage, err
	}
	for _, name := range o.only {
		if !slices.Contains(setup.Clients(), name) {
			return wiring.StatusUsage, usageError{fmt.Sprintf("--only must be one of %s, not %q", strings.Join(setup.Clients(), ", "), name)}
		}
	}
	parts := setup.Plan(setup.Machine{Files: os.DirFS(o.root), Versions: versions(ctx, o.root)}, front, o.only)
	if len(parts) == 0 {
		return wiring.StatusFailed, fmt.Errorf("found no container client below %s that Ferry can set up", o.root)
	}
	status, pending := wiring.StatusDone, false
	for _, part := range parts {
		show(env, part)
		if len(part.Problems) > 0 {
			status = wiring.StatusFailed
		}
		if len(part.Changes) == 0 {
			continue
		}
		if !o.apply {
			pending = true
			continue
		}
		if err := disk.Apply(part); err != nil {
			status = wiring.StatusFailed
			say(env, env.Stderr, "ferry setup: %s: nothing was changed: %v\n", part.Client, err)
			continue
		}
		say(env, env.Stdout, "  written\n")
	}
	if pending {
		say(env, env.Stdout, "\nNothing was written. To write it, add --apply.\n")
	}
	return status, nil
}

// frontOf returns the front that the flags name.
func (o setupOptions) frontOf(env wiring.Env) (setup.Front, error) {
	if o.front == "" {
		return setup.Front{}, usageError{"there is no front: set --front, for example --front http://127.0.0.1:5050"}
	}
	u, err := url.Parse(strings.TrimSuffix(o.front, "/"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || !frontHost.MatchString(u.Host) {
		return setup.Front{}, usageError{"--front must be a scheme and a host, such as https://front.example or http://127.0.0.1:5050"}
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		say(env, env.Stderr, "ferry setup: %s does not use TLS: anyone on the network path can change images that are pulled by a tag\n", u.Host)
	}
	front := setup.Front{URL: u}
	for _, text := range o.hosts {
		repository, err := reference.NewRepository(text, "x")
		if err != nil {
			return setup.Front{}, usageError{fmt.Sprintf("--host %q is not the host of a registry", text)}
		}
		front.Hosts = append(front.Hosts, repository.Host())
	}
	if len(front.Hosts) == 0 {
		cfg, err := load(env, false, nil)
		if err != nil {
			return setup.Front{}, err
		}
		for _, s := range cfg.Sources {
			if s.Requests == "" || s.Requests == config.Anyone || env.Getenv("FERRY_CONFIG") != "" {
				front.Hosts = append(front.Hosts, s.Host)
			}
		}
	}
	return front, nil
}

// frontHost excludes characters that could end a string in a configuration
// file.
var frontHost = regexp.MustCompile(`^[A-Za-z0-9.\-:\[\]]+$`)

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// versions returns the versions of the programs of this machine, not of another
// root.
func versions(ctx context.Context, root string) map[string]string {
	found := map[string]string{}
	if filepath.Clean(root) != "/" {
		return found
	}
	out, err := exec.CommandContext(ctx, "containerd", "--version").Output()
	if v := version.FindString(string(out)); err == nil && v != "" {
		found["containerd"] = v
	}
	return found
}

var version = regexp.MustCompile(`\b\d+\.\d+\.\d+\b`)

// show prints what to do for one client.
func show(env wiring.Env, part setup.Part) {
	fmt.Fprintf(env.Stdout, "%s: %s\n", part.Client, part.Gets)
	for _, c := range part.Changes {
		old := "/" + c.Path
		if c.Before == nil {
			old = "/dev/null"
		}
		for line := range strings.Lines(string(diff.Diff(old, c.Before, "/"+c.Path, c.After))) {
			if !strings.HasPrefix(line, "diff ") {
				fmt.Fprint(env.Stdout, "  ", line)
			}
		}
	}
	if len(part.Changes) == 0 && len(part.Problems) == 0 {
		say(env, env.Stdout, "  is already set up\n")
	}
	if part.Restart != "" {
		say(env, env.Stdout, "  then run: %s\n", part.Restart)
	}
	if part.Stops != "" {
		say(env, env.Stdout, "  this stops: %s\n", part.Stops)
	}
	for _, problem := range part.Problems {
		say(env, env.Stdout, "  to do by hand: %s\n", problem)
	}
}
