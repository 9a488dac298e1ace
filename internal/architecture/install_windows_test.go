package architecture

import (
	"archive/zip"
	"bytes"
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

// TestInstall runs install.ps1 against releases on loopback: the binary is installed
// if it is what the list says, and in no other case.
func TestInstall(t *testing.T) {
	// A program of the system stands for Ferry, because the script runs it.
	program, err := os.ReadFile(filepath.Join(os.Getenv("SystemRoot"), "System32", "where.exe"))
	if err != nil {
		t.Fatal(err)
	}
	zipped := func(content []byte) []byte {
		var out bytes.Buffer
		w := zip.NewWriter(&out)
		file, err := w.Create("ferry.exe")
		if err == nil {
			_, err = file.Write(content)
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	archive := zipped(program)
	const name = "ferry_1.2.3_windows_amd64.zip"
	row := fmt.Sprintf("%x  %s\n", sha256.Sum256(archive), name)
	const latest, tagged = "/latest/download/", "/download/v1.2.3/"
	for _, test := range []struct {
		name, list, at, version, machine string
		attested                         bool
		offered                          []byte
		says                             string // of a failure
	}{
		{name: "the newest", list: row, at: latest, offered: archive},
		{name: "a version", list: row, at: tagged, version: "1.2.3", offered: archive},
		{name: "a version with v", list: row, at: tagged, version: "v1.2.3", offered: archive},
		{name: "attested, not logged in", list: row, at: latest, offered: archive, attested: true, says: "the attestation cannot be verified"},
		{name: "another archive", list: row, at: latest, offered: zipped([]byte("other")), says: "has the digest"},
		{name: "not in the list", list: strings.ReplaceAll(row, "amd64", "arm64"), at: latest, offered: archive, says: "lists 0 archives"},
		{name: "twice in the list", list: row + strings.ReplaceAll(row, "1.2.3", "1.2.4"), at: latest, offered: archive, says: "lists 2 archives"},
		{name: "a path in the list", list: strings.ReplaceAll(row, "ferry_", "../ferry_"), at: latest, offered: archive, says: "lists 0 archives"},
		{name: "no release", at: "/none/", says: "404"},
		{name: "another machine", machine: "x86", says: "no release for x86"},
	} {
		t.Run(test.name, func(t *testing.T) {
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
			target := filepath.Join(t.TempDir(), "to", "bin")
			cmd := exec.CommandContext(t.Context(), "powershell", "-NoProfile", "-ExecutionPolicy", "Bypass", "-File", filepath.Join("..", "..", "install.ps1"))
			// GH_TOKEN is what would log a GitHub CLI of this machine in.
			cmd.Env = append(os.Environ(), "FERRY_RELEASES="+server.URL, "FERRY_BIN="+target, "FERRY_VERSION="+test.version,
				"GH_TOKEN=", "GITHUB_TOKEN=", "GH_CONFIG_DIR="+t.TempDir(), "PROCESSOR_ARCHITECTURE=AMD64")
			if test.machine != "" {
				cmd.Env = append(cmd.Env, "PROCESSOR_ARCHITECTURE="+test.machine)
			}
			if test.attested {
				cmd.Env = append(cmd.Env, "FERRY_ATTESTED=1")
			}
			out, err := cmd.CombinedOutput()
			installed, missing := os.ReadFile(filepath.Join(target, "ferry.exe"))
			if test.says != "" {
				if err == nil || !strings.Contains(string(out), test.says) || missing == nil {
					t.Errorf("%v, installed %v, want %q: %s", err, missing == nil, test.says, out)
				}
				return
			}
			if !bytes.Equal(installed, program) || !strings.Contains(string(out), "the digest of "+name+" is right") {
				t.Errorf("%v, %v: %s", err, missing, out)
			}
		})
	}
}
