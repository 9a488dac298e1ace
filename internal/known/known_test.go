package known

import (
	"slices"
	"strings"
	"testing"
)

// TestRows checks properties of the table that its users rely on.
func TestRows(t *testing.T) {
	seen, labels := map[string]bool{}, map[string]bool{}
	once := func(kind, value string) {
		t.Helper()
		if seen[kind+value] {
			t.Errorf("%s %s stands in two rows", kind, value)
		}
		seen[kind+value] = true
		if value == "" || value != strings.ToLower(value) {
			t.Errorf("%s %q is empty or not in lower case", kind, value)
		}
	}
	for _, r := range All() {
		if r.Host() == "" {
			t.Errorf("%+v has neither hosts nor domains", r)
		}
		for _, host := range slices.Concat(r.Hosts, r.Aliases) {
			once("host", host)
			if got := Of(strings.ToUpper(host) + ":443").Host(); got != r.Host() || !IsRegistry(host) || Lookalike(host) != "" && !slices.Contains(r.Misspelt, host) {
				t.Errorf("%s is of %s, want %s", host, got, r.Host())
			}
		}
		for _, domain := range r.Domains {
			once("domain", domain)
			if got := Of("host" + domain).Host(); got != r.Host() {
				t.Errorf("host%s is of %s, want %s", domain, got, r.Host())
			}
		}
		for _, host := range r.Misspelt {
			once("misspelling", host)
			if got := Lookalike(host); got != r.Host() {
				t.Errorf("%s is taken for %q, want %s", host, got, r.Host())
			}
		}
		for _, short := range r.Short {
			once("short name", short)
			if got, ok := Mirrored(short + ".m.daocloud.io"); got != r.Host() || !ok {
				t.Errorf("%s.m.daocloud.io mirrors %q, want %s", short, got, r.Host())
			}
		}
		for _, host := range r.Websites {
			if got := OfWebsite(host); got != r.Host() {
				t.Errorf("%s is the website of %q, want %s", host, got, r.Host())
			}
		}
		if r.Label != "" && labels[r.Label] {
			t.Errorf("label %s stands in two rows", r.Label)
		}
		labels[r.Label] = true
		if (r.Allowed || r.Searched || r.Often || r.Label != "" || r.SameAs != "") && len(r.Hosts) == 0 {
			t.Errorf("%s: such a registry has a host of its own", r.Host())
		}
		if r.SameAs != "" && Of(r.SameAs).Host() != r.SameAs {
			t.Errorf("%s is the same as %s, which is not known", r.Host(), r.SameAs)
		}
	}
}

// TestAddingARegistry checks that one row is enough to add a registry.
func TestAddingARegistry(t *testing.T) {
	t.Cleanup(func() { table = newIndex(registries) })
	table = newIndex(append(slices.Clone(registries), Registry{
		Hosts: []string{"images.example.org"}, Domains: []string{".images.example.org"}, Vendor: "example",
		Allowed: true, Often: true, Misspelt: []string{"image.example.com"}, Websites: []string{"www.example.org"}, Short: []string{"exa"},
		Label: "exa", Names: Names{Least: 2, Most: 3},
	}))
	r := Of("eu.images.example.org")
	for what, ok := range map[string]bool{
		"its family":       r.Vendor == "example" && r.Names.Most == 3 && r.Label == "exa",
		"a registry":       IsRegistry("images.example.org"),
		"allowed":          slices.Contains(Allowed(), "images.example.org"),
		"a misspelling":    Lookalike("image.example.com") == "images.example.org",
		"a slip":           Lookalike("imagse.example.org") == "images.example.org",
		"a website":        OfWebsite("www.example.org") == "images.example.org",
		"a public mirror":  ByShortName("exa") == "images.example.org",
		"no other changes": Of("docker.io").Vendor == Docker,
	} {
		if !ok {
			t.Errorf("%s: not known by the row", what)
		}
	}
}

func TestLists(t *testing.T) {
	for _, name := range []string{"nginx", "rocket.chat", "vault", "azul-zulu"} {
		if !IsOfficial(name) {
			t.Errorf("%s is no official image", name)
		}
	}
	for _, name := range []string{"", "#", "coredns", "kube-proxy"} {
		if IsOfficial(name) {
			t.Errorf("%q is an official image", name)
		}
	}
	for _, c := range []struct {
		minor, patch int
		want         Release
	}{{19, 0, Release{0, "1.7.0", "3.2", "3.4.9-1"}}, {19, 7, Release{1, "1.7.0", "3.2", "3.4.13-0"}}, {31, 14, Release{14, "v1.11.3", "3.10", "3.5.24-0"}}} {
		if got, ok := KubernetesRelease(c.minor, c.patch); got != c.want || !ok {
			t.Errorf("1.%d.%d is %v, want %v", c.minor, c.patch, got, c.want)
		}
	}
	if _, ok := KubernetesRelease(NewestKubernetes()+1, 0); ok {
		t.Error("a release that is not there is known")
	}
}
