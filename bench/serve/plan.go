package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/imageferry/ferry/bench/internal/wire"
)

const (
	mib = 1 << 20
	// spell is how long a server is under load.
	spell = 4 * time.Second
	// layerSize is that of the layers that are relayed, and largeSize that of one
	// for which a connection's beginning does not matter.
	layerSize = 128 * mib
	largeSize = 1024 * mib
)

// wide is the way to the source: RTT 30 ms, 62.5 MB/s.
var wide = wire.Path{RTT: 30 * time.Millisecond, Rate: 62.5e6}

// peer is a server to compare.
type peer struct{ name, program, prefix string }

// each starts the peers in front of r one after another, and Ferry before them.
func (b *bed) each(r *registry, ferry string, peers []peer, do func(*server) error) error {
	s, err := b.serveFerry("ferry serve", ferry)
	if err != nil {
		return err
	}
	if err := do(s); err != nil {
		return err
	}
	b.stopAll()
	for _, p := range peers {
		s, err := b.other(p.name, p.program, p.prefix, r)
		if errors.Is(err, errMissing) {
			continue
		}
		if err != nil {
			return err
		}
		if err := do(s); err != nil {
			return err
		}
		b.stopAll()
	}
	return nil
}

// rates measures manifests of r under load.
func (b *bed) rates(r *registry, path func() string, peers []peer) ([][]string, error) {
	var rows [][]string
	err := b.each(r, before(r), peers, func(s *server) error {
		if _, err := readAll(s, 1, path()); err != nil { // fills caches
			return err
		}
		var best rate
		for range 2 {
			got, err := hammer(s, path, 16, spell)
			if err != nil {
				return err
			}
			if best.cpu == 0 || got.cpu < best.cpu {
				best = got
			}
		}
		rows = append(rows, []string{s.name, fmt.Sprintf("%.0f", best.perSecond), fmt.Sprintf("%.1f", milliseconds(best.p99)), fmt.Sprint(best.cpu.Microseconds())})
		return nil
	})
	return rows, err
}

var rateHead = []string{"server", "requests per second", "p99, ms", "CPU time per request, µs"}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func (b *bed) remembered() (string, error) {
	r, err := newRegistry(wire.Path{}, mib)
	if err != nil {
		return "", err
	}
	path := "/manifests/" + digestOf(r.manifest)
	rows, err := b.rates(r, func() string { return path }, []peer{
		{"nginx with a cache", "nginx", "/cached"}, {"nginx with a cache and a log", "nginx", "/logged"}, {"distribution's proxy", "distribution", ""},
	})
	return table("A manifest by digest, 16 clients", "Ferry and distribution check who may ask for what, Ferry logs each request.", rateHead, rows), err
}

func (b *bed) relayed() (string, error) {
	r, err := newRegistry(wire.Path{}, mib)
	if err != nil {
		return "", err
	}
	var n atomic.Int64
	rows, err := b.rates(r, func() string { return fmt.Sprint("/manifests/", n.Add(1)) }, []peer{
		{"nginx", "nginx", ""}, {"HAProxy", "haproxy", ""}, {"ReverseProxy of Go", "ReverseProxy", ""},
	})
	return table("Manifests by tag, 16 clients", "Each tag is requested once, so that nothing is remembered.", rateHead, rows), err
}

func (b *bed) layer() (string, error) {
	capped := wide
	capped.ConnRate = 10e6
	var rows [][]string
	for _, way := range []struct {
		name   string
		path   wire.Path
		size   int
		rounds int
	}{{"62.5 MB/s", wide, largeSize, 3}, {"10 MB/s for each connection", capped, layerSize, 1}} {
		r, err := newRegistry(way.path, way.size)
		if err != nil {
			return "", err
		}
		var names []string
		rates := map[string][]float64{}
		for range way.rounds {
			err := b.each(r, before(r), []peer{{"nginx", "nginx", ""}, {"distribution's proxy", "distribution", ""}}, func(s *server) error {
				took, err := readAll(s, 1, "/blobs/"+r.digests[0])
				if err == nil {
					if rates[s.name] == nil {
						names = append(names, s.name)
					}
					rates[s.name] = append(rates[s.name], float64(way.size)/1e6/took[0].Seconds())
				}
				return err
			})
			if err != nil {
				return "", err
			}
		}
		for _, name := range names {
			slices.Sort(rates[name])
			median := rates[name][len(rates[name])/2]
			rows = append(rows, []string{name, way.name, fmt.Sprint(way.size / mib), fmt.Sprintf("%.1f", median), fmt.Sprintf("%.2f", rates[names[0]][len(rates[name])/2]/median)})
		}
	}
	return table("A large layer, one client", "The source is 30 ms away. The median of three rounds, in which the servers take turns; one round where each connection is slow.",
		[]string{"server", "source", "MiB", "MB/s", "Ferry's rate / this one"}, rows), nil
}

// ways says what the row "Harbor's way" is.
const ways = "Harbor's way is a small server that reads as Harbor's proxy does, because Harbor itself\nneeds databases: once for each client, and once more for its own registry."

func (b *bed) crowd() (string, error) {
	r, err := newRegistry(wide, layerSize)
	if err != nil {
		return "", err
	}
	var rows [][]string
	err = b.each(r, before(r), []peer{
		{"nginx with a cache", "nginx", "/cached"}, {"nginx with a cache and a lock", "nginx", "/locked"}, {"distribution's proxy", "distribution", ""}, {"Harbor's way", "harbor", ""},
	}, func(s *server) error {
		r.forget()
		took, err := readAll(s, 20, "/blobs/"+r.digests[0])
		if err == nil {
			first, last := took[0], took[len(took)-1]
			rows = append(rows, []string{s.name, fmt.Sprintf("%.2f", r.reads(layerSize)), fmt.Sprintf("%.1f", first.Seconds()), fmt.Sprintf("%.1f", last.Seconds()), fmt.Sprintf("%.2f", last.Seconds()/first.Seconds())})
		}
		return err
	})
	return table("A layer of 128 MiB, 20 clients at once", "How often the source was read, and when the first and the last client were done.\n"+ways,
		[]string{"server", "reads of the source", "first, s", "last, s", "last / first"}, rows), err
}

func (b *bed) fill() (string, error) {
	const rounds = 5
	names := []string{"ferry serve", "ferry serve with fill", "Harbor's way"}
	took, reads := map[string][]time.Duration{}, map[string]float64{}
	for round := range rounds {
		for _, name := range names {
			r, err := newRegistry(wide, layerSize)
			if err != nil {
				return "", err
			}
			s, err := b.filling(name, fmt.Sprint(round), r)
			if err != nil {
				return "", err
			}
			if _, err := readAll(s, 1, "/manifests/1.0"); err != nil {
				return "", err
			}
			done, err := readAll(s, 1, "/blobs/"+r.digests[0])
			if err != nil {
				return "", err
			}
			for sent := int64(-1); sent != r.sent.Load(); time.Sleep(time.Second) { // the rest of the copy
				sent = r.sent.Load()
			}
			b.stopAll()
			took[name], reads[name] = append(took[name], done[0]), r.reads(layerSize)
		}
	}
	var rows [][]string
	median := func(name string) float64 {
		slices.Sort(took[name])
		return took[name][rounds/2].Seconds()
	}
	for _, name := range names {
		rows = append(rows, []string{name, fmt.Sprintf("%.2f", median(name)), fmt.Sprintf("%.2f", median(name)/median(names[0])), fmt.Sprintf("%.2f", reads[name])})
	}
	return table("A miss that fills the target", "One client pulls an image with a layer of 128 MiB that the target lacks. The median of five rounds, in which the servers take turns.\n"+ways,
		[]string{"server", "client done, s", "/ without fill", "reads of the source"}, rows), nil
}

// filling starts a server with a registry that lacks what r has.
func (b *bed) filling(name, round string, r *registry) (*server, error) {
	if name == "Harbor's way" {
		return b.other(name, "harbor", "", r)
	}
	fill := strings.HasSuffix(name, "fill")
	target, err := newTarget(b.ctx, filepath.Join(b.dir, fmt.Sprint("target", round, fill)))
	if err != nil {
		return nil, err
	}
	s, err := b.serveFerry(name, fmt.Sprintf("targets: [{to: \"%s/bench\", private: true, plain-http: true, username: bench, password-env: BENCH_PASSWORD}]\n"+
		"places: [{kind: mirror, blobs: relay, fill: %t}, {kind: upstream, blobs: relay}]\n"+
		"sources: [{host: \"%s\", private: true, plain-http: true}]\n", target, fill, r.address))
	if err == nil {
		s.base = strings.Replace(s.base, "gcr.io", r.address, 1)
	}
	return s, err
}

func (b *bed) firstByte() (string, error) {
	r, err := newRegistry(wire.Path{}, 4000)
	if err != nil {
		return "", err
	}
	path := "/blobs/" + r.digests[0]
	ask := func(s *server) (time.Duration, error) {
		c, err := dial(s)
		if err != nil {
			return 0, err
		}
		defer c.conn.Close()
		var took []time.Duration
		for range 500 {
			begin := time.Now()
			first, err := c.get(path)
			if err != nil {
				return 0, err
			}
			took = append(took, first.Sub(begin))
		}
		slices.Sort(took)
		return took[len(took)/2], nil
	}
	var rows [][]string
	direct, err := ask(&server{base: "http://" + r.address + "/v2/bench/image"})
	if err != nil {
		return "", err
	}
	rows = append(rows, []string{"none", fmt.Sprintf("%.2f", milliseconds(direct)), ""})
	err = b.each(r, before(r), []peer{{"nginx", "nginx", ""}, {"distribution's proxy", "distribution", ""}}, func(s *server) error {
		if _, err := readAll(s, 1, "/manifests/1.0"); err != nil {
			return err
		}
		p50, err := ask(s)
		rows = append(rows, []string{s.name, fmt.Sprintf("%.2f", milliseconds(p50)), fmt.Sprintf("%+.2f", milliseconds(p50-direct))})
		return err
	})
	return table("The first byte of a small layer", "One client, 500 times, the source on the same machine.", []string{"server", "p50, ms", "added, ms"}, rows), err
}

func (b *bed) memory() (string, error) {
	var sizes []int
	var paths []string
	for range 10 {
		sizes = append(sizes, 8*mib)
	}
	r, err := newRegistry(wire.Path{RTT: time.Millisecond, Rate: 200e6}, sizes...)
	if err != nil {
		return "", err
	}
	for _, digest := range r.digests {
		paths = append(paths, "/blobs/"+digest)
	}
	var rows [][]string
	err = b.each(r, before(r), []peer{{"nginx", "nginx", ""}, {"distribution's proxy", "distribution", ""}}, func(s *server) error {
		r.forget()
		if _, err := readAll(s, 200, paths...); err != nil {
			return err
		}
		rows = append(rows, []string{s.name, fmt.Sprint(s.peak() / mib), fmt.Sprintf("%.1f", r.reads(10*8*mib))})
		return nil
	})
	return table("Memory, 200 clients", "Ten layers of 8 MiB, 20 clients for each, at once.", []string{"server", "MiB", "reads of the source"}, rows), err
}

func (b *bed) tag() (string, error) {
	r, err := newRegistry(wire.Path{}, mib)
	if err != nil {
		return "", err
	}
	s, err := b.serveFerry("ferry serve", before(r))
	if err != nil {
		return "", err
	}
	if _, err := readAll(s, 1, "/manifests/1.0"); err != nil {
		return "", err
	}
	r.forget()
	for range 10 {
		if _, err := readAll(s, 100, "/manifests/1.0"); err != nil {
			return "", err
		}
	}
	return table("An unchanged tag, 1,000 nodes", "Within a minute after the tag was checked.", []string{"server", "requests to the source"},
		[][]string{{s.name, fmt.Sprint(r.requests.Load())}}), nil
}
