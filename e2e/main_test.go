package e2e

import (
	"fmt"
	"os"
	"testing"

	"github.com/imageferry/ferry/e2e/sandbox"
)

// hosts are who the sandbox's names belong to.
var hosts = map[string]string{
	"gcr.io":               "1.2.3.1",
	"auth.docker.io":       "1.2.3.3",
	"registry-1.docker.io": "1.2.3.2",
	"index.docker.io":      "1.2.3.2",
	"docker.io":            "1.2.3.2",
	"api.github.com":       "1.2.3.4",
	"quay.io":              "127.0.0.2", // a public name that leads inside
	"registry.example.com": "1.2.3.5",
}

var authority *sandbox.Authority

func TestMain(m *testing.M) {
	status, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
	os.Exit(status)
}

func run(m *testing.M) (int, error) {
	if sandbox.Dir() == "" {
		return sandbox.Enter(hosts)
	}
	if err := sandbox.Furnish(); err != nil {
		return 0, err
	}
	var err error
	if authority, err = sandbox.NewAuthority(); err != nil {
		return 0, err
	}
	return m.Run(), nil
}
