//go:build unix

package architecture

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/fakegithub"
)

// TestRelease: the release is a draft until all files are there, the next attempt
// uploads only what is missing or damaged, and releases whose days are over are deleted,
// but no others. The schedule deletes them, too.
func TestRelease(t *testing.T) {
	for _, program := range []string{"bash", "curl", "jq"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(program + " is not installed")
		}
	}
	day := func(ago int) string { return time.Now().UTC().AddDate(0, 0, -ago).Format("20060102") }
	until := func(days int) string { return "until " + time.Now().UTC().AddDate(0, 0, days).Format(time.DateOnly) }
	hub := &fakegithub.Releases{Token: "secret", All: []*fakegithub.Release{
		{ID: 1, Tag: "v1.0.0", Body: until(-9)}, {ID: 2, Tag: "ferry-archive-" + day(9) + "-5", Body: until(-1)}, {ID: 3, Tag: "ferry-archive-" + day(9) + "-6", Body: until(0)},
		{ID: 4, Tag: "ferry-archive-mine", Body: until(-9)}, {ID: 5, Tag: "ferry-archive-" + day(20) + "-3", Body: until(-17), Draft: true}, {ID: 6, Tag: "ferry-archive-" + day(20) + "-4", Body: "mine"},
	}}
	server := httptest.NewServer(hub)
	defer server.Close()
	hub.URL = server.URL
	folder := t.TempDir()
	for name, text := range map[string]string{"SHA256SUMS": "sums", "images.tar.001": "one", "images.tar.002": "two"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run := func(arguments ...string) (string, error) {
		command := exec.CommandContext(t.Context(), filepath.Join("..", "..", ".github", "scripts", "release"), arguments...)
		bin := t.TempDir()
		if err := os.WriteFile(filepath.Join(bin, "sleep"), []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		command.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "GITHUB_API_URL="+server.URL, "GITHUB_SERVER_URL=https://github.com", "GITHUB_REPOSITORY=octo/ferry", "GITHUB_TOKEN=secret")
		out, err := command.Output()
		if ended, ok := errors.AsType[*exec.ExitError](err); ok {
			err = fmt.Errorf("%w: %s", err, ended.Stderr)
		}
		return string(out), err
	}
	hub.Broken = 4 // more than the tries for one file
	if _, err := run(folder, "77", "3"); err == nil || len(hub.Asked) != 3 || len(hub.All) != 7 || !hub.All[6].Draft {
		t.Fatalf("broken uploads: %v, %+v", err, hub.All[len(hub.All)-1])
	}
	hub.All[6].Assets = append(hub.All[6].Assets, fakegithub.Asset{ID: 9, Name: "images.tar.001", State: "uploaded", Size: 3, Digest: "sha256:other"})
	hub.Asked, hub.Broken = nil, 1
	tag := "ferry-archive-" + day(0) + "-77"
	if said, err := run(folder, "77", "3"); err != nil || said != "https://github.com/octo/ferry/releases/download/"+tag+"\n" {
		t.Fatalf("%q, %v", said, err)
	}
	var left []string
	for _, r := range hub.All {
		left = append(left, r.Tag)
	}
	if want := []string{"v1.0.0", "ferry-archive-" + day(9) + "-6", "ferry-archive-mine", "ferry-archive-" + day(20) + "-4", tag}; !slices.Equal(left, want) {
		t.Errorf("there are %s, want %s", left, want)
	}
	if made := hub.All[4]; made.Draft || len(made.Assets) != 3 || made.Body != until(3) {
		t.Errorf("%+v", made)
	}
	if want := []string{"ferry-archive-" + day(9) + "-5", "ferry-archive-" + day(20) + "-3"}; !slices.Equal(hub.Tags, want) {
		t.Errorf("deleted the tags %s, want %s", hub.Tags, want)
	}
	hub.Asked = nil
	if _, err := run(folder, "77", "3"); err != nil || len(hub.Asked) > 0 {
		t.Errorf("once more: %v, uploaded %s", err, hub.Asked)
	}
	hub.Tags = nil
	hub.All[1].Body = until(-1)
	if said, err := run(); err != nil || said != "" || len(hub.All) != 4 || !slices.Equal(hub.Tags, []string{"ferry-archive-" + day(9) + "-6"}) {
		t.Errorf("by the schedule: %q, %v; %d are left, without %s", said, err, len(hub.All), hub.Tags)
	}
}
