package fakeregistry

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/imageferry/ferry/internal/distribution"
)

// Behaviour is a deviation of a real registry, or of a proxy in front of it,
// from the specification. docs/registries.md lists them.
type Behaviour func(next http.Handler) http.Handler

// Behave adds a behaviour around the existing ones.
func (r *Registry) Behave(b Behaviour) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.serve = b(r.serve)
}

// Specified serves the registry without behaviours.
func (r *Registry) Specified() http.Handler { return http.HandlerFunc(r.answer) }

// Intercept is a behaviour for requests whose "METHOD path" matches.
func Intercept(match string, handle func(w http.ResponseWriter, r *http.Request, next http.Handler)) Behaviour {
	re := regexp.MustCompile(match)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if re.MatchString(r.Method + " " + r.URL.RequestURI()) {
				handle(w, r, next)
			} else {
				next.ServeHTTP(w, r)
			}
		})
	}
}

// InterceptFirst is Intercept for the first n matching requests to a registry; a
// negative number means all.
func InterceptFirst(match string, n int, handle func(w http.ResponseWriter, r *http.Request, next http.Handler)) Behaviour {
	return func(next http.Handler) http.Handler {
		var mu sync.Mutex
		left := n // of this registry
		return Intercept(match, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			mu.Lock()
			matches := left != 0
			if left > 0 {
				left--
			}
			mu.Unlock()
			if matches {
				handle(w, r, next)
			} else {
				next.ServeHTTP(w, r)
			}
		})(next)
	}
}

// Refusing answers matching requests with a status and body, at most times
// often; a negative number means always.
func Refusing(match string, times, status int, body string) Behaviour {
	return InterceptFirst(match, times, func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

// RefusingRanges answers every request for a part of a blob with a status.
func RefusingRanges(status int) Behaviour {
	return Intercept("^GET .*/blobs/", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Header.Get("Range") != "" {
			w.WriteHeader(status)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// AnsweringAs executes matching requests and answers with another status.
func AnsweringAs(match string, status int) Behaviour {
	return Intercept(match, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(otherStatus{w, status}, r)
	})
}

type otherStatus struct {
	http.ResponseWriter
	status int
}

func (w otherStatus) WriteHeader(int) { w.ResponseWriter.WriteHeader(w.status) }

// Lagging answers requests for a tag with a status and body for some time after
// the push.
func Lagging(now func() time.Time, d time.Duration, status int, body string) Behaviour {
	var mu sync.Mutex
	put := map[string]time.Time{}
	return Intercept(`/manifests/[^:]*$`, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		mu.Lock()
		if r.Method == http.MethodPut {
			put[r.URL.Path] = now()
		}
		lags := now().Sub(put[r.URL.Path]) < d
		mu.Unlock()
		if r.Method != http.MethodPut && lags {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Stale returns the previous manifest of a tag for some time after the push.
func (r *Registry) Stale(now func() time.Time, d time.Duration) Behaviour {
	type old struct {
		put       time.Time
		mediaType string
		body      []byte
	}
	var mu sync.Mutex
	before := map[string]old{}
	return Intercept(`/manifests/[^:]*$`, func(w http.ResponseWriter, req *http.Request, next http.Handler) {
		at, _ := distribution.ParsePath(req.URL.Path)
		mu.Lock()
		defer mu.Unlock()
		if req.Method == http.MethodPut {
			mediaType, body, _ := r.Manifest(at.Repository, at.Reference)
			before[req.URL.Path] = old{now(), mediaType, body}
		} else if o := before[req.URL.Path]; now().Sub(o.put) < d {
			w.Header().Set("Content-Type", o.mediaType)
			w.Header().Set("Docker-Content-Digest", Digest(o.body))
			w.WriteHeader(http.StatusOK)
			if req.Method == http.MethodGet {
				_, _ = w.Write(o.body)
			}
			return
		}
		next.ServeHTTP(w, req)
	})
}

// BreakingRanges closes the connection at every request for a part of a blob.
func BreakingRanges() Behaviour {
	return Intercept("^GET .*/blobs/", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Header.Get("Range") != "" {
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(w, r)
	})
}

// LyingAboutMounts reports every blob as mounted.
func LyingAboutMounts() Behaviour {
	return Intercept("^POST .*mount=", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(http.StatusCreated) })
}

// LimitingBodies answers requests with more bytes than limit like nginx and
// Cloudflare.
func LimitingBodies(limit int64) Behaviour {
	return LimitingBodiesBy(limit, http.StatusRequestEntityTooLarge, "<html><head><title>413 Request Entity Too Large</title></head></html>")
}

// LimitingBodiesBy answers requests with more bytes than limit by status and body,
// and closes the connection.
func LimitingBodiesBy(limit int64, status int, body string) Behaviour {
	return Intercept("", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.ContentLength > limit {
			w.Header().Set("Connection", "close")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// DemandingPieces refuses pieces of a blob that are smaller than least bytes,
// except the last, and says so when an upload starts.
func DemandingPieces(least int64) Behaviour {
	var mu sync.Mutex
	short := map[string]bool{} // sessions with a small piece, which must be the last
	return Intercept("/uploads/", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		mu.Lock()
		refuses := r.Method == http.MethodPatch && short[r.URL.Path]
		short[r.URL.Path] = r.Method == http.MethodPatch && r.ContentLength < least
		mu.Unlock()
		if refuses {
			_, _ = io.Copy(io.Discard, r.Body)
			distribution.WriteError(w, http.StatusRequestedRangeNotSatisfiable, distribution.BlobUploadInvalid, "the piece before was too small")
			return
		}
		w.Header().Set("OCI-Chunk-Min-Length", strconv.FormatInt(least, 10))
		next.ServeHTTP(w, r)
	})
}

// TakingPartOfPieces takes at most so many bytes of a piece of a blob, and says
// how many have arrived.
func TakingPartOfPieces(most int64) Behaviour {
	return Intercept("^PATCH ", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		whole := r.Body
		r.Body = io.NopCloser(io.LimitReader(whole, most))
		next.ServeHTTP(w, r)
		_, _ = io.Copy(io.Discard, whole)
	})
}

// CuttingBodies closes the connection after limit bytes of a longer request and
// discards them, as proxies with a time limit do.
func CuttingBodies(limit int64) Behaviour {
	return Intercept("", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.ContentLength > limit {
			_, _ = io.CopyN(io.Discard, r.Body, limit)
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(w, r)
	})
}

// RedirectingWrites redirects matching writes to another host.
func RedirectingWrites(match string, to *url.URL) Behaviour {
	return Intercept(match, func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		w.Header().Set("Location", to.ResolveReference(r.URL).String())
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
}

// Locating changes the Location of every response.
func Locating(change func(location, host string) string) Behaviour {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(&relocated{w, func(at string) string { return change(at, r.Host) }}, r)
		})
	}
}

type relocated struct {
	http.ResponseWriter
	change func(string) string
}

func (w *relocated) WriteHeader(status int) {
	if at := w.Header().Get("Location"); at != "" {
		w.Header().Set("Location", w.change(at))
	}
	w.ResponseWriter.WriteHeader(status)
}

// Compressing compresses the responses to matching requests for clients that did
// not request it.
func Compressing(match string) Behaviour {
	return Intercept(match, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		held := &heldAnswer{header: http.Header{}, code: http.StatusOK}
		next.ServeHTTP(held, r)
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		_, _ = z.Write(held.body.Bytes())
		_ = z.Close()
		maps.Copy(w.Header(), held.header)
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Length", strconv.Itoa(packed.Len()))
		w.WriteHeader(held.code)
		_, _ = w.Write(packed.Bytes())
	})
}

// Paging lists n tags per page, regardless of the request, and refuses requests
// for more than most. Without links, it does not indicate that there are more.
func Paging(n, most int, links bool) Behaviour {
	return Intercept("^GET .*/tags/list", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		asked, _ := strconv.Atoi(r.URL.Query().Get("n"))
		if asked > most {
			distribution.WriteError(w, http.StatusBadRequest, "PAGINATION_NUMBER_INVALID", "invalid number of results requested")
			return
		}
		held := &heldAnswer{header: http.Header{}, code: http.StatusOK}
		next.ServeHTTP(held, r)
		var list struct {
			Name string   `json:"name"`
			Tags []string `json:"tags"`
		}
		if json.Unmarshal(held.body.Bytes(), &list) != nil {
			w.WriteHeader(held.code)
			return
		}
		last := r.URL.Query().Get("last")
		list.Tags = slices.DeleteFunc(list.Tags, func(tag string) bool { return tag <= last })
		if len(list.Tags) > n {
			list.Tags = list.Tags[:n]
			if links {
				distribution.SetNextPage(w.Header(), &url.URL{Path: r.URL.Path, RawQuery: url.Values{"last": {list.Tags[n-1]}}.Encode()})
			}
		}
		_ = json.NewEncoder(w).Encode(list)
	})
}

// Immutable refuses pushes to an existing tag.
func (r *Registry) Immutable() Behaviour {
	return Intercept(`^PUT .*/manifests/[^:]*$`, func(w http.ResponseWriter, req *http.Request, next http.Handler) {
		at, _ := distribution.ParsePath(req.URL.Path)
		if slices.Contains(r.Tags(at.Repository), at.Reference) {
			_, _ = io.Copy(io.Discard, req.Body)
			distribution.WriteError(w, http.StatusBadRequest, distribution.TagInvalid,
				"The image tag '"+at.Reference+"' already exists and cannot be overwritten because the repository is immutable.")
			return
		}
		next.ServeHTTP(w, req)
	})
}

// Rewriting stores manifests in another form than they were pushed.
func Rewriting() Behaviour {
	return Intercept("^PUT .*/manifests/", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		var other bytes.Buffer
		if json.Indent(&other, text, "", "   ") != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		again := r.Clone(r.Context())
		again.Body, again.ContentLength = io.NopCloser(&other), int64(other.Len())
		next.ServeHTTP(w, again)
	})
}

// Challenging replaces the challenges of a registry with tokens. In the text, HOST
// and REPOSITORY are replaced by those of the request.
func Challenging(texts ...string) Behaviour {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			at, _ := distribution.ParsePath(r.URL.Path)
			fill := strings.NewReplacer("HOST", r.Host, "REPOSITORY", at.Repository)
			next.ServeHTTP(&challenged{w, func() []string {
				var filled []string
				for _, text := range texts {
					filled = append(filled, fill.Replace(text))
				}
				return filled
			}}, r)
		})
	}
}

type challenged struct {
	http.ResponseWriter
	texts func() []string
}

func (w *challenged) WriteHeader(status int) {
	if w.Header().Get("WWW-Authenticate") != "" {
		w.Header()["Www-Authenticate"] = w.texts()
	}
	w.ResponseWriter.WriteHeader(status)
}

// Silent answers requests without a login with 404 and no challenge, except at
// the root of the API.
func Silent() Behaviour {
	return Intercept("/v2/.+", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Header.Get("Authorization") == "" {
			distribution.WriteError(w, http.StatusNotFound, distribution.NameUnknown, "repository name not known to registry")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// NamingScopes uses another name for repositories in scopes: the challenge has
// "repository:other:pull", and only a token for that is accepted.
func NamingScopes(other string) Behaviour {
	return Intercept("", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		scope := "repository:" + other + ":pull"
		switch {
		case r.URL.Path == "/token":
			fmt.Fprintf(w, `{"token":%q}`, strings.Join(r.URL.Query()["scope"], " "))
		case r.Header.Get("Authorization") == "Bearer "+scope:
			next.ServeHTTP(w, r)
		default:
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="fake",scope=%q`, r.Host, scope))
			distribution.WriteError(w, http.StatusUnauthorized, distribution.Unauthorized, "authentication required")
		}
	})
}

// AnsweringTokens returns tokens in another form, in which TOKEN is replaced by
// the token.
func AnsweringTokens(form string) Behaviour {
	return Intercept("^GET /token", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		held := &heldAnswer{header: http.Header{}, code: http.StatusOK}
		next.ServeHTTP(held, r)
		var answer struct {
			Token string `json:"token"`
		}
		if held.code != http.StatusOK || json.Unmarshal(held.body.Bytes(), &answer) != nil {
			w.WriteHeader(held.code)
			return
		}
		_, _ = io.WriteString(w, strings.ReplaceAll(form, "TOKEN", answer.Token))
	})
}

// Skewed does not accept tokens for some time after they were issued: the clock
// of its token server is fast.
func Skewed(now func() time.Time, d time.Duration) Behaviour {
	var mu sync.Mutex
	issued := map[string]time.Time{}
	return Intercept("", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		text, bears := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		value, serial, _ := strings.Cut(text, "~")
		mu.Lock()
		fresh := bears && now().Sub(issued[serial]) < d
		mu.Unlock()
		switch {
		case r.URL.Path == "/token":
			held := &heldAnswer{header: http.Header{}, code: http.StatusOK}
			next.ServeHTTP(held, r)
			mu.Lock()
			id := strconv.Itoa(len(issued))
			issued[id] = now()
			mu.Unlock()
			var answer struct {
				Token string `json:"token"`
			}
			if json.Unmarshal(held.body.Bytes(), &answer) == nil {
				answer.Token += "~" + id
			}
			w.WriteHeader(held.code)
			_ = json.NewEncoder(w).Encode(answer)
			return
		case fresh:
			r.Header.Del("Authorization")
		case bears:
			r.Header.Set("Authorization", "Bearer "+value)
		}
		next.ServeHTTP(w, r)
	})
}

// PostedTokens issues tokens by POST only, for a user name and a password in the
// form (distribution, "Token Authentication Implementation: OAuth2").
func PostedTokens(username, password string) Behaviour {
	return Intercept(" /token", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		query := url.Values{"scope": strings.Fields(r.PostFormValue("scope"))}
		again := r.Clone(r.Context())
		again.Method, again.URL.RawQuery = http.MethodGet, query.Encode()
		again.Header.Del("Authorization")
		if r.PostFormValue("grant_type") == "password" && r.PostFormValue("username") == username && r.PostFormValue("password") == password {
			again.SetBasicAuth(username, password)
		}
		next.ServeHTTP(w, again)
	})
}
