package registry

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/oidc"
	"github.com/imageferry/ferry/internal/reference"
)

// account is a login for one registry: a user name and a password, or an
// identity token, which replaces both. The zero value is anonymous.
type account struct {
	username string
	password config.Secret
	identity config.Secret // a refresh token of the registry's token server
}

func accountOf(username string, password config.Secret) account {
	if username == config.IdentityToken {
		return account{username: tokenUser, identity: password}
	}
	return account{username: username, password: password}
}

// tokenUser is the user name with which Azure's registries accept an identity
// token as the password
// (https://learn.microsoft.com/azure/container-registry/container-registry-authentication).
const tokenUser = "00000000-0000-0000-0000-000000000000"

func (a account) anonymous() bool { return a.username == "" }

// basic returns the account as an Authorization header.
func (a account) basic() string {
	r := &http.Request{Header: http.Header{}}
	password := a.password
	if a.identity.Reveal() != "" {
		password = a.identity
	}
	r.SetBasicAuth(a.username, password.Reveal())
	return r.Header.Get("Authorization")
}

// email reports whether the user name is an e-mail address, which few registries
// take.
func (a account) email() bool { return strings.Contains(a.username, "@") }

// judge distinguishes a login with an e-mail address as the user name from one
// with a wrong password.
func (a account) judge(f *failure.Error) {
	if f.Code == failure.TargetLogin && a.email() {
		f.Code = failure.LoginIsEmail
	}
}

// freshFor is how long after the refusal of a token or a login the next one
// counts as new: its refusal may be temporary.
const freshFor = time.Minute

// logins returns the account of a registry: the configured one, or one that the
// job's identity is exchanged for, which is renewed before it ends.
type logins struct {
	fixed    account
	identity oidc.Identity
	w        *wire

	turn    chan struct{} // has room for the one exchange at a time
	mu      sync.Mutex
	current account
	began   time.Time
	renewal time.Time // when current is replaced
	refusal *failure.Error
}

func newLogins(w *wire, fixed account, identity oidc.Identity) *logins {
	return &logins{fixed: fixed, identity: identity, w: w, turn: make(chan struct{}, 1)}
}

// anonymous reports whether there is no login.
func (l *logins) anonymous() bool { return l.identity == "" && l.fixed.anonymous() }

// account returns the login for the next request.
func (l *logins) account(ctx context.Context) (account, error) {
	if l.identity == "" {
		return l.fixed, nil
	}
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return account{}, l.w.broken(ctx, exchangingToken, ctx.Err())
	}
	l.mu.Lock()
	current, renewal, refusal := l.current, l.renewal, l.refusal
	l.mu.Unlock()
	began := time.Now()
	switch {
	case began.Before(renewal) && refusal != nil:
		again := *refusal // every image has its own
		return account{}, &again
	case began.Before(renewal):
		return current, nil
	}
	login, err := l.identity.Login(l.w.host.Name, l.w.opts.Job, func(r oidc.Request) ([]byte, error) { return l.w.exchange(ctx, r) })
	f, ok := failure.As(err)
	if err != nil && !ok {
		f = &failure.Error{Code: failure.LoginExchange, Side: l.w.side, Step: exchangingToken, Hints: []string{l.w.host.Name}, Err: err}
	}
	if err != nil && f.Code == failure.LoginExchange && login.Subject != "" {
		f.Hints = append(f.Hints, login.Subject)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		if f.Kind() == failure.Refusal {
			l.refusal, l.renewal = f, began.Add(freshFor)
		}
		return account{}, f
	}
	if l.w.opts.Secret != nil {
		l.w.opts.Secret(login.Password)
	}
	l.current = account{username: login.Username, password: config.NewSecret(login.Password)}
	if login.Refresh {
		l.current = accountOf(config.IdentityToken, config.NewSecret(login.Password))
	}
	// A tenth is kept as a reserve.
	l.began, l.renewal, l.refusal = began, began.Add(login.Life-login.Life/10), nil
	return l.current, nil
}

// expire discards a login that a registry refuses although it was accepted
// before, and reports whether another one is worth a request.
func (l *logins) expire(refused account) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.identity == "" || l.current.basic() != refused.basic() || time.Since(l.began) < freshFor {
		return false
	}
	l.renewal = time.Time{}
	return true
}

// exchange sends a request to a token service. A refusal has what the service
// says.
func (w *wire) exchange(ctx context.Context, r oidc.Request) (body []byte, err error) {
	u, err := url.Parse(r.URL)
	if err != nil {
		return nil, errors.New("the address of a token service is not valid")
	}
	header, method := http.Header{}, http.MethodGet
	for i := 0; i < len(r.Header); i += 2 {
		header.Set(r.Header[i], r.Header[i+1])
	}
	if r.Body != "" {
		method = http.MethodPost
	}
	err = w.retry(ctx, func(ctx context.Context) error {
		resp, err := w.roundTrip(ctx, w.api, method, u, header, strings.NewReader(r.Body), int64(len(r.Body)))
		if err != nil {
			return w.broken(ctx, exchangingToken, err)
		}
		defer resp.Body.Close()
		if resp.StatusCode/100 != 2 {
			return w.refusedExchange(resp, r)
		}
		body, err = readSmall(resp, maxError)
		if err != nil {
			return w.broken(ctx, exchangingToken, err)
		}
		return nil
	})
	return body, err
}

// refusedExchange evaluates the refusal of a token service.
func (w *wire) refusedExchange(resp *http.Response, r oidc.Request) *failure.Error {
	f := w.refused(exchangeToken, reply{Response: resp})
	body, err := io.ReadAll(resp.Body) // which refused has limited
	if words := oidc.Words(body); err == nil && words != "" {
		f.Detail = reference.Clip(words, maxDetail)
	}
	said := f.Err.Error()
	for _, secret := range r.Secrets {
		f.Detail, said = strings.ReplaceAll(f.Detail, secret, "***"), strings.ReplaceAll(said, secret, "***")
	}
	f.Err = errors.New(said)
	if f.Code == failure.LoginExchange {
		f.Hints = []string{resp.Request.URL.Hostname()}
	}
	return f
}
