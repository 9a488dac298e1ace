// Package fakecloud is a stand-in for GitHub's issuer of ID tokens and for the
// token services of Amazon, Google and Microsoft, in memory. It accepts requests
// in the documented form only, and answers in the documented form. For a test
// it can refuse, and answer what a service should not.
package fakecloud

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// What the clouds trust.
const (
	Subject  = "repo:octo/ferry:ref:refs/heads/main"
	Role     = "arn:aws:iam::123456789012:role/ferry"
	Provider = "projects/42/locations/global/workloadIdentityPools/github/providers/ferry"
	Account  = "ferry@images.iam.gserviceaccount.com"
	Tenant   = "11111111-2222-3333-4444-555555555555"
	Client   = "66666666-7777-8888-9999-000000000000"
)

// Where the job requests its ID tokens.
const (
	JobURL   = "https://run-actions-1.actions.githubusercontent.com/1/idtoken/2/3?api-version=2.0"
	JobToken = "the-token-of-the-job"
)

// Cloud is all services. Change its fields before the first request.
type Cloud struct {
	// Subject is the job's; the clouds trust the constant of that name.
	Subject string
	// Now is the clock; nil for the real one.
	Now func() time.Time
	// Instead replaces the answer of a host if it returns true.
	Instead func(host string, w http.ResponseWriter, r *http.Request) bool
	// Life is how long logins are valid; zero for an hour.
	Life time.Duration

	mu       sync.Mutex
	requests []string
	issued   int
	logins   map[string]time.Time // passwords and when they end
	refresh  map[string]bool      // access tokens that the registry exchanges
}

// New returns the services for a job of the trusted repository.
func New() *Cloud {
	return &Cloud{Subject: Subject, logins: map[string]time.Time{}, refresh: map[string]bool{}}
}

func (c *Cloud) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

// Requests returns the method, host and path of all requests so far.
func (c *Cloud) Requests() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.requests)
}

// Valid reports whether a registry accepts a password now.
func (c *Cloud) Valid(password string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now().Before(c.logins[password])
}

// Revoke ends all logins.
func (c *Cloud) Revoke() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.logins)
}

// RoundTrip implements http.RoundTripper without a network.
func (c *Cloud) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	served := r.Clone(r.Context())
	if served.Body == nil {
		served.Body = http.NoBody
	}
	served.Host = r.URL.Host
	w := httptest.NewRecorder()
	c.ServeHTTP(w, served)
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

// ServeHTTP answers as the host of the request.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	c.mu.Lock()
	c.requests = append(c.requests, r.Method+" "+r.Host+r.URL.Path)
	c.mu.Unlock()
	if c.Instead != nil && c.Instead(r.Host, w, r) {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	switch host := r.Host; {
	case host == "run-actions-1.actions.githubusercontent.com":
		c.github(w, r)
	case strings.HasPrefix(host, "sts.") && strings.Contains(host, ".amazonaws."):
		c.amazonSTS(w, r)
	case strings.HasPrefix(host, "api.ecr"):
		c.amazonECR(w, r, body)
	case host == "sts.googleapis.com":
		c.googleSTS(w, r)
	case host == "iamcredentials.googleapis.com":
		c.googleIAM(w, r, body)
	case strings.HasPrefix(host, "login.") && strings.Contains(host, "microsoftonline"):
		c.entra(w, r)
	case strings.Contains(host, ".azurecr."):
		c.registryExchange(w, r)
	default:
		http.Error(w, "no such host: "+host, http.StatusNotFound)
	}
}

// issue returns a new value; a login is accepted by registries.
func (c *Cloud) issue(kind string, login bool) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.issued++
	value := fmt.Sprintf("%s-%d+/=", kind, c.issued)
	if login {
		c.logins[value] = c.now().Add(c.life())
	}
	return value
}

func (c *Cloud) life() time.Duration {
	if c.Life == 0 {
		return time.Hour
	}
	return c.Life
}

type claims struct {
	Audience string `json:"aud"`
	Subject  string `json:"sub"`
	Expires  int64  `json:"exp"`
}

// github issues an ID token
// (https://docs.github.com/actions/reference/security/oidc#methods-for-requesting-the-oidc-token).
func (c *Cloud) github(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet || r.Header.Get("Authorization") != "Bearer "+JobToken || r.URL.Query().Get("api-version") != "2.0" {
		http.Error(w, `{"message":"Bad credentials"}`, http.StatusUnauthorized)
		return
	}
	text, err := json.Marshal(claims{r.URL.Query().Get("audience"), c.Subject, c.now().Add(5 * time.Minute).Unix()})
	if err != nil {
		panic(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	id := encode([]byte(`{"alg":"RS256"}`)) + "." + encode(text) + "." + encode([]byte("signature"))
	fmt.Fprintf(w, `{"count":%d,"value":%q}`, len(id), id)
}

// trusted returns why an ID token is not accepted, empty if it is.
func (c *Cloud) trusted(id, audience string) string {
	parts := strings.Split(id, ".")
	var found claims
	if len(parts) != 3 {
		return "malformed token"
	}
	if text, err := base64.RawURLEncoding.DecodeString(parts[1]); err != nil || json.Unmarshal(text, &found) != nil {
		return "malformed token"
	}
	switch {
	case found.Audience != audience:
		return "incorrect audience"
	case found.Subject != Subject:
		return "incorrect subject " + found.Subject
	case c.now().Unix() >= found.Expires:
		return "expired"
	}
	return ""
}

// fields reports whether a form has exactly these values. An empty value stands
// for any.
func fields(r *http.Request, want map[string]string) bool {
	if r.Method != http.MethodPost || r.ParseForm() != nil || len(r.PostForm) != len(want) || len(r.URL.RawQuery) > 0 {
		return false
	}
	for name, value := range want {
		if got := r.PostFormValue(name); got == "" || value != "" && got != value {
			return false
		}
	}
	return true
}

func suffix(host string) string {
	if strings.HasSuffix(host, ".cn") {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}

// amazonSTS is AssumeRoleWithWebIdentity
// (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html).
func (c *Cloud) amazonSTS(w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, code, message string) {
		w.WriteHeader(status)
		fmt.Fprintf(w, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>1</RequestId></ErrorResponse>`, code, message)
	}
	if !fields(r, map[string]string{
		"Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", "RoleArn": "", "RoleSessionName": "", "WebIdentityToken": "", "DurationSeconds": "3600",
	}) {
		refuse(http.StatusBadRequest, "ValidationError", "1 validation error detected")
		return
	}
	switch why := c.trusted(r.PostFormValue("WebIdentityToken"), "sts."+suffix(r.Host)); {
	case why == "incorrect audience":
		refuse(http.StatusBadRequest, "InvalidIdentityToken", "Incorrect token audience")
	case why == "expired":
		refuse(http.StatusBadRequest, "ExpiredTokenException", "Token expired")
	case why != "" || !strings.HasSuffix(r.PostFormValue("RoleArn"), ":iam::123456789012:role/ferry"):
		refuse(http.StatusForbidden, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
	default:
		fmt.Fprintf(w, `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult>
    <SubjectFromWebIdentityToken>%s</SubjectFromWebIdentityToken>
    <Credentials>
      <SessionToken>%s</SessionToken>
      <SecretAccessKey>%s</SecretAccessKey>
      <Expiration>%s</Expiration>
      <AccessKeyId>ASIAEXAMPLE</AccessKeyId>
    </Credentials>
  </AssumeRoleWithWebIdentityResult>
  <ResponseMetadata><RequestId>ad4156e9-bce1-11e2-82e6-6b6efEXAMPLE</RequestId></ResponseMetadata>
</AssumeRoleWithWebIdentityResponse>`, c.Subject, c.issue("session", false), secretKey, c.now().Add(time.Hour).UTC().Format(time.RFC3339))
	}
}

const secretKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY"

// amazonECR is GetAuthorizationToken of ECR and ECR Public
// (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html,
// https://docs.aws.amazon.com/AmazonECRPublic/latest/APIReference/API_GetAuthorizationToken.html).
func (c *Cloud) amazonECR(w http.ResponseWriter, r *http.Request, body []byte) {
	public := strings.HasPrefix(r.Host, "api.ecr-public.")
	service, target := "ecr", "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken"
	if public {
		service, target = "ecr-public", "SpencerFrontendService.GetAuthorizationToken"
	}
	region := strings.Split(r.Host, ".")[2]
	if r.Method != http.MethodPost || r.URL.Path != "/" || string(body) != "{}" || r.Header.Get("Content-Type") != "application/x-amz-json-1.1" || r.Header.Get("X-Amz-Target") != target {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"__type":"UnknownOperationException"}`)
		return
	}
	if !signed(r, body, region, service) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"__type":"InvalidSignatureException","message":"The request signature we calculated does not match the signature you provided."}`)
		return
	}
	data := fmt.Sprintf(`{"authorizationToken":%q,"expiresAt":%d}`, base64.StdEncoding.EncodeToString([]byte("AWS:"+c.issue("ecr-password", true))), c.now().Add(12*time.Hour).Unix())
	if !public {
		data = "[" + data + "]"
	}
	fmt.Fprintf(w, `{"authorizationData":%s}`, data)
}

// signed checks Signature Version 4, from the headers that the request says are
// signed
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
func signed(r *http.Request, body []byte, region, service string) bool {
	rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/")
	parts := strings.Split(rest, ", ")
	if !ok || len(parts) != 3 || r.Header.Get("X-Amz-Security-Token") == "" {
		return false
	}
	date := r.Header.Get("X-Amz-Date")
	if when, err := time.Parse("20060102T150405Z", date); err != nil || parts[0] != when.Format("20060102")+"/"+region+"/"+service+"/aws4_request" {
		return false
	}
	list := strings.TrimPrefix(parts[1], "SignedHeaders=")
	names := strings.Split(list, ";")
	for _, must := range []string{"host", "x-amz-date", "x-amz-security-token", "x-amz-target"} {
		if !slices.Contains(names, must) {
			return false
		}
	}
	var canonical strings.Builder
	fmt.Fprintf(&canonical, "%s\n%s\n%s\n", r.Method, r.URL.Path, r.URL.RawQuery)
	for _, name := range names {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.Host
		}
		fmt.Fprintf(&canonical, "%s:%s\n", name, value)
	}
	fmt.Fprintf(&canonical, "\n%s\n%x", list, sha256.Sum256(body))
	mac := func(key []byte, text string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	key := mac(mac(mac(mac([]byte("AWS4"+secretKey), date[:8]), region), service), "aws4_request")
	want := mac(key, fmt.Sprintf("AWS4-HMAC-SHA256\n%s\n%s\n%x", date, parts[0], sha256.Sum256([]byte(canonical.String()))))
	return parts[2] == "Signature="+hex.EncodeToString(want)
}

// googleSTS exchanges an ID token
// (https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token).
func (c *Cloud) googleSTS(w http.ResponseWriter, r *http.Request) {
	const kinds = "urn:ietf:params:oauth:token-type:"
	refuse := func(code, description string) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":%q,"error_description":%q}`, code, description)
	}
	if r.URL.Path != "/v1/token" || r.Header.Get("Authorization") != "" || !fields(r, map[string]string{
		"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "requested_token_type": kinds + "access_token", "subject_token_type": kinds + "jwt",
		"scope": "https://www.googleapis.com/auth/cloud-platform", "audience": "//iam.googleapis.com/" + Provider, "subject_token": "",
	}) {
		refuse("invalid_request", "Invalid value for \"audience\".")
		return
	}
	switch why := c.trusted(r.PostFormValue("subject_token"), "https://iam.googleapis.com/"+Provider); {
	case why == "incorrect audience":
		refuse("invalid_grant", "The audience in ID Token does not match the expected audience.")
	case why == "expired":
		refuse("invalid_grant", "The ID Token is expired.")
	case why != "":
		refuse("unauthorized_client", "The given credential is rejected by the attribute condition.")
	default:
		fmt.Fprintf(w, `{"access_token":%q,"issued_token_type":"%saccess_token","token_type":"Bearer","expires_in":%d}`, c.issue("google-token", true), kinds, int(c.life().Seconds()))
	}
}

// googleIAM is generateAccessToken
// (https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken).
func (c *Cloud) googleIAM(w http.ResponseWriter, r *http.Request, body []byte) {
	var asked struct {
		Scope    []string `json:"scope"`
		Lifetime string   `json:"lifetime"`
	}
	bearer := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if r.Method != http.MethodPost || r.URL.Path != "/v1/projects/-/serviceAccounts/"+Account+":generateAccessToken" || !c.Valid(bearer) ||
		json.Unmarshal(body, &asked) != nil || !slices.Equal(asked.Scope, []string{"https://www.googleapis.com/auth/cloud-platform"}) || asked.Lifetime != "3600s" {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"error":{"code":403,"message":"Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).","status":"PERMISSION_DENIED"}}`)
		return
	}
	fmt.Fprintf(w, `{"accessToken":%q,"expireTime":%q}`, c.issue("account-token", true), c.now().Add(time.Hour).UTC().Format(time.RFC3339))
}

// entra is the client credentials grant with a federated credential
// (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow#third-case-access-token-request-with-a-federated-credential).
func (c *Cloud) entra(w http.ResponseWriter, r *http.Request) {
	refuse := func(code, description string) {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"error":%q,"error_description":%q,"error_codes":[700213]}`, code, description)
	}
	audience := map[string]string{
		"login.microsoftonline.com": "api://AzureADTokenExchange", "login.microsoftonline.us": "api://AzureADTokenExchangeUSGov",
		"login.partner.microsoftonline.cn": "api://AzureADTokenExchangeChina",
	}[r.Host]
	if r.URL.Path != "/"+Tenant+"/oauth2/v2.0/token" || !fields(r, map[string]string{
		"grant_type": "client_credentials", "client_id": Client, "scope": "https://containerregistry.azure.net/.default",
		"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion": "",
	}) {
		refuse("invalid_request", "AADSTS90014: The required field is missing.")
		return
	}
	switch why := c.trusted(r.PostFormValue("client_assertion"), audience); {
	case why == "incorrect audience":
		refuse("invalid_client", "AADSTS700212: No matching federated identity record found for presented assertion audience.")
	case why == "expired":
		refuse("invalid_client", "AADSTS700024: Client assertion is not within its valid time range.")
	case why != "":
		refuse("invalid_client", "AADSTS700213: No matching federated identity record found for presented assertion subject '"+c.Subject+"'.")
	default:
		access := c.issue("entra-token", false)
		c.mu.Lock()
		c.refresh[access] = true
		c.mu.Unlock()
		fmt.Fprintf(w, `{"token_type":"Bearer","expires_in":%d,"ext_expires_in":3599,"access_token":%q}`, int(c.life().Seconds()), access)
	}
}

// registryExchange is POST /oauth2/exchange of Azure's registries
// (https://azure.github.io/acr/AAD-OAuth.html).
func (c *Cloud) registryExchange(w http.ResponseWriter, r *http.Request) {
	host, _, _ := strings.Cut(r.Host, ":")
	if r.URL.Path != "/oauth2/exchange" || !fields(r, map[string]string{"grant_type": "access_token", "service": host, "tenant": Tenant, "access_token": ""}) || !c.exchanges(r.PostForm) {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required, visit https://aka.ms/acr/authorization for more information."}]}`)
		return
	}
	fmt.Fprintf(w, `{"refresh_token":%q}`, c.issue("acr-refresh", true))
}

func (c *Cloud) exchanges(form url.Values) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.refresh[form.Get("access_token")]
}
