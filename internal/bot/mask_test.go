package bot

import (
	"encoding/base64"
	"testing"

	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/fakeworld"
	"github.com/imageferry/ferry/internal/wiring"
)

// Tokens that the target's password was exchanged for are masked like the
// password: with them anybody could push.
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
	// A token of the stand-in is its scopes.
	token := base64.RawURLEncoding.EncodeToString([]byte("repository:mirror/ns.img:pull,push ."))
	fakeworld.WantText(t, "the log", log, "::add-mask::"+token+"\n")
}

// The login of a proxy stands in its address, in the environment.
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
