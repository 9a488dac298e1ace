package front

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/reference"
)

// Admission is the configuration of who may use a front.
type Admission struct {
	// Anybody admits all clients: the front is on loopback, or explicitly open.
	Anybody  bool
	Tokens   []Token
	Networks []netip.Prefix
	// Certificates admits clients whose certificate the server has verified.
	Certificates bool
	// Proxies are trusted to report the client's address.
	Proxies []netip.Prefix
	// Requests and Bytes are the limits of a guest per minute, Blobs how many
	// are sent to a guest at once. Zero means no limit.
	Requests int
	Bytes    int64
	Blobs    int
}

// Token admits clients that present the token. It is random and long, so a hash
// without a salt is enough.
type Token struct {
	Name    string
	Hash    [sha256.Size]byte // SHA-256 of the token
	Expires time.Time         // zero for never
}

// Guests decides who may use a front, and counts what each guest uses.
type Guests struct {
	Admission
	now   func() time.Time
	known *memory[string, *usage] // by share, from the Memories of the front
}

// maxGuests is how many guests are counted.
const maxGuests = 20000

// NewGuests returns the Guests of an Admission.
func NewGuests(a Admission, now func() time.Time) *Guests {
	return &Guests{a, now, nil}
}

// usage is what a guest has used recently.
type usage struct {
	mu       sync.Mutex
	requests bucket
	bytes    bucket
	blobs    int
}

// guest is the sender of a request.
type guest struct {
	name     string // of the token, or the address; for logs
	share    string // key of the counts; IPv6 addresses of one network share it
	inPath   string // the token, if it was the first component of the path
	admitted bool
	scoped   bool // on a challenge it sends the login for this front and no other
	use      *usage
	blob     bool
}

// scopedAgents are how the names of clients begin that look up logins by the
// host of the front: other fronts, and podman, buildah, skopeo and CRI-O, which
// want the challenge on "/v2/".
var scopedAgents = []string{"ferry/", "containers/", "Buildah/", "skopeo/", "cri-o/"}

// identify returns the sender of r, and the path of r without a token.
func (g *Guests) identify(r *http.Request) (path, raw string, who guest) {
	path, raw = r.URL.Path, r.URL.RawPath
	addr := g.address(r)
	who.name = addr.String()
	who.scoped = slices.ContainsFunc(scopedAgents, func(prefix string) bool { return strings.HasPrefix(r.UserAgent(), prefix) })
	if addr.Is6() {
		who.share = networkOf(addr).String()
	}
	for _, text := range presented(r) {
		if token, ok := g.token(text); ok {
			who.name, who.share, who.admitted = token.Name, token.Name, true
			return path, raw, who
		}
	}
	if rest, ok := strings.CutPrefix(path, "/v2/"); ok && raw == "" && len(g.Tokens) > 0 {
		first, rest, _ := strings.Cut(rest, "/")
		if token, ok := g.token(first); ok {
			return "/v2/" + rest, "", guest{name: token.Name, share: token.Name, inPath: first, admitted: true}
		}
	}
	switch {
	case g.Certificates && r.TLS != nil && len(r.TLS.VerifiedChains) > 0:
		who.name, who.admitted = canonicalSubject(r.TLS.VerifiedChains[0][0].Subject.CommonName), true
	case g.Anybody, within(g.Networks, addr):
		who.admitted = true
	}
	return path, raw, who
}

// canonicalSubject returns a name of a certificate in a form that is safe for
// logs.
func canonicalSubject(name string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, name[:min(len(name), 100)])
}

// presented returns the tokens in a request: of the scheme Bearer, or the
// password of Basic. They may belong to other servers.
func presented(r *http.Request) []string {
	if _, password, ok := r.BasicAuth(); ok {
		return []string{password}
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") {
		return []string{strings.TrimSpace(token)}
	}
	return nil
}

// token looks up a token. The time it takes does not reveal which one matches.
func (g *Guests) token(text string) (Token, bool) {
	if text == "" {
		return Token{}, false
	}
	sum := sha256.Sum256([]byte(text))
	found := -1
	for i := range g.Tokens {
		if subtle.ConstantTimeCompare(sum[:], g.Tokens[i].Hash[:]) == 1 {
			found = i
		}
	}
	if found < 0 || !g.Tokens[found].Expires.IsZero() && !g.now().Before(g.Tokens[found].Expires) {
		return Token{}, false
	}
	return g.Tokens[found], true
}

// address returns the address of the client: the last address in
// X-Forwarded-For that is not a trusted proxy, as far as trusted proxies wrote
// the header.
func (g *Guests) address(r *http.Request) netip.Addr {
	port, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr := port.Addr().Unmap()
	if !within(g.Proxies, addr) {
		return addr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && within(g.Proxies, addr); i-- {
		before, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		addr = before.Unmap()
	}
	return addr
}

func within(networks []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// admit decides whether a guest is served now. If so, the guest's use is
// counted until leave is called.
func (g *Guests) admit(who *guest, q Question) *Refusal {
	if !who.admitted {
		r := refuse(http.StatusUnauthorized, distribution.Unauthorized, "this front requires a token: send one from its owner as the password, as a bearer token or as the first component of the path")
		// dockerd answers a mirror's challenge with the user's password for
		// Docker Hub, so requests that may come from dockerd get no challenge.
		if q.Repository.Host() == reference.DockerHub && !who.scoped {
			r.Status, r.Code = http.StatusForbidden, distribution.Denied
		} else {
			r.Challenge = true
		}
		return r
	}
	if g.Requests == 0 && g.Bytes == 0 && g.Blobs == 0 {
		return nil
	}
	share := cmp.Or(who.share, who.name)
	requests, bytes := newBucket(float64(g.Requests), time.Minute, g.now()), newBucket(float64(g.Bytes), time.Minute, g.now())
	use, ok := g.known.get(share)
	if !ok {
		use = &usage{requests: requests, bytes: bytes}
		g.known.put(share, use, 1)
	}
	use.mu.Lock()
	defer use.mu.Unlock()
	// A changed configuration does not give back what was taken before.
	use.requests, use.bytes = requests.after(use.requests, g.now()), bytes.after(use.bytes, g.now())
	tooMany := func(wait time.Duration, what string) *Refusal {
		r := refuse(http.StatusTooManyRequests, distribution.TooManyRequests, "%s: wait, or ask the owner of this front for a higher limit", what)
		r.RetryAfter = max(wait, time.Second)
		return r
	}
	if wait, ok := use.requests.fill(g.now()); !ok {
		return tooMany(wait, fmt.Sprintf("more than %d requests per minute", g.Requests))
	}
	use.requests.level--
	if q.Kind == distribution.Blobs {
		if wait, ok := use.bytes.fill(g.now()); !ok {
			return tooMany(wait, fmt.Sprintf("more than %d bytes per minute", g.Bytes))
		}
		if g.Blobs > 0 && use.blobs >= g.Blobs {
			return tooMany(time.Second, fmt.Sprintf("more than %d blobs at once", g.Blobs))
		}
		use.blobs++
		who.blob = true
	}
	who.use = use
	return nil
}

// took counts bytes sent to a guest.
func (w guest) took(bytes int64) {
	if w.use == nil {
		return
	}
	w.use.mu.Lock()
	w.use.bytes.level -= float64(bytes)
	w.use.mu.Unlock()
}

// leave ends the count that admit began.
func (w guest) leave() {
	if w.use == nil || !w.blob {
		return
	}
	w.use.mu.Lock()
	w.use.blobs--
	w.use.mu.Unlock()
}
