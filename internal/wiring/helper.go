package wiring

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// helperTime bounds a credential helper: some ask a cloud for a new password.
const helperTime = 30 * time.Second

// CredentialHelper runs docker-credential-NAME (Docker's "credential helper
// protocol") for the login of a server. It is nil unless the owner has said, by
// FERRY_CREDENTIAL_HELPERS=true, that the programs which Docker's configuration
// names may be run.
func (env Env) CredentialHelper() func(name, server string) (username, secret string, err error) {
	if env.Getenv("FERRY_CREDENTIAL_HELPERS") != "true" {
		return nil
	}
	return runHelper
}

func runHelper(name, server string) (username, secret string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), helperTime)
	defer cancel()
	command := exec.CommandContext(ctx, "docker-credential-"+name, "get") //nolint:gosec // config lets plain names through alone
	command.Stdin = strings.NewReader(server)
	out, err := command.StdoutPipe()
	if err != nil {
		return "", "", err
	}
	if err := command.Start(); err != nil {
		return "", "", err
	}
	var answer struct{ Username, Secret string }
	text, readErr := io.ReadAll(io.LimitReader(out, 1<<20))
	if err := command.Wait(); err != nil {
		return "", "", fmt.Errorf("docker-credential-%s: %w", name, err) // its words may hold a secret
	}
	if readErr != nil || json.Unmarshal(text, &answer) != nil {
		return "", "", fmt.Errorf("docker-credential-%s gave no login", name)
	}
	return answer.Username, answer.Secret, nil
}
