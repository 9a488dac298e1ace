package wiring

import (
	"testing"

	"github.com/imageferry/ferry/internal/fakecloud"
	"github.com/imageferry/ferry/internal/oidc"
)

// TestJob checks that the clients of registries know where the job gets its ID
// tokens.
func TestJob(t *testing.T) {
	environ := map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": fakecloud.JobURL, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": fakecloud.JobToken}
	env := Env{Getenv: func(name string) string { return environ[name] }}
	if got, want := env.Registries(nil).Job, (oidc.Job{URL: fakecloud.JobURL, Token: fakecloud.JobToken}); got != want {
		t.Errorf("the job is %+v, want %+v", got, want)
	}
}
