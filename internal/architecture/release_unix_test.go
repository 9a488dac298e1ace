//go:build unix

package architecture

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// releases is a stand-in for GitHub's API of releases
// (https://docs.github.com/en/rest/releases).
type releases struct {
	url    string
	all    []*release
	tags   []string // that were deleted
	asked  []string // uploads, by name
	broken int      // how many of the next uploads break off
}

type release struct {
	ID        int     `json:"id"`
	Tag       string  `json:"tag_name"`
	Draft     bool    `json:"draft"`
	UploadURL string  `json:"upload_url"`
	Assets    []asset `json:"assets"`
}

type asset struct {
	ID     int    `json:"id"`
	Name   string `json:"name"`
	State  string `json:"state"`
	Size   int    `json:"size"`
	Digest string `json:"digest,omitempty"`
}

func (r *releases) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Header.Get("Authorization") != "Bearer secret" {
		http.Error(w, "{}", http.StatusUnauthorized)
		return
	}
	answer := func(status int, value any) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(value)
	}
	var id int
	at := strings.TrimPrefix(req.URL.Path, "/repos/octo/ferry/")
	_, _ = fmt.Sscanf(strings.TrimPrefix(strings.TrimPrefix(at, "releases/"), "assets/"), "%d", &id)
	of := slices.IndexFunc(r.all, func(r *release) bool { return r.ID == id })
	switch {
	case req.Method == http.MethodGet && at == "releases":
		page := r.all
		if req.URL.Query().Get("page") != "1" {
			page = nil
		}
		answer(http.StatusOK, page)
	case req.Method == http.MethodPost && at == "releases":
		made := &release{ID: 1000 + len(r.all), UploadURL: r.url + "/upload/assets{?name,label}", Assets: []asset{}}
		_ = json.NewDecoder(req.Body).Decode(made)
		r.all = append(r.all, made)
		answer(http.StatusCreated, made)
	case req.Method == http.MethodPost && at == "/upload/assets":
		made := r.all[len(r.all)-1]
		name := req.URL.Query().Get("name")
		if slices.ContainsFunc(made.Assets, func(a asset) bool { return a.Name == name }) {
			answer(http.StatusUnprocessableEntity, map[string]string{"code": "already_exists"})
			return
		}
		text, _ := io.ReadAll(req.Body)
		r.asked = append(r.asked, name)
		a := asset{ID: 100*len(r.asked) + 7, Name: name, State: "uploaded", Size: len(text), Digest: fmt.Sprintf("sha256:%x", sha256.Sum256(text))}
		if r.broken > 0 {
			r.broken--
			a.State, a.Size, a.Digest = "starter", 0, ""
		}
		made.Assets = append(made.Assets, a)
		if a.State == "starter" {
			answer(http.StatusBadGateway, nil)
			return
		}
		answer(http.StatusCreated, a)
	case req.Method == http.MethodDelete && strings.HasPrefix(at, "releases/assets/"):
		for _, made := range r.all {
			made.Assets = slices.DeleteFunc(made.Assets, func(a asset) bool { return a.ID == id })
		}
		answer(http.StatusNoContent, nil)
	case req.Method == http.MethodDelete && strings.HasPrefix(at, "git/refs/tags/"):
		r.tags = append(r.tags, strings.TrimPrefix(at, "git/refs/tags/"))
		answer(http.StatusNoContent, nil)
	case of < 0:
		answer(http.StatusNotFound, nil)
	case req.Method == http.MethodGet:
		answer(http.StatusOK, r.all[of])
	case req.Method == http.MethodPatch:
		_ = json.NewDecoder(req.Body).Decode(r.all[of])
		answer(http.StatusOK, r.all[of])
	case req.Method == http.MethodDelete:
		r.all = slices.Delete(r.all, of, of+1)
		answer(http.StatusNoContent, nil)
	}
}

// TestRelease: the release is a draft until all files are there, the next attempt
// uploads only what is missing or damaged, and old releases are deleted, but no others.
func TestRelease(t *testing.T) {
	for _, program := range []string{"bash", "curl", "jq"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(program + " is not installed")
		}
	}
	day := func(ago int) string { return time.Now().UTC().AddDate(0, 0, -ago).Format("20060102") }
	hub := &releases{all: []*release{
		{ID: 1, Tag: "v1.0.0"}, {ID: 2, Tag: "ferry-archive-" + day(9) + "-5"}, {ID: 3, Tag: "ferry-archive-" + day(1) + "-6"}, {ID: 4, Tag: "ferry-archive-mine"},
		{ID: 5, Tag: "ferry-archive-" + day(20) + "-3", Draft: true},
	}}
	server := httptest.NewServer(hub)
	defer server.Close()
	hub.url = server.URL
	folder := t.TempDir()
	for name, text := range map[string]string{"SHA256SUMS": "sums", "images.tar.001": "one", "images.tar.002": "two"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run := func() (string, error) {
		command := exec.CommandContext(t.Context(), filepath.Join("..", "..", ".github", "scripts", "release"), folder, "77", "3")
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
	hub.broken = 4 // more than the tries for one file
	if _, err := run(); err == nil || len(hub.asked) != 3 || len(hub.all) != 6 || !hub.all[5].Draft {
		t.Fatalf("broken uploads: %v, %+v", err, hub.all[len(hub.all)-1])
	}
	hub.all[5].Assets = append(hub.all[5].Assets, asset{ID: 9, Name: "images.tar.001", State: "uploaded", Size: 3, Digest: "sha256:other"})
	hub.asked, hub.broken = nil, 1
	tag := "ferry-archive-" + day(0) + "-77"
	if said, err := run(); err != nil || said != "https://github.com/octo/ferry/releases/download/"+tag+"\n" {
		t.Fatalf("%q, %v", said, err)
	}
	var left []string
	for _, r := range hub.all {
		left = append(left, r.Tag)
	}
	if want := []string{"v1.0.0", "ferry-archive-" + day(1) + "-6", "ferry-archive-mine", tag}; !slices.Equal(left, want) {
		t.Errorf("there are %s, want %s", left, want)
	}
	if made := hub.all[3]; made.Draft || len(made.Assets) != 3 {
		t.Errorf("%+v", made)
	}
	if want := []string{"ferry-archive-" + day(9) + "-5", "ferry-archive-" + day(20) + "-3"}; !slices.Equal(hub.tags, want) {
		t.Errorf("deleted the tags %s, want %s", hub.tags, want)
	}
	hub.asked = nil
	if _, err := run(); err != nil || len(hub.asked) > 0 {
		t.Errorf("once more: %v, uploaded %s", err, hub.asked)
	}
}
