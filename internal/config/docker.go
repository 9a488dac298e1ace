package config

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// dockerLogin is what "docker login" or docker/login-action has stored for one
// host. Problem says why a login that is there cannot be used.
type dockerLogin struct {
	username string
	password Secret
	problem  string
}

// dockerLogin looks for host, exactly, in Docker's config.json. Credential
// helpers are programs that the file names; Ferry runs no programs, so logins
// that they keep are not used.
func (l *loader) dockerLogin(host string) dockerLogin {
	dir := l.Getenv("DOCKER_CONFIG")
	if dir == "" {
		home := l.Getenv("HOME")
		if home == "" {
			home = l.Getenv("USERPROFILE")
		}
		if home == "" {
			return dockerLogin{}
		}
		dir = filepath.Join(home, ".docker")
	}
	data, err := l.ReadFile(filepath.Join(dir, "config.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return dockerLogin{}
	}
	var file struct {
		Auths map[string]struct {
			Auth          string `json:"auth"`
			Username      string `json:"username"`
			Password      string `json:"password"`
			IdentityToken string `json:"identitytoken"`
		} `json:"auths"`
		CredsStore  string            `json:"credsStore"`
		CredHelpers map[string]string `json:"credHelpers"`
	}
	if err != nil || len(data) > maxDockerConfig || json.Unmarshal(data, &file) != nil {
		return dockerLogin{problem: "Docker's config.json cannot be read"}
	}
	for _, key := range slices.Sorted(maps.Keys(file.Auths)) {
		auth := file.Auths[key]
		if keyHost(key) != host {
			continue
		}
		if decoded, err := base64.StdEncoding.DecodeString(auth.Auth); err == nil && len(decoded) > 0 {
			auth.Username, auth.Password, _ = strings.Cut(strings.TrimRight(string(decoded), "\x00"), ":")
		}
		switch {
		case auth.IdentityToken != "":
			return dockerLogin{problem: "Docker's login there is an identity token, which is not supported"}
		case auth.Username != "" && auth.Password != "":
			return dockerLogin{username: auth.Username, password: NewSecret(auth.Password)}
		}
	}
	for key := range file.CredHelpers {
		if keyHost(key) == host {
			return dockerLogin{problem: helperProblem}
		}
	}
	if file.CredsStore != "" {
		return dockerLogin{problem: helperProblem}
	}
	return dockerLogin{}
}

const (
	helperProblem   = "Docker keeps its logins in a credential helper, which is not run"
	maxDockerConfig = 1 << 20 // bytes; a file with a hundred logins has 20 KiB
)

// keyHost is the canonical host of a key in Docker's file: a host, or an
// address of the old form "https://index.docker.io/v1/". Keys with a path
// below that are for one repository and give nothing.
func keyHost(key string) string {
	key = strings.TrimPrefix(strings.TrimPrefix(key, "https://"), "http://")
	host, path, _ := strings.Cut(key, "/")
	switch strings.Trim(path, "/") {
	case "", "v1", "v2":
	default:
		return ""
	}
	canonical, _, err := parseHost(host)
	if err != nil {
		return ""
	}
	return canonical
}
