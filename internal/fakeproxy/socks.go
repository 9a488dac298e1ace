package fakeproxy

import (
	"errors"
	"io"
	"net"
	"net/url"
	"strconv"
	"testing"
)

// NewSOCKS starts a SOCKS5 proxy (RFC 1928, RFC 1929) on loopback that requires
// the login and runs until the end of the test. refuse, if not 0, is the reply
// to every request for a tunnel.
func NewSOCKS(t testing.TB) *Proxy {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	p := &Proxy{t: t, tunnels: map[string]bool{}}
	p.URL = &url.URL{Scheme: "socks5h", Host: listener.Addr().String(), User: url.UserPassword(Username, Password)}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_ = p.serveSOCKS(conn)
			}()
		}
	}()
	return p
}

var errRefused = errors.New("refused")

func (p *Proxy) serveSOCKS(conn net.Conn) error {
	field := func() (string, error) { // with its length before it
		var n [1]byte
		if _, err := io.ReadFull(conn, n[:]); err != nil {
			return "", err
		}
		text := make([]byte, n[0])
		_, err := io.ReadFull(conn, text)
		return string(text), err
	}
	var head [4]byte
	if _, err := io.ReadFull(conn, head[:1]); err != nil {
		return err
	}
	if _, err := field(); err != nil { // the methods
		return err
	}
	if _, err := conn.Write([]byte{5, 2}); err != nil {
		return err
	}
	if _, err := io.ReadFull(conn, head[:1]); err != nil {
		return err
	}
	username, err := field()
	if err != nil {
		return err
	}
	password, err := field()
	if err != nil {
		return err
	}
	if username != Username || password != Password {
		_, _ = conn.Write([]byte{1, 1})
		return errRefused
	}
	if _, err := conn.Write([]byte{1, 0}); err != nil {
		return err
	}
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return err
	}
	var host string
	switch head[3] {
	case 3:
		host, err = field()
	case 4:
		host, err = address(conn, net.IPv6len)
	default:
		host, err = address(conn, net.IPv4len)
	}
	if err != nil {
		return err
	}
	var port [2]byte
	if _, err := io.ReadFull(conn, port[:]); err != nil {
		return err
	}
	at := net.JoinHostPort(host, strconv.Itoa(int(port[0])<<8|int(port[1])))
	p.mu.Lock()
	p.asked = append(p.asked, at)
	p.mu.Unlock()
	answer := func(code byte) error {
		_, err := conn.Write([]byte{5, code, 0, 1, 0, 0, 0, 0, 0, 0})
		return err
	}
	if p.Refuse != 0 {
		_ = answer(byte(p.Refuse))
		return errRefused
	}
	there, err := net.Dial("tcp", at)
	if err != nil {
		return answer(5) // connection refused
	}
	p.mu.Lock()
	p.tunnels[there.LocalAddr().String()] = true
	p.mu.Unlock()
	if err := answer(0); err != nil {
		there.Close()
		return err
	}
	join(conn, there)
	return nil
}

func address(conn io.Reader, size int) (string, error) {
	ip := make(net.IP, size)
	_, err := io.ReadFull(conn, ip)
	return ip.String(), err
}
