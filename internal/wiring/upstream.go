package wiring

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/outbound"
	"github.com/imageferry/ferry/internal/upstream"
)

// Upstream returns the reader of the texts outside of lists.
func (env Env) Upstream() *upstream.Reader {
	var hosts []outbound.Host // that are somewhere else
	for at := range env.At {
		hosts = append(hosts, outbound.Host{Name: strings.TrimSuffix(at, ":443"), Private: true})
	}
	return &upstream.Reader{
		Web:  upstream.NewWeb(outbound.NewTrust(hosts), env.network(), UserAgent(), env.Sleep),
		Helm: func(ctx context.Context, args ...string) ([]byte, error) { return runHelm(ctx, env.Getenv, args) },
	}
}

// maxRendered is the maximum size of what Helm makes of a chart, in bytes.
const maxRendered = 16 << 20

// runHelm runs Helm, which GitHub's runners have. It gets no password of this
// process.
func runHelm(ctx context.Context, getenv func(string) string, args []string) ([]byte, error) {
	command := exec.CommandContext(ctx, "helm", args...) //nolint:gosec // an address, a name, a range of versions and the path of a values file, after words of Ferry's
	command.Env = passedOn(getenv)
	command.WaitDelay = time.Second // for programs that it has started
	var said bytes.Buffer
	command.Stderr = &said
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	err = command.Start()
	if errors.Is(err, exec.ErrNotFound) {
		return nil, errors.New("needs helm, which is not installed")
	}
	if err != nil {
		return nil, fmt.Errorf("helm cannot be started: %w", err)
	}
	text, _ := io.ReadAll(io.LimitReader(out, maxRendered+1)) // Wait has its error
	if len(text) > maxRendered {
		_ = command.Process.Kill()
	}
	err = command.Wait()
	switch {
	case len(text) > maxRendered:
		return nil, fmt.Errorf("makes more than %d bytes of the chart", maxRendered)
	case err != nil:
		return nil, fmt.Errorf("helm says %q", lastWords(said.String()))
	}
	return text, nil
}
