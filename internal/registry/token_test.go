package registry

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/config"
)

// TestIdentityTokens checks that identity tokens are exchanged by POST, as in
// OAuth 2.0, and sent to no other server.
func TestIdentityTokens(t *testing.T) {
	host := ""
	host = hostile(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/oauth2/token":
			want := map[string]string{"grant_type": "refresh_token", "refresh_token": "identity-secret", "service": "acr", "scope": "repository:a/b:pull,push"}
			for key, value := range want {
				if got := r.PostFormValue(key); r.Method != http.MethodPost || got != value {
					t.Errorf("%s %s is %q, want %q", r.Method, key, got, value)
				}
			}
			fmt.Fprint(w, `{"access_token":"short"}`)
		case r.Header.Get("Authorization") == "Bearer short":
			fmt.Fprint(w, "{}")
		default:
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/oauth2/token",service="acr"`, host))
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	set := NewTargets([]config.Target{{Host: host, Private: true, PlainHTTP: true, Username: config.IdentityToken, Password: config.NewSecret("identity-secret")}}, nil, impatient)
	c, ref := clientOf(t, set, host)
	if _, err := c.Manifest(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
}

// TestTokenByPost checks the two requests to a token server that refuses GET.
func TestTokenByPost(t *testing.T) {
	host := ""
	asked := map[string]string{} // the type of the body by method
	host = hostile(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/token":
			asked[r.Method] = r.Header.Get("Content-Type")
			if r.Method == http.MethodGet {
				w.WriteHeader(http.StatusMethodNotAllowed)
				return
			}
			fmt.Fprint(w, `{"access_token":"short"}`)
		case r.Header.Get("Authorization") == "Bearer short":
			fmt.Fprint(w, "{}")
		default:
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="fake"`, host))
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	set := NewTargets([]config.Target{{Host: host, Private: true, PlainHTTP: true, Username: "ferry", Password: config.NewSecret("secret")}}, nil, impatient)
	c, ref := clientOf(t, set, host)
	if _, err := c.Manifest(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	if want := map[string]string{http.MethodGet: "", http.MethodPost: "application/x-www-form-urlencoded"}; !maps.Equal(asked, want) {
		t.Errorf("the types of the bodies are %v, want %v", asked, want)
	}
}

// TestTokenAnswers checks that additional fields in the response of a token
// server never make the token unusable.
func TestTokenAnswers(t *testing.T) {
	for text, want := range map[string]time.Duration{
		`{"token":"t","expires_in":300}`: 300 * time.Second, `{"token":"t","expires_in":"300"}`: 300 * time.Second,
		`{"token":"t","expires_in":300.5}`: 300 * time.Second, `{"token":"t"}`: 0, `{"token":"t","expires_in":null}`: 0,
		`{"token":"t","expires_in":"soon"}`: 0, `{"token":"t","expires_in":{}}`: 0, `{"token":"t","expires_in":[1]}`: 0,
		`{"token":"t","expires_in":true}`: 0, `{"token":"t","expires_in":-5}`: 0, `{"token":"t","expires_in":1e300}`: -1,
	} {
		var answer tokenAnswer
		if err := json.Unmarshal([]byte(text), &answer); err != nil || answer.Token != "t" {
			t.Errorf("%s: %+v, %v", text, answer, err)
		} else if got := time.Duration(min(answer.ExpiresIn, 1<<30)) * time.Second; want >= 0 && got != want {
			t.Errorf("%s lives %v, want %v", text, got, want)
		}
	}
}
