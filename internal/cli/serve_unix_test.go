//go:build unix

package cli

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/imageferry/ferry/internal/wiring"
)

func TestServeReadsItsFileOnHangup(t *testing.T) {
	file := filepath.Join(t.TempDir(), "serve.yaml")
	if err := os.WriteFile(file, []byte("targets: [{to: docker.io/alice}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startServe(t, nil, "--config", file)
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	s.wait("was reloaded") // although the file has not changed
	if status := s.end(); status != wiring.StatusDone {
		t.Errorf("exit status %d", status)
	}
}

// TestServeOnASocketOfSystemd hands a listening socket to a process, as systemd does
// (sd_listen_fds(3)). A socket that others can reach is refused like an address.
func TestServeOnASocketOfSystemd(t *testing.T) {
	if os.Getenv("LISTEN_FDS") != "" { // the process
		os.Exit(Run(t.Context(), wiring.Env{
			Args: []string{"serve", "--target", "docker.io/alice", "--listen", "127.0.0.1:1"}, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv,
		}))
	}
	start := func(address string) (*exec.Cmd, *strings.Builder, net.Listener) {
		t.Helper()
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		file, err := l.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		var said strings.Builder
		process := exec.Command("sh", "-c", `LISTEN_PID=$$ exec "$0" -test.run='^TestServeOnASocketOfSystemd$'`, os.Args[0])
		process.Env = append(os.Environ(), "LISTEN_FDS=1", "FERRY_LANGUAGE=en")
		process.ExtraFiles, process.Stderr = []*os.File{file}, &said
		if err := process.Start(); err != nil {
			t.Fatal(err)
		}
		return process, &said, l
	}
	process, said, l := start("127.0.0.1:0")
	resp, err := http.Get("http://" + l.Addr().String() + "/-/live")
	_ = process.Process.Kill()
	_ = process.Wait() // it was killed
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("%v %v: %s", resp, err, said)
	}
	process, said, _ = start("0.0.0.0:0")
	if err := process.Wait(); err == nil || process.ProcessState.ExitCode() != wiring.StatusUsage || !strings.Contains(said.String(), "no guests are configured") {
		t.Errorf("%v: %s", err, said)
	}
}
