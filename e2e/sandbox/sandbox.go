// Package sandbox runs a test binary as if it were alone on the internet.
//
// [Enter] starts the binary again in network, mount and process namespaces of
// its own. In there the real names of registries and of GitHub resolve to
// addresses that exist nowhere but on the sandbox's loopback interface, a
// certificate authority of its own vouches for them, and the state folders of
// container clients are empty. So unmodified programs, Ferry and the clients
// alike, use the hosts, ports and protocols that they use in production, and
// nothing can reach the outside: there is no other interface. All of it is
// gone when the test binary ends, however it ends.
package sandbox

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Network is the range that the sandbox's hosts live in. It is public address
// space: Ferry refuses sources on loopback and private addresses, and that
// guard has to be on in these tests. The route to the real network ends at the
// sandbox's wall.
const Network = "1.2.3.0/24"

// inside is the environment variable that names the sandbox's folder to the
// binary that runs in it.
const inside = "FERRY_SANDBOX"

// state holds what container clients and Ferry keep; each is empty in the
// sandbox.
var state = []string{"/run", "/var/lib/containers", "/var/lib/containerd", "/var/lib/docker", "/var/lib/ferry"}

// overlaid are the folders whose changes in the sandbox stay there.
var overlaid = []string{"/etc", "/usr/local/bin"}

// Dir is the sandbox's folder for files, empty outside of it.
func Dir() string { return os.Getenv(inside) }

// Enter runs this binary again, with the same arguments, in a sandbox where
// hosts maps names to addresses within [Network] or 127.0.0.0/8, and returns
// its exit status. Before that, prepare may put into the sandbox's folder what
// has to come from outside. Enter needs root.
func Enter(hosts map[string]string, prepare func(dir string) error) (status int, err error) {
	if os.Geteuid() != 0 {
		return 0, errors.New("the end-to-end suite makes network and mount namespaces: run it as root")
	}
	dir, err := os.MkdirTemp("", "ferry-e2e-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.WriteFile(filepath.Join(dir, "hosts"), hostsFile(hosts), 0o644); err != nil {
		return 0, err
	}
	if err := os.WriteFile(filepath.Join(dir, "resolv.conf"), nil, 0o644); err != nil {
		return 0, err
	}

	if err := prepare(dir); err != nil {
		return 0, err
	}

	// The death signal below is sent when the thread that started the process
	// ends, so this one must stay.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), inside+"="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWPID,
		// Unshared rather than cloned: package syscall then makes all mounts
		// private, so that none of ours is seen outside.
		Unshareflags: unix.CLONE_NEWNS,
		Pdeathsig:    unix.SIGKILL,
	}
	err = cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), nil
	}
	return 0, err
}

func hostsFile(hosts map[string]string) []byte {
	lines := []string{"127.0.0.1 localhost"}
	for name, address := range hosts {
		lines = append(lines, address+" "+name)
	}
	slices.Sort(lines)
	return []byte(strings.Join(lines, "\n") + "\n")
}

// Furnish makes the sandbox ready from within: the network, the names and the
// empty folders.
func Furnish() error {
	interfaces, err := net.Interfaces()
	if err != nil {
		return err
	}
	for _, i := range interfaces {
		if i.Flags&net.FlagUp != 0 {
			return fmt.Errorf("interface %s is up: this is no new network namespace", i.Name)
		}
	}
	for _, args := range [][]string{{"link", "set", "lo", "up"}, {"address", "add", Network, "dev", "lo"}} {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("setting up loopback: ip %s: %w: %s", strings.Join(args, " "), err, out)
		}
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mounting /proc: %w", err)
	}
	layers := filepath.Join(Dir(), "layers")
	if err := os.Mkdir(layers, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", layers, "tmpfs", 0, "mode=0755"); err != nil {
		return fmt.Errorf("mounting %s: %w", layers, err)
	}
	for _, dir := range overlaid {
		upper, work := filepath.Join(layers, filepath.Base(dir)), filepath.Join(layers, filepath.Base(dir)+".work")
		if err := errors.Join(os.Mkdir(upper, 0o755), os.Mkdir(work, 0o755)); err != nil {
			return err
		}
		if err := unix.Mount("overlay", dir, "overlay", 0, "lowerdir="+dir+",upperdir="+upper+",workdir="+work); err != nil {
			return fmt.Errorf("mounting an overlay on %s: %w", dir, err)
		}
	}
	for _, file := range []string{"hosts", "resolv.conf"} {
		if err := unix.Mount(filepath.Join(Dir(), file), filepath.Join("/etc", file), "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mounting /etc/%s: %w", file, err)
		}
	}
	for _, dir := range state {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=0755"); err != nil {
			return fmt.Errorf("mounting %s: %w", dir, err)
		}
	}
	return os.Setenv("HOME", Dir())
}
