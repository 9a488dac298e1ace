package front

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener for connections in memory, whose deadlines follow the
// clock of a test.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (p pipes) Close() error {
	close(p)
	return nil
}

func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// connect has server serve a connection in memory, and returns the client's end.
func connect(t *testing.T, server *http.Server) net.Conn {
	t.Helper()
	client, connection := net.Pipe()
	listener := make(pipes, 1)
	listener <- connection
	go server.Serve(listener)
	t.Cleanup(func() {
		client.Close()
		server.Close()
	})
	return client
}

// TestSlowReaders: a client that reads slowly is served as long as it likes, and
// one that reads nothing is cut off.
func TestSlowReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan time.Time, 1)
		s := &Server{Log: slog.New(slog.DiscardHandler)}
		server := s.server(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			defer func() { ended <- time.Now() }()
			a := &answer{ResponseWriter: w}
			for block := make([]byte, 64<<10); ; {
				a.extend()
				if _, err := a.Write(block); err != nil {
					return
				}
			}
		}))
		client := connect(t, server)
		if _, err := io.WriteString(client, "GET / HTTP/1.1\r\nHost: front\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		block := make([]byte, 64<<10)
		for range 20 {
			if _, err := io.ReadFull(client, block); err != nil {
				t.Fatalf("a slow client was cut off: %v", err)
			}
			time.Sleep(writeTime - time.Minute)
		}
		select {
		case <-ended:
			t.Fatal("the response ended while the client was reading")
		default:
		}
		idle := time.Now()
		if took := (<-ended).Sub(idle); took > writeTime {
			t.Errorf("a client that reads nothing was cut off after %v", took)
		}
	})
}

// TestSlowHeaders: a client that does not finish its header is cut off.
func TestSlowHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := connect(t, (&Server{Log: slog.New(slog.DiscardHandler)}).server(http.NotFoundHandler()))
		began, written := time.Now(), make(chan struct{})
		go func() {
			defer close(written)
			for {
				if _, err := io.WriteString(client, "GET"); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}()
		_, _ = io.ReadAll(client) // until the server closes the connection
		took := time.Since(began)
		client.Close()
		<-written
		if took < headerTime || took > headerTime+time.Second {
			t.Errorf("cut off after %v", took)
		}
	})
}
