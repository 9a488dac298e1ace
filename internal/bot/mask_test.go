package bot

import (
	"encoding/base64"
	"testing"

	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/wiring"
)

// Tokens that the target's password was exchanged for are masked like the
// password: with them anybody could push.
func TestTokensAreMasked(t *testing.T) {
	w := newWorld(t)
	digest := w.publish("ns/img", "1.0", 1)
	w.target = fakeregistry.New(fakeregistry.Options{Username: "mate", Password: "sesame-of-the-target", Tokens: true})
	w.at["registry.example.com:80"] = w.serve(w.target)
	n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	status, log := w.happens("issues", "opened", n, nil)
	w.wantStatus(status, wiring.StatusDone, log)
	if got := w.mirrored("ns.img", "1.0"); got != digest {
		t.Errorf("the mirror is %q, want %q", got, digest)
	}
	// A token of the stand-in is its scopes.
	token := base64.RawURLEncoding.EncodeToString([]byte("repository:mirror/ns.img:pull,push ."))
	wantText(t, "the log", log, "::add-mask::"+token+"\n")
}

// The login of a proxy stands in its address, in the environment.
func TestProxyLoginsAreMasked(t *testing.T) {
	for name, address := range map[string]string{
		"HTTPS_PROXY": "http://clerk:word%2Fof-the-clerk@proxy.example.com:3128",
		"http_proxy":  "clerk:word%2Fof-the-clerk@proxy.example.com:3128",
	} {
		w := newWorld(t)
		w.environ[name] = address
		_, log := w.happens("push", "", 0, nil)
		wantText(t, "the log", log, "::add-mask::word/of-the-clerk\n", "::add-mask::word%252Fof-the-clerk\n",
			"::add-mask::"+base64.StdEncoding.EncodeToString([]byte("clerk:word/of-the-clerk"))+"\n")
	}
}
