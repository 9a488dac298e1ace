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

// Admission is who may use a front.
type Admission struct {
	// Anybody needs nothing: a front on loopback, or one that is open on purpose.
	Anybody  bool
	Tokens   []Token
	Networks []netip.Prefix
	// Certificates admits who has shown a certificate that the server has
	// verified.
	Certificates bool
	// Proxies are believed about whom they forward for.
	Proxies []netip.Prefix
	// Requests and Bytes are what one guest gets a minute, Blobs how many are
	// sent to him at once. Zero for no limit.
	Requests int
	Bytes    int64
	Blobs    int
}

// Token admits who knows it. It is random and long, so that a hash without salt
// keeps it.
type Token struct {
	Name    string
	Hash    [sha256.Size]byte // SHA-256 of the token
	Expires time.Time         // zero for never
}

// Guests knows who may use a front, and how much of it each has used.
type Guests struct {
	Admission
	now   func() time.Time
	known *memory[string, *usage]
}

// maxGuests is how many guests' use is remembered.
const maxGuests = 20000

// NewGuests prepares an admission.
func NewGuests(a Admission, now func() time.Time) *Guests {
	return &Guests{a, now, newMemory[string, *usage](maxGuests)}
}

// usage is what one guest has used lately.
type usage struct {
	mu       sync.Mutex
	requests bucket
	bytes    bucket
	blobs    int
}

// guest is who has sent a request.
type guest struct {
	name     string // of his token, or his address; for logs
	share    string // whose use counts as his: networks of IPv6 are given to one
	inPath   string // the token, if it was the first component of the path
	admitted bool
	ferry    bool // another front, which answers a challenge with what is for this one
	use      *usage
	blob     bool
}

// identify finds out who has sent r, and gives the path of r without a token.
func (g *Guests) identify(r *http.Request) (path, raw string, who guest) {
	path, raw = r.URL.Path, r.URL.RawPath
	addr := g.address(r)
	who.name, who.ferry = addr.String(), strings.HasPrefix(r.UserAgent(), "ferry/")
	if network, err := addr.Prefix(64); err == nil && addr.Is6() {
		who.share = network.String()
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

// canonicalSubject is a name of a certificate as it may stand in a log.
func canonicalSubject(name string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, name[:min(len(name), 100)])
}

// presented are the tokens that a request bears: as Bearer, or as the password of
// Basic. They may be anybody's.
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

// token finds text among the tokens, in a time that does not tell which.
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

// address is where a request comes from: the last address in X-Forwarded-For that
// is no trusted proxy's, as far as trusted proxies wrote it.
func (g *Guests) address(r *http.Request) netip.Addr {
	port, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr := port.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !within(g.Proxies, addr) {
			break
		}
		before, err := netip.ParseAddr(strings.TrimSpace(hop))
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

// admit decides whether a guest is served now. A guest who is gets his share
// counted, until he leaves.
func (g *Guests) admit(who *guest, q Question) *Refusal {
	if !who.admitted {
		r := refuse(http.StatusUnauthorized, distribution.Unauthorized, "this front is for guests: send a token of its owner as password, as bearer token or as the first component of the path")
		// dockerd answers a mirror's challenge with the user's password for Docker
		// Hub, so there is none where it could be dockerd that asks.
		if q.Repository.Host() == reference.DockerHub && !who.ferry {
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
	use, ok := g.known.get(share)
	if !ok {
		use = &usage{requests: newBucket(float64(g.Requests), time.Minute, g.now()), bytes: newBucket(float64(g.Bytes), time.Minute, g.now())}
		g.known.put(share, use, 1)
	}
	use.mu.Lock()
	defer use.mu.Unlock()
	tooMany := func(wait time.Duration, what string) *Refusal {
		r := refuse(http.StatusTooManyRequests, distribution.TooManyRequests, "%s: wait, or ask the owner of this front for more", what)
		r.RetryAfter = max(wait, time.Second)
		return r
	}
	if wait, ok := use.requests.fill(g.now(), 1); !ok {
		return tooMany(wait, fmt.Sprintf("more than %d requests a minute", g.Requests))
	}
	use.requests.level--
	if q.Kind == distribution.Blobs {
		if wait, ok := use.bytes.fill(g.now(), 1); !ok {
			return tooMany(wait, fmt.Sprintf("more than %d bytes a minute", g.Bytes))
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

// took counts bytes that a guest got.
func (w guest) took(bytes int64) {
	if w.use == nil {
		return
	}
	w.use.mu.Lock()
	w.use.bytes.level -= float64(bytes)
	w.use.mu.Unlock()
}

// leave ends what admit began.
func (w guest) leave() {
	if w.use == nil || !w.blob {
		return
	}
	w.use.mu.Lock()
	w.use.blobs--
	w.use.mu.Unlock()
}
