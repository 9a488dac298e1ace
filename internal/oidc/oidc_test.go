package oidc

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/fakecloud"
)

var job = Job{URL: fakecloud.JobURL, Token: fakecloud.JobToken}

// sendTo sends requests to the clouds, and returns refusals as errors.
func sendTo(t *testing.T, cloud *fakecloud.Cloud) Send {
	return func(r Request) ([]byte, error) {
		method := http.MethodPost
		if r.Body == "" {
			method = http.MethodGet
		}
		req, err := http.NewRequestWithContext(t.Context(), method, r.URL, strings.NewReader(r.Body))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(r.Header); i += 2 {
			req.Header.Set(r.Header[i], r.Header[i+1])
		}
		resp, err := cloud.RoundTrip(req)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("%d %s", resp.StatusCode, Words(body))
		}
		return body, err
	}
}

// identities are one of each kind.
var identities = []struct {
	host, text, username string
	requests             []string
}{
	{"123456789012.dkr.ecr.eu-west-1.amazonaws.com", fakecloud.Role, "AWS",
		[]string{"POST sts.eu-west-1.amazonaws.com/", "POST api.ecr.eu-west-1.amazonaws.com/"}},
	{"123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "arn:aws-cn:iam::123456789012:role/ferry", "AWS",
		[]string{"POST sts.cn-north-1.amazonaws.com.cn/", "POST api.ecr.cn-north-1.amazonaws.com.cn/"}},
	{"public.ecr.aws", fakecloud.Role, "AWS",
		[]string{"POST sts.us-east-1.amazonaws.com/", "POST api.ecr-public.us-east-1.amazonaws.com/"}},
	{"europe-docker.pkg.dev", fakecloud.Provider, "oauth2accesstoken",
		[]string{"POST sts.googleapis.com/v1/token"}},
	{"gcr.io", fakecloud.Provider + " " + fakecloud.Account, "oauth2accesstoken",
		[]string{"POST sts.googleapis.com/v1/token", "POST iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/" + fakecloud.Account + ":generateAccessToken"}},
	{"images.azurecr.io", fakecloud.Tenant + " " + fakecloud.Client, "",
		[]string{"POST login.microsoftonline.com/" + fakecloud.Tenant + "/oauth2/v2.0/token", "POST images.azurecr.io/oauth2/exchange"}},
	{"images.azurecr.cn", fakecloud.Tenant + " " + fakecloud.Client, "",
		[]string{"POST login.partner.microsoftonline.cn/" + fakecloud.Tenant + "/oauth2/v2.0/token", "POST images.azurecr.cn/oauth2/exchange"}},
	{"images.azurecr.us", fakecloud.Tenant + " " + fakecloud.Client, "",
		[]string{"POST login.microsoftonline.us/" + fakecloud.Tenant + "/oauth2/v2.0/token", "POST images.azurecr.us/oauth2/exchange"}},
}

func parse(t *testing.T, host, text string) Identity {
	t.Helper()
	identity, err := Parse(host, text)
	if err != nil {
		t.Fatalf("%s %s: %v", host, text, err)
	}
	return identity
}

func TestLogin(t *testing.T) {
	for _, c := range identities {
		t.Run(c.host, func(t *testing.T) {
			cloud := fakecloud.New()
			identity := parse(t, c.host, c.text)
			login, err := identity.Login(c.host, job, sendTo(t, cloud))
			if err != nil {
				t.Fatal(err)
			}
			if login.Subject != fakecloud.Subject {
				t.Errorf("the subject is %q", login.Subject)
			}
			if login.Username != c.username || !cloud.Valid(login.Password) || login.Life != time.Hour || login.Refresh != strings.Contains(c.host, "azurecr") {
				t.Errorf("the login is %+v", login)
			}
			want := append([]string{"GET run-actions-1.actions.githubusercontent.com/1/idtoken/2/3"}, c.requests...)
			if got := cloud.Requests(); !slices.Equal(got, want) {
				t.Errorf("requests: %q, want %q", got, want)
			}
		})
	}
}

// TestRefusals checks that the words of each service are found, and that nothing
// is requested after a refusal.
func TestRefusals(t *testing.T) {
	const replaced = "replaced"
	tests := []struct {
		name  string
		set   func(*fakecloud.Cloud)
		says  []string // by identity; one for all
		calls int      // at most
	}{
		{"another repository", func(c *fakecloud.Cloud) { c.Subject = "repo:mallory/ferry:ref:refs/heads/main" }, []string{
			"Not authorized to perform sts:AssumeRoleWithWebIdentity", "Not authorized", "Not authorized", "rejected by the attribute condition", "rejected by the attribute condition",
			"AADSTS700213", "AADSTS700213", "AADSTS700213",
		}, 2},
		{"wrong audience", func(c *fakecloud.Cloud) {
			c.Instead = func(_ string, w http.ResponseWriter, r *http.Request) bool {
				query := r.URL.Query()
				query.Set("audience", "https://github.com/octo")
				r.URL.RawQuery = query.Encode()
				if r.Method == http.MethodPost {
					r.URL.RawQuery = ""
				}
				return false
			}
		}, []string{"Incorrect token audience", "Incorrect", "Incorrect", "does not match the expected audience", "does not match", "AADSTS700212", "AADSTS700212", "AADSTS700212"}, 2},
		{"expired ID token", func(c *fakecloud.Cloud) {
			calls := 0
			c.Now = func() time.Time { calls++; return time.Now().Add(time.Duration(calls-1) * 10 * time.Minute) }
		}, []string{"Token expired", "Token expired", "Token expired", "is expired", "is expired", "AADSTS700024", "AADSTS700024", "AADSTS700024"}, 2},
		{"no permission for ID tokens", func(c *fakecloud.Cloud) {
			c.Instead = func(host string, w http.ResponseWriter, _ *http.Request) bool {
				if strings.HasSuffix(host, "githubusercontent.com") {
					http.Error(w, `{"message":"`+replaced+`"}`, http.StatusForbidden)
				}
				return strings.HasSuffix(host, "githubusercontent.com")
			}
		}, []string{replaced}, 1},
	}
	for _, tt := range tests {
		for i, c := range identities {
			t.Run(tt.name+" "+c.host, func(t *testing.T) {
				cloud := fakecloud.New()
				tt.set(cloud)
				login, err := parse(t, c.host, c.text).Login(c.host, job, sendTo(t, cloud))
				if login.Password != "" || login.Subject != "" && login.Subject != cloud.Subject || tt.calls == 2 && login.Subject == "" {
					t.Errorf("the login is %+v", login)
				}
				if want := tt.says[min(i, len(tt.says)-1)]; err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("the error is %v, want %q in it", err, want)
				}
				if got := cloud.Requests(); len(got) > tt.calls {
					t.Errorf("requests: %q", got)
				}
			})
		}
	}
}

// TestHostileAnswers replaces the answer of each request in turn.
func TestHostileAnswers(t *testing.T) {
	answers := map[string]string{
		"nothing": "", "a page": "<html><body>login</body></html>", "an array": "[]", "null": "null", "a number": "1e999",
		"empty values":       `{"value":"","access_token":"","accessToken":"","refresh_token":"","authorizationData":[{"authorizationToken":""}]}`,
		"line breaks":        `{"value":"a\r\nX: y","access_token":"a\r\nX: y","accessToken":"a\nb","refresh_token":"a\nb","authorizationData":[{"authorizationToken":"QVdTOmEKYg=="}]}`,
		"another user":       `{"value":" ","authorizationData":[{"authorizationToken":"cm9vdDpwYXNzd29yZA=="}]}`,
		"not base64":         `{"value":" ","authorizationData":[{"authorizationToken":"%%%"}]}`,
		"wrong types":        `{"value":{},"access_token":[1],"accessToken":7,"refresh_token":true,"authorizationData":"x"}`,
		"very long":          `{"value":"` + strings.Repeat("a", 40<<10) + `","access_token":"` + strings.Repeat("a", 40<<10) + `","refresh_token":"` + strings.Repeat("a", 40<<10) + `","accessToken":"` + strings.Repeat("a", 40<<10) + `"}`,
		"elements unclosed":  "<AccessKeyId>a<SecretAccessKey>b<SessionToken>c",
		"elements with text": "<AccessKeyId>a b</AccessKeyId><SecretAccessKey>b</SecretAccessKey><SessionToken>c</SessionToken>",
	}
	for _, c := range identities {
		for name, answer := range answers {
			for n := range len(c.requests) + 1 {
				t.Run(fmt.Sprintf("%s %s %d", c.host, name, n), func(t *testing.T) {
					cloud := fakecloud.New()
					cloud.Instead = func(_ string, w http.ResponseWriter, _ *http.Request) bool {
						if len(cloud.Requests()) != n+1 {
							return false
						}
						fmt.Fprint(w, answer)
						return true
					}
					login, err := parse(t, c.host, c.text).Login(c.host, job, sendTo(t, cloud))
					if err == nil {
						t.Errorf("the login is %+v", login)
					} else if strings.Contains(err.Error(), "aaaa") {
						t.Errorf("the error repeats the answer: %v", err)
					}
				})
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ host, text, want string }{
		{"123456789012.dkr.ecr.eu-west-1.amazonaws.com", "", "ARN of a role"},
		{"123456789012.dkr.ecr.eu-west-1.amazonaws.com", "arn:aws:iam::123456789012:user/ferry", "ARN of a role"},
		{"123456789012.dkr.ecr.eu-west-1.amazonaws.com", fakecloud.Role + " more", "ARN of a role"},
		{"europe-docker.pkg.dev", "github", "write the provider"},
		{"europe-docker.pkg.dev", fakecloud.Provider + " somebody@example.com", "write the provider"},
		{"europe-docker.pkg.dev", fakecloud.Provider + " a/../b@images.iam.gserviceaccount.com", "write the provider"},
		{"images.azurecr.io", fakecloud.Tenant, "ID of the tenant"},
		{"images.azurecr.io", "common " + fakecloud.Client, "ID of the tenant"},
		{"evil.images.azurecr.io", fakecloud.Tenant + " " + fakecloud.Client, "user name and a password"},
		{"images.azurecr.io.evil.example", fakecloud.Tenant + " " + fakecloud.Client, "user name and a password"},
		{"123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example", fakecloud.Role, "user name and a password"},
		{"evil-docker.pkg.dev.example", fakecloud.Provider, "user name and a password"},
		{"mirror.gcr.io", fakecloud.Provider, "user name and a password"},
		{"images.azurecr.io:8443", fakecloud.Tenant + " " + fakecloud.Client, "user name and a password"},
		{"docker.io", "alice", "user name and a password"},
	} {
		identity, err := Parse(c.host, c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) || identity != "" {
			t.Errorf("Parse(%q, %q) is %v, %v, want %q", c.host, c.text, identity, err, c.want)
		}
	}
}

// TestIDTokensComeOverTLS checks that the job's own token is only sent to an
// https address.
func TestIDTokensComeOverTLS(t *testing.T) {
	identity := parse(t, "images.azurecr.io", fakecloud.Tenant+" "+fakecloud.Client)
	for _, address := range []string{"", "http://example.com/?a=b", "::", "file:///etc/passwd"} {
		_, err := identity.Login("images.azurecr.io", Job{address, "job-secret"}, func(Request) ([]byte, error) { return nil, errors.New("sent") })
		if err == nil || err.Error() == "sent" || strings.Contains(err.Error(), "job-secret") {
			t.Errorf("%q: %v", address, err)
		}
	}
}

// TestSignatureOfAmazon is the example of "Signature Version 4 signing process"
// in the AWS General Reference, "Examples of how to derive a signing key" and
// "Task 1 to 4".
func TestSignatureOfAmazon(t *testing.T) {
	header := sign([]string{
		"content-type", "application/x-www-form-urlencoded; charset=utf-8", "host", "iam.amazonaws.com", "x-amz-date", "20150830T123600Z",
	}, "GET\n/\nAction=ListUsers&Version=2010-05-08\n", "", "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1/iam/aws4_request")
	const want = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, " +
		"Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
	if got := header[len(header)-1]; got != want {
		t.Errorf("the signature is\n%s, want\n%s", got, want)
	}
}

func TestWords(t *testing.T) {
	for body, want := range map[string]string{
		`{"error":"invalid_client","error_description":"AADSTS700213: no"}`:        "AADSTS700213: no",
		`{"error":{"code":403,"message":"denied","status":"PERMISSION_DENIED"}}`:   "denied",
		`{"__type":"AccessDeniedException","Message":"not authorized"}`:            "not authorized",
		`<ErrorResponse><Error><Message>Token expired</Message></Error></ErrorRes`: "Token expired",
		`<html>503</html>`: "", `[]`: "", ``: "", `{"error":7}`: "", `{"error":"x"}`: "",
	} {
		if got := Words([]byte(body)); got != want {
			t.Errorf("Words(%s) is %q, want %q", body, got, want)
		}
	}
}

func FuzzWords(f *testing.F) {
	f.Add([]byte(`{"error":{"message":"x"}}`))
	f.Add([]byte(`<Message>x</Message>`))
	f.Fuzz(func(_ *testing.T, body []byte) { Words(body) })
}

// TestLives checks how long a login is used, whatever the service writes.
func TestLives(t *testing.T) {
	identity := parse(t, "europe-docker.pkg.dev", fakecloud.Provider)
	for says, want := range map[string]time.Duration{
		"1800": 30 * time.Minute, `"1800"`: 30 * time.Minute, "3600": time.Hour, "3601": time.Hour, "43200": time.Hour,
		"1": time.Second, "0": time.Hour, "-5": time.Hour, "null": time.Hour, `"soon"`: time.Hour, "{}": time.Hour, "1e300": time.Hour,
	} {
		cloud := fakecloud.New()
		cloud.Instead = func(host string, w http.ResponseWriter, _ *http.Request) bool {
			if host == "sts.googleapis.com" {
				fmt.Fprintf(w, `{"access_token":"t","expires_in":%s}`, says)
			}
			return host == "sts.googleapis.com"
		}
		login, err := identity.Login("europe-docker.pkg.dev", job, sendTo(t, cloud))
		if err != nil || login.Life != want {
			t.Errorf("%s: the login is %+v, %v; want %v", says, login, err, want)
		}
	}
}

// TestTokensAreVisible checks the limits of what is taken for a token, and of a
// subject that is shown.
func TestTokensAreVisible(t *testing.T) {
	for token, want := range map[string]bool{
		"!": true, "~": true, " ": false, "\x7f": false, "a\tb": false, "é": false, "": false,
		strings.Repeat("a", 32<<10): true, strings.Repeat("a", 32<<10+1): false,
	} {
		if got := valid(token) == nil; got != want {
			t.Errorf("a token of %d bytes, %.10q: %v", len(token), token, got)
		}
	}
	for length, want := range map[int]int{300: 300, 301: 0} {
		claims := base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"` + strings.Repeat("s", length) + `"}`))
		if got := subject("e." + claims + ".s"); len(got) != want {
			t.Errorf("a subject of %d bytes: %d are shown", length, len(got))
		}
	}
}
