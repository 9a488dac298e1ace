package bot

import (
	"encoding/base64"
	"testing"

	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/fakeworld"
	"github.com/imageferry/ferry/internal/wiring"
)

// TestTokensAreMasked checks that tokens obtained with the target's password
// are masked like the password, because they allow pushing.
func TestTokensAreMasked(t *testing.T) {
	w := newWorld(t)
	digest := w.Publish("ns/img", "1.0", 1)
	w.Target = fakeregistry.New(fakeregistry.Options{Username: "mate", Password: "sesame-of-the-target", Tokens: true})
	w.At["registry.example.com:80"] = w.Serve(w.Target)
	n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	status, log := w.happens("issues", "opened", n, nil)
	w.WantStatus(status, wiring.StatusDone, log)
	if got := w.Mirrored("ns.img", "1.0"); got != digest {
		t.Errorf("the mirror is %q, want %q", got, digest)
	}
	// A token of the fake registry is its scopes.
	token := base64.RawURLEncoding.EncodeToString([]byte("repository:mirror/ns.img:pull,push ."))
	fakeworld.WantText(t, "the log", log, "::add-mask::"+token+"\n")
}

// TestProxyLoginsAreMasked checks that the login in the address of a proxy is
// masked.
func TestProxyLoginsAreMasked(t *testing.T) {
	for name, address := range map[string]string{
		"HTTPS_PROXY": "http://clerk:word%2Fof-the-clerk@proxy.example.com:3128",
		"http_proxy":  "clerk:word%2Fof-the-clerk@proxy.example.com:3128",
	} {
		w := newWorld(t)
		w.Environ[name] = address
		_, log := w.happens("push", "", 0, nil)
		fakeworld.WantText(t, "the log", log, "::add-mask::word/of-the-clerk\n", "::add-mask::word%252Fof-the-clerk\n",
			"::add-mask::"+base64.StdEncoding.EncodeToString([]byte("clerk:word/of-the-clerk"))+"\n")
	}
}
