package setup

import (
	"errors"
	"io/fs"
	"net/url"
	"path"
)

// Front is the front that clients are set up for.
type Front struct {
	URL   *url.URL // with a scheme and a host only
	Hosts []string // of the sources that it answers for, such as "gcr.io"
}

// address returns the front without its scheme.
func (f Front) address() string { return f.URL.Host }

// base returns the URL of the front without a slash at the end.
func (f Front) base() string { return f.URL.Scheme + "://" + f.URL.Host }

func (f Front) plain() bool { return f.URL.Scheme == "http" }

// Machine is the machine with the clients.
type Machine struct {
	Files fs.FS // from the root of the file system
	// Versions are the versions of programs, such as "containerd" with
	// "1.6.20", if known.
	Versions map[string]string
}

// has reports whether one of the programs is installed.
func (m Machine) has(programs ...string) bool {
	for _, program := range programs {
		for _, dir := range []string{"usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin", "opt/bin", "bin", "sbin"} {
			if _, err := fs.Stat(m.Files, path.Join(dir, program)); err == nil {
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
	Restart string // the command that makes the client reload its files; empty if none is needed
	Stops   string // what that command interrupts; empty for nothing
	// Problems tell what cannot be done, each with what to do instead.
	Problems []string
}

// Change is new content of a file.
type Change struct {
	Path       string // from the root, without a leading slash
	Before     []byte // nil if the file does not exist
	After      []byte
	Insertions []Insertion // ordered; they turn Before into After
}

// Insertion is text that is inserted into a file.
type Insertion struct {
	At   int    // offset in the old file, in bytes
	Text string // the inserted text
}

// read returns the content of a file, or nil if it does not exist.
func (m Machine) read(file string) ([]byte, error) {
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
	installed func(Machine) bool
	plan      func(Machine, Front) Part
}

// dir reports whether a directory of that name exists.
func (m Machine) dir(name string) bool {
	info, err := fs.Stat(m.Files, name)
	return err == nil && info.IsDir()
}
