package cli

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/front"
	"github.com/imageferry/ferry/internal/pattern"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/setup"
	"github.com/imageferry/ferry/internal/wiring"
)

var setupCommand = command{
	name:    "setup",
	summary: "configure container clients to pull by original names",
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
		flags.BoolVar(&o.user, "user", false, "set up the clients of this user only, without root: rootless docker and podman")
		flags.BoolVar(&o.undo, "undo", false, "remove the changes")
		flags.StringVar(&o.token, "token", "", "`file` with the token that the front gives to its guests; - for standard input")
		flags.StringVar(&o.proxy, "proxy", "", "`URL` of an HTTP proxy for the clients, instead of a front")
		flags.StringVar(&o.noProxy, "no-proxy", "localhost,127.0.0.0/8", "`hosts` and networks that clients reach without --proxy, separated by commas")
		flags.StringVar(&o.ca, "ca", "", "`file` with the authorities of the front's certificate, in PEM; installed where each client looks")
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
	token, ca            string
	proxy, noProxy       string
	hosts, only          list
	apply, restart, undo bool
	user                 bool
}

func runSetup(ctx context.Context, env wiring.Env, o setupOptions) (int, error) {
	machine, err := o.machine(env)
	if err != nil {
		return wiring.StatusUsage, err
	}
	disk := setup.Disk{Root: o.root}
	if o.user {
		disk.State = machine.Home + "/.local/state/ferry"
	}
	if o.undo {
		return undoSetup(env, disk)
	}
	for _, name := range o.only {
		if !slices.Contains(setup.Clients(), name) {
			return wiring.StatusUsage, usageError{fmt.Sprintf("--only must be one of %s, not %q", strings.Join(setup.Clients(), ", "), name)}
		}
	}
	machine.Versions = versions(ctx, o.root)
	var at setup.Front
	var parts []setup.Part
	if o.proxy != "" {
		parts, err = o.planProxy(machine)
	} else if at, err = o.frontOf(env); err == nil {
		parts = setup.Plan(machine, at, o.only)
	}
	if err != nil {
		return wiring.StatusUsage, err
	}
	if len(parts) == 0 {
		return wiring.StatusFailed, fmt.Errorf("found no container client below %s that Ferry can set up", o.root)
	}
	write := func(ctx context.Context, p setup.Part) (setup.Installed, error) {
		return setup.Installed{Written: len(p.Changes) > 0, Pending: afterwards(p)}, disk.Apply(p)
	}
	if o.apply && o.tests() {
		var sample setup.Sample
		if o.proxy == "" {
			trusting, err := trust(env, o.ca)
			if err != nil {
				return wiring.StatusUsage, err
			}
			if sample, err = o.sample(ctx, trusting, at); err != nil {
				return wiring.StatusFailed, err
			}
		}
		login := func(ctx context.Context, args []string) error {
			_, err := runWith(ctx, strings.NewReader(at.Token), args)
			return err
		}
		write = (&setup.Installer{Disk: disk, Run: runClient, Login: login, Restart: o.restart, Sample: sample}).Install
	}
	status, pending := wiring.StatusDone, false
	in := report.Terminal{Language: language(env)}
	for _, part := range parts {
		show(env, part, at)
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

// machine returns the machine for the person at the terminal.
func (o setupOptions) machine(env wiring.Env) (setup.Machine, error) {
	m := setup.Machine{Files: os.DirFS(o.root), UserOnly: o.user}
	name := env.Getenv("SUDO_USER")
	if m = m.As(cmp.Or(name, env.Getenv("USER")), name != ""); m.Home == "" && name == "" && filepath.Clean(o.root) == "/" {
		m.Home, m.UID = strings.Trim(env.Getenv("HOME"), "/"), strconv.Itoa(os.Geteuid()) // not in /etc/passwd
	}
	if o.user && m.Home == "" {
		return m, usageError{"--user: the home folder of this user is not known; set HOME"}
	}
	return m, nil
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
		return fmt.Errorf("%w; run it as root (sudo), or with --user for this user alone; as root, the file may be immutable (lsattr, chattr -i)", err)
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
	if at.Token != "" {
		source.Username, source.Password = "ferry", config.NewSecret(at.Token)
	}
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
	if at.CA, err = authorities(o.ca, u.Scheme == "https"); err != nil {
		return setup.Front{}, err
	}
	if at.Token, err = o.readToken(env); err != nil {
		return setup.Front{}, err
	}
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

// planProxy returns what to do for --proxy.
func (o setupOptions) planProxy(machine setup.Machine) ([]setup.Part, error) {
	u, err := url.Parse(o.proxy)
	switch {
	case o.front != "":
		return nil, usageError{"--front and --proxy are two ways to get images: run the command once for each"}
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || strings.ContainsAny(o.proxy+o.noProxy, " \t\r\n\"'"):
		return nil, usageError{"--proxy must be a scheme, a host and a port, such as http://proxy.example:3128"}
	case u.User != nil:
		return nil, usageError{"--proxy has a login, which others on this machine could read: leave it out, and add it to the files by hand"}
	}
	return setup.PlanProxy(machine, setup.Proxy{URL: u.Scheme + "://" + u.Host, Except: o.noProxy}, o.only), nil
}

// authorities returns the certificates of a PEM file, without the text around
// them; empty if no file is named.
func authorities(file string, tls bool) (string, error) {
	if file == "" {
		return "", nil
	}
	if !tls {
		return "", usageError{"--ca is for fronts with TLS: write --front https://..."}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("--ca cannot be read: %w", err)
	}
	text = bytes.ReplaceAll(text, []byte("\r"), nil)
	var found strings.Builder
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(text) {
		if block.Type != "CERTIFICATE" {
			return "", usageError{fmt.Sprintf("--ca is %q, which has a %s: name a file with certificates only", file, block.Type)}
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return "", usageError{fmt.Sprintf("--ca is %q, whose certificate is broken: %v", file, err)}
		}
		read := text[:len(text)-len(rest)]
		// Encoding the block anew would take 8 kB of the binary.
		found.Write(bytes.TrimSpace(read[bytes.LastIndex(read, []byte("-----BEGIN")):]))
		found.WriteByte('\n')
		text = rest
	}
	if found.Len() == 0 {
		return "", usageError{fmt.Sprintf("--ca is %q, which holds no certificate in PEM; one begins with -----BEGIN CERTIFICATE-----", file)}
	}
	return found.String(), nil
}

// readToken returns the token in the file of --token; empty if none is named.
func (o setupOptions) readToken(env wiring.Env) (string, error) {
	if o.token == "" {
		return "", nil
	}
	const longest = 1024
	text, err := fileText(env, o.token, longest)
	if err != nil {
		return "", fmt.Errorf("--token: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if !tokenPattern.MatchString(token) {
		return "", usageError{"--token names a file without a token of 16 or more letters, digits, dots, dashes, underscores and tildes"}
	}
	return token, nil
}

// tokenPattern is the form of tokens that are the same in headers, in paths of
// URLs (RFC 3986, section 2.3) and in the files of all clients.
var tokenPattern = &pattern.Regexp{Text: `^[A-Za-z0-9._~-]{16,512}$`}

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
	ask := func(name string, cmd *exec.Cmd) {
		out, err := cmd.Output()
		if v := version.Compiled().FindString(string(out)); err == nil && v != "" {
			found[name] = v
		}
	}
	ask("containerd", exec.CommandContext(ctx, "containerd", "--version"))
	ask("docker", exec.CommandContext(ctx, "dockerd", "--version"))
	return found
}

var version = &pattern.Regexp{Text: `\b\d+\.\d+\.\d+\b`}

// show prints what to do for one client.
func show(env wiring.Env, part setup.Part, at setup.Front) {
	in := report.Terminal{Language: language(env)}
	fmt.Fprintf(env.Stdout, "%s: %s\n", part.Client, in.Message(part.Gets))
	for _, c := range part.Changes {
		for line := range strings.Lines(c.Diff()) {
			if at.Token != "" {
				line = strings.ReplaceAll(line, at.Token, "********")
			}
			fmt.Fprint(env.Stdout, "  ", line)
		}
		if c.Secret {
			say(env, env.Stdout, "  which has the token in the clear, because the client knows no other way; only its owner may read it\n")
		}
	}
	if len(part.Changes) == 0 && len(part.Problems) == 0 {
		say(env, env.Stdout, "  is already set up\n")
	}
	if part.Login.In != nil {
		say(env, env.Stdout, "  logs in with: %s\n", strings.Join(part.Login.In, " "))
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
