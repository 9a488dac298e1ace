package e2e

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imageferry/ferry/e2e/browser"
	"github.com/imageferry/ferry/e2e/parts"
)

// TestPage mirrors an image, builds the site of the catalog, and does in a browser what
// a visitor does: the copied commands are run, and the request that the page prepares
// for an image that is not there is read by Ferry.
func TestPage(t *testing.T) {
	parts.Registry(t, authority, "gcr.io")
	parts.DockerHub(t, authority, owner)
	shell := parts.NewShell(t)
	const image = "gcr.io/ns/img:1.2"
	push(t, image)
	shell.Run(t, "FERRY_USERNAME="+owner.Username+" FERRY_PASSWORD="+owner.Password+" "+ferryFile()+" copy "+image+" --to docker.io/"+owner.Username+" --json > records.json")
	shell.Run(t, ferryFile()+" catalog add records.json --in log && "+ferryFile()+" catalog build --in log -o site --request alice/ferry && "+ferryFile()+" catalog check --in log -o site --request alice/ferry")
	server := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(shell.Dir, "site"))))
	defer server.Close()

	b := browser.Start(t)
	must := func(errs ...error) {
		t.Helper()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
	}
	must(b.Call("Browser.grantPermissions", map[string]any{"origin": server.URL, "permissions": []string{"clipboardReadWrite", "clipboardSanitizedWrite"}}, nil),
		b.Open(server.URL+"/"), b.Wait(`!document.getElementById("search").hidden`))
	for client, check := range map[string]string{
		"docker": "podman image exists " + image + " && podman rmi -fa",
		"podman": "podman image exists " + image,
		"ctr":    "ctr -n k8s.io images ls -q | grep -Fx " + image,
	} {
		var commands string
		must(b.Evaluate(`$("q").value = "`+image+`"; $("client").value = "`+client+`"; $("client").dispatchEvent(new Event("change")); show()`, nil),
			b.Wait(`document.querySelector("tr.chosen button")`), b.Evaluate(`document.querySelector("tr.chosen button").click()`, nil),
			b.Wait(`!document.querySelector("#found pre").hidden`), b.Evaluate(`navigator.clipboard.readText()`, &commands))
		if !strings.HasPrefix(commands, client+" ") {
			t.Fatalf("copied for %s: %s", client, commands)
		}
		shell.Run(t, commands+"\n"+check)
	}

	var form string
	must(b.Evaluate(`$("q").value = "quay.io/ns/other:2"; show()`, nil), b.Wait(`!$("request").hidden`), b.Evaluate(`$("request").querySelector("a").href`, &form))
	address, err := url.Parse(form)
	must(err)
	if address.Host != "github.com" || address.Path != "/alice/ferry/issues/new" || address.Query().Get("template") != "mirror.yml" {
		t.Errorf("the form is at %s", form)
	}
	// GitHub makes this body of a form.
	read := shell.Run(t, "printf '### 镜像 / Images\\n\\n%s\\n' '"+address.Query().Get("images")+"' | "+ferryFile()+" parse --json --body -")
	if !strings.Contains(read, `"quay.io/ns/other:2"`) {
		t.Errorf("the request is read as %s", read)
	}
}
