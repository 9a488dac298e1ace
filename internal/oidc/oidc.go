// Package oidc exchanges the identity of a job of GitHub Actions for a
// short-lived login at a registry, so that no password is stored. GitHub issues
// the job an ID token (OpenID Connect); the cloud that runs the registry accepts
// it, if its owner trusts the repository.
//
// The package builds requests and reads responses. Its caller sends them.
package oidc

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/known"
)

// Identity is what a job becomes at a registry: a role, a service account or an
// application, in the words that Parse reads. The zero value is none.
type Identity string

// Parse reads the identity for a registry's host. The words depend on the cloud:
//
//	arn:aws:iam::123456789012:role/ROLE
//	projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER [SERVICE-ACCOUNT]
//	TENANT-ID CLIENT-ID
//
// The error is what to write instead.
func Parse(host, text string) (Identity, error) {
	c, ok := cloudOf(host)
	if !ok {
		return "", errNoCloud
	}
	words := strings.Fields(text)
	if problem := c.problem(words); problem != "" {
		return "", errors.New(problem)
	}
	return Identity(strings.Join(words, " ")), nil
}

var errNoCloud = errors.New("write a user name and a password; logins by OIDC are for Amazon ECR, Google Artifact Registry and Azure Container Registry")

// cloud is what the clouds differ in.
type cloud struct {
	problem func(words []string) string // what to write instead; empty if the words are an identity
	login   func(e *exchange, host string, words []string) (Login, error)
}

// cloudOf returns the cloud that runs the registry at a host. It reports false if
// there is none.
func cloudOf(host string) (cloud, bool) {
	if strings.Contains(host, ":") { // the clouds have no other ports
		return cloud{}, false
	}
	switch known.Of(host).Cloud {
	case known.Amazon:
		region, _ := amazonRegion(host)
		return cloud{amazonProblem, (*exchange).amazon}, region != ""
	case known.Google:
		return cloud{googleProblem, (*exchange).google}, true
	case known.Azure:
		_, ok := azureClouds[azureSuffix(host)]
		return cloud{azureProblem, (*exchange).azure}, ok
	}
	return cloud{}, false
}

// Job is where the running job gets its ID tokens: the values of
// ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN. They are
// empty without the permission id-token: write.
type Job struct{ URL, Token string }

// Request is a request to a token service, a GET without a body, else a POST.
type Request struct {
	URL     string
	Header  []string // names, each before its value
	Body    string
	Secrets []string // values of the request that must not be shown
}

// Send sends a request and returns the body of a successful response.
type Send func(Request) ([]byte, error)

// Login is a short-lived login at a registry.
type Login struct {
	Username, Password string
	// Refresh reports that the password is a refresh token for the registry's
	// token server.
	Refresh bool
	Life    time.Duration // from the beginning of the exchange
	// Subject is what the clouds know the job by, "repo:octo/ferry:ref:refs/heads/main"
	// for example. It is also set if the exchange was refused.
	Subject string
}

// maxLife limits how long a login is used, also if a service promises more. The
// requests for it are few, and absolute times would depend on the clock.
const maxLife = time.Hour

// Login exchanges the job's identity for a login at a registry's host, for which
// Parse has read it. Every error is Send's or about a response that lacks what it
// must have.
func (i Identity) Login(host string, job Job, send Send) (Login, error) {
	c, ok := cloudOf(host)
	if !ok {
		return Login{}, errNoCloud
	}
	e := &exchange{job: job, send: send}
	login, err := c.login(e, host, strings.Fields(string(i)))
	if login.Life <= 0 || login.Life > maxLife {
		login.Life = maxLife
	}
	login.Subject = e.subject
	if err != nil {
		return Login{Subject: e.subject}, err
	}
	return login, nil
}

// exchange is one exchange of an ID token for a login.
type exchange struct {
	job     Job
	send    Send
	subject string
}

// answer is the JSON of all services.
type answer struct {
	Value              string  // GitHub's
	AccessToken        string  `json:"access_token"`
	ExpiresIn          seconds `json:"expires_in"`
	RefreshToken       string  `json:"refresh_token"`
	AccountToken       string  `json:"accessToken"`        // of a service account
	AuthorizationToken string  `json:"authorizationToken"` // in one of authorizationData
	AuthorizationData  json.RawMessage
}

// idToken requests an ID token for an audience
// (https://docs.github.com/actions/reference/security/oidc). It is valid for
// some minutes.
func (e *exchange) idToken(audience string) (string, error) {
	if !strings.HasPrefix(e.job.URL, "https://") {
		return "", errors.New("ACTIONS_ID_TOKEN_REQUEST_URL is not an https address")
	}
	a, err := e.ask(Request{
		URL: e.job.URL + "&audience=" + url.QueryEscape(audience), Header: []string{"Authorization", "Bearer " + e.job.Token}, Secrets: []string{e.job.Token},
	})
	if err != nil {
		return "", err
	}
	e.subject = subject(a.Value)
	return a.Value, valid(a.Value)
}

// subject returns the subject of an ID token; empty if it cannot be shown.
func subject(id string) string {
	_, rest, _ := strings.Cut(id, ".")
	payload, _, _ := strings.Cut(rest, ".")
	text, err := base64.RawURLEncoding.DecodeString(payload)
	var claims struct{ Sub string }
	if err != nil || json.Unmarshal(text, &claims) != nil || len(claims.Sub) > 300 || valid(claims.Sub) != nil || strings.Contains(claims.Sub, "`") {
		return ""
	}
	return claims.Sub
}

// form returns a POST with parameters, names each before its value.
func form(address, secret string, parameters ...string) Request {
	var body []string
	for i := 0; i < len(parameters); i += 2 {
		body = append(body, parameters[i]+"="+url.QueryEscape(parameters[i+1]))
	}
	return Request{URL: address, Header: []string{"Content-Type", "application/x-www-form-urlencoded"}, Body: strings.Join(body, "&"), Secrets: []string{secret}}
}

// ask sends a request and decodes the JSON of the response.
func (e *exchange) ask(r Request) (a answer, err error) {
	body, err := e.send(r)
	if err == nil && json.Unmarshal(body, &a) != nil {
		err = errAnswer // the bytes may hold a token
	}
	return a, err
}

var errAnswer = errors.New("the response is not as documented")

// valid returns an error if a value cannot be a token, which has visible ASCII
// characters, not too many.
func valid(token string) error {
	const most = 32 << 10
	if token == "" || len(token) > most || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errAnswer
	}
	return nil
}

// or returns err, or an error about the response if there is none.
func or(err error) error {
	if err != nil {
		return err
	}
	return errAnswer
}

// seconds is a lifetime, which some services write as a string. Anything else
// is zero.
type seconds time.Duration

func (s *seconds) UnmarshalJSON(text []byte) error {
	d, err := time.ParseDuration(strings.Trim(string(text), `"`) + "s")
	if err == nil {
		*s = seconds(d)
	}
	return nil
}

// Words returns what a service says in the body of a refusal: the message of an
// OAuth 2.0 error (RFC 6749 §5.2), of Google's or Amazon's APIs; empty if it has
// another form.
func Words(body []byte) string {
	var said struct {
		Error       json.RawMessage
		Description string `json:"error_description"`
		Message     string
	}
	if json.Unmarshal(body, &said) != nil {
		return element(string(body), "Message")
	}
	if said.Description == "" && said.Message == "" && json.Unmarshal(said.Error, &said) != nil {
		return ""
	}
	return said.Description + said.Message
}

// element returns the text of the first XML element of a name that has no
// attributes; empty if there is none. Entities are left as they are.
func element(xml, name string) string {
	_, rest, _ := strings.Cut(xml, "<"+name+">")
	text, _, ok := strings.Cut(rest, "</"+name+">")
	if !ok {
		return ""
	}
	return text
}
