package wiring

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/name"
	"github.com/imageferry/ferry/internal/reference"
)

// verifyTime bounds a verification, which asks the registry and, for identities,
// sigstore's servers.
const verifyTime = 2 * time.Minute

// verifier runs "cosign verify" for the images that the owner's rules cover. It is
// nil without rules.
func verifier(getenv func(string) string, rules []config.Verification) func(context.Context, reference.Reference) (mirror.Change, error) {
	if len(rules) == 0 {
		return nil
	}
	return func(ctx context.Context, image reference.Reference) (mirror.Change, error) {
		i := slices.IndexFunc(rules, func(rule config.Verification) bool {
			return slices.ContainsFunc(rule.Images, func(p name.Pattern) bool { return p.Covers(image.Repository()) })
		})
		if i < 0 {
			return "", nil
		}
		err := verify(ctx, getenv, rules[i], image)
		if failure.CodeOf(err) == failure.Unverified && rules[i].Mark {
			return mirror.Unsigned, nil
		}
		return "", err
	}
}

func verify(ctx context.Context, getenv func(string) string, rule config.Verification, image reference.Reference) error {
	ctx, cancel := context.WithTimeout(ctx, verifyTime)
	defer cancel()
	args := []string{"verify", "--output=text"}
	if rule.Key != "" {
		args = append(args, "--key="+rule.Key)
	} else {
		args = append(args, "--certificate-oidc-issuer="+rule.Issuer)
		if rule.Identity != "" {
			args = append(args, "--certificate-identity="+rule.Identity)
		} else {
			args = append(args, "--certificate-identity-regexp="+rule.IdentityPattern)
		}
	}
	command := exec.CommandContext(ctx, "cosign", append(args, image.String())...) //nolint:gosec // the owner's words and a canonical reference
	// It gets no password of this process, and no login of the machine.
	folder, err := os.MkdirTemp("", "ferry-cosign")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	command.Env = append(passedOn(getenv), "DOCKER_CONFIG="+folder)
	var said bytes.Buffer
	command.Stderr = &said
	err = command.Run()
	f := &failure.Error{Code: failure.Unavailable, Side: failure.Source, Step: "verifying the signature", Detail: lastWords(said.String()), Err: err}
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
	case errors.Is(err, exec.ErrNotFound):
		f.Code, f.Err = failure.NoVerifier, fmt.Errorf("cosign: %w", err)
	case errors.As(err, &exit) && (isUnsigned[exit.ExitCode()] || strings.Contains(said.String(), "no matching signatures") || strings.Contains(said.String(), "no signatures found")):
		f.Code = failure.Unverified
	}
	return f
}

// isUnsigned holds the exit statuses by which cosign says that there is no such
// signature (cmd/cosign/errors/exit_codes.go).
var isUnsigned = map[int]bool{10: true, 11: true, 12: true, 13: true}

// passedOn returns the variables that the program needs to find its files and
// the way out.
func passedOn(getenv func(string) string) []string {
	var environ []string
	for _, name := range []string{
		"PATH", "HOME", "TMPDIR", "SYSTEMROOT", "USERPROFILE", "SSL_CERT_FILE", "SSL_CERT_DIR",
		"HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy",
	} {
		if value := getenv(name); value != "" {
			environ = append(environ, name+"="+value)
		}
	}
	return environ
}

// lastWords returns the end of what a program has said.
func lastWords(text string) string {
	const most = 2 << 10
	return strings.ToValidUTF8(text[max(0, len(text)-most):], "")
}
