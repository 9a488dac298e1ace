package registry

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fakecloud"
	"github.com/imageferry/ferry/internal/oidc"
	"github.com/imageferry/ferry/internal/outbound"
	"github.com/imageferry/ferry/internal/reference"
)

// cloudRegistry is a registry whose logins a cloud issues, in memory.
type cloudRegistry struct {
	*fakecloud.Cloud
	host    string
	refused int
	tokens  map[string]string // access tokens and the passwords that they were issued for
}

func (c *cloudRegistry) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != c.host || r.URL.Path == "/oauth2/exchange" {
		return c.Cloud.RoundTrip(r)
	}
	w := httptest.NewRecorder()
	c.serve(w, r)
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

func (c *cloudRegistry) serve(w http.ResponseWriter, r *http.Request) {
	scheme, shown, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	username, password, _ := r.BasicAuth()
	switch {
	case r.URL.Path == "/v2/token": // Google
		if username != "oauth2accesstoken" || !c.Valid(password) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		c.tokens["access-of-"+password] = password
		fmt.Fprintf(w, `{"token":%q,"expires_in":3600}`, "access-of-"+password)
	case r.URL.Path == "/oauth2/token": // Azure
		if password = r.PostFormValue("refresh_token"); !c.Valid(password) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		c.tokens["access-of-"+password] = password
		fmt.Fprintf(w, `{"access_token":%q,"expires_in":4500}`, "access-of-"+password)
	case scheme == "Basic" && strings.Contains(c.host, ".ecr.") && username == "AWS" && c.Valid(password),
		scheme == "Bearer" && c.tokens[shown] != "" && c.Valid(c.tokens[shown]):
		w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
		fmt.Fprint(w, "{}")
	default:
		c.refused++
		challenge := fmt.Sprintf(`Bearer realm="https://%s/oauth2/token",service=%q`, c.host, c.host)
		switch {
		case strings.Contains(c.host, ".ecr."):
			challenge = fmt.Sprintf(`Basic realm="https://%s/",service="ecr.amazonaws.com"`, c.host)
		case strings.Contains(c.host, "pkg.dev"):
			challenge = fmt.Sprintf(`Bearer realm="https://%s/v2/token",service=%q`, c.host, c.host)
		}
		w.Header().Set("WWW-Authenticate", challenge)
		w.WriteHeader(http.StatusUnauthorized)
	}
}

func (*cloudRegistry) Warm(*url.URL, int)            {}
func (*cloudRegistry) HTTP1() bool                   { return false }
func (*cloudRegistry) Trip() time.Duration           { return 0 }
func (*cloudRegistry) Answer(*url.URL) time.Duration { return 0 }
func (*cloudRegistry) Close()                        {}

// inClouds calls test for a registry of each cloud, in virtual time.
func inClouds(t *testing.T, test func(*testing.T, *cloudRegistry, *Client, reference.Reference)) {
	for host, text := range map[string]string{
		"123456789012.dkr.ecr.eu-west-1.amazonaws.com": fakecloud.Role,
		"europe-docker.pkg.dev":                        fakecloud.Provider + " " + fakecloud.Account,
		"images.azurecr.io":                            fakecloud.Tenant + " " + fakecloud.Client,
	} {
		t.Run(host, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				identity, err := oidc.Parse(host, text)
				if err != nil {
					t.Fatal(err)
				}
				ref, err := reference.Parse(host + "/a/b:1")
				if err != nil {
					t.Fatal(err)
				}
				cloud := &cloudRegistry{Cloud: fakecloud.New(), host: host, tokens: map[string]string{}}
				named := outbound.Host{Name: host}
				c := newClient(failure.Target, named, []outbound.Host{named}, account{}, identity, Options{
					UserAgent: "ferry/test", Job: oidc.Job{URL: fakecloud.JobURL, Token: fakecloud.JobToken},
					Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
				})
				c.api, c.bulk = cloud, cloud
				test(t, cloud, c, ref)
			})
		})
	}
}

func (c *cloudRegistry) exchanges() int {
	n := 0
	for _, r := range c.Requests() {
		if strings.HasPrefix(r, "GET run-actions") {
			n++
		}
	}
	return n
}

// TestLoginsAreRenewed works for six hours, the longest job of GitHub Actions. No
// request is refused except the first, which has no login.
func TestLoginsAreRenewed(t *testing.T) {
	inClouds(t, func(t *testing.T, cloud *cloudRegistry, c *Client, ref reference.Reference) {
		var masked []string
		c.opts.Secret = func(secret string) { masked = append(masked, secret) }
		for range 360 {
			if _, err := c.Manifest(t.Context(), ref); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		if n := cloud.exchanges(); n < 6 || n > 7 {
			t.Errorf("%d logins in six hours", n)
		}
		if cloud.refused > 7 { // an access token can outlive its login by minutes
			t.Errorf("%d refused requests", cloud.refused)
		}
		if len(masked) < cloud.exchanges() {
			t.Errorf("%d logins, but only %d values are masked", cloud.exchanges(), len(masked))
		}
	})
}

// TestLoginsThatEndEarly ends all logins every ten minutes, whatever the service
// promised.
func TestLoginsThatEndEarly(t *testing.T) {
	inClouds(t, func(t *testing.T, cloud *cloudRegistry, c *Client, ref reference.Reference) {
		for minute := range 60 {
			if minute%10 == 9 {
				cloud.Revoke()
			}
			if _, err := c.Manifest(t.Context(), ref); err != nil {
				t.Fatalf("minute %d: %v", minute, err)
			}
			time.Sleep(time.Minute)
		}
		if n := cloud.exchanges(); n > 8 {
			t.Errorf("%d logins", n)
		}
	})
}

// TestLoginIsSharedByAll checks that images that need a login at the same time
// wait for one exchange.
func TestLoginIsSharedByAll(t *testing.T) {
	inClouds(t, func(t *testing.T, cloud *cloudRegistry, c *Client, _ reference.Reference) {
		var all sync.WaitGroup
		for range 30 {
			all.Go(func() {
				if _, err := c.auth.login.account(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := cloud.exchanges(); n != 1 {
			t.Errorf("%d exchanges", n)
		}
	})
}

// TestRefusedExchange checks what the owner gets to see, that a refusal is
// remembered, and that nothing secret is repeated.
func TestRefusedExchange(t *testing.T) {
	inClouds(t, func(t *testing.T, cloud *cloudRegistry, c *Client, ref reference.Reference) {
		cloud.Subject = "repo:mallory/ferry:ref:refs/heads/main"
		for range 30 {
			_, err := c.Manifest(t.Context(), ref)
			f, ok := failure.As(err)
			if !ok || f.Code != failure.LoginExchange || f.Detail == "" || f.Kind() != failure.Refusal || !f.ForOwner() {
				t.Fatalf("the failure is %+v", f)
			}
			if len(f.Hints) != 2 || f.Hints[1] != cloud.Subject {
				t.Errorf("hints: %q", f.Hints)
			}
		}
		if proven, err := c.Login(t.Context(), ref.Repository()); proven || failure.CodeOf(err) != failure.LoginExchange {
			t.Errorf("the login is proven: %v, %v", proven, err)
		}
		if n := cloud.exchanges(); n != 1 {
			t.Errorf("%d exchanges", n)
		}
		time.Sleep(2 * time.Minute)
		cloud.Subject = fakecloud.Subject
		if _, err := c.Manifest(t.Context(), ref); err != nil {
			t.Errorf("the cloud trusts the job now: %v", err)
		}
	})
}

// TestServicesThatRepeatSecrets lets each service in turn refuse and repeat all
// that it was sent.
func TestServicesThatRepeatSecrets(t *testing.T) {
	for n := range 4 {
		inClouds(t, func(t *testing.T, cloud *cloudRegistry, c *Client, ref reference.Reference) {
			var sent []string
			cloud.Instead = func(_ string, w http.ResponseWriter, r *http.Request) bool {
				if len(cloud.Requests()) != n+1 {
					return false
				}
				sent = append(sent, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), r.Header.Get("X-Amz-Security-Token"))
				for _, name := range []string{"WebIdentityToken", "subject_token", "client_assertion", "access_token"} {
					sent = append(sent, r.PostFormValue(name))
				}
				w.WriteHeader(http.StatusForbidden)
				fmt.Fprintf(w, `{"error":"denied","error_description":%q}`, "no: "+strings.Join(sent, " "))
				return true
			}
			_, err := c.Manifest(t.Context(), ref)
			f, ok := failure.As(err)
			if len(sent) == 0 {
				return // this cloud has fewer services
			}
			if !ok || f.Code != failure.LoginExchange || !strings.HasPrefix(f.Detail, "no: ") {
				t.Fatalf("the failure is %+v", f)
			}
			for _, secret := range sent {
				if len(secret) > 0 && !strings.HasPrefix(secret, "AWS4-HMAC") && strings.Contains(f.Error()+f.Detail, secret) {
					t.Errorf("%q is repeated: %v\n%s", secret, f, f.Detail)
				}
			}
		})
	}
}

// TestServicesThatFail checks that what passes is tried again, and what does not
// is not.
func TestServicesThatFail(t *testing.T) {
	tests := []struct {
		name, body string
		status     int
		want       failure.Code
	}{
		{"an outage", "", 503, ""},
		{"a rate limit", "", 429, ""},
		{"STS does not reach GitHub", "<Code>IDPCommunicationError</Code>", 400, ""},
		{"a redirect", "", 302, failure.LoginExchange},
		{"no JSON", "<html>", 200, failure.LoginExchange},
		{"an endless body", strings.Repeat("x", 300<<10), 200, failure.LoginExchange},
	}
	for _, tt := range tests {
		inClouds(t, func(t *testing.T, cloud *cloudRegistry, c *Client, ref reference.Reference) {
			cloud.Instead = func(_ string, w http.ResponseWriter, _ *http.Request) bool {
				if len(cloud.Requests()) != 2 {
					return false
				}
				w.Header().Set("Location", "https://evil.example/")
				w.WriteHeader(tt.status)
				fmt.Fprint(w, tt.body)
				return true
			}
			_, err := c.Manifest(t.Context(), ref)
			if got := failure.CodeOf(err); got != tt.want {
				t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
			}
			for _, r := range cloud.Requests() {
				if strings.Contains(r, "evil") {
					t.Errorf("%s: %s", tt.name, r)
				}
			}
		})
	}
}

// TestCancelledExchange checks that an image that is given up does not wait for
// the exchange of others.
func TestCancelledExchange(t *testing.T) {
	inClouds(t, func(t *testing.T, _ *cloudRegistry, c *Client, _ reference.Reference) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		c.auth.login.turn <- struct{}{}
		_, err := c.auth.login.account(ctx)
		<-c.auth.login.turn
		wantCode(t, err, failure.Cancelled)
	})
}

// TestTokenServicesAreGuarded checks that the guard covers connections to token
// services.
func TestTokenServicesAreGuarded(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a server on loopback was asked") }))
	defer server.Close()
	identity, err := oidc.Parse("images.azurecr.io", fakecloud.Tenant+" "+fakecloud.Client)
	if err != nil {
		t.Fatal(err)
	}
	opts := impatient
	opts.Job = oidc.Job{URL: server.URL + "/?a=b", Token: "job-secret"}
	set := NewTargets([]config.Target{{Host: "images.azurecr.io", Namespace: "a", OIDC: identity}}, nil, opts)
	defer set.Close()
	c, _ := set.at(namespace{"images.azurecr.io", "a"})
	_, err = c.auth.login.account(t.Context())
	wantCode(t, err, failure.BadAddress)
}
