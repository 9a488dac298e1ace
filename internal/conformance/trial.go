package conformance

import (
	"context"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/failure"
	fake "github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
)

// clock advances only while a client waits.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Wait(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return ctx.Err()
}

// trial copies one image from a source to a target, which behave as in a test.
type trial struct {
	t              *testing.T
	clock          clock
	source, target *fake.Registry
	other          *url.URL // another host before the target
	image          *fake.Image
	tls            bool // the target uses TLS
	partial        bool // the copy is incomplete
	began          time.Time
}

// outcome is the result of the copy.
type outcome struct {
	trial   *trial
	step    plan.Step
	receipt *mirror.Receipt
	failure *failure.Error
	waited  time.Duration
}

func (o outcome) code() failure.Code {
	if o.failure == nil {
		return ""
	}
	return o.failure.Code
}

const username, password = "mate", "sesame-of-the-target"

// behaviour is one row of the table: the behaviour of the registries, and the
// expected result of a copy.
type behaviour struct {
	name           string
	source, target fake.Options
	behave         func(*trial)
	layers         []int // of the image; some kilobytes if nil
	want           failure.Code
	says           words // the text of a failure for people
	check          func(*testing.T, outcome)
	memory         bool // it needs a registry in memory: a real one refuses the image, or has other addresses
}

// named returns the host of a server with the name localhost: references cannot
// contain IP addresses.
func named(s *httptest.Server) string {
	return strings.Replace(s.Listener.Addr().String(), "127.0.0.1", "localhost", 1)
}
