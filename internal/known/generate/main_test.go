package main

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

func TestOfficialImages(t *testing.T) {
	got, err := officialImages("# Source: x\nalpine\nvault # gone from the source\nwas-there\n", fstest.MapFS{"alpine": {}, "nim": {}})
	if want := "# Source: x\nalpine\nnim\nvault # gone from the source\nwas-there # gone from the source\n"; err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func TestReleases(t *testing.T) {
	file := func(coredns, etcd, supported string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte("const (\n\tCoreDNSVersion = \"" + coredns + "\"\n\tPauseVersion = \"3.10\"\n\tDefaultEtcdVersion = \"" + etcd + "\"\n)\n" +
			"var SupportedEtcdVersion = map[uint8]string{\n\t31: \"" + supported + "\",\n}\n")}
	}
	got, err := releases("# Source: x\n1.31.0\tv1\t3.10\t3.5.1-0\n1.31.14\tv1\t3.10\t3.5.9-0\n", fstest.MapFS{
		"v1.31.2.go":  file("v1", "3.5.0-0", "3.5.1-0"),
		"v1.31.9.go":  file("v1", "3.5.0-0", "3.5.2-0"),
		"v1.31.15.go": file("v1", "3.5.0-0", "3.5.9-0"),
		"v1.38.0.go":  file("v2", "3.7.0-0", "3.5.9-0"),
		"README.md":   {},
	})
	want := "# Source: x\n1.31.0\tv1\t3.10\t3.5.1-0\n1.31.9\tv1\t3.10\t3.5.2-0\n1.31.14\tv1\t3.10\t3.5.9-0\n1.38.0\tv2\t3.10\t3.7.0-0\n"
	if err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	if _, err := releases("", fstest.MapFS{"v1.39.0.go": {}}); err == nil || !strings.Contains(err.Error(), "v1.39.0.go") {
		t.Errorf("a file without versions gives %v", err)
	}
}

// TestListsAreGenerated: what is checked in is what the program writes.
func TestListsAreGenerated(t *testing.T) {
	for name, update := range map[string]func(string) (string, error){
		"official.txt": func(list string) (string, error) {
			source := fstest.MapFS{}
			for name := range strings.Lines(body(list)) {
				if !strings.Contains(name, gone) {
					source[strings.TrimSpace(name)] = &fstest.MapFile{}
				}
			}
			return officialImages(list, source)
		},
		"kubernetes.txt": func(list string) (string, error) { return releases(list, fstest.MapFS{}) },
	} {
		list, err := os.ReadFile("../" + name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := update(string(list)); err != nil || got != string(list) {
			t.Errorf("%s is not as it would be written: %v", name, err)
		}
	}
}
