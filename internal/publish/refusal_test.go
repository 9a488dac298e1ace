package publish_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/publish"
)

// TestRefusals refuses requests as GitHub does. The message decides more than
// the status, and the first refusals of a run may be too early.
func TestRefusals(t *testing.T) {
	const ever = -1
	said := func(message string) string { return fmt.Sprintf(`{"message":%q}`, message) }
	for _, c := range []struct {
		name   string
		write  bool
		times  int
		status int
		body   string
		want   publish.Code // empty for success
	}{
		{"archived", true, ever, 403, said("Repository was archived so is read-only."), publish.Archived},
		{"archived, as a validation", true, ever, 422, `{"message":"Validation Failed","errors":[{"message":"Repository was archived so is read-only"}]}`, publish.Archived},
		{"allow list of addresses", true, ever, 403, said("Although you appear to have the correct authorization credentials, the `acme` organization has an IP allow list enabled, and your IP address is not permitted to access this resource."), publish.Refused},
		{"single sign-on", true, ever, 403, said("Resource protected by organization SAML enforcement. You must grant your OAuth token access to this organization."), publish.Refused},
		{"suspended App", true, ever, 403, said("This installation has been suspended"), publish.Refused},
		{"suspended account", true, ever, 403, said("Sorry. Your account was suspended."), publish.Refused},
		{"a block", false, ever, 451, said("Repository access blocked"), publish.Refused},
		{"no permission of the job", true, ever, 403, said("Resource not accessible by integration"), publish.Permission},
		{"no permission of a personal token", true, ever, 403, said("Resource not accessible by personal access token"), publish.Permission},
		{"no push access", true, ever, 403, said("Must have push access to repository"), publish.Permission},
		{"locked for a migration", true, ever, 403, said("Repository has been locked for migration."), publish.Refused},
		{"no message", true, ever, 403, "", publish.Permission},
		{"locked", true, ever, 403, said("Unable to create comment because issue is locked."), publish.Mute},
		{"many comments, in the errors", true, ever, 422, `{"message":"Validation Failed","errors":[{"resource":"IssueComment","code":"unprocessable","field":"data","message":"Commenting is disabled on issues with more than 2500 comments"}]}`, publish.Mute},
		{"an interaction limit", true, ever, 403, said("An owner of this repository has limited the ability to comment to users that are collaborators on this repository."), publish.Mute},
		{"a new issue", false, 1, 404, said("Not Found"), ""},
		{"a deleted issue", false, ever, 404, said("Not Found"), publish.Gone},
		{"a new token", false, 1, 401, said("Bad credentials"), ""},
		{"a bad token", false, ever, 401, said("Bad credentials"), publish.Token},
	} {
		t.Run(c.name, func(t *testing.T) {
			calls := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/comments") && r.Method == http.MethodGet {
					fmt.Fprint(w, `[]`)
					return
				}
				if calls++; c.times == ever || calls <= c.times {
					w.WriteHeader(c.status)
					fmt.Fprint(w, c.body)
					return
				}
				fmt.Fprint(w, `{"number": 1}`)
			}))
			defer server.Close()
			hub := client(t, newClock(), server.URL, func(o *publish.Options) {
				o.Sleep = func(context.Context, time.Duration) error { return nil }
			})
			_, err := hub.Issue(t.Context(), 1)
			if c.write {
				calls = 0
				v, _ := hub.Open(t.Context(), 1)
				err = v.Progress(t.Context(), "hello")
			}
			if code(err) != string(c.want) || calls > 2 {
				t.Errorf("error %v after %d requests, want %q", err, calls, c.want)
			}
		})
	}
}
