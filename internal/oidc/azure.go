package oidc

import (
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/pattern"
)

// azureID matches the ID of a tenant or an application.
var azureID = &pattern.Regexp{Text: `(?i)^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$`}

// azureClouds are the authority and the end of the audience, by the end of the
// registry's host
// (https://learn.microsoft.com/entra/workload-id/workload-identity-federation-create-trust).
var azureClouds = map[string][2]string{
	"io": {"login.microsoftonline.com", ""}, "cn": {"login.partner.microsoftonline.cn", "China"}, "us": {"login.microsoftonline.us", "USGov"},
}

// azureSuffix returns the part of the host of a registry by which clouds differ.
func azureSuffix(host string) string {
	_, domain, _ := strings.Cut(host, ".")
	return strings.TrimPrefix(domain, "azurecr.")
}

func azureProblem(words []string) string {
	if len(words) != 2 || !azureID.MatchString(words[0]) || !azureID.MatchString(words[1]) {
		return "write the ID of the tenant, a space and the ID of the client"
	}
	return ""
}

// azure exchanges the ID token for an access token of Microsoft Entra ID, and
// that for a refresh token of the registry, which is valid for three hours
// (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow,
// https://azure.github.io/acr/AAD-OAuth.html).
func (e *exchange) azure(host string, words []string) (Login, error) {
	tenant, client := words[0], words[1]
	cloud := azureClouds[azureSuffix(host)]
	id, err := e.idToken("api://AzureADTokenExchange" + cloud[1])
	if err != nil {
		return Login{}, err
	}
	entra, err := e.ask(form("https://"+cloud[0]+"/"+tenant+"/oauth2/v2.0/token", id,
		"grant_type", "client_credentials", "client_id", client, "scope", "https://containerregistry.azure.net/.default",
		"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion", id))
	if err != nil || valid(entra.AccessToken) != nil {
		return Login{}, or(err)
	}
	registry, err := e.ask(form("https://"+host+"/oauth2/exchange", entra.AccessToken,
		"grant_type", "access_token", "service", host, "tenant", tenant, "access_token", entra.AccessToken))
	if err != nil || valid(registry.RefreshToken) != nil {
		return Login{}, or(err)
	}
	return Login{Password: registry.RefreshToken, Refresh: true, Life: time.Duration(entra.ExpiresIn)}, nil
}
