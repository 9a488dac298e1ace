package config

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
)

// TestListTargets: the targets of lists come behind the usual ones, with the
// logins that are there for them.
func TestListTargets(t *testing.T) {
	const cn = "registry.cn-hangzhou.aliyuncs.com/"
	for _, test := range []struct {
		name    string
		environ map[string]string
		targets []string
		want    string // targets with their passwords
		fault   string
	}{
		{"alone", map[string]string{"FERRY_LOGINS": "ghcr.io a pw"}, []string{"ghcr.io/a", "ghcr.io/b"}, "ghcr.io/a pw ghcr.io/b pw", ""},
		{"beside the usual one", map[string]string{"FERRY_USERNAME": "u", "FERRY_PASSWORD": "pw", "FERRY_LOGINS": "ghcr.io a other"},
			[]string{"ghcr.io/a", "docker.io/u"}, "docker.io/u pw ghcr.io/a other", ""},
		{"two namespaces of one registry", map[string]string{"FERRY_TARGET": cn + "a", "FERRY_USERNAME": "u", "FERRY_PASSWORD": "pw"},
			[]string{cn + "b"}, cn + "a pw " + cn + "b pw", ""},
		{"a password is shown to one registry alone", map[string]string{"FERRY_TARGET": cn + "a", "FERRY_USERNAME": "u", "FERRY_PASSWORD": "pw"},
			[]string{"ghcr.io/b"}, "", "the list's target ghcr.io/b"},
		{"no namespace", map[string]string{}, []string{"ghcr.io"}, "", "no namespace"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg, err := Load(Options{
				Getenv:      func(key string) string { return test.environ[key] },
				ReadFile:    func(string) ([]byte, error) { return nil, fs.ErrNotExist },
				ListTargets: test.targets, Copies: true,
			})
			if test.fault != "" {
				if err == nil || !strings.Contains(err.Error(), test.fault) {
					t.Fatalf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, target := range cfg.Targets {
				got = append(got, target.String(), target.Password.Reveal())
			}
			if !slices.Equal(got, strings.Fields(test.want)) {
				t.Errorf("got %q", got)
			}
		})
	}
}
