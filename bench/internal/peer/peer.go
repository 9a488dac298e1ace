// Package peer knows the programs that are compared: how each is built and
// with which words it is told to copy.
package peer

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Kind says what a peer stands for, for the goals are set against kinds.
type Kind string

// The kinds.
const (
	Ferry   Kind = "ferry"
	Default Kind = "defaults"        // a program as it comes
	Tuned   Kind = "tuned crane"     // with options that suit the case
	Batch   Kind = "own batch modes" // a program's own way to copy many images
	Eight   Kind = "8 processes"
	Thirty  Kind = "30 processes"
)

// Peer is a program used in one way.
type Peer struct {
	Name string
	Kind Kind
	// Processes is how many of the commands run at a time.
	Processes int
	program   string
	command   func(job Job) ([]Command, error)
}

// Job is what is to be copied.
type Job struct {
	Tools  string // folder of the binaries
	Dir    string // folder for files that a program wants to read
	Source string // host
	// Repositories of the source, tag "1" of each.
	Repositories []string
	Target       string // host
	Namespace    string // of the target, fresh for each run
	Plain        bool   // both hosts speak plain HTTP
	// Hosts are all that is asked on the way, token hosts included. They are on
	// the loopback, which Ferry has to be told is meant.
	Hosts []string
}

// Command is what to run, with additions to the environment.
type Command struct {
	Args []string
	Env  []string
}

// Commands returns what makes the peer do the job.
func (p Peer) Commands(j Job) ([]Command, error) { return p.command(j) }

// Single returns the peers for one image.
func Single() []Peer {
	peers := []Peer{
		{Name: "ferry", Kind: Ferry, program: "ferry", command: ferry},
		{Name: "crane", Kind: Default, program: "crane", command: each(crane)},
		{Name: "crane, HTTP/1.1, -j 8", Kind: Tuned, program: "crane", command: each(craneTuned)},
		{Name: "regctl", Kind: Default, program: "regctl", command: each(regctl)},
		{Name: "oras", Kind: Default, program: "oras", command: each(oras)},
	}
	if _, err := exec.LookPath("skopeo"); err == nil {
		peers = append(peers, Peer{Name: "skopeo", Kind: Default, program: "skopeo", command: each(skopeo)})
	}
	return peers
}

// Many returns the peers for a batch of images.
func Many() []Peer {
	return []Peer{
		{Name: "ferry", Kind: Ferry, program: "ferry", command: ferry},
		{Name: "crane, 30 processes", Kind: Thirty, Processes: 30, program: "crane", command: each(crane)},
		{Name: "crane, 8 processes", Kind: Eight, Processes: 8, program: "crane", command: each(crane)},
		{Name: "regsync, parallel 8", Kind: Batch, program: "regsync", command: regsync},
	}
}

// Savers returns the peers that write one image to a tar file.
func Savers() []Peer {
	return []Peer{
		{Name: "ferry", Kind: Ferry, program: "ferry", command: ferrySave},
		{Name: "crane", Kind: Default, program: "crane", command: each(cranePull)},
	}
}

func (j Job) source(repository string) string { return j.Source + "/" + repository + ":1" }
func (j Job) target(repository string) string {
	return j.Target + "/" + j.Namespace + "/" + filepath.Base(repository) + ":1"
}

func (j Job) tool(name string) string {
	for _, s := range sources {
		if s.program == name {
			name = s.binary()
		}
	}
	return filepath.Join(j.Tools, name)
}

// each makes one command for every image.
func each(one func(j Job, src, dst string) Command) func(Job) ([]Command, error) {
	return func(j Job) ([]Command, error) {
		var commands []Command
		for _, r := range j.Repositories {
			commands = append(commands, one(j, j.source(r), j.target(r)))
		}
		return commands, nil
	}
}

func ferry(j Job) ([]Command, error) {
	args := []string{j.tool("ferry"), "copy"}
	for _, r := range j.Repositories {
		args = append(args, j.source(r))
	}
	args = append(args, "--to", j.Target+"/"+j.Namespace, "--json")
	for _, host := range j.Hosts {
		args = append(args, "--private", host)
	}
	if j.Plain {
		args = append(args, "--plain-http", j.Source, "--plain-http", j.Target)
	}
	return []Command{{Args: args}}, nil
}

// archive is the tar file that a saver writes.
func (j Job) archive() string { return filepath.Join(j.Dir, "images.tar") }

func ferrySave(j Job) ([]Command, error) {
	args := []string{j.tool("ferry"), "save", "--quiet", "--output", j.archive()}
	for _, host := range j.Hosts {
		args = append(args, "--private", host)
	}
	for _, r := range j.Repositories {
		args = append(args, j.source(r))
	}
	return []Command{{Args: args}}, nil
}

func cranePull(j Job, src, _ string) Command {
	return Command{Args: []string{j.tool("crane"), "pull", src, j.archive()}}
}

func crane(j Job, src, dst string) Command {
	return Command{Args: []string{j.tool("crane"), "copy", src, dst}}
}

func craneTuned(j Job, src, dst string) Command {
	return Command{
		Args: []string{j.tool("crane"), "copy", "-j", "8", src, dst},
		Env:  []string{"GODEBUG=http2client=0"},
	}
}

func regctl(j Job, src, dst string) Command {
	args := []string{j.tool("regctl")}
	if j.Plain {
		args = append(args, "--host=reg="+j.Source+",tls=disabled", "--host=reg="+j.Target+",tls=disabled")
	}
	return Command{Args: append(args, "image", "copy", src, dst)}
}

func oras(j Job, src, dst string) Command {
	args := []string{j.tool("oras"), "cp"}
	if j.Plain {
		args = append(args, "--from-plain-http", "--to-plain-http")
	}
	return Command{Args: append(args, src, dst)}
}

func skopeo(j Job, src, dst string) Command {
	args := []string{"skopeo", "--insecure-policy", "copy", "--quiet", "--all"}
	if j.Plain {
		args = append(args, "--src-tls-verify=false", "--dest-tls-verify=false")
	}
	return Command{Args: append(args, "docker://"+src, "docker://"+dst)}
}

func regsync(j Job) ([]Command, error) {
	tls := "enabled"
	if j.Plain {
		tls = "disabled"
	}
	var b strings.Builder
	b.WriteString("version: 1\ncreds:\n")
	for _, host := range []string{j.Source, j.Target} {
		fmt.Fprintf(&b, "  - {registry: %q, tls: %s}\n", host, tls)
	}
	b.WriteString("defaults: {parallel: 8}\nsync:\n")
	for _, r := range j.Repositories {
		fmt.Fprintf(&b, "  - {source: %q, target: %q, type: image}\n", j.source(r), j.target(r))
	}
	file := filepath.Join(j.Dir, "regsync.yml")
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		return nil, fmt.Errorf("writing regsync's configuration: %w", err)
	}
	return []Command{{Args: []string{j.tool("regsync"), "once", "-c", file}}}, nil
}
