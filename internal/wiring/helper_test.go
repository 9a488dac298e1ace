package wiring

import "testing"

// TestWhoRunsHelpers: a person who typed a command has logged in with the
// helper; elsewhere the owner decides.
func TestWhoRunsHelpers(t *testing.T) {
	for _, test := range []struct {
		typed             bool
		variable, actions string
		want              bool
	}{
		{typed: true, want: true},
		{typed: true, variable: "false"},
		{typed: true, actions: "true"},
		{typed: true, actions: "true", variable: "true", want: true},
		{},
		{actions: "true"},
		{actions: "true", variable: "true", want: true},
		{actions: "true", variable: "yes"},
	} {
		env := Env{Getenv: func(name string) string {
			return map[string]string{"FERRY_CREDENTIAL_HELPERS": test.variable, "GITHUB_ACTIONS": test.actions}[name]
		}}
		if got := env.CredentialHelper(test.typed) != nil; got != test.want {
			t.Errorf("%+v: got %v", test, got)
		}
	}
}
