package setup

import (
	"errors"
	"io/fs"
	"net/url"
	"path"
)

// Front is what clients are set up for.
type Front struct {
	URL   *url.URL // with a scheme and a host, and nothing else
	Hosts []string // of the sources that it answers for, such as "gcr.io"
}

// address is the front without its scheme.
func (f Front) address() string { return f.URL.Host }

// base is the front as a URL without a slash at the end.
func (f Front) base() string { return f.URL.Scheme + "://" + f.URL.Host }

func (f Front) plain() bool { return f.URL.Scheme == "http" }

// Machine is where the clients are.
type Machine struct {
	Files fs.FS // from the root of the file system
	// Versions are those of the programs that could be asked: "containerd" to
	// "1.6.20".
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

// Part is what is to be done for one client.
type Part struct {
	Client  string
	Gets    string // what works afterwards, a sentence
	Changes []Change
	Restart string // the command that makes the client read its files anew; empty if none is needed
	Stops   string // what that command interrupts; empty for nothing
	// Problems are why something is not done, each with what to do instead.
	Problems []string
}

// Change is new content of a file.
type Change struct {
	Path       string // from the root, without a slash in front
	Before     []byte // nil if there is no file
	After      []byte
	Insertions []Insertion // that make After of Before, in order
}

// Insertion is a piece of text that a file gets.
type Insertion struct {
	At   int    // offset in the file before, in bytes
	Text string // what is inserted there
}

// read is the content of a file, nil if there is none.
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

// dir reports whether there is a directory of that name.
func (m Machine) dir(name string) bool {
	info, err := fs.Stat(m.Files, name)
	return err == nil && info.IsDir()
}
