package wiring

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/name"
	"github.com/imageferry/ferry/internal/reference"
)

// TestVerify runs a program in the place of cosign that notes how it is called.
func TestVerify(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the program is a shell script")
	}
	folder := t.TempDir()
	called := filepath.Join(folder, "called")
	script := "#!/bin/sh\necho \"$@\" >" + called + "\nenv >>" + called + "\necho words >&2\nexit $(cat " + folder + "/status)\n"
	if err := os.WriteFile(filepath.Join(folder, "cosign"), []byte(script), 0o700); err != nil {
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
		path := folder + ":/usr/bin:/bin"
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
