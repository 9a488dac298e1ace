package config

import (
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/fakecloud"
)

const (
	ecr = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
	gar = "europe-docker.pkg.dev"
	acr = "images.azurecr.io"
)

// inFederatedJob is a workflow whose job may request ID tokens.
func inFederatedJob(policy string, env ...string) world {
	return inAction(policy, append(env, "ACTIONS_ID_TOKEN_REQUEST_URL", fakecloud.JobURL, "ACTIONS_ID_TOKEN_REQUEST_TOKEN", fakecloud.JobToken)...)
}

func TestIdentities(t *testing.T) {
	const policy = `
targets:
  - {oidc: "` + fakecloud.Role + `", to: ` + ecr + `/mirror}
  - {to: ` + gar + `/project/mirror}
  - {to: docker.io/alice}
sources:
  - {host: ` + acr + `, oidc: "` + fakecloud.Tenant + ` ` + fakecloud.Client + `"}
`
	c := inFederatedJob(policy, "FERRY_USERNAME", "alice", "FERRY_PASSWORD", "own-password",
		"FERRY_LOGINS", gar+" oidc "+fakecloud.Provider+" "+fakecloud.Account).load(t)
	for i := range 2 {
		if target := c.Targets[i]; target.OIDC == "" || !target.HasLogin() || target.Username != "" || !target.Password.IsZero() {
			t.Errorf("the login of %s is %+v", target, target)
		}
	}
	if target := c.Targets[2]; target.OIDC != "" || target.Password.Reveal() != "own-password" {
		t.Errorf("%s does not have the password: %+v", target, target)
	}
	for _, s := range c.Sources {
		if s.Host == acr && (s.OIDC == "" || !s.HasLogin() || s.Requests != Collaborators) {
			t.Errorf("the source is %+v", s)
		}
	}
}

// TestIdentitiesAtATerminal checks that a login of "docker login" replaces the
// identity where there is no job.
func TestIdentitiesAtATerminal(t *testing.T) {
	const policy = `targets: [{to: ` + ecr + `/mirror, oidc: "` + fakecloud.Role + `"}]`
	w := inAction(policy)
	w.files["/home/runner/.docker/config.json"] = `{"auths":{"` + ecr + `":{"username":"AWS","password":"typed"}}}`
	c := w.load(t)
	if target := c.Targets[0]; target.OIDC != "" || target.Password.Reveal() != "typed" {
		t.Errorf("the login is %+v", target)
	}
}

func TestIdentityFaults(t *testing.T) {
	const target = "targets: [{to: " + ecr + `/mirror, oidc: "` + fakecloud.Role + `"}]`
	const refs = "octo-org/mirrors/.github/workflows/mirror.yml@refs/heads/main"
	tests := []struct {
		name string
		w    world
		want string
	}{
		{"not an identity", inFederatedJob(`targets: [{to: ` + ecr + `/mirror, oidc: admin}]`),
			`.github/ferry.yaml:1: targets[0] has no identity for ` + ecr + `: write the ARN of a role, such as arn:aws:iam::123456789012:role/ferry`},
		{"another registry", inFederatedJob(`targets: [{to: quay.io/mirror, oidc: admin}]`, "FERRY_USERNAME", "a", "FERRY_PASSWORD", "b"),
			`.github/ferry.yaml:1: targets[0] has no identity for quay.io: write a user name and a password; ` +
				`logins by OIDC are for Amazon ECR, Google Artifact Registry and Azure Container Registry`},
		{"two logins", inFederatedJob(`sources: [{host: `+acr+`, oidc: "`+fakecloud.Tenant+` `+fakecloud.Client+`", username: a, password-env: B}]`,
			"FERRY_USERNAME", "a", "FERRY_PASSWORD", "b"), `sources[0] has two logins: remove oidc, or username, username-env and password-env`},
		{"no permission", inAction(target, "GITHUB_WORKFLOW_REF", refs), `.github/ferry.yaml:1: targets[0] requires the permission id-token, which the job does not have: ` +
			`add "id-token: write" to the permissions of the job in https://github.com/octo-org/mirrors/edit/main/.github/workflows/mirror.yml`},
		{"no permission, a workflow elsewhere", inAction(target, "GITHUB_WORKFLOW_REF", "other/repo/.github/workflows/x.yml@refs/heads/main"), `of the job in its workflow`},
		{"at a terminal", world{env: map[string]string{}, files: map[string]string{DefaultPath: target}},
			`targets[0] has a login by OIDC, which only jobs of GitHub Actions have, and there is no other login for ` + ecr + `: run "docker login ` + ecr + `"`},
		{"a line that is not an identity", inFederatedJob(`targets: [{to: `+acr+`/mirror}]`, "FERRY_LOGINS", acr+" oidc s3cret"),
			"FERRY_LOGINS line 1 has no identity for " + acr + ": write the ID of the tenant, a space and the ID of the client"},
		{"a line without permission", inAction(`targets: [{to: `+acr+`/mirror}]`, "FERRY_LOGINS", acr+" oidc "+fakecloud.Tenant+" "+fakecloud.Client),
			"FERRY_LOGINS line 1 requires the permission id-token"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			faults := tt.w.faults(t, tt.w.options())
			if !strings.Contains(faults[0], tt.want) || strings.Contains(strings.Join(faults, ""), "s3cret") {
				t.Errorf("the faults are\n%s, want\n%s", strings.Join(faults, "\n"), tt.want)
			}
		})
	}
}

// TestTokenOfTheJob checks which registry gets the job's token: GitHub's own,
// if nothing else is set for it.
func TestTokenOfTheJob(t *testing.T) {
	job := []string{"GITHUB_TOKEN", "job-token", "GITHUB_REPOSITORY_OWNER", "Octo-Org"}
	with := func(more ...string) []string { return append(more, job...) }
	login := func(c *Config, i int) string { return c.Targets[i].Username + " " + c.Targets[i].Password.Reveal() }

	c := inAction("", with("FERRY_TARGET", "ghcr.io")...).load(t)
	if got := c.Targets[0].String() + " " + login(c, 0); got != "ghcr.io/octo-org Octo-Org job-token" {
		t.Errorf("the host alone: %s", got)
	}
	c = inAction("targets: [{to: ghcr.io/octo-org/mirrors}, {to: docker.io/alice}]", with("FERRY_USERNAME", "alice", "FERRY_PASSWORD", "hub")...).load(t)
	if login(c, 0) != "Octo-Org job-token" || login(c, 1) != "alice hub" {
		t.Errorf("beside another target: %s, %s", login(c, 0), login(c, 1))
	}
	c = inAction("", with("FERRY_TARGET", "ghcr.io/alice", "FERRY_USERNAME", "alice", "FERRY_PASSWORD", "personal")...).load(t)
	if login(c, 0) != "alice personal" {
		t.Errorf("with a password: %s", login(c, 0))
	}
	w := inAction("", with("FERRY_TARGET", "ghcr.io/alice")...)
	w.files["/home/runner/.docker/config.json"] = `{"auths":{"ghcr.io":{"username":"alice","password":"stored"}}}`
	if c = w.load(t); login(c, 0) != "alice stored" {
		t.Errorf("after docker login: %s", login(c, 0))
	}
	for name, w := range map[string]world{
		"another registry":         inAction("", with("FERRY_TARGET", "quay.io/alice")...),
		"another server of GitHub": inAction("", with("FERRY_TARGET", "ghcr.io/alice", "GITHUB_SERVER_URL", "https://ghe.example.com")...),
		"a look-alike":             inAction("", with("FERRY_TARGET", "ghcr.io.example.com/alice")...),
		"a port":                   inAction("", with("FERRY_TARGET", "ghcr.io:8443/alice")...),
		"no job":                   {env: map[string]string{"GITHUB_TOKEN": "job-token", "FERRY_TARGET": "ghcr.io/alice"}},
	} {
		if c, err := Load(w.options()); err == nil || len(c.Targets) > 0 && c.Targets[0].Password.Reveal() == "job-token" {
			t.Errorf("%s gets the token", name)
		}
	}
}
