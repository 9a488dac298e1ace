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

// helperTime limits a credential helper: some request a new password from a
// cloud.
const helperTime = 30 * time.Second

// CredentialHelper returns a function that runs docker-credential-NAME
// (Docker's "credential helper protocol") for the login of a server. It returns
// nil if the programs in Docker's configuration may not be run. A person who
// typed the command has logged in with that program; elsewhere the owner allows
// it by FERRY_CREDENTIAL_HELPERS=true.
func (env Env) CredentialHelper(typed bool) func(name, server string) (username, secret string, err error) {
	switch env.Getenv("FERRY_CREDENTIAL_HELPERS") {
	case "true":
		return runHelper
	case "":
		if typed && env.Getenv("GITHUB_ACTIONS") != "true" {
			return runHelper
		}
	}
	return nil
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
