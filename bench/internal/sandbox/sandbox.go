// Package sandbox runs a program in a network of its own, with host names of
// its own and without a way out. Linux gives that to every user: namespaces
// for the network, the mounts and, to be allowed the first two, the user.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

const mark = "FERRY_BENCH_SANDBOX"

// Inside reports whether this process is the one that Run started.
func Inside() bool { return os.Getenv(mark) != "" }

// ErrFailed says that the program failed inside the sandbox, where it has said
// why.
var ErrFailed = errors.New("failed inside the sandbox")

// Run starts this program again inside a sandbox, with the same arguments,
// streams and environment, and waits for it.
func Run(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), mark+"=1")
	// It hears Ctrl-C itself, and ends if this process does.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return ErrFailed
	}
	if err != nil {
		return fmt.Errorf("entering new namespaces (some systems let only root do so): %w", err)
	}
	return nil
}

// SetUp finishes the sandbox from inside: the loopback comes up, and each host
// resolves to the address it is given.
func SetUp(dir string, hosts map[string]string) error {
	if err := loopbackUp(); err != nil {
		return fmt.Errorf("bringing the loopback up: %w", err)
	}
	var content strings.Builder
	content.WriteString("127.0.0.1 localhost\n")
	for host, address := range hosts {
		content.WriteString(address + " " + host + "\n")
	}
	file := filepath.Join(dir, "hosts")
	if err := os.WriteFile(file, []byte(content.String()), 0o644); err != nil {
		return fmt.Errorf("writing the sandbox's hosts: %w", err)
	}
	// Nothing that is mounted here may be seen outside.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("keeping mounts private: %w", err)
	}
	if err := unix.Mount(file, "/etc/hosts", "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("mounting the sandbox's hosts: %w", err)
	}
	return nil
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request)
}
