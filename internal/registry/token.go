package registry

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/outbound"
	"github.com/imageferry/ferry/internal/reference"
)

// batch is a set of scopes requested with one token. It is marked as broken
// once the token server has refused that.
type batch struct {
	scopes []string
	asked  bool // nothing can be added any more
	broken bool
}

// token is one token, and the requests waiting for it.
type token struct {
	done    chan struct{} // closed when the fields below are set
	value   string
	expires time.Time
	err     error

	batch  *batch // nil for a token of exactly the needed scopes
	second bool   // the previous token for the same scopes was refused
	worked bool   // the registry has accepted it; guarded by the authenticator
}

func (t *token) finished() bool {
	select {
	case <-t.done:
		return true
	default:
		return false
	}
}

// tokenAnswer is the response of a token server (distribution, "Token
// Authentication Specification"; RFC 6749 §5.1). Only the token is required.
type tokenAnswer struct {
	Token       string  `json:"token"`
	AccessToken string  `json:"access_token"`
	ExpiresIn   seconds `json:"expires_in"`
}

// seconds is a number in any spelling. Anything else is read as zero, because
// the token is still valid.
type seconds float64

func (s *seconds) UnmarshalJSON(text []byte) error {
	n, err := strconv.ParseFloat(string(bytes.Trim(text, `"`)), 64)
	if err == nil && n > 0 {
		*s = seconds(n)
	}
	return nil
}

const (
	// defaultTokenLife is the specification's default.
	defaultTokenLife = 60
	// maxTokenLife prevents overflows.
	maxTokenLife = 24 * 60 * 60
)

// fetch requests a token for some scopes from the token server of a challenge,
// and completes t.
func (w *wire) fetch(ctx context.Context, ch challenge, t *token, scopes []string, login account) {
	defer close(t.done)
	asked := time.Now()
	var answer tokenAnswer
	request, err := w.tokenRequest(ch, scopes, login)
	if err == nil {
		err = w.retry(ctx, func(ctx context.Context) (err error) {
			answer, err = w.askToken(ctx, request, login, maxRedirects)
			return err
		})
	}
	if f, ok := failure.As(err); ok && request.stray != "" && f.Kind() != failure.Transient {
		err = w.astray(gettingToken, request.stray, f.Err) // it is not at the registry either
	}
	t.value, t.err = answer.Token, err
	if t.value == "" {
		t.value = answer.AccessToken
	}
	t.value = strings.TrimSpace(t.value)
	if t.err == nil && strings.ContainsAny(t.value, "\r\n") {
		t.err = w.fail(failure.Internal, gettingToken, errors.New("token has several lines"))
	}
	if t.err == nil && !login.anonymous() && w.opts.Secret != nil {
		w.opts.Secret(t.value)
	}
	// A tenth is kept as a reserve.
	life := time.Duration(min(cmp.Or(float64(answer.ExpiresIn), defaultTokenLife), maxTokenLife) * float64(time.Second))
	t.expires = asked.Add(life - life/10)
}

// tokenRequest is one request to a token server.
type tokenRequest struct {
	method string
	url    *url.URL
	header http.Header
	form   string // of POST, which is tried if GET is refused as a method; empty for none
	stray  string // see service
}

// tokenRequest returns the request with the login to the token server of a
// challenge, if that server belongs to the registry.
func (w *wire) tokenRequest(ch challenge, scopes []string, login account) (tokenRequest, error) {
	realm, stray, err := w.service(gettingToken, w.base, ch.realm)
	if err != nil {
		return tokenRequest{}, err
	}
	if !login.anonymous() && !w.mayLogin(realm) {
		return tokenRequest{}, &failure.Error{Code: failure.TokenServer, Side: w.side, Step: gettingToken, Hints: []string{realm.Host},
			Err: fmt.Errorf("token server %s does not belong to %s: credentials are kept back", realm.Host, w.host.Name)}
	}
	// distribution, "Token Authentication Implementation: OAuth2".
	form := url.Values{"client_id": {"ferry"}, "service": {ch.service}, "scope": {strings.Join(scopes, " ")}}
	r := tokenRequest{http.MethodGet, realm, http.Header{}, "", stray}
	if identity := login.identity.Reveal(); identity != "" {
		form.Set("grant_type", "refresh_token")
		form.Set("refresh_token", identity)
		r.method, r.form = http.MethodPost, form.Encode()
		return r, nil
	}
	query := realm.Query()
	if ch.service != "" {
		query.Set("service", ch.service)
	}
	query["scope"] = scopes
	realm.RawQuery = query.Encode()
	if !login.anonymous() {
		r.header.Set("Authorization", login.basic())
		form.Set("grant_type", "password")
		form.Set("username", login.username)
		form.Set("password", login.password.Reveal())
		r.form = form.Encode()
	}
	return r, nil
}

// tokenMoved returns where a token server redirects to. It returns false for other hosts
// if there is a login, which they must not get.
func (w *wire) tokenMoved(r tokenRequest, resp *http.Response, login account) (*url.URL, bool) {
	if !isRedirect(resp.StatusCode) {
		return nil, false
	}
	next, err := w.redirect(r.url, resp.Header)
	return next, err == nil && (login.anonymous() || next.Scheme == r.url.Scheme && outbound.HostPort(next) == outbound.HostPort(r.url))
}

// askToken sends a request for a token once, and follows redirects.
func (w *wire) askToken(ctx context.Context, r tokenRequest, login account, redirects int) (answer tokenAnswer, err error) {
	var body io.Reader
	header := r.header.Clone()
	if r.method == http.MethodPost {
		body = strings.NewReader(r.form)
		header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := w.roundTrip(ctx, w.small(), r.method, r.url, header, body, int64(len(r.form)))
	if err != nil {
		return answer, w.broken(ctx, gettingToken, err)
	}
	defer resp.Body.Close()
	if next, ok := w.tokenMoved(r, resp, login); ok && redirects > 0 {
		r.url = next
		discard(resp)
		return w.askToken(ctx, r, login, redirects-1)
	}
	if (resp.StatusCode == http.StatusMethodNotAllowed || resp.StatusCode == http.StatusNotImplemented) && r.method == http.MethodGet && r.form != "" {
		r.method = http.MethodPost
		discard(resp)
		return w.askToken(ctx, r, login, redirects)
	}
	if resp.StatusCode/100 != 2 {
		doubts := 0
		if login.anonymous() || !login.email() && !w.loginDoubted.Swap(true) {
			// Without a password, the refusal cannot concern one. With a
			// password, it is doubted only once, because accounts are locked
			// after many refusals.
			doubts = codedDoubts
		}
		f := w.refused(getToken, reply{resp, doubts})
		login.judge(f)
		return answer, f
	}
	text, err := readSmall(resp, maxError)
	if err != nil {
		return answer, w.broken(ctx, gettingToken, err)
	}
	if isPage(text) {
		return answer, webPage(w.side, gettingToken, text)
	}
	if err := json.Unmarshal(bytes.TrimPrefix(text, []byte("\ufeff")), &answer); err != nil {
		return answer, w.fail(failure.Unavailable, gettingToken, fmt.Errorf("reading token: %w", err))
	}
	if answer.Token == "" && answer.AccessToken == "" {
		err := &doubtError{codedDoubts, errors.New("token server sent no token")}
		return answer, &failure.Error{Code: failure.Unavailable, Side: w.side, Step: gettingToken, Detail: reference.Clip(string(text), maxDetail), Err: err}
	}
	return answer, nil
}
