package upstream_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/fakeworld"
	"github.com/imageferry/ferry/internal/lists"
	"github.com/imageferry/ferry/internal/outbound"
	"github.com/imageferry/ferry/internal/upstream"
)

// site is the public web: answers by host and path, and the requests.
type site struct {
	*http.ServeMux
	asked []string
}

// newReader returns a reader of a site.
func newReader(t *testing.T, s *site) *upstream.Reader {
	t.Helper()
	hosts := []string{"github.com", "raw.githubusercontent.com", "files.example.com"}
	place, certificate := fakeworld.ServeTLS(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked = append(s.asked, r.Host+r.URL.Path)
		s.ServeHTTP(w, r)
	}), hosts...)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(certificate)
	at := map[string]string{}
	var private []outbound.Host
	for _, host := range hosts {
		at[host+":443"] = place
		private = append(private, outbound.Host{Name: host, Private: true})
	}
	web := upstream.NewWeb(outbound.NewTrust(private), outbound.Options{At: at, Roots: roots}, "ferry", func(ctx context.Context, _ time.Duration) error { return ctx.Err() })
	return &upstream.Reader{Web: web}
}

func answer(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }
}

// read reads the only line of a list.
func read(t *testing.T, line string) *lists.Upstream {
	t.Helper()
	l := lists.Read([]byte(line+"\n"), lists.Options{})
	if len(l.Upstreams) != 1 || len(l.Faults) > 0 {
		t.Fatalf("%s: %+v", line, l)
	}
	return &l.Upstreams[0]
}

// tags answers as GitHub does about the tags of a repository.
func tags(names ...string) http.HandlerFunc {
	var b strings.Builder
	for _, name := range names {
		line := strings.Repeat("1", 40) + " refs/tags/" + name + "\n"
		fmt.Fprintf(&b, "%04x%s", len(line)+4, line)
	}
	return answer(b.String() + "0000")
}

func names(texts []upstream.Text) (all []string) {
	for _, text := range texts {
		all = append(all, text.Name)
	}
	return all
}

func images(u *lists.Upstream, texts []upstream.Text) (all []string) {
	for _, text := range texts {
		entries, faults := u.Entries(text.Body)
		for _, e := range entries {
			for _, ref := range e.References(e.Tags.Tags) {
				all = append(all, ref.String())
			}
		}
		for _, f := range faults {
			all = append(all, "fault "+f.String())
		}
	}
	return all
}

func TestKubernetes(t *testing.T) {
	const constants = "package constants\n\nconst (\n\tCoreDNSVersion = \"v1.99.1\"\n\tPauseVersion = \"3.99\"\n\tDefaultEtcdVersion = \"3.9.9-0\"\n)\n"
	s := &site{ServeMux: http.NewServeMux()}
	s.HandleFunc("POST github.com/kubernetes/kubernetes.git/git-upload-pack", tags("v1.30.1", "v1.30.2", "v1.31.0-rc.1", "v1.99.0", "v1.99.1", "v1.100.0-alpha.1", "zzz"))
	s.HandleFunc("raw.githubusercontent.com/kubernetes/kubernetes/v1.99.1/cmd/kubeadm/app/constants/constants.go", answer(constants))
	r := newReader(t, s)
	u := read(t, "kubernetes >=1.30 newest-patch-of 2")
	texts, verdicts, err := r.Read(t.Context(), u)
	if got := names(texts); err != nil || !slices.Equal(got, []string{"kubernetes v1.99.1", "kubernetes v1.30.2"}) || len(verdicts) != 7 {
		t.Errorf("%v, %q, %v", err, got, verdicts)
	}
	want := []string{
		"registry.k8s.io/kube-apiserver:v1.99.1", "registry.k8s.io/kube-controller-manager:v1.99.1", "registry.k8s.io/kube-scheduler:v1.99.1",
		"registry.k8s.io/kube-proxy:v1.99.1", "registry.k8s.io/coredns/coredns:v1.99.1", "registry.k8s.io/pause:3.99", "registry.k8s.io/etcd:3.9.9-0",
	}
	got := images(u, texts)
	if len(got) != 14 || !slices.Equal(got[:7], want) || got[7] != "registry.k8s.io/kube-apiserver:v1.30.2" {
		t.Errorf("images %q", got)
	}
	if note := texts[1].Note; !strings.Contains(note, "answers 404; the images of kubernetes v1.30.2 are those that this version of Ferry knows") || texts[0].Note != "" {
		t.Errorf("note %q", note)
	}

	// Constants of another form.
	s.HandleFunc("raw.githubusercontent.com/kubernetes/kubernetes/v1.31.0/cmd/kubeadm/app/constants/constants.go", answer("package constants\n"))
	u = read(t, "kubernetes 1.31.0")
	texts, _, err = r.Read(t.Context(), u)
	if got := images(u, texts); err != nil || len(got) != 7 || !strings.HasSuffix(texts[0].Note, "the images of kubernetes v1.31.0 are those that this version of Ferry knows") {
		t.Errorf("%v %q %+v", err, got, texts)
	}

	// An exact version needs no tags.
	s.asked = nil
	u = read(t, "kubernetes 1.30.2")
	texts, _, err = r.Read(t.Context(), u)
	if got := images(u, texts); err != nil || len(got) != 7 || len(s.asked) != 1 {
		t.Errorf("%v %q %q", err, got, s.asked)
	}
}

func TestReleasesAndTexts(t *testing.T) {
	s := &site{ServeMux: http.NewServeMux()}
	s.HandleFunc("POST github.com/k3s-io/k3s.git/git-upload-pack", tags("v1.33.1+k3s1", "v1.33.10+k3s1", "v1.33.9+k3s1", "v1.33.11-rc1+k3s1"))
	s.HandleFunc("github.com/k3s-io/k3s/releases/download/v1.33.10+k3s1/k3s-images.txt", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://files.example.com/1?signature=abc", http.StatusFound)
	})
	s.HandleFunc("files.example.com/1", answer("docker.io/rancher/klipper-helm:v0.9.8-build20250709\ndocker.io/rancher/mirrored-pause:3.6\n"))
	s.HandleFunc("github.com/a/b/releases/latest/download/images.txt", answer("quay.io/a/b:1\nnot an image\n"))
	s.HandleFunc("files.example.com/circle", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://files.example.com/circle", http.StatusFound)
	})
	s.HandleFunc("files.example.com/down", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://files.example.com/1?signature=abc", http.StatusFound)
	})
	s.HandleFunc("files.example.com/inside", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://169.254.169.254/latest/meta-data", http.StatusFound)
	})
	s.HandleFunc("files.example.com/large", answer(strings.Repeat("a", 8<<20+1)))
	failures := 2
	s.HandleFunc("files.example.com/weak", func(w http.ResponseWriter, _ *http.Request) {
		if failures--; failures >= 0 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		fmt.Fprint(w, "quay.io/a/b:1\n")
	})
	r := newReader(t, s)
	for _, test := range []struct{ line, images, fault string }{
		{"release k3s-io/k3s ^1.33 k3s-images.txt", "docker.io/rancher/klipper-helm:v0.9.8-build20250709 docker.io/rancher/mirrored-pause:3.6", ""},
		{"release k3s-io/k3s v1.33.10+k3s1 k3s-images.txt linux/amd64", "docker.io/rancher/klipper-helm:v0.9.8-build20250709 docker.io/rancher/mirrored-pause:3.6", ""},
		{"release a/b images.txt", `quay.io/a/b:1 fault 1: has "not an image", which cannot be read (unread)`, ""},
		{"release k3s-io/k3s ^9 k3s-images.txt", "", "selects 0 of the 4 versions of k3s-io/k3s"},
		{"release a/none ^9 images.txt", "", "answers 404"},
		{"text https://files.example.com/1", "docker.io/rancher/klipper-helm:v0.9.8-build20250709 docker.io/rancher/mirrored-pause:3.6", ""},
		{"text https://files.example.com/weak", "quay.io/a/b:1", ""},
		{"text https://files.example.com/none", "", "https://files.example.com/none answers 404"},
		{"text https://files.example.com/circle", "", "more than 5 redirects"},
		{"text https://files.example.com/down", "", "only https is allowed"},
		{"text https://files.example.com/inside", "", "not on the public internet"},
		{"text https://files.example.com/large", "", "more than 8388608 bytes"},
	} {
		u := read(t, test.line)
		texts, _, err := r.Read(t.Context(), u)
		if got := strings.Join(images(u, texts), " "); got != test.images {
			t.Errorf("%s: images %q, want %q", test.line, got, test.images)
		}
		if said := fmt.Sprint(err); (err != nil) != (test.fault != "") || !strings.Contains(said, test.fault) || strings.Contains(said, "signature") {
			t.Errorf("%s: %v, want %q", test.line, err, test.fault)
		}
	}
}

func TestChart(t *testing.T) {
	var asked []string
	folder := ""
	r := &upstream.Reader{Helm: func(_ context.Context, args ...string) ([]byte, error) {
		asked = append(asked, strings.Join(args, " "))
		switch {
		case slices.Contains(args, "none"):
			return nil, errors.New("helm says none")
		case args[0] == "pull":
			folder = strings.TrimPrefix(args[4], "--untardir=")
			if slices.Contains(args, "empty") {
				return nil, nil
			}
			chart := filepath.Join(folder, "a")
			return nil, errors.Join(os.Mkdir(chart, 0o700), os.WriteFile(filepath.Join(chart, "Chart.yaml"), nil, 0o600),
				os.WriteFile(filepath.Join(chart, "Images.lock"), []byte("apiVersion: v0\nkind: ImagesLock\nimages:\n  - name: d\n    image: quay.io/a/d:1\n    digests:\n    - digest: sha256:"+strings.Repeat("1", 64)+"\n      arch: linux/amd64\n  - image: quay.io/a/b:1\n"), 0o600))
		case args[0] == "show":
			return []byte("apiVersion: v2\nname: a\nversion: 65.1.0\nannotations:\n  artifacthub.io/images: |\n    - name: extra\n      image: quay.io/a/extra:2\n"), nil
		}
		return []byte("# Source: a/templates/a.yaml\napiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: a\n    image: \"quay.io/a/b:1\"\n---\napiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: quay.io/a/c:1\n  - image: quay.io/a/b:1\n"), nil
	}}
	for line, want := range map[string][]string{
		"chart oci://ghcr.io/a/charts/a ^65":                                 {"pull oci://ghcr.io/a/charts/a --version=^65 --untar --untardir=DIR", "show chart DIR/a", "template ferry DIR/a"},
		"chart https://charts.example.com/a a >=65.0 <66":                    {"pull a --version=>=65.0 <66 --untar --untardir=DIR --repo=https://charts.example.com/a", "show chart DIR/a", "template ferry DIR/a"},
		"chart https://charts.example.com/a a values=values/a.yaml >=65 <66": {"pull a --version=>=65 <66 --untar --untardir=DIR --repo=https://charts.example.com/a", "show chart DIR/a", "template ferry DIR/a --values=values/a.yaml"},
	} {
		asked = nil
		u := read(t, line)
		texts, _, err := r.Read(t.Context(), u)
		for i := range asked {
			asked[i] = strings.ReplaceAll(asked[i], folder, "DIR")
		}
		got := images(u, texts)
		slices.Sort(got)
		if err != nil || !slices.Equal(asked, want) || !slices.Equal(got, []string{"quay.io/a/b:1", "quay.io/a/c:1", "quay.io/a/d:1", "quay.io/a/extra:2"}) || !strings.HasSuffix(texts[0].Name, "a 65.1.0") {
			t.Errorf("%s: %v, asked %q, images %q, %q", line, err, asked, got, names(texts))
		}
		if _, err := os.Stat(folder); err == nil {
			t.Errorf("%s: %s is left", line, folder)
		}
	}
	for _, name := range []string{"none", "empty"} {
		if _, _, err := r.Read(t.Context(), read(t, "chart https://charts.example.com "+name)); err == nil {
			t.Errorf("no error for the chart %s", name)
		}
	}
}
