package registry

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/failure"
)

// TestRefusalsAreUnderstood checks the classification of real responses of
// registries.
func TestRefusalsAreUnderstood(t *testing.T) {
	const source, target = failure.Source, failure.Target
	cases := []struct {
		who    string
		side   failure.Side
		status int
		body   string
		want   failure.Code
	}{
		{"Docker Hub, pull limit", source, 429, `{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit"}]}`, failure.RateLimited},
		{"Docker Hub, abuse limit", source, 429, `Too Many Requests (HAP429).`, failure.RateLimited},
		{"Docker Hub, no such repository or private", source, 401, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":[{"Type":"repository","Class":"","Name":"library/nope","Action":"pull"}]}]}`, failure.Private},
		{"Docker Hub, no such tag", source, 404, `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":"unknown tag=nope"}]}`, failure.NotFound},
		{"Docker Hub, token with a wrong password", target, 401, `{"details":"incorrect username or password"}`, failure.TargetLogin},
		{"Docker Hub, not one's own namespace", target, 401, `{"errors":[{"code":"UNAUTHORIZED","message":"access to the requested resource is not authorized","detail":[{"Type":"repository","Name":"library/x","Action":"push"}]}]}`, failure.TargetLogin},
		{"Docker Hub, old builds", target, 403, `{"errors":[{"code":"DENIED","message":"unknown manifest class for application/octet-stream"}]}`, failure.TargetRefused},
		{"GHCR, private or none", source, 403, `{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}`, failure.Private},
		{"GHCR, no write permission", target, 403, `{"errors":[{"code":"DENIED","message":"permission_denied: write_package"}]}`, failure.TargetLogin},
		{"GHCR, rate", source, 429, `{"errors":[{"code":"TOOMANYREQUESTS","message":"retry-after: 333.939671ms, allowed: 44000/minute"}]}`, failure.RateLimited},
		{"quay.io, private or none", source, 401, `{"errors":[{"code":"UNAUTHORIZED","detail":{},"message":"access to the requested resource is not authorized"}]}`, failure.Private},
		{"quay.io, expired tag", source, 404, `{"errors":[{"code":"MANIFEST_UNKNOWN","detail":{},"message":"manifest unknown"}]}`, failure.NotFound},
		{"quay.io, read-only", target, 405, `{"errors":[{"code":"UNSUPPORTED","detail":{},"message":"System is currently read-only. Pulls will succeed but all write operations are currently suspended."}]}`, failure.TargetClosed},
		{"Artifact Registry, none", source, 404, `{"errors":[{"code":"NAME_UNKNOWN","message":"Repository \"nope\" not found"}]}`, failure.NotFound},
		{"Artifact Registry, no right", target, 403, `{"errors":[{"code":"DENIED","message":"Permission \"artifactregistry.repositories.uploadArtifacts\" denied on resource \"projects/p/locations/us/repositories/r\" (or it may not exist)"}]}`, failure.TargetLogin},
		{"gcr.io, no tag", source, 404, `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"Failed to fetch \"nope\" from request \"/v2/google-containers/pause/manifests/nope\"."}]}`, failure.NotFound},
		{"Artifact Registry, rate", source, 429, `{"errors":[{"code":"TOOMANYREQUESTS","message":"Quota exceeded for quota metric 'Requests per project per region' and limit 'Requests per project per region per minute per region'"}]}`, failure.RateLimited},
		{"Aliyun ACR, OCI 1.1", target, 403, `{"errors":[{"code":"DENIED","message":"unknown manifest class for application/vnd.oci.empty.v1+json"}]}`, failure.TargetRefused},
		{"Aliyun ACR, login", target, 401, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":[{"Type":"repository","Class":"","Name":"ns/x","Action":"push"}]}]}`, failure.TargetLogin},
		{"Aliyun ACR, no namespace", target, 403, `{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}`, failure.TargetLogin},
		{"Aliyun ACR, number of repositories", target, 403, `{"errors":[{"code":"DENIED","message":"repository count reached the limit of your instance"}]}`, failure.Quota},
		{"distribution, missing blob", target, 400, `{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown to registry","detail":"sha256:00"}]}`, failure.PartLost},
		{"distribution, bad manifest", target, 400, `{"errors":[{"code":"MANIFEST_INVALID","message":"manifest invalid","detail":{}}]}`, failure.TargetRefused},
		{"distribution, bad digest", target, 400, `{"errors":[{"code":"DIGEST_INVALID","message":"provided digest did not match uploaded content"}]}`, failure.Corrupt},
		{"distribution, read-only", target, 405, `{"errors":[{"code":"UNSUPPORTED","message":"The operation is unsupported."}]}`, failure.TargetClosed},
		{"distribution, rate of its storage", target, 429, `{"errors":[{"code":"TOOMANYREQUESTS","message":"too many requests"}]}`, failure.RateLimited},
		{"distribution, name", target, 400, `{"errors":[{"code":"NAME_INVALID","message":"invalid repository name"}]}`, failure.TargetRefused},
		{"distribution, unavailable", target, 503, `{"errors":[{"code":"UNAVAILABLE","message":"service unavailable"}]}`, failure.Unavailable},
		{"Harbor, no project", target, 404, `{"errors":[{"code":"NOT_FOUND","message":"project nope not found"}]}`, failure.NotFound},
		{"Harbor, quota", target, 412, `{"errors":[{"code":"PRECONDITION","message":"adding 30.1 MiB of storage resource, which when updated to current usage of 1.0 GiB will exceed the configured upper limit of 1.0 GiB."}]}`, failure.Quota},
		{"Harbor, immutable tag", target, 412, `{"errors":[{"code":"PRECONDITION","message":"Failed to process request due to 'x:1' configured as immutable."}]}`, failure.TagImmutable},
		{"Artifactory, overwriting", target, 403, `{"errors":[{"code":"DENIED","message":"Not enough permissions to overwrite artifact 'a/1/manifest.json' (user 'u' needs DELETE permission)."}]}`, failure.TagImmutable},
		{"DigitalOcean, repositories", target, 403, `{"errors":[{"code":"DENIED","message":"registry contains 1 repositories, limit is 1"}]}`, failure.Quota},
		{"a limit of Go's server", target, 400, "http: request body too large\n", failure.RequestLimit},
		{"a limit that looks like a login", source, 403, `{"errors":[{"code":"DENIED","message":"rate limit exceeded, please try again in a few minutes"}]}`, failure.RateLimited},
		{"ECR, immutable tag", target, 400, `{"errors":[{"code":"TAG_INVALID","message":"The image tag '1' already exists in the 'x' repository and cannot be overwritten because the repository is immutable."}]}`, failure.TagImmutable},
		{"Nexus, no redeploy", target, 400, `{"errors":[{"code":"UNKNOWN","message":"Repository does not allow updating assets: docker-hosted"}]}`, failure.TagImmutable},
		{"ACR, locked", target, 405, `{"errors":[{"code":"DENIED","message":"The operation is disallowed on this registry, repository or image. View troubleshooting steps at https://aka.ms/acr/faq/#why-does-my-pull-or-push-request-fail-with-disallowed-operation"}]}`, failure.TagImmutable},
		{"Aliyun ACR, manifests stored in another form", target, 400, `{"errors":[{"code":"DIGEST_INVALID","message":"provided digest did not match uploaded content"}]}`, failure.Rewritten},
		{"Harbor, vulnerable image", source, 412, `{"errors":[{"code":"PROJECTPOLICYVIOLATION","message":"current image with 3 vulnerabilities cannot be pulled due to configured policy"}]}`, failure.SourceRefused},
		{"Harbor, login", target, 401, `{"errors":[{"code":"UNAUTHORIZED","message":"unauthorized to access repository: library/x, action: push"}]}`, failure.TargetLogin},
		{"SWR, OCI index", target, 400, `{"errors":[{"code":"MANIFEST_INVALID","message":"Invalid image, fail to parse 'manifest.json'"}]}`, failure.TargetRefused},
		{"SWR, OCI index without a code", target, 400, `{"errors":[{"errorCode":"SVCSTG.SWR.4001013","errorMessage":"Invalid image, fail to parse 'manifest.json'"}]}`, failure.TargetRefused},
		{"ECR, no repository", target, 404, `{"errors":[{"code":"NAME_UNKNOWN","message":"The repository with name 'x' does not exist in the registry with id '1'"}]}`, failure.NotFound},
		{"ECR, login", target, 403, `{"errors":[{"code":"DENIED","message":"Your authorization token has expired. Reauthenticate and try again."}]}`, failure.TargetLogin},
		{"GitLab, OCI 1.1", target, 400, `{"errors":[{"code":"MANIFEST_INVALID","message":"manifest invalid","detail":"unknown media type: application/vnd.oci.empty.v1+json"}]}`, failure.TargetRefused},
		{"Docker Hub, more private repositories than the plan has", target, 403, `{"errors":[{"code":"DENIED","message":"requested access to the resource is denied: maximum number of private repositories exceeded"}]}`, failure.Quota},
		{"Docker Hub, name of three components", target, 401, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":[{"Type":"repository","Name":"user/a/b","Action":"push"}]}]}`, failure.TargetLogin},
		{"GHCR, none", source, 404, `{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}`, failure.NotFound},
		{"quay.io, quota", target, 403, `{"errors":[{"code":"DENIED","detail":{},"message":"Quota has been exceeded on namespace"}]}`, failure.Quota},
		{"mcr.microsoft.com, no tag", source, 404, `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest tagged by \"nope\" is not found","detail":{"Tag":"nope"}}]}`, failure.NotFound},
		{"nvcr.io, private", source, 401, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":null}]}`, failure.Private},
		{"TCR, no namespace", target, 404, `{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}`, failure.NotFound},
		{"nginx, body size", target, 413, `<html><head><title>413 Request Entity Too Large</title></head></html>`, failure.RequestLimit},
		{"nginx, long token", target, 400, `<html><head><title>400 Request Header Or Cookie Too Large</title></head></html>`, failure.TargetClosed},
		{"nginx, long token of the source", source, 400, `<html><head><title>400 Request Header Or Cookie Too Large</title></head></html>`, failure.SourceRefused},
		{"nginx, gateway", source, 502, `<html><head><title>502 Bad Gateway</title></head></html>`, failure.Unavailable},
		{"Cloudflare, timeout", source, 524, `error code: 524`, failure.Unavailable},
		{"a full disk", target, 507, ``, failure.Quota},
		{"a teapot", source, 418, ``, failure.SourceRefused},
		{"early", source, 425, ``, failure.Unavailable},
		{"withdrawn", source, 451, ``, failure.SourceRefused},
	}
	for _, c := range cases {
		t.Run(c.who, func(t *testing.T) {
			name := "testing"
			if c.want == failure.TargetClosed {
				name = startingUpload
			}
			if c.want == failure.TagImmutable || c.want == failure.Rewritten {
				name = WritingManifest // only a manifest can have it
			}
			client := &wire{side: c.side}
			resp := &http.Response{
				StatusCode: c.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(c.body)),
				Request: &http.Request{Method: "GET", URL: &url.URL{Scheme: "https", Host: "r.example", Path: "/v2/"}},
			}
			f := client.refused(step{name: name}, reply{Response: resp})
			if f.Code != c.want || f.Side != c.side || f.Step != name {
				t.Errorf("understood as %s on %s while %s, want %s", f.Code, f.Side, f.Step, c.want)
			}
			if len(c.body) > 0 && f.Detail == "" {
				t.Error("the registry's words are lost")
			}
		})
	}
}

func TestRetryAfterIsFound(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	cases := []struct {
		header, words string
		want          time.Duration
		ok            bool
	}{
		{"2", "", 2 * time.Second, true},
		{"0", "", 0, true},
		{"Sat, 21 Nov 2026 12:01:00 GMT", "", time.Minute, true},
		{"Sat, 21 Nov 2026 11:00:00 GMT", "", 0, true},
		{"", "TOOMANYREQUESTS: retry-after: 333.939671ms, allowed: 44000/minute", 333939671, true},
		{"", "Retry-After: 5", 5 * time.Second, true},
		{"", "retry after 1.5s please", 1500 * time.Millisecond, true},
		{"soon", "", 0, false},
		{"-5", "", 0, false},
		{"", "slow down", 0, false},
	}
	for _, c := range cases {
		header := http.Header{}
		if c.header != "" {
			header.Set("Retry-After", c.header)
		}
		if got, ok := retryAfter(header, c.words, now); got != c.want || ok != c.ok {
			t.Errorf("%q, %q give %v %v, want %v %v", c.header, c.words, got, ok, c.want, c.ok)
		}
	}
}

func TestUsedUpLimitsComeBack(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"Ratelimit-Remaining: 0;w=21600": 6 * time.Hour, "Ratelimit-Remaining: 12;w=21600": 0, "Ratelimit-Remaining: 0": 0,
		"Ratelimit-Reset: 90": 90 * time.Second, "Ratelimit-Reset: soon": 0, "Ratelimit-Reset: 99999999999": 0,
	} {
		name, value, _ := strings.Cut(header, ": ")
		if got, ok := retryAfter(http.Header{name: {value}}, "", time.Now()); got != want || ok != (want > 0) {
			t.Errorf("%s gives %v %v, want %v", header, got, ok, want)
		}
	}
}

func TestDetailIsBounded(t *testing.T) {
	client := &wire{side: failure.Source}
	resp := &http.Response{StatusCode: 500, Header: http.Header{}, Body: io.NopCloser(endless{}), Request: &http.Request{Method: "GET", URL: &url.URL{}}}
	if f := client.refused(step{name: "testing"}, reply{Response: resp}); len(f.Detail) > maxDetail+8 {
		t.Errorf("detail has %d bytes", len(f.Detail))
	}
}

// endless is a body without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestBackoffHasAnEnd(t *testing.T) {
	var waited []time.Duration
	c := &wire{opts: Options{Wait: func(_ context.Context, d time.Duration) error { waited = append(waited, d); return nil }}}
	b := c.Backoff()
	passing := &failure.Error{Code: failure.Network}
	for range maxTries - 1 {
		if err := b.Again(t.Context(), passing); err != nil {
			t.Fatalf("gave up after %d tries", len(waited))
		}
	}
	if b.Again(t.Context(), passing) == nil {
		t.Error("never gives up")
	}
	for i, d := range waited {
		if most := min(backoff.First<<i, backoff.Most); d < most/2 || d > most {
			t.Errorf("wait %d is %v, want between %v and %v", i, d, most/2, most)
		}
	}
	b.Progress()
	if b.Again(t.Context(), passing) != nil {
		t.Error("progress changed nothing")
	}
	for name, f := range map[string]*failure.Error{
		"a refusal":                  {Code: failure.NotFound},
		"Docker Hub's pull limit":    {Code: failure.RateLimited, Detail: "TOOMANYREQUESTS: You have reached your pull rate limit."},
		"an hour of Retry-After":     {Code: failure.RateLimited, Until: time.Now().Add(time.Hour)},
		"a job that was told to end": {Code: failure.Cancelled},
	} {
		if c.Backoff().Again(t.Context(), f) == nil {
			t.Errorf("%s is tried again", name)
		}
	}
}
