package front

import (
	"cmp"
	"log/slog"
	"net/http"
	"time"

	"github.com/imageferry/ferry/internal/distribution"
)

// Fields of every response, which share their values.
var apiVersion, noSniff = []string{"registry/2.0"}, []string{"nosniff"}

// ServeHTTP answers one request.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := &answer{ResponseWriter: w, began: f.opts.Now()}
	var q Question
	var guest guest
	defer func() {
		guest.took(a.bytes)
		if a.status != 0 { // otherwise the handler panicked before it wrote anything
			f.note(r, q, guest, a)
		}
	}()
	q, guest, refusal := f.admit(a, r)
	if refusal == nil {
		defer guest.leave()
		a.guest = cmp.Or(guest.share, guest.name)
		refusal = f.serve(a, r, q)
	}
	if refusal != nil {
		refusal.write(a, r.Method)
	}
}

// admit parses a request and decides whether it is served.
func (f *Front) admit(w http.ResponseWriter, r *http.Request) (Question, guest, *Refusal) {
	h := w.Header()
	h["Docker-Distribution-Api-Version"] = apiVersion
	h["X-Content-Type-Options"] = noSniff
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD")
		return Question{}, guest{}, refuse(http.StatusMethodNotAllowed, distribution.Unsupported, "this registry is read-only: push to the registry behind it")
	case r.URL.Host != "" || r.Method == http.MethodConnect:
		return Question{}, guest{}, refuse(http.StatusBadRequest, distribution.Unsupported, "this is a registry, not a proxy: configure it as a mirror, not in HTTP_PROXY")
	case r.ContentLength != 0:
		return Question{}, guest{}, refuse(http.StatusBadRequest, distribution.Unsupported, "a request that reads has no body: send none")
	}
	path, raw, who := f.opts.Guests.identify(r)
	q, refusal := f.opts.Names.Question(r.Host, path, raw, r.URL.RawQuery)
	if who.inPath != "" {
		q.Written = who.inPath + "/" + q.Written
	}
	if refusal != nil {
		return q, guest{}, refusal
	}
	if q.Namespace != "" {
		h.Set("OCI-Namespace", q.Namespace)
	}
	// Anyone may know that this is a registry: dockerd checks it before it
	// knows what it will pull.
	if q.Kind == Base && (!who.scoped || who.admitted) {
		return q, guest{}, nil
	}
	if refusal := f.opts.Guests.admit(&who, q); refusal != nil {
		return q, who, refusal
	}
	if _, _, ok := sampled(q); !ok && !f.opts.Repositories.allow(q.Repository) {
		who.leave()
		return q, guest{}, refuse(http.StatusForbidden, distribution.Denied, "the owner of this front does not serve %s", q.Repository)
	}
	return q, who, nil
}

func (f *Front) serve(a *answer, r *http.Request, q Question) *Refusal {
	a.extend()
	if serveSample(a, r, q) {
		return nil
	}
	switch q.Kind {
	case distribution.Manifests:
		return f.serveManifest(a, r, q)
	case distribution.Blobs:
		return f.serveBlob(a, r, q)
	case distribution.Tags:
		return f.serveTags(a, r, q)
	case distribution.Referrers:
		return f.serveReferrers(a, r, q)
	case distribution.Uploads: // split refuses them
	}
	a.send(r, "application/json", []byte("{}"))
	return nil
}

// note counts and logs a request, on one line, with nothing that the client
// wrote except canonical values.
func (f *Front) note(r *http.Request, q Question, who guest, a *answer) {
	took := f.opts.Now().Sub(a.began)
	place := ""
	if a.place != nil {
		place = a.place.String()
	}
	f.meters.answered(q, place, a.status)
	handler := f.opts.Log.Handler()
	if !handler.Enabled(r.Context(), slog.LevelInfo) {
		return
	}
	// Logger.Info would look up the caller each time.
	record := slog.NewRecord(time.Now(), slog.LevelInfo, "request", 0)
	record.AddAttrs(
		slog.String("method", method(r)),
		slog.String("kind", string(q.Kind)),
		slog.String("image", q.String()),
		slog.String("rule", string(q.Rule)),
		slog.String("place", place),
		slog.Int("status", a.status),
		slog.Int64("bytes", a.bytes),
		slog.Float64("ms", float64(took.Microseconds())/1000),
		slog.String("guest", who.name),
	)
	_ = handler.Handle(r.Context(), record) // as Logger.Info does
}

// method returns the method of the request if it is a standard one.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return "other"
}
