package setup

import (
	"errors"
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/clients"
)

// Front is the front that clients are set up for.
type Front struct {
	URL   *url.URL // with a scheme and a host only
	Hosts []string // of the sources that it answers for, such as "gcr.io"
	// CA are the certificates in PEM of the authorities that its own certificate
	// is from; empty if those of the system know it.
	CA string
	// Token admits the clients to the front; empty if it wants none. It has no
	// character that is special in JSON, TOML or YAML.
	Token string
}

// address returns the front without its scheme.
func (f *Front) address() string { return f.URL.Host }

// base returns the URL of the front without a slash at the end.
func (f *Front) base() string { return f.URL.Scheme + "://" + f.URL.Host }

func (f *Front) plain() bool { return f.URL.Scheme == "http" }

// Machine is the machine with the clients.
type Machine struct {
	Files fs.FS // from the root of the file system
	// Versions are the versions of programs, such as "containerd" with
	// "1.6.20", if known.
	Versions map[string]string
	// Home is the home folder of the person, from the root, and UID their number;
	// empty if unknown.
	Home, UID string
	// Sudoer is the name of the person, if root runs the commands for them.
	Sudoer string
	// UserOnly leaves everything outside of Home alone.
	UserOnly bool
}

// As returns the machine for a user in /etc/passwd, whom sudo tells if root runs the
// commands.
func (m Machine) As(user string, sudo bool) Machine {
	passwd, _ := m.read("etc/passwd") // a missing file counts as empty
	for _, line := range strings.Split(string(passwd), "\n") {
		f := strings.Split(line, ":") // passwd(5)
		if len(f) < 7 || f[0] != user || !strings.HasPrefix(f[5], "/") {
			continue
		}
		m.UID, m.Home = f[2], strings.Trim(path.Clean(f[5]), "/")
		if sudo {
			m.Sudoer = user
		}
	}
	return m
}

// userService returns a service of the person, which has to be restarted.
func (m *Machine) userService(unit string) Service {
	s := Service{Name: unit, User: []string{"--user"}, Stops: "running containers, without live-restore"}
	if m.Sudoer != "" {
		s.User = append(s.User, "--machine="+m.Sudoer+"@.host") // systemctl(1)
	}
	s.Reload = append(append([]string{"systemctl"}, s.User...), "restart", unit)
	return s
}

// has reports whether one of the programs is installed.
func (m *Machine) has(programs ...string) bool {
	for _, program := range programs {
		for _, dir := range []string{"usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin", "opt/bin", "bin", "sbin"} {
			if m.file(path.Join(dir, program)) {
				return true
			}
		}
	}
	return false
}

// Part is what to do for one client.
type Part struct {
	Client  string
	Gets    string // what works afterwards, as a sentence
	Changes []Change
	Login   Login   // zero if the client needs none
	Service Service // that has to read the changed files; zero if each pull does
	Host    string  // of a source whose images the client pulls through the front
	// Trials are how the programs of the client pull an image.
	Trials func(image string) []clients.Trial
	// Problems tell what cannot be done, each with what to do instead.
	Problems []string
}

// Login makes a client keep the token of a front: commands as lists of
// arguments.
type Login struct {
	In  []string // reads the token from standard input
	Out []string // forgets it
}

// Service is a program that reads its configuration when it starts or is told
// to.
type Service struct {
	Name   string   // of its systemd unit
	User   []string // selects the systemd of a user; nil for the system's
	Reload []string // makes it read its files; commands are separated by and
	Stops  string   // what that interrupts; empty for nothing
}

// systemd returns the service that systemd reloads or restarts.
func systemd(verb, unit, stops string) Service {
	return Service{Name: unit, Reload: []string{"systemctl", verb, unit}, Stops: stops}
}

// and is between two commands of which the second runs if the first succeeds.
const and = "&&"

// nodeStops is what restarting the container runtime of a node interrupts.
const nodeStops = "pulls and container starts, for some seconds; running containers continue"

// Change is new content of a file.
type Change struct {
	Path       string // from the root, without a leading slash
	Before     []byte // nil if the file does not exist
	After      []byte
	Insertions []Insertion // ordered; they turn Before into After
	Secret     bool        // After has a token, so that only the owner may read it
}

// Insertion is text that is inserted into a file.
type Insertion struct {
	At   int    // offset in the old file, in bytes
	Text string // the inserted text
}

// read returns the content of a file, or nil if it does not exist.
func (m *Machine) read(file string) ([]byte, error) {
	data, err := fs.ReadFile(m.Files, file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err == nil && data == nil:
		data = []byte{}
	}
	return data, err
}

// client is a program that can be set up.
type client struct {
	name      string
	user      bool // it has files in a home folder
	installed func(*Machine) bool
	unit      func(*Machine) string // of systemd that pulls; empty for none
	plan      func(*Machine, *Front) Part
}

// dir reports whether a directory of that name exists.
func (m *Machine) dir(name string) bool {
	info, err := fs.Stat(m.Files, name)
	return err == nil && info.IsDir()
}

// file reports whether something of that name exists.
func (m *Machine) file(name string) bool {
	_, err := fs.Stat(m.Files, name)
	return err == nil
}

// enabled reports whether systemd starts a unit with the machine.
func (m *Machine) enabled(unit string) bool {
	// The entries are links, whose targets may be outside of the root.
	entries, _ := fs.ReadDir(m.Files, "etc/systemd/system/multi-user.target.wants") // a missing directory counts as empty
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == unit+".service" })
}
