package oidc

import (
	"time"

	"github.com/imageferry/ferry/internal/pattern"
)

var (
	googleProvider = &pattern.Regexp{Text: `^projects/\d+/locations/global/workloadIdentityPools/[a-z0-9-]+/providers/[a-z0-9-]+$`}
	googleAccount  = &pattern.Regexp{Text: `^[a-z0-9-]+@[a-z0-9.-]+\.gserviceaccount\.com$`}
)

func googleProblem(words []string) string {
	if len(words) == 0 || len(words) > 2 || !googleProvider.MatchString(words[0]) || len(words) == 2 && !googleAccount.MatchString(words[1]) {
		return "write the provider, projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER, and after a space the service account's address if there is one"
	}
	return ""
}

// googleScope is Google's only scope for registries that can also push.
const googleScope = "https://www.googleapis.com/auth/cloud-platform"

// google exchanges the ID token for an access token of a provider's workload
// identity pool, and that for one of the service account, if there is one
// (https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token,
// https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken,
// https://cloud.google.com/artifact-registry/docs/docker/authentication#token).
func (e *exchange) google(_ string, words []string) (Login, error) {
	const kinds = "urn:ietf:params:oauth:"
	id, err := e.idToken("https://iam.googleapis.com/" + words[0])
	if err != nil {
		return Login{}, err
	}
	a, err := e.ask(form("https://sts.googleapis.com/v1/token", id,
		"grant_type", kinds+"grant-type:token-exchange", "audience", "//iam.googleapis.com/"+words[0], "scope", googleScope,
		"requested_token_type", kinds+"token-type:access_token", "subject_token_type", kinds+"token-type:jwt", "subject_token", id))
	if err != nil || valid(a.AccessToken) != nil {
		return Login{}, or(err)
	}
	login := Login{Username: "oauth2accesstoken", Password: a.AccessToken, Life: time.Duration(a.ExpiresIn)}
	if len(words) == 1 {
		return login, nil
	}
	a, err = e.ask(Request{
		URL:    "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/" + words[1] + ":generateAccessToken",
		Header: []string{"Authorization", "Bearer " + a.AccessToken, "Content-Type", "application/json"}, Secrets: []string{a.AccessToken},
		Body: `{"scope":["` + googleScope + `"],"lifetime":"3600s"}`,
	})
	if err != nil || valid(a.AccountToken) != nil {
		return Login{}, or(err)
	}
	login.Password, login.Life = a.AccountToken, maxLife // as requested
	return login, nil
}
