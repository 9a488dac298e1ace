package parts

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/registry/auth/token"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// tokenServer gives out tokens by the rules of the distribution project's
// token authentication: GET with Basic credentials or none, scopes in, a
// signed token out that allows what of them the caller may.
type tokenServer struct {
	account         Account
	signer          jose.Signer
	issuer, service string
	keys            string // file that holds the public key, for the registry
}

func newTokenServer(t testing.TB, account Account) *tokenServer {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key := jose.JSONWebKey{Key: private, KeyID: "e2e", Algorithm: string(jose.ES256), Use: "sig"}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	public, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(file, public, 0o600); err != nil {
		t.Fatal(err)
	}
	return &tokenServer{account: account, signer: signer, issuer: "auth.docker.io", service: "registry.docker.io", keys: file}
}

func (s *tokenServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	username, password, hasLogin := r.BasicAuth()
	if hasLogin && (Account{username, password}) != s.account {
		http.Error(w, `{"details":"incorrect username or password"}`, http.StatusUnauthorized)
		return
	}
	claims := token.ClaimSet{
		Issuer:     s.issuer,
		Subject:    username,
		Audience:   token.AudienceList{s.service},
		Expiration: time.Now().Add(5 * time.Minute).Unix(),
		NotBefore:  time.Now().Add(-time.Minute).Unix(),
		IssuedAt:   time.Now().Unix(),
		Access:     s.grant(username, r.URL.Query()["scope"]),
	}
	signed, err := jwt.Signed(s.signer).Claims(claims).Serialize()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"token": signed, "expires_in": 300})
}

// grant is what of scopes ("repository:user/app:pull,push") username may do.
func (s *tokenServer) grant(username string, scopes []string) []*token.ResourceActions {
	var granted []*token.ResourceActions
	for scope := range strings.FieldsSeq(strings.Join(scopes, " ")) {
		kind, rest, _ := strings.Cut(scope, ":")
		colon := strings.LastIndexByte(rest, ':')
		if kind != "repository" || colon < 0 {
			continue
		}
		repository, actions := rest[:colon], []string{"pull"}
		if username != "" && strings.HasPrefix(repository, username+"/") {
			actions = strings.Split(rest[colon+1:], ",")
		}
		granted = append(granted, &token.ResourceActions{Type: kind, Name: repository, Actions: actions})
	}
	return granted
}
