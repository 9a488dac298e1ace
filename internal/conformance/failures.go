package conformance

import (
	"net/http"
	"strings"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/failure"
	fake "github.com/imageferry/ferry/internal/fakeregistry"
)

// failures are behaviours with which no client can copy.
func failures() []behaviour {
	return []behaviour{
		{name: "no such tag", want: failure.NotFound, says: missing, behave: onSource(fake.Refusing("/manifests/1", -1, 404, `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}`))},
		{name: "a layer is gone", want: failure.NotFound, says: noLayer, behave: onSource(fake.Refusing("^GET .*/blobs/", -1, 404, `{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown"}]}`))},
		{name: "a layer is forbidden by the content network", want: failure.SourceRefused, says: refused, behave: func(tr *trial) {
			network(tr, fake.Refusing("^GET .*/blobs/", -1, 403, "<Error><Code>AccessDenied</Code></Error>"))
		}},
		{name: "a policy of the source", want: failure.SourceRefused, says: refused,
			behave: onSource(fake.Refusing("/manifests/", -1, 412, `{"errors":[{"code":"PROJECTPOLICYVIOLATION","message":"current image with 3 vulnerabilities cannot be pulled"}]}`))},
		{name: "a source that refuses everything", want: failure.SourceRefused, says: refused, behave: onSource(fake.Refusing("^(GET|HEAD) /v2/.", -1, 400, "Bad Request"))},
		{name: "an image of schema 1", want: failure.Unsupported, says: unfit, memory: true, behave: func(tr *trial) {
			tr.source.PutManifest("ns/img", "1", "application/vnd.docker.distribution.manifest.v1+prettyjws", []byte(`{"schemaVersion":1,"name":"ns/img","tag":"1","fsLayers":[]}`))
		}},
		{name: "an index without entries", want: failure.EmptyIndex, says: empty, memory: true, behave: func(tr *trial) {
			tr.source.PutManifest("ns/img", "1", distribution.Index, []byte(`{"schemaVersion":2,"mediaType":"`+distribution.Index+`","manifests":[]}`))
		}},
		{name: "a layer of other bytes", want: failure.Corrupt, says: damaged, behave: onSource(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(&damaging{w, r.Method + r.URL.Path}, r) })
		})},
		{name: "a source that is down", want: failure.Unavailable, says: down, behave: onSource(fake.Refusing("/v2/.", -1, 503, ""))},
		{name: "a source that counts pulls", want: failure.RateLimited, says: slower,
			behave: onSource(fake.Refusing("/v2/.", -1, 429, `{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}`))},

		{name: "a wrong password", want: failure.TargetLogin, says: login, target: fake.Options{Tokens: true, Username: username, Password: password},
			behave: onTarget(fake.Refusing("^GET /token", -1, 401, `{"details":"incorrect username or password"}`))},
		{name: "a login without the right to push", want: failure.TargetLogin, says: login,
			behave: onTarget(fake.Refusing("^(POST|PUT|PATCH) ", -1, 403, `{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}`))},
		{name: "no such project", want: failure.NotFound, says: nowhere,
			behave: onTarget(fake.Refusing("^(POST|PUT|PATCH) ", -1, 404, `{"errors":[{"code":"NOT_FOUND","message":"project m not found"}]}`))},
		{name: "a target that takes no such manifest", want: failure.TargetRefused, says: notTaken,
			behave: onTarget(fake.Refusing("^PUT .*/manifests/", -1, 400, `{"errors":[{"code":"MANIFEST_INVALID","message":"manifest invalid"}]}`))},
		{name: "a full disk", want: failure.Quota, says: full, behave: onTarget(fake.Refusing("^(POST|PUT|PATCH) ", -1, 507, ""))},
		{name: "a target that loses all blobs", want: failure.PartLost, says: lost,
			behave: onTarget(fake.Refusing("^PUT .*/manifests/", -1, 404, `{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown to registry"}]}`))},
		{name: "a target that is down", want: failure.Unavailable, says: down, behave: onTarget(fake.Refusing("/v2/.", -1, 500, ""))},
	}
}

// damaging changes the first byte of blobs.
type damaging struct {
	http.ResponseWriter
	rest string // the request, until the first byte has been written
}

func (w *damaging) Write(p []byte) (int, error) {
	if strings.Contains(w.rest, "/blobs/") && len(p) > 0 {
		p = append([]byte{p[0] + 1}, p[1:]...)
		w.rest = ""
	}
	return w.ResponseWriter.Write(p)
}
