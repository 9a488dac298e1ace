package conformance

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/failure"
	fake "github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/mirror"
)

// behaviours are the behaviours of registries and of proxies in front of them
// (docs/registries.md), with the expected result: a copy, or a failure with the
// right code and message.
func behaviours() []behaviour {
	return []behaviour{
		// Reading a manifest back.
		{name: "HEAD of manifests is 404", behave: onTarget(fake.Refusing("^HEAD .*/manifests/", -1, 404, ""))},
		{name: "HEAD of manifests is 405", behave: onTarget(fake.Refusing("^HEAD .*/manifests/", -1, 405, ""))},
		{name: "HEAD of manifests is 400", behave: onTarget(fake.Refusing("^HEAD .*/manifests/", -1, 400, ""))},
		{name: "HEAD of manifests is 403", behave: onTarget(fake.Refusing("^HEAD .*/manifests/", -1, 403, ""))},
		{name: "HEAD of manifests is 500", behave: onTarget(fake.Refusing("^HEAD .*/manifests/", -1, 500, ""))},
		{name: "a tag appears after 2 s", behave: func(tr *trial) {
			tr.target.Behave(fake.Lagging(tr.clock.Now, 2*time.Second, 404, coded(distribution.ManifestUnknown, "manifest unknown")))
		},
			check: func(t *testing.T, o outcome) { wantChanges(t, o) }},
		{name: "a tag appears after a minute", behave: func(tr *trial) {
			tr.target.Behave(fake.Lagging(tr.clock.Now, time.Minute, 404, coded(distribution.ManifestUnknown, "manifest unknown")))
		},
			check: func(t *testing.T, o outcome) {
				if wantChanges(t, o); o.waited > time.Second {
					t.Errorf("it waited %v for a tag that its digest confirms", o.waited)
				}
			}},
		{name: "a tag is the old one for 8 s", behave: func(tr *trial) { older(tr, 8*time.Second) },
			check: func(t *testing.T, o outcome) { wantChanges(t, o) }},
		{name: "a tag is the old one for a minute", behave: func(tr *trial) { older(tr, time.Minute) },
			check: func(t *testing.T, o outcome) { wantChanges(t, o, mirror.Unconfirmed) }},
		{name: "a login that may push and not pull", target: fake.Options{Username: username, Password: password},
			behave: onTarget(fake.Refusing("^(GET|HEAD) .*/manifests/", -1, 403, `{"errors":[{"code":"DENIED","message":"action: pull"}]}`)),
			check:  func(t *testing.T, o outcome) { wantChanges(t, o, mirror.Unconfirmed) }},

		// Temporary refusals.
		{name: "403 without a challenge, once", behave: onSource(fake.Refusing("/manifests/1", 1, 403, ""))},
		{name: "403 of a page, twice", behave: onSource(fake.Refusing("/manifests/1", 2, 403, "<html>403 Forbidden</html>"))},
		{name: "403 without a challenge, always", behave: onSource(fake.Refusing("/manifests/1", -1, 403, "")), want: failure.Private, says: private},
		{name: "a page in place of a manifest, once", behave: onSource(fake.Refusing("^GET .*/manifests/1", 1, 200, "<html>sign in</html>"))},
		{name: "404 of a page, once", behave: onSource(fake.Refusing("/manifests/1", 1, 404, "<html>404 Not Found</html>"))},
		{name: "403 of the token server, once", source: fake.Options{Tokens: true}, behave: onSource(fake.Refusing("^GET /token", 1, 403, ""))},
		{name: "502 of a proxy, three times", behave: onSource(fake.Refusing("^GET ", 3, 502, "<html>502 Bad Gateway</html>"))},
		{name: "429 without a time, four times", behave: onTarget(fake.Refusing("^PUT .*/manifests/", 4, 429, "")),
			check: func(t *testing.T, o outcome) {
				if o.waited < 2*time.Second {
					t.Errorf("it waited %v, which is impolite", o.waited)
				}
			}},
		{name: "a token that is not valid yet", source: fake.Options{Tokens: true},
			behave: func(tr *trial) { tr.source.Behave(fake.Skewed(tr.clock.Now, 1200*time.Millisecond)) }},
		{name: "a token that is not valid yet, at the target", target: fake.Options{Tokens: true, Username: username, Password: password},
			behave: func(tr *trial) { tr.target.Behave(fake.Skewed(tr.clock.Now, 1200*time.Millisecond)) }},
		{name: "404 without a challenge", target: fake.Options{Tokens: true, Username: username, Password: password}, behave: onTarget(fake.Silent())},
		{name: "404 without a challenge, at a source with tokens", source: fake.Options{Tokens: true}, behave: onSource(fake.Silent())},

		// Challenges.
		{name: "Basic before Bearer in one header", source: fake.Options{Tokens: true},
			behave: onSource(fake.Challenging(`Basic realm="registry", Bearer realm="http://HOST/token",service="fake",scope="repository:REPOSITORY:pull"`))},
		{name: "Bearer before Basic, lower case", source: fake.Options{Tokens: true},
			behave: onSource(fake.Challenging(`bearer realm="http://HOST/token" , service="fake", basic realm="registry"`))},
		{name: "Negotiate beside Bearer", source: fake.Options{Tokens: true},
			behave: onSource(fake.Challenging(`Negotiate`, `NTLM TlRMTVNTUAAC==`, `Bearer service="fake",realm="http://HOST/token"`))},
		{name: "another scope than the path", behave: onSource(fake.NamingScopes("img"))},
		{name: "expires_in is a string", source: fake.Options{Tokens: true}, behave: onSource(fake.AnsweringTokens(`{"token":"TOKEN","expires_in":"3600"}`))},
		{name: "expires_in is an object", source: fake.Options{Tokens: true}, behave: onSource(fake.AnsweringTokens(`{"access_token":"TOKEN","expires_in":{}}`))},
		{name: "an e-mail address for a user name", target: fake.Options{Tokens: true, Username: "somebody", Password: "else"}, want: failure.LoginIsEmail, says: email,
			behave: func(*trial) {}},

		// Parts of blobs.
		{name: "Range is 400", layers: []int{3 << 20}, behave: onSource(farAway, fake.RefusingRanges(400)), check: rangesOnce},
		{name: "Range is 403", layers: []int{3 << 20}, behave: onSource(farAway, fake.RefusingRanges(403)), check: rangesOnce},
		{name: "Range is 416", layers: []int{3 << 20}, behave: onSource(farAway, fake.RefusingRanges(416)), check: rangesOnce},
		{name: "Range is 501", layers: []int{3 << 20}, behave: onSource(farAway, fake.RefusingRanges(501)), check: rangesOnce},
		{name: "Range breaks the connection", layers: []int{3 << 20}, behave: onSource(farAway, fake.BreakingRanges())},

		// Uploads.
		{name: "a session without a location, twice", behave: onTarget(fake.Refusing("^POST ", 2, 202, ""))},
		{name: "a session whose address must stay as it is", memory: true, behave: func(tr *trial) {
			const state = "?_state=a;b=+/%2B"
			tr.target.Behave(fake.Locating(func(at, _ string) string {
				if strings.Contains(at, "/uploads/") {
					at += state
				}
				return at
			}))
			tr.target.Behave(func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/uploads/") {
						_, digest, ok := strings.Cut("?"+r.URL.RawQuery, state+"&")
						if !ok {
							tr.t.Errorf("the query is %q", r.URL.RawQuery)
						}
						r.URL.RawQuery = digest
					}
					next.ServeHTTP(w, r)
				})
			})
		}},
		{name: "a mount is 403", behave: onTarget(fake.Refusing("^POST .*mount=", -1, 403, `{"errors":[{"code":"DENIED","message":"not allowed"}]}`))},
		{name: "a mount is 429, once", behave: onTarget(fake.Refusing("^POST .*mount=", 1, 429, ""))},
		{name: "a mount is a page of a gateway", behave: onTarget(fake.Refusing("^POST .*mount=", -1, 504, "<html>504 Gateway Time-out</html>"))},
		{name: "HEAD of manifests is 501", behave: onTarget(fake.Refusing("^HEAD .*/manifests/", -1, 501, ""))},
		{name: "HEAD of manifests is 429", behave: onTarget(fake.Refusing("^HEAD .*/manifests/", -1, 429, ""))},
		{name: "HEAD of blobs is 401", behave: onTarget(fake.Refusing("^HEAD .*/blobs/", -1, 401, ""))},
		{name: "520 of a proxy, twice", behave: onSource(fake.Refusing("^GET ", 2, 520, "<html>520</html>"))},
		{name: "425 to a manifest, once", behave: onTarget(fake.Refusing("^PUT .*/manifests/", 1, 425, ""))},
		{name: "an upload is 503, once", behave: onTarget(fake.Refusing("^PUT .*/blobs/", 1, 503, "<html>503</html>"))},
		{name: "referrers are 403", behave: onSource(fake.Refusing("/referrers/", -1, 403, ""))},
		{name: "referrers are a page", behave: onSource(fake.Refusing("/referrers/", -1, 200, "<html>sign in</html>"))},
		{name: "a blob is 403 of a page, once", behave: onSource(fake.Refusing("^GET .*/blobs/", 1, 403, "<html>403</html>"))},
		{name: "the token server is 500, once", source: fake.Options{Tokens: true}, behave: onSource(fake.Refusing("^GET /token", 1, 500, ""))},
		{name: "the token server is 429, once", target: fake.Options{Tokens: true, Username: username, Password: password}, behave: onTarget(fake.Refusing("^GET /token", 1, 429, ""))},
		{name: "a mount is 500", behave: onTarget(fake.Refusing("^POST .*mount=", -1, 500, ""))},
		{name: "a mount is 401", behave: onTarget(fake.Refusing("^POST .*mount=", -1, 401, ""))},
		{name: "a mount is 404", behave: onTarget(fake.Refusing("^POST .*mount=", -1, 404, ""))},
		{name: "a mount that is none", behave: onTarget(fake.LyingAboutMounts())},
		{name: "a blob is committed by 202", behave: onTarget(fake.AnsweringAs("^PUT .*/uploads/", 202))},
		{name: "a blob is committed by 200", behave: onTarget(fake.AnsweringAs("^PUT .*/uploads/", 200))},
		{name: "a manifest is taken by 204", behave: onTarget(fake.AnsweringAs("^PUT .*/manifests/", 204))},
		{name: "no HEAD of blobs", behave: onTarget(fake.Refusing("^HEAD .*/blobs/", -1, 405, ""), fake.AnsweringAs("^PUT .*/uploads/", 202))},
		{name: "uploads begin elsewhere", behave: func(tr *trial) {
			tr.target.Behave(fake.RedirectingWrites("^POST ", tr.other))
		}},
		{name: "manifests are put elsewhere", behave: func(tr *trial) {
			tr.target.Behave(fake.RedirectingWrites("^PUT .*/manifests/", tr.other))
		}},
		{name: "blobs are put elsewhere", behave: func(tr *trial) {
			tr.target.Behave(fake.RedirectingWrites("^PUT .*/uploads/", tr.other))
		}},
		{name: "a proxy cuts long requests and keeps nothing", behave: onTarget(fake.CuttingBodies(6 << 20)), layers: []int{20 << 20}},
		{name: "requests of 1 MiB at most", layers: []int{5 << 20}, behave: onTarget(fake.LimitingBodies(1 << 20))},
		{name: "requests of 10 kB at most", layers: []int{1 << 20}, behave: onTarget(fake.LimitingBodies(10_000)), want: failure.RequestLimit, says: limit},
		{name: "locations without the port", behave: onTarget(fake.Locating(func(at, host string) string {
			name, _, _ := strings.Cut(host, ":")
			return "http://" + name + at
		}))},
		{name: "locations without TLS", behave: func(tr *trial) {
			tr.tls = true
			tr.target.Behave(fake.Locating(func(at, host string) string { return "http://" + host + at }))
		}},
		{name: "a realm without TLS", target: fake.Options{Tokens: true, Username: username, Password: password}, behave: func(tr *trial) {
			tr.tls = true
			tr.target.Behave(fake.Challenging(`Bearer realm="http://HOST/token",service="fake"`))
		}},

		// Faults of the image or the registry.
		{name: "an immutable tag", want: failure.TagImmutable, says: immutable,
			behave: func(tr *trial) {
				tr.target.Add("m/img", "1", fake.Generate(fake.Spec{Seed: 99, Platforms: []string{"linux/amd64"}, Layers: []int{10}}))
				tr.target.Behave(tr.target.Immutable())
			},
			check: func(t *testing.T, o outcome) {
				if tags := o.trial.target.Tags("m/img"); len(tags) != 1 || o.trial.target.Count("^PUT .*/manifests/1$") != 1 {
					t.Errorf("tags %v; the tag was put %d times", tags, o.trial.target.Count("^PUT .*/manifests/1$"))
				}
			}},
		{name: "manifests are rewritten", behave: onTarget(fake.Rewriting()), want: failure.Rewritten, says: rewritten,
			check: func(t *testing.T, o outcome) {
				if o.waited > 2*time.Second {
					t.Errorf("it waited %v", o.waited)
				}
			}},
		{name: "a manifest of 5 MiB", memory: true, want: failure.ManifestTooLarge, says: large, behave: func(tr *trial) {
			root := tr.image.Root()
			tr.source.PutManifest("ns/img", "1", root.MediaType, append([]byte(strings.Repeat(" ", 5<<20)), root.Body...))
		}},
		{name: "manifests are compressed", source: fake.Options{Tokens: true}, behave: onSource(fake.Compressing("^GET .*/(manifests/|token)"))},
		{name: "a layer of another size", memory: true, behave: func(tr *trial) {
			miscount(tr, func(m map[string]any) any { return m["layers"].([]any)[0] }, 1)
		}},
		{name: "a layer of a far larger size", memory: true, want: failure.WrongSize, says: miscounted, behave: func(tr *trial) {
			miscount(tr, func(m map[string]any) any { return m["layers"].([]any)[0] }, -100_000)
		}, layers: []int{200_000}},

		// Extras.
		{name: "referrers are 429 for a minute", behave: onSource(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.Path, "/referrers/") {
					w.Header().Set("Retry-After", "60")
					distribution.WriteError(w, http.StatusTooManyRequests, distribution.TooManyRequests, "Rate exceeded")
					return
				}
				next.ServeHTTP(w, r)
			})
		}), check: func(t *testing.T, o outcome) {
			if wantChanges(t, o, mirror.ReferrersUnread); o.waited > 5*time.Second {
				t.Errorf("it waited %v for signatures", o.waited)
			}
		}},
		{name: "referrers are 500", behave: onSource(fake.Refusing("/referrers/", -1, 500, "")),
			check: func(t *testing.T, o outcome) { wantChanges(t, o, mirror.ReferrersUnread) }},
	}
}

func onSource(all ...fake.Behaviour) func(*trial) {
	return func(tr *trial) {
		for _, b := range all {
			tr.source.Behave(b)
		}
	}
}

func onTarget(all ...fake.Behaviour) func(*trial) {
	return func(tr *trial) {
		for _, b := range all {
			tr.target.Behave(b)
		}
	}
}

// older makes the target's tag return another image for the time d after the
// push.
func older(tr *trial, d time.Duration) {
	tr.target.Add("m/img", "1", fake.Generate(fake.Spec{Seed: 99, Platforms: []string{"linux/amd64"}, Layers: []int{10}}))
	tr.target.Behave(tr.target.Stale(tr.clock.Now, d))
}

// farAway delays responses, so that a client requests parts.
func farAway(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(8 * time.Millisecond)
		next.ServeHTTP(w, r)
	})
}

// rangesOnce checks that a registry that refuses parts gets few requests for
// them.
func rangesOnce(t *testing.T, o outcome) {
	if n := o.trial.source.Count("^GET .*/blobs/"); n > 10 {
		t.Errorf("blobs were asked for %d times", n)
	}
}

func wantChanges(t *testing.T, o outcome, want ...mirror.Change) {
	t.Helper()
	if o.receipt != nil && fmt.Sprint(o.receipt.Changes) != fmt.Sprint(want) {
		t.Errorf("changes are %v, want %v", o.receipt.Changes, want)
	}
}

// coded returns the body of a refusal.
func coded(code, message string) string {
	return fmt.Sprintf(`{"errors":[{"code":%q,"message":%q}]}`, code, message)
}

// miscount adds to a size in the image's manifest.
func miscount(tr *trial, part func(map[string]any) any, more float64) {
	var m map[string]any
	if err := json.Unmarshal(tr.image.Root().Body, &m); err != nil {
		tr.t.Fatal(err)
	}
	d := part(m).(map[string]any)
	d["size"] = d["size"].(float64) + more
	body, err := json.Marshal(m)
	if err != nil {
		tr.t.Fatal(err)
	}
	tr.source.PutManifest("ns/img", "1", tr.image.Root().MediaType, body)
}
