package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// client is one connection of HTTP/1.1. It does as little as possible, because
// it shares the machine with what it measures.
type client struct {
	conn         net.Conn
	reader       *bufio.Reader
	before, rest string // of the request, around the path below the server's base
}

func dial(s *server) (*client, error) {
	u, err := url.Parse(s.base)
	if err != nil {
		return nil, fmt.Errorf("parsing the address: %w", err)
	}
	c, err := net.Dial("tcp", u.Host)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	return &client{
		conn: c, reader: bufio.NewReaderSize(c, 64<<10),
		before: "GET " + u.Path, rest: " HTTP/1.1\r\nHost: " + u.Host + "\r\nAccept: " + manifestType + "\r\n\r\n",
	}, nil
}

var errStatus = errors.New("not status 200")

// get requests a path and reads the response. It returns when the response
// began.
func (c *client) get(path string) (first time.Time, err error) {
	if _, err := io.WriteString(c.conn, c.before+path+c.rest); err != nil {
		return first, fmt.Errorf("sending: %w", err)
	}
	status, err := c.reader.ReadString('\n')
	if err != nil {
		return first, fmt.Errorf("reading: %w", err)
	}
	first = time.Now()
	length, chunked := -1, false
	for {
		line, err := c.reader.ReadSlice('\n')
		if err != nil {
			return first, fmt.Errorf("reading: %w", err)
		}
		if len(line) <= 2 {
			break
		}
		if len(line) > 16 && (line[0]|0x20) == 'c' && strings.EqualFold(string(line[:15]), "content-length:") {
			length, _ = strconv.Atoi(strings.TrimSpace(string(line[15:])))
		}
		chunked = chunked || strings.HasPrefix(strings.ToLower(string(line)), "transfer-encoding: chunked")
	}
	if !strings.Contains(status, " 200 ") || length < 0 || chunked {
		return first, fmt.Errorf("%w: %q, length %d", errStatus, status, length)
	}
	if _, err := c.reader.Discard(length); err != nil {
		return first, fmt.Errorf("reading: %w", err)
	}
	return first, nil
}

// rate is what a server did under load.
type rate struct {
	perSecond float64
	p99       time.Duration
	cpu       time.Duration // per request
}

// hammer has clients send requests as often as they can.
func hammer(s *server, path func() string, clients int, d time.Duration) (rate, error) {
	var all sync.WaitGroup
	var failed atomic.Pointer[error]
	took := make([][]time.Duration, clients)
	begin, cpu := time.Now(), s.cpu()
	for i := range clients {
		all.Go(func() {
			c, err := dial(s)
			for err == nil && time.Since(begin) < d {
				sent := time.Now()
				if _, err = c.get(path()); err == nil {
					took[i] = append(took[i], time.Since(sent))
				}
			}
			if err != nil {
				failed.Store(&err)
				return
			}
			c.conn.Close()
		})
	}
	all.Wait()
	if err := failed.Load(); err != nil {
		return rate{}, fmt.Errorf("%s: %w", s.name, *err)
	}
	times := slices.Concat(took...)
	slices.Sort(times)
	n := len(times)
	return rate{float64(n) / time.Since(begin).Seconds(), times[n*99/100], (s.cpu() - cpu) / time.Duration(n)}, nil
}

// readAll has clients read resources, each one of paths in turn, and returns how
// long each took, in order.
func readAll(s *server, clients int, paths ...string) ([]time.Duration, error) {
	var all sync.WaitGroup
	var failed atomic.Pointer[error]
	took := make([]time.Duration, clients)
	for i := range clients {
		all.Go(func() {
			begin := time.Now()
			c, err := dial(s)
			if err == nil {
				_, err = c.get(paths[i%len(paths)])
				c.conn.Close()
			}
			if err != nil {
				failed.Store(&err)
			}
			took[i] = time.Since(begin)
		})
	}
	all.Wait()
	if err := failed.Load(); err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, *err)
	}
	slices.Sort(took)
	return took, nil
}
