//go:build unix

package architecture

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestInstall runs install.sh against releases on loopback: the binary is
// installed if it is what the list says, and in no other case.
func TestInstall(t *testing.T) {
	archive := targz(t, "ferry", "#!/bin/sh\necho the binary\n")
	name := "ferry_1.2.3_linux_amd64.tar.gz"
	row := fmt.Sprintf("%x  %s\n", sha256.Sum256(archive), name)
	const latest, tagged = "/latest/download/", "/download/v1.2.3/"
	for _, test := range []struct {
		name, list, at, version string
		uname                   string // the system and the machine
		gh                      string // what the GitHub CLI does; none if empty
		attested                bool
		offered                 []byte
		says                    string // of a failure
	}{
		{name: "the newest", list: row, at: latest, offered: archive},
		{name: "a version", list: row, at: tagged, version: "1.2.3", offered: archive},
		{name: "a version with v", list: row, at: tagged, version: "v1.2.3", offered: archive},
		{name: "attested", list: row, at: latest, offered: archive, gh: "exit 0", attested: true},
		{name: "attested by nobody", list: row, at: latest, offered: archive, gh: `[ "$1" = auth ]`, says: "was not built by the workflow"},
		{name: "attested, without gh", list: row, at: latest, offered: archive, attested: true, says: "gh auth login"},
		{name: "attested, not logged in", list: row, at: latest, offered: archive, gh: "exit 1", attested: true, says: "gh auth login"},
		{name: "not logged in", list: row, at: latest, offered: archive, gh: "exit 1"},
		{name: "another archive", list: row, at: latest, offered: targz(t, "ferry", "other"), says: "has the digest"},
		{name: "not in the list", list: strings.ReplaceAll(row, "amd64", "arm64"), at: latest, offered: archive, says: "no archive for linux/amd64"},
		{name: "twice in the list", list: row + strings.ReplaceAll(row, "1.2.3", "1.2.4"), at: latest, offered: archive, says: "several archives"},
		{name: "a path in the list", list: strings.ReplaceAll(row, "ferry_", "../ferry_"), at: latest, offered: archive, says: "no archive"},
		{name: "no release", at: "/none/", says: "could not be downloaded"},
		{name: "gone", list: row, at: latest, says: "could not be downloaded"},
		{name: "another system", uname: "FreeBSD x86_64", says: "no release for FreeBSD"},
		{name: "another machine", uname: "Linux mips", says: "no release for mips"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newTree(t)
			server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
				switch {
				case r.URL.Path == test.at+"checksums.txt":
					out.Write([]byte(test.list))
				case r.URL.Path == test.at+name && test.offered != nil:
					out.Write(test.offered)
				default:
					http.NotFound(out, r)
				}
			}))
			defer server.Close()
			system, machine, _ := strings.Cut("Linux x86_64", " ")
			if test.uname != "" {
				system, machine, _ = strings.Cut(test.uname, " ")
			}
			script := func(name, text string) {
				w.write("bin/"+name, "#!/bin/sh\n"+text+"\n")
				if err := os.Chmod(filepath.Join(w.dir, "bin", name), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			script("uname", `[ "$1" = -s ] && echo `+system+` || echo `+machine)
			path := filepath.Join(w.dir, "bin")
			if test.gh != "" {
				script("gh", test.gh)
				path += ":" + os.Getenv("PATH")
			} else { // a PATH without a GitHub CLI of this machine
				for _, program := range []string{"chmod", "curl", "cut", "grep", "gzip", "mkdir", "mktemp", "mv", "rm", "sh", "sha256sum", "tar", "wc"} {
					file, err := exec.LookPath(program)
					if err != nil {
						t.Fatal(err)
					}
					if err := os.Symlink(file, filepath.Join(path, program)); err != nil {
						t.Fatal(err)
					}
				}
			}
			target := filepath.Join(w.dir, "to", "bin")
			cmd := exec.CommandContext(t.Context(), "sh", filepath.Join("..", "..", "install.sh"))
			cmd.Env = []string{"PATH=" + path, "HOME=" + w.dir, "FERRY_RELEASES=" + server.URL, "FERRY_BIN=" + target, "FERRY_VERSION=" + test.version}
			if test.attested {
				cmd.Env = append(cmd.Env, "FERRY_ATTESTED=1")
			}
			out, err := cmd.CombinedOutput()
			if test.says != "" {
				if err == nil || !strings.Contains(string(out), test.says) {
					t.Errorf("%v, want %q: %s", err, test.says, out)
				}
				if _, err := os.Stat(filepath.Join(target, "ferry")); err == nil {
					t.Error("a binary is installed")
				}
				return
			}
			if err != nil || !strings.Contains(string(out), "the binary\nadd "+target+" to PATH\n") {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}
