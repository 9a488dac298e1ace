package setup

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/clients"
)

// Sample is an image with which clients are tested.
type Sample struct {
	// Image returns its name under a source; empty if there is none. Nil if there
	// is nothing to test with.
	Image   func(host string) string
	Digests []string // of which a client reports one
}

// Installer sets up the clients of the running machine: it writes the changes,
// makes the services read them, and tests that images can be pulled. It removes
// changes with which a test fails.
type Installer struct {
	Disk Disk
	// Run runs a command and returns its standard output. The error contains
	// its standard error.
	Run func(ctx context.Context, args []string) (string, error)
	// Login runs a command that reads the token of the front.
	Login func(ctx context.Context, args []string) error
	// Restart allows restarting services that interrupt something.
	Restart bool
	Sample  Sample
}

// Installed is the result for one client.
type Installed struct {
	Written bool     // the changes are in place
	Tested  []string // what was pulled, as "podman: gcr.io/a/b:1"
	// Pending tells why nothing was tested, and what to do; empty if something
	// was.
	Pending string
}

// Install sets up one client. If it returns an error, the client's files are
// as they were, unless the error says otherwise.
func (i *Installer) Install(ctx context.Context, p Part) (Installed, error) {
	var done Installed
	if len(p.Changes) > 0 {
		if err := i.Disk.Apply(p); err != nil {
			return done, err
		}
		done.Written = true
	}
	var pending string
	var err error
	if p.Login.In != nil {
		err = i.Login(ctx, p.Login.In)
	}
	if err == nil {
		pending, err = i.reload(ctx, p.Service)
	}
	if err != nil {
		return Installed{}, i.rollBack(ctx, p, err)
	}
	if pending != "" {
		done.Pending = pending
		return done, nil
	}
	if i.Sample.Image == nil {
		done.Pending = "not tested: pull an image to see that the proxy answers"
		return done, nil
	}
	image := i.Sample.Image(p.Host)
	if image == "" {
		done.Pending = "not tested: this client gets images of other sources than that of the test from the front"
		return done, nil
	}
	var trials []clients.Trial
	if p.Trials != nil {
		trials = p.Trials(image)
	}
	for _, t := range trials {
		if err := i.try(ctx, t); err != nil {
			return Installed{}, i.rollBack(ctx, p, err)
		}
		done.Tested = append(done.Tested, t.Program()+": "+image)
	}
	if len(trials) == 0 {
		done.Pending = "not tested: no program was found that can pull an image with it"
	}
	return done, nil
}

// reload makes a service read its files, or returns why it was left alone.
func (i *Installer) reload(ctx context.Context, s Service) (pending string, err error) {
	command := strings.Join(s.Reload, " ")
	switch {
	case s.Reload == nil:
		return "", nil
	case !i.active(ctx, s):
		return "the service " + s.Name + " is not running under systemd: it reads the change when it starts", nil
	case s.Stops != "" && !i.Restart:
		return fmt.Sprintf("%q was not run because it stops %s: run it, and then this command again to test the client", command, s.Stops), nil
	}
	if err := i.runAll(ctx, s.Reload); err != nil {
		return "", fmt.Errorf("the service does not accept the change: %w", err)
	}
	return "", nil
}

// runAll runs commands that are separated by and, until one fails.
func (i *Installer) runAll(ctx context.Context, commands []string) error {
	for len(commands) > 0 {
		end := slices.Index(commands, and)
		if end < 0 {
			end = len(commands)
		}
		if _, err := i.Run(ctx, commands[:end]); err != nil {
			return err
		}
		commands = commands[min(end+1, len(commands)):]
	}
	return nil
}

func (i *Installer) active(ctx context.Context, s Service) bool {
	_, err := i.Run(ctx, slices.Concat([]string{"systemctl"}, s.User, []string{"is-active", "--quiet", s.Name}))
	return err == nil
}

// try pulls an image, checks its digest and removes it.
func (i *Installer) try(ctx context.Context, t clients.Trial) error {
	found, err := i.Run(ctx, t.Pull)
	if err == nil && t.Digests != nil {
		found, err = i.Run(ctx, t.Digests)
	}
	if err == nil && !slices.ContainsFunc(i.Sample.Digests, func(digest string) bool { return strings.Contains(found, digest) }) {
		err = fmt.Errorf("%s pulled another image than the front has: want %s, have %s",
			t.Program(), i.Sample.Digests[0], strings.Join(strings.Fields(found), " "))
	}
	if t.Remove != nil {
		_, _ = i.Run(ctx, t.Remove) // a remaining image of a kilobyte does no harm
	}
	return err
}

// rollBack removes the changes of a client because of err, which is of its
// service or of a test.
func (i *Installer) rollBack(ctx context.Context, p Part, err error) error {
	if len(p.Changes) == 0 {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	if p.Login.Out != nil {
		_, _ = i.Run(ctx, p.Login.Out) // it may not have logged in
	}
	if failed := i.Disk.Revert(p); failed != nil {
		return fmt.Errorf("%w; undoing the changes failed: %w", err, failed)
	}
	err = fmt.Errorf("%w; the changes were undone", err)
	if p.Service.Reload != nil { // which has been run, or nothing would have failed
		if failed := i.runAll(ctx, p.Service.Reload); failed != nil {
			return fmt.Errorf("%w; with its old files the service does not start either: %w", err, failed)
		}
	}
	return err
}
