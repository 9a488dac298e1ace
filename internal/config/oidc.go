package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/oidc"
)

// credential is the login for one registry: a user name and a password, or an
// identity.
type credential struct {
	username string
	password Secret
	identity oidc.Identity
	problem  string // why there is none
}

// byOIDC in place of a user name in FERRY_LOGINS means that an identity follows.
const byOIDC = "oidc"

// oidcKey adds the key for the identity of the job.
func (d *decoder) oidcKey(l *login, k keys) keys {
	k["oidc"] = func(v value) {
		if text, ok := d.text(v); ok {
			l.oidc = oidc.Identity(text)
		}
	}
	return k
}

// identity checks the identity in the login of v for a host. A faulty login is
// dropped.
func (d *decoder) identity(v value, l *login, host string) {
	if l.oidc == "" {
		return
	}
	identity, err := oidc.Parse(host, string(l.oidc))
	switch {
	case l.username != "" || l.usernameEnv != "" || l.passwordEnv != "":
		d.wrong(v, "has two logins", "remove oidc, or username, username-env and password-env")
	case err != nil:
		d.wrong(v, "has no identity for "+host, err.Error())
	}
	*l = login{oidc: identity}
}

// federated returns the identity as the login for host if the job may request
// ID tokens. At a terminal, it is the login that "docker login" has stored, with
// ask for helpers.
func (l *loader) federated(identity oidc.Identity, host string, at origin, ask asker) credential {
	if l.input("ACTIONS_ID_TOKEN_REQUEST_URL") != "" {
		return credential{identity: identity}
	}
	docker := l.dockerLogin(host, ask)
	if docker.password.IsZero() && l.Copies {
		f := at.fault("has a login by OIDC, which only jobs of GitHub Actions have, and there is no other login for "+host, fmt.Sprintf("run %q", "docker login "+host))
		if l.settings != "" {
			f.Reason, f.Cure = "requires the permission id-token, which the job does not have", `add "id-token: write" to the permissions of the job in `+l.workflowFile()
		}
		l.fault(f.as(Missing))
	}
	return credential{username: docker.username, password: docker.password}
}

// workflowFile returns the address of the page that edits the workflow of this
// run, or its usual name.
func (l *loader) workflowFile() string {
	file, branch, ok := strings.Cut(l.Getenv("GITHUB_WORKFLOW_REF"), "@refs/heads/")
	repository := l.Getenv("GITHUB_REPOSITORY") + "/"
	path, own := strings.CutPrefix(file, repository)
	if !ok || !own {
		return "its workflow"
	}
	return strings.TrimSuffix(l.settings, "/settings") + "/edit/" + branch + "/" + path
}

// jobLogin returns the login for GitHub's own registry by the token of the job,
// which may push there with the permission packages.
func (l *loader) jobLogin(host string) (credential, bool) {
	token := l.input("GITHUB_TOKEN")
	registry := known.Of(host)
	if registry.Vendor != known.GitHub || !slices.Contains(registry.Hosts, host) || token == "" || !strings.HasPrefix(l.settings, "https://github.com/") {
		return credential{}, false // another server of GitHub has another registry
	}
	return credential{username: l.input("GITHUB_REPOSITORY_OWNER"), password: NewSecret(token)}, true
}
