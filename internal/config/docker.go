package config

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/pattern"
	"github.com/imageferry/ferry/internal/reference"
)

// IdentityToken in place of a user name means that the password is an identity
// token, which the registry's token server accepts instead of user name and
// password ("az acr login" stores one). Docker's credential helpers use the
// same value.
const IdentityToken = "<token>"

// dockerLogin is the login that "docker login", "podman login" or
// docker/login-action has stored for one host. Problem tells why it cannot be
// used.
type dockerLogin struct {
	username string
	password Secret
	problem  string
}

// asker asks a credential helper for the login of a server; nil to run none.
type asker func(name, server string) (username, secret string, err error)

// dockerLogin looks for the login of a place, a host or a host and a namespace:
// first in the variable of Docker, then in Docker's file, then in that of podman,
// skopeo and buildah. Helpers that they name are asked by ask.
func (l *loader) dockerLogin(place string, ask asker) dockerLogin {
	problem := ""
	for _, file := range append([]string{authVariable}, l.loginFiles()...) {
		found := l.loginIn(file, place, ask)
		if !found.password.IsZero() {
			return found
		}
		problem = cmp.Or(problem, found.problem)
	}
	return dockerLogin{problem: problem}
}

// authVariable has the content of Docker's file, which it replaces
// (https://docs.docker.com/reference/cli/docker/#environment-variables).
const authVariable = "DOCKER_AUTH_CONFIG"

// loginFiles are the files in which these programs store logins: config.json in
// $DOCKER_CONFIG or ~/.docker, and auth.json as described in
// containers-auth.json(5).
func (l *loader) loginFiles() []string {
	var files []string
	under := func(dir string, path ...string) {
		if dir != "" {
			files = append(files, filepath.Join(append([]string{dir}, path...)...))
		}
	}
	home := cmp.Or(l.Getenv("HOME"), l.Getenv("USERPROFILE"))
	if dir := l.Getenv("DOCKER_CONFIG"); dir != "" {
		under(dir, "config.json")
	} else {
		under(home, ".docker", "config.json")
	}
	if file := l.Getenv("REGISTRY_AUTH_FILE"); file != "" {
		return append(files, file)
	}
	under(l.Getenv("XDG_RUNTIME_DIR"), "containers", "auth.json")
	if dir := l.Getenv("XDG_CONFIG_HOME"); dir != "" {
		under(dir, "containers", "auth.json")
	} else {
		under(home, ".config", "containers", "auth.json")
	}
	return files
}

// loginIn looks for a place in one file or the variable; all use Docker's format.
func (l *loader) loginIn(name, place string, ask asker) dockerLogin {
	data, err := []byte(l.Getenv(name)), error(nil)
	if name != authVariable {
		data, err = l.ReadFile(name)
	}
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(data) == 0 {
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
		return dockerLogin{problem: filepath.Base(name) + ", which holds logins, cannot be read"}
	}
	best, found := 0, dockerLogin{}
	for _, key := range slices.Sorted(maps.Keys(file.Auths)) {
		auth := file.Auths[key]
		depth := keyDepth(key, place)
		if depth <= best {
			continue
		}
		if decoded, err := base64.StdEncoding.DecodeString(auth.Auth); err == nil && len(decoded) > 0 {
			auth.Username, auth.Password, _ = strings.Cut(strings.TrimRight(string(decoded), "\x00"), ":")
		}
		switch {
		case auth.IdentityToken != "":
			best, found = depth, dockerLogin{username: IdentityToken, password: NewSecret(auth.IdentityToken)}
		case auth.Username != "" && auth.Password != "":
			best, found = depth, dockerLogin{username: auth.Username, password: NewSecret(auth.Password)}
		}
	}
	if best > 0 {
		return found
	}
	for key, name := range file.CredHelpers {
		if keyDepth(key, place) > 0 {
			return ask.login(name, key)
		}
	}
	if file.CredsStore == "" {
		return dockerLogin{}
	}
	server, _, _ := strings.Cut(place, "/")
	if server == reference.DockerHub {
		server = "https://index.docker.io/v1/" // the key that Docker writes
	}
	return ask.login(file.CredsStore, server)
}

// maxDockerConfig is the size limit of the file, in bytes. A file with a
// hundred logins has 20 KiB.
const maxDockerConfig = 1 << 20

var helperName = &pattern.Regexp{Text: `^[a-z0-9][a-z0-9._-]*$`}

// login asks a credential helper for the login of a server. Helpers are programs
// named by a file, so that nil runs none.
func (ask asker) login(name, server string) dockerLogin {
	if ask == nil {
		return dockerLogin{problem: "Docker keeps its logins in a credential helper, and Ferry runs such helpers only if FERRY_CREDENTIAL_HELPERS is true"}
	}
	if !helperName.MatchString(name) {
		return dockerLogin{problem: "Docker's config.json names an invalid credential helper"}
	}
	username, secret, err := ask(name, server)
	if errors.Is(err, exec.ErrNotFound) {
		return dockerLogin{problem: "the credential helper docker-credential-" + name + " is not installed, or not in PATH"}
	}
	if err != nil || username == "" || secret == "" {
		return dockerLogin{problem: "the credential helper " + name + " has no login for it"}
	}
	return dockerLogin{username: username, password: NewSecret(secret)}
}

// keyDepth returns how closely a key in these files describes a place: 0 if not at
// all. A key is a host, an address of the old form "https://index.docker.io/v1/",
// or a host with one or more path components (containers-auth.json(5)).
func keyDepth(key, place string) int {
	key = strings.TrimPrefix(strings.TrimPrefix(key, "https://"), "http://")
	host, path, _ := strings.Cut(key, "/")
	if path = strings.Trim(path, "/"); path == "v1" || path == "v2" {
		path = ""
	}
	canonical, _, err := parseHost(host)
	if err != nil || !strings.HasPrefix(place+"/", strings.TrimSuffix(canonical+"/"+path, "/")+"/") {
		return 0
	}
	return 1 + len(path)
}
