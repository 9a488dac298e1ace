package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/front"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/report"
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
inserted.

Services read the changes by a reload. Where they need a restart, which interrupts
something, the command is printed, and run with --restart. Then each client pulls a
tiny image of the front by an original name. If that fails, its changes are undone.

Exit status: 0 if everything is set up or shown, 1 if something failed or must be
done by hand.`,
	declare: func(env wiring.Env, flags *flagSet) action {
		var o setupOptions
		flags.StringVar(&o.front, "front", "", "`address` of the front, such as http://127.0.0.1:5050")
		flags.Var(&o.hosts, "host", "`host` of a source that the front serves; may be repeated (default: the usual public registries)")
		flags.Var(&o.only, "only", "`client` to set up: "+strings.Join(setup.Clients(), ", ")+"; may be repeated (default: all that are found)")
		flags.values["only"] = setup.Clients()
		flags.StringVar(&o.root, "root", "/", "root `folder` of the machine to set up")
		flags.BoolVar(&o.apply, "apply", false, "write the changes")
		flags.BoolVar(&o.restart, "restart", false, "restart services that need it, although that interrupts them")
		flags.StringVar(&o.test, "test", "", "`image` that the front has, to test the clients with; none for no test (default: an image of the front itself)")
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
	front, root, test    string
	hosts, only          list
	apply, restart, undo bool
}

func runSetup(ctx context.Context, env wiring.Env, o setupOptions) (int, error) {
	disk := setup.Disk{Root: o.root}
	if o.undo {
		return undoSetup(env, disk)
	}
	at, err := o.frontOf(env)
	if err != nil {
		return wiring.StatusUsage, err
	}
	for _, name := range o.only {
		if !slices.Contains(setup.Clients(), name) {
			return wiring.StatusUsage, usageError{fmt.Sprintf("--only must be one of %s, not %q", strings.Join(setup.Clients(), ", "), name)}
		}
	}
	parts := setup.Plan(setup.Machine{Files: os.DirFS(o.root), Versions: versions(ctx, o.root)}, at, o.only)
	if len(parts) == 0 {
		return wiring.StatusFailed, fmt.Errorf("found no container client below %s that Ferry can set up", o.root)
	}
	write := func(ctx context.Context, p setup.Part) (setup.Installed, error) {
		return setup.Installed{Written: len(p.Changes) > 0, Pending: afterwards(p)}, disk.Apply(p)
	}
	if o.apply && o.tests() {
		sample, err := o.sample(ctx, env, at)
		if err != nil {
			return wiring.StatusFailed, err
		}
		write = (&setup.Installer{Disk: disk, Run: runClient, Restart: o.restart, Sample: sample}).Install
	}
	status, pending := wiring.StatusDone, false
	in := report.Terminal{Language: language(env)}
	for _, part := range parts {
		show(env, part)
		if len(part.Problems) > 0 {
			status = wiring.StatusFailed
		}
		if !o.apply {
			pending = pending || len(part.Changes) > 0
			continue
		}
		if len(part.Changes) == 0 && len(part.Problems) > 0 {
			continue
		}
		done, err := write(ctx, part)
		if err != nil {
			status = wiring.StatusFailed
			fmt.Fprintf(env.Stderr, "ferry setup: %s: %s\n", part.Client, in.Message(hinted(err).Error()))
			continue
		}
		if done.Written {
			say(env, env.Stdout, "  written\n")
		}
		for _, tested := range done.Tested {
			say(env, env.Stdout, "  tested: pulled with %s, through %s\n", tested, at.URL)
		}
		if done.Pending != "" {
			fmt.Fprintf(env.Stdout, "  %s\n", in.Message(done.Pending))
		}
	}
	if pending {
		say(env, env.Stdout, "\nNothing was written. To write it, add --apply.\n")
	}
	return status, nil
}

func undoSetup(env wiring.Env, disk setup.Disk) (int, error) {
	restored, err := disk.Undo()
	for _, file := range restored.Files {
		say(env, env.Stdout, "restored %s\n", file)
	}
	for _, command := range restored.Reloads {
		say(env, env.Stdout, "then run: %s\n", strings.Join(command, " "))
	}
	if err != nil {
		return wiring.StatusFailed, hinted(err)
	}
	if len(restored.Files) == 0 {
		say(env, env.Stdout, "there is nothing to undo\n")
	}
	return wiring.StatusDone, nil
}

// hinted adds to an error what to do about missing permissions.
func hinted(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w; run it as root (sudo); as root, the file may be immutable (lsattr, chattr -i)", err)
	}
	return err
}

// tests reports whether the clients are tested: those of this machine.
func (o setupOptions) tests() bool { return o.test != "none" && filepath.Clean(o.root) == "/" }

// afterwards returns what makes a client read its files.
func afterwards(p setup.Part) string {
	if p.Service.Reload == nil || len(p.Changes) == 0 {
		return ""
	}
	return "not tested; takes effect after: " + strings.Join(p.Service.Reload, " ")
}

// errOnce ends the attempts after the first: a front that does not answer now
// has to be started.
var errOnce = errors.New("one attempt")

// sample returns the image to test the clients with, which the front must have.
func (o setupOptions) sample(ctx context.Context, env wiring.Env, at setup.Front) (setup.Sample, error) {
	const none = "; nothing was written (to write without a test: --test none)"
	host, image := at.Hosts[0], func(host string) string { return host + "/" + front.SamplePath + ":" + front.SampleTag }
	if o.test != "" {
		ref, err := reference.Parse(o.test)
		if err != nil {
			return setup.Sample{}, usageError{fmt.Sprintf("--test %q is not an image", o.test)}
		}
		host = ref.Repository().Host()
		image = func(of string) string {
			if of != host {
				return ""
			}
			return ref.String()
		}
	}
	asked, err := reference.Parse(at.URL.Host + "/" + image(host))
	if err != nil {
		return setup.Sample{}, err
	}
	source := config.Source{Host: at.URL.Host, Private: true, PlainHTTP: at.URL.Scheme == "http"}
	options := env.Registries(nil)
	options.Wait = func(context.Context, time.Duration) error { return errOnce }
	sources := registry.NewSources([]config.Source{source}, options)
	defer sources.Close()
	c, ok := sources.ForHost(at.URL.Host)
	if !ok {
		return setup.Sample{}, usageError{fmt.Sprintf("--front %s is not the address of a registry", at.URL)}
	}
	digest, err := registry.Mirrored(ctx, c, asked)
	switch {
	case failure.CodeOf(err) == failure.NotFound:
		return setup.Sample{}, fmt.Errorf("%s does not have %s: set --test to an image that it has%s", at.URL, image(host), none)
	case err != nil:
		return setup.Sample{}, fmt.Errorf("%s does not answer: %w%s", at.URL, err, none)
	}
	digests := []string{digest.String()}
	if o.test == "" {
		digests = append(digests, front.SampleDigests()...)
	}
	return setup.Sample{Image: image, Digests: digests}, nil
}

// frontOf returns the front that the flags name.
func (o setupOptions) frontOf(env wiring.Env) (setup.Front, error) {
	if o.front == "" {
		return setup.Front{}, usageError{"there is no front: set --front, for example --front http://127.0.0.1:5050"}
	}
	u, err := config.ParseFront(o.front)
	if err != nil {
		return setup.Front{}, usageError{"--front must be a scheme and a host, such as https://front.example or http://127.0.0.1:5050"}
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		say(env, env.Stderr, "ferry setup: %s does not use TLS: anyone on the network path can change images that are pulled by a tag\n", u.Host)
	}
	at := setup.Front{URL: u}
	for _, text := range o.hosts {
		repository, err := reference.NewRepository(text, "x")
		if err != nil {
			return setup.Front{}, usageError{fmt.Sprintf("--host %q is not the host of a registry", text)}
		}
		at.Hosts = append(at.Hosts, repository.Host())
	}
	if len(at.Hosts) == 0 {
		cfg, err := load(env, false, nil)
		if err != nil {
			return setup.Front{}, err
		}
		for _, s := range cfg.Sources {
			if s.Requests == "" || s.Requests == config.Anyone || env.Getenv("FERRY_CONFIG") != "" {
				at.Hosts = append(at.Hosts, s.Host)
			}
		}
	}
	if len(at.Hosts) == 0 {
		return at, usageError{"there is no source that everyone may use: name the sources of the front with --host"}
	}
	return at, nil
}

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
	in := report.Terminal{Language: language(env)}
	fmt.Fprintf(env.Stdout, "%s: %s\n", part.Client, in.Message(part.Gets))
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
	if part.Service.Reload != nil {
		say(env, env.Stdout, "  takes effect after: %s\n", strings.Join(part.Service.Reload, " "))
	}
	if part.Service.Stops != "" {
		say(env, env.Stdout, "  which stops: %s\n", in.Message(part.Service.Stops))
	}
	for _, problem := range part.Problems {
		say(env, env.Stdout, "  to do by hand: %s\n", in.Message(problem))
	}
}
