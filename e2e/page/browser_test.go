package page

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imageferry/ferry/e2e/browser"
	"github.com/imageferry/ferry/e2e/npm"
)

// visit opens the page for a visitor of a language and waits until it can be used.
func visit(t *testing.T, b *browser.Browser, address, language string) {
	t.Helper()
	b.Events = nil
	must(t,
		b.Call("Network.enable", nil, nil), b.Call("Runtime.enable", nil, nil), b.Call("Log.enable", nil, nil),
		b.Call("Network.setUserAgentOverride", map[string]any{"userAgent": "test", "acceptLanguage": language}, nil),
		b.Open(address), b.Wait(`!document.getElementById("search").hidden`))
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// value is the value of an expression in the page.
func value[T any](t *testing.T, b *browser.Browser, expression string) T {
	t.Helper()
	var v T
	must(t, b.Evaluate(expression, &v))
	return v
}

// search types a query in place of the last one, and waits for what it finds.
func search(t *testing.T, b *browser.Browser, query string) {
	t.Helper()
	must(t, b.Evaluate(`$("q").focus(), $("q").select()`, nil), b.Type(query), b.Wait(fmt.Sprintf(`decodeURIComponent(location.hash.slice(1)) === %q && $("found").ariaBusy === "false"`, strings.TrimSpace(query))))
}

// quiet checks that nothing was asked of another origin, no script of data ran, and the
// browser complained about nothing.
func quiet(t *testing.T, b *browser.Browser, address string) {
	t.Helper()
	own, err := url.Parse(address)
	must(t, err)
	for _, e := range b.Events {
		switch e.Method {
		case "Network.requestWillBeSent":
			var sent struct{ Request struct{ URL string } }
			must(t, json.Unmarshal(e.Params, &sent))
			if to, err := url.Parse(sent.Request.URL); err != nil || to.Host != own.Host || !strings.HasPrefix(to.Path, own.Path) {
				t.Errorf("asked for %s", sent.Request.URL)
			}
		case "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Page.javascriptDialogOpening":
			t.Errorf("%s: %s", e.Method, e.Params)
		case "Log.entryAdded":
			if !strings.Contains(string(e.Params), "favicon.ico") { // a browser asks for it
				t.Errorf("%s: %s", e.Method, e.Params)
			}
		}
	}
}

// summaries are the results, in their order.
const summaries = `[...document.querySelectorAll("#found summary")].map((s) => s.textContent)`

func TestSearch(t *testing.T) {
	b := browser.Start(t)
	address := serve(t, site(t))
	visit(t, b, address, "en")
	for query, want := range map[string]string{
		"nginx":                        "docker.io/library/nginx:1.27 (2)",
		"1.27 nginx":                   "docker.io/library/nginx:1.27 (2)", // in another order
		"ngnix":                        "docker.io/library/nginx:1.27 (2)", // letters in the wrong order
		"promethus":                    "quay.io/prometheus/prometheus:v3.1.0 (1)",
		"prometheus quay":              "quay.io/prometheus/prometheus:v3.1.0 (1)",
		"nginx 1.27-alpine":            "docker.io/library/nginx:1.27 (2)", // a tag that is not in the index
		"docker pull nginx:1.27":       "docker.io/library/nginx:1.27 (2)",
		digest(101):                    "docker.io/library/nginx:1.27 (2)",
		digest(101)[7:30]:              "docker.io/library/nginx:1.27 (2)",
		digest(999):                    "docker.io/library/nginx:1.27 (2)", // of the source
		"postgres":                     "docker.io/library/postgres:17@" + digest(104) + " (1)",
		"redis":                        "docker.io/library/redis@" + digest(103) + " (1)",
		"constructor":                  "gcr.io/constructor/constructor:constructor (1)",
		"__proto__":                    "gcr.io/constructor/a__proto__b:__proto__ (1)",
		"localhost:5000/list/app.js":   "localhost:5000/list/app.js:" + strings.Repeat("a", 128) + " (1)",
		"nothing-like-it":              "",
		"<img src=x onerror=alert(1)>": "",
	} {
		search(t, b, query)
		found := append(value[[]string](t, b, summaries), "")
		if found[0] != want {
			t.Errorf("%q found %q, want %q", query, found, want)
		}
	}
	quiet(t, b, address)
}

// TestReference types references in full: one that is there leads to its tag, one that
// is not to a request for it.
func TestReference(t *testing.T) {
	b := browser.Start(t)
	visit(t, b, serve(t, site(t)), "en")
	const chosen = `[...document.querySelectorAll("#found details[open] tr.chosen th")].map((s) => s.textContent)`
	for query, want := range map[string]string{
		"docker.io/library/nginx:1.27-alpine": "1.27-alpine",
		"nginx:1.27-alpine":                   "1.27-alpine",
		digest(102):                           "v3.1.0",
		"redis@" + digest(103):                digest(103),
		"docker pull nginx:1.27":              "1.27", // alone, although another one begins so
	} {
		search(t, b, query)
		must(t, b.Wait(`document.querySelector("tr.chosen")`), b.Wait(`$("request").hidden`))
		if got := value[[]string](t, b, chosen); len(got) != 1 || strings.TrimPrefix(got[0], "@") != want {
			t.Errorf("%q chose %q", query, got)
		}
	}
	search(t, b, "redis@"+digest(103))
	must(t, b.Wait(`document.querySelector("tr.chosen")`))
	text := value[string](t, b, `$("found").textContent`)
	for _, want := range []string{"The same content: m.example.com/docker.io/library/redis@" + digest(103), "The same content (linux/amd64): m.example.net/redis@" + digest(105)} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q: %s", want, text)
		}
	}
	search(t, b, "traefik:3")
	must(t, b.Wait(`document.querySelector("tr.chosen")`))
	if text := value[string](t, b, `$("found").textContent`); !strings.Contains(text, digest(106)) || strings.Contains(text, "the source") {
		t.Errorf("of an image whose source was not asked, the page says %s", text)
	}
	long := strings.Repeat("gcr.io/some/image:1 ", 400)
	for query, hidden := range map[string]bool{"nginx": true, "nginx:9.9": false, "quay.io/prometheus/promehteus:v1": false, strings.TrimSpace(long): false} {
		search(t, b, query)
		if got := value[bool](t, b, `$("request").hidden`); got != hidden {
			t.Errorf("%.40q: the request is hidden: %t", query, got)
		}
		if hidden {
			continue
		}
		address, err := url.Parse(value[string](t, b, `$("request").querySelector("a").href`))
		must(t, err)
		asked := address.Query().Get("images")
		if pasted := value[string](t, b, `$("request").querySelector("pre")?.textContent ?? ""`); asked == "" {
			asked = pasted
		}
		if asked != query || len(address.String()) > 8000 {
			t.Errorf("%.40q: the request is for %.80q, with an address of %d bytes", query, asked, len(address.String()))
		}
	}
}

// TestKeyboard does everything without a pointer, and reads what was copied back from
// the clipboard.
func TestKeyboard(t *testing.T) {
	b := browser.Start(t)
	address := serve(t, site(t))
	origin, _, _ := strings.Cut(address, "/alice")
	must(t, b.Call("Browser.grantPermissions", map[string]any{"origin": origin, "permissions": []string{"clipboardReadWrite", "clipboardSanitizedWrite"}}, nil))
	visit(t, b, address, "en")
	must(t, b.Press("/"), b.Type("nginx"), b.Wait(`$("found").ariaBusy === "false" && location.hash === "#nginx"`))
	must(t, b.Press("Enter"), b.Wait(`document.activeElement.tagName === "SUMMARY"`), b.Press("Enter"), b.Wait(`document.querySelectorAll("#found details[open] button").length === 2`))
	must(t, b.Press("ArrowDown"), b.Wait(`document.activeElement.tagName === "BUTTON"`), b.Press("Enter"), b.Wait(`document.activeElement.textContent === "Copied"`))
	want := "docker pull docker.io/me/docker.nginx:1.27\ndocker tag docker.io/me/docker.nginx:1.27 docker.io/library/nginx:1.27"
	if got := value[string](t, b, `navigator.clipboard.readText()`); got != want {
		t.Errorf("copied %q", got)
	}
	if got := value[string](t, b, `document.querySelector("#found details pre").textContent`); got != want {
		t.Errorf("shown %q", got)
	}
	must(t, b.Press("ArrowUp", "ArrowUp"), b.Wait(`document.activeElement.id === "q"`))
	quiet(t, b, address)
}

// TestCommands compares the commands that the page makes of the patterns in clients.json
// with those that the API has.
func TestCommands(t *testing.T) {
	b := browser.Start(t)
	visit(t, b, serve(t, site(t)), "en")
	differ := value[[]string](t, b, `(async () => {
		const differ = [];
		for (const [source] of rows) {
			const [host, ...path] = source.split("/");
			for (const image of (await get("images/" + host.replace(":", "_") + "/" + path.join("/").replaceAll(".json/", ".json_/"))).images)
				if (commands(image) !== image.docker.join("\n")) differ.push(commands(image) + " / " + image.docker.join("\n"));
		}
		return differ;
	})()`)
	if len(differ) > 0 {
		t.Error(strings.Join(differ, "\n\n"))
	}
	names := value[string](t, b, `[...$("client").options].map((o) => o.textContent).join(" ")`)
	if names != "docker podman nerdctl ctr k3s crictl" {
		t.Errorf("the clients are %s", names)
	}
}

// TestAccessible has axe look at every view, in all languages, widths and colours. With
// FERRY_PICTURES it leaves a picture of each in that folder.
func TestAccessible(t *testing.T) {
	axe, err := npm.File("axe-core", "4.14.1", "axe.min.js")
	must(t, err)
	pictures := os.Getenv("FERRY_PICTURES")
	b := browser.Start(t)
	address := serve(t, site(t))
	must(t, b.Call("Page.setBypassCSP", map[string]any{"enabled": true}, nil)) // for axe alone
	look := func(name string, width int, scheme string) {
		must(t, b.Evaluate(string(axe)+";0", nil))
		for _, finding := range value[[]string](t, b, `axe.run({ resultTypes: ["violations"] }).then((r) => r.violations.map((v) => v.id + ": " + v.help + ": " + v.nodes.map((n) => n.html + n.any.map((a) => a.message)).join("; ")))`) {
			t.Errorf("%s: %s", name, finding)
		}
		if got := value[int](t, b, `document.documentElement.scrollWidth`); got > width {
			t.Errorf("%s is %d px wide", name, got)
		}
		if pictures != "" {
			png, err := b.Picture()
			must(t, err, os.WriteFile(filepath.Join(pictures, name+".png"), png, 0o644))
		}
	}
	for _, language := range []string{"en", "zh-CN"} {
		for _, width := range []int{390, 1280} {
			for _, scheme := range []string{"light", "dark"} {
				must(t, b.Look(width, scheme))
				name := fmt.Sprintf("%s.%d.%s", language, width, scheme)
				visit(t, b, address, language)
				look("start."+name, width, scheme)
				search(t, b, "nginx:1.27")
				must(t, b.Wait(`document.querySelector("tr.chosen button")`), b.Evaluate(`document.querySelector("tr.chosen button").click()`, nil), b.Wait(`!document.querySelector("#found details pre").hidden`))
				look("tags."+name, width, scheme)
				search(t, b, "gcr.io/some/thing:9")
				look("request."+name, width, scheme)
				must(t, b.Open(address+"list/docker.io.html"))
				look("list."+name, width, scheme)
			}
		}
	}
}

// TestFromDisk opens the site without a server: nothing is broken, and the lists work.
func TestFromDisk(t *testing.T) {
	b := browser.Start(t)
	folder := site(t)
	must(t, b.Call("Runtime.enable", nil, nil), b.Open("file://"+filepath.ToSlash(folder)+"/index.html"))
	if shown := value[bool](t, b, `!$("off").hidden && $("search").hidden && getComputedStyle(document.body).margin === "0px"`); !shown {
		t.Error("the page does not say that it cannot search, or has no style")
	}
	must(t, b.Evaluate(`document.querySelector("#hosts a").click()`, nil), b.Wait(`document.title === "docker.io" && document.querySelector("td")`))
	for _, e := range b.Events {
		if e.Method == "Runtime.exceptionThrown" {
			t.Errorf("%s", e.Params)
		}
	}
}
