package oidc

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/pattern"
)

var (
	// https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html
	amazonHost = &pattern.Regexp{Text: `^\d{12}\.dkr\.ecr\.([a-z0-9-]+)\.(amazonaws\.com(?:\.cn)?)$`}
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
	amazonRole = &pattern.Regexp{Text: `^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$`}
)

func amazonProblem(words []string) string {
	if len(words) != 1 || !amazonRole.MatchString(words[0]) {
		return "write the ARN of a role, such as arn:aws:iam::123456789012:role/ferry"
	}
	return ""
}

// amazonRegion returns the region of a registry and the end of all host names of
// its partition. ECR Public is in one region. For other hosts of Amazon's it
// returns nothing.
func amazonRegion(host string) (region, suffix string) {
	if m := amazonHost.FindStringSubmatch(host); m != nil {
		return m[1], m[2]
	}
	if slices.Contains(known.Of(host).Hosts, host) {
		return "us-east-1", "amazonaws.com"
	}
	return "", ""
}

// amazon assumes a role and requests a password for the registry. ECR's
// passwords are valid for 12 hours, the role's keys for one
// (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html,
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html).
func (e *exchange) amazon(host string, words []string) (Login, error) {
	region, suffix := amazonRegion(host)
	id, err := e.idToken("sts." + suffix)
	if err != nil {
		return Login{}, err
	}
	keys, err := e.send(form("https://sts."+region+"."+suffix+"/", id,
		"Action", "AssumeRoleWithWebIdentity", "Version", "2011-06-15", "DurationSeconds", "3600",
		"RoleArn", words[0], "RoleSessionName", "ferry", "WebIdentityToken", id))
	if err != nil {
		return Login{}, err
	}
	key, secret, session := element(string(keys), "AccessKeyId"), element(string(keys), "SecretAccessKey"), element(string(keys), "SessionToken")
	if valid(key) != nil || valid(secret) != nil || valid(session) != nil {
		return Login{}, errAnswer
	}
	service, target := "ecr", "AmazonEC2ContainerRegistry_V20150921"
	if !amazonHost.MatchString(host) {
		service, target = "ecr-public", "SpencerFrontendService"
	}
	api := "api." + service + "." + region + "." + suffix
	header := sign([]string{
		"content-type", "application/x-amz-json-1.1", "host", api, "x-amz-date", time.Now().UTC().Format(amazonTime),
		"x-amz-security-token", session, "x-amz-target", target + ".GetAuthorizationToken",
	}, "POST\n/\n\n", "{}", key, secret, region+"/"+service+"/aws4_request")
	a, err := e.ask(Request{URL: "https://" + api + "/", Header: header, Body: "{}", Secrets: []string{session}})
	if err != nil {
		return Login{}, err
	}
	// A list of one; ECR Public has none around it.
	if json.Unmarshal([]byte(strings.Trim(string(a.AuthorizationData), "[]")), &a) != nil {
		return Login{}, errAnswer
	}
	decoded, err := base64.StdEncoding.DecodeString(a.AuthorizationToken)
	password, ok := strings.CutPrefix(string(decoded), "AWS:")
	if err != nil || !ok {
		return Login{}, errAnswer
	}
	return Login{Username: "AWS", Password: password}, valid(password)
}

const amazonTime = "20060102T150405Z"

// sign adds Signature Version 4 to the header of a request, of which all fields
// are signed. They are in lower case and in order, with the host and the date
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
func sign(header []string, line, body, key, secret, scope string) []string {
	var fields, names, date string
	for i := 0; i < len(header); i += 2 {
		fields += header[i] + ":" + header[i+1] + "\n"
		names += ";" + header[i]
		if header[i] == "x-amz-date" {
			date = header[i+1]
		}
	}
	names = names[1:]
	scope = date[:8] + "/" + scope
	derived := []byte("AWS4" + secret)
	for _, part := range strings.Split(scope, "/") {
		derived = mac(derived, part)
	}
	signature := mac(derived, "AWS4-HMAC-SHA256\n"+date+"\n"+scope+"\n"+hash(line+fields+"\n"+names+"\n"+hash(body)))
	return append(header, "Authorization", "AWS4-HMAC-SHA256 Credential="+key+"/"+scope+", SignedHeaders="+names+", Signature="+hex.EncodeToString(signature))
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
