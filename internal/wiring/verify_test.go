package wiring

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/name"
	"github.com/imageferry/ferry/internal/reference"
)

// TestMain makes the test binary, under the name cosign, a stand-in for it.
func TestMain(m *testing.M) {
	if strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe") == "cosign" {
		os.Exit(cosign())
	}
	os.Exit(m.Run())
}

// cosign writes its arguments and environment into the file "called" of its
// folder, and returns the status in the file "status" there.
func cosign() int {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	called := strings.Join(os.Args[1:], " ") + "\n" + strings.Join(os.Environ(), "\n")
	if err := os.WriteFile(filepath.Join(filepath.Dir(self), "called"), []byte(called), 0o600); err != nil {
		panic(err)
	}
	fmt.Fprintln(os.Stderr, "words")
	text, err := os.ReadFile(filepath.Join(filepath.Dir(self), "status"))
	if err != nil {
		panic(err)
	}
	status, err := strconv.Atoi(string(text))
	if err != nil {
		panic(err)
	}
	return status
}

// TestVerify runs a stand-in for cosign that notes how it is called.
func TestVerify(t *testing.T) {
	folder := t.TempDir()
	called := filepath.Join(folder, "called")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	binary, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	program := "cosign"
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	if err := os.WriteFile(filepath.Join(folder, program), binary, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("FERRY_PASSWORD", "sesame")
	t.Setenv("DOCKER_CONFIG", "/home/somebody")
	image, err := reference.Parse("ghcr.io/acme/app@sha256:" + strings.Repeat("a", 64))
	if err != nil {
		t.Fatal(err)
	}
	pattern, err := name.ParsePattern("ghcr.io/acme/*")
	if err != nil {
		t.Fatal(err)
	}
	images := []name.Pattern{pattern}
	keyless := config.Verification{Images: images, Issuer: "https://issuer.example", Identity: "https://who.example"}
	marked := config.Verification{Images: images, Key: "cosign.pub", Mark: true}
	for _, test := range []struct {
		rule   config.Verification
		image  reference.Reference
		status string
		change mirror.Change
		code   failure.Code
		args   string
	}{
		{keyless, image, "0", "", "", "verify --output=text --certificate-oidc-issuer=https://issuer.example --certificate-identity=https://who.example " + image.String()},
		{keyless, image, "12", "", failure.Unverified, ""},
		{keyless, image, "1", "", failure.Unavailable, ""},
		{keyless, image, "", "", failure.NoVerifier, ""},
		{marked, image, "0", "", "", "verify --output=text --key=cosign.pub " + image.String()},
		{marked, image, "10", mirror.Unsigned, "", ""},
		{marked, image, "1", "", failure.Unavailable, ""}, // what is not known is not marked
	} {
		path := folder
		if test.status == "" {
			path = "/nowhere"
		}
		t.Setenv("PATH", path)
		if err := os.WriteFile(filepath.Join(folder, "status"), []byte(test.status), 0o600); err != nil {
			t.Fatal(err)
		}
		change, err := verifier(os.Getenv, []config.Verification{test.rule})(t.Context(), test.image)
		if change != test.change || failure.CodeOf(err) != test.code {
			t.Errorf("status %q: %q, %v; want %q, %q", test.status, change, err, test.change, test.code)
		}
		text, _ := os.ReadFile(called)
		if args, _, _ := strings.Cut(string(text), "\n"); test.args != "" && args != test.args {
			t.Errorf("called with %q, want %q", args, test.args)
		}
		if strings.Contains(string(text), "sesame") || strings.Contains(string(text), "/home/somebody") {
			t.Errorf("the program sees a login: %s", text)
		}
	}
	other, err := reference.Parse("quay.io/acme/app@sha256:" + strings.Repeat("a", 64))
	if err != nil {
		t.Fatal(err)
	}
	if change, err := verifier(os.Getenv, []config.Verification{keyless})(t.Context(), other); change != "" || err != nil {
		t.Errorf("an image without a rule: %q, %v", change, err)
	}
	if verifier(os.Getenv, nil) != nil {
		t.Error("there is something to run without rules")
	}
}
