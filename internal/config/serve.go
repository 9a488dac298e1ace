package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/name"
	"github.com/imageferry/ferry/internal/pattern"
	"github.com/imageferry/ferry/internal/reference"
)

// Serve is the configuration of a front, with defaults filled in.
type Serve struct {
	Config
	Allowed        []name.Pattern // repositories to serve; empty for all
	Listen         []string       // addresses, "127.0.0.1:5050" for example
	Metrics        string         // address of the metrics; empty for none
	Names          []FrontName
	Places         []FrontPlace // in the order in which they are tried
	Guests         Guests
	Workflow       FrontWorkflow
	TrustedProxies []netip.Prefix
	TLS            TLS
	PlainHTTP      bool     // no TLS beyond loopback, explicitly allowed
	RelayHosts     []string // hosts that clients cannot reach, with all their subdomains
	Patience       time.Duration
	TagTTL         time.Duration
	Stale          time.Duration
	Grace          time.Duration // for requests that are running when the front stops
	Memory         int64         // bytes of manifests in memory
}

// FrontName is a host name of the front and the source that is served under it.
// If the name begins with "*.", the label of the source replaces the star, and
// Source is empty.
type FrontName struct {
	Name, Source string
}

// The kinds of a FrontPlace.
const (
	PlaceMirror   = "mirror"
	PlaceUpstream = "upstream"
	PlaceFront    = "front"
	PlacePublic   = "public"
)

// FrontPlace is a place that images can be read from.
type FrontPlace struct {
	Kind    string
	At      string   // of a mirror: the target; empty for all of them
	Sources []string // sources whose images it has, canonical; empty for all
	Blobs   string   // "auto", "redirect" or "relay"
	Fill    bool     // of a mirror: missing images are copied to it
	// Prefix reports whether the paths of a public mirror begin with the host
	// of the source.
	Prefix bool
	// Other is the registry of a front or a public mirror.
	Other Source
	// Budget is the largest number of manifests requested there in an hour;
	// zero for no limit.
	Budget int
}

// Guests are the clients that may use the front.
type Guests struct {
	Open         bool // everybody
	Tokens       []FrontToken
	Networks     []netip.Prefix
	Certificates string // file with the certificate authorities of clients
	Requests     int    // requests of a guest in a minute; zero for no limit
	Bytes        int64  // bytes sent to a guest in a minute
	Blobs        int    // blobs sent to a guest at the same time
}

// FrontWorkflow is what mirrors the images that no mirror has: one of a repository on
// GitHub. Its zero value is none.
type FrontWorkflow struct {
	Owner, Name string               // of the repository
	File, Ref   string               // of the workflow, and the branch that it is run on
	First       []reference.Platform // which are copied before the others
	Token       Secret
	Wait        time.Duration // for which a client waits for an image
	Hourly      int           // images for one guest
	Daily       int           // images for all

	tokenEnv string
}

// FrontToken admits clients that present the token.
type FrontToken struct {
	Name    string
	Hash    [sha256.Size]byte // SHA-256 of the token
	Expires time.Time         // zero for never
}

// TLS has the files of the front's certificate and key, or the settings for
// requesting certificates. If all are empty, TLS is off.
type TLS struct {
	Certificate, Key string
	ACME             ACME
}

// ACME are the settings for certificates that an authority issues by the protocol
// ACME (RFC 8555). If Cache is empty, none is requested.
type ACME struct {
	Cache     string   // folder for keys and certificates
	Hosts     []string // host names of the front besides Names
	Mail      string   // of the owner, for the authority; may be empty
	Directory string   // address of the authority; empty for Let's Encrypt
}

// IsZero reports whether TLS is off.
func (t TLS) IsZero() bool { return t.Certificate == "" && t.ACME.Cache == "" }

// DefaultListen is the default address of a front.
const DefaultListen = "127.0.0.1:5050"

// relayHosts are registries that are often unreachable for clients, and the
// content networks that they redirect to, with all subdomains. Clients are not
// redirected there.
func relayHosts() []string {
	return append(known.Allowed(),
		"docker.com", "cloudflarestorage.com", "cloudfront.net", "googleapis.com", "pkg.dev", "githubusercontent.com", "k8s.io")
}

// LoadServe reads the environment and the file of a front. The file is
// optional. It has the keys targets, sources, denied, limits and referrers of
// the policy file, and keys of its own. Like Load, LoadServe reports all
// faults.
func LoadServe(o Options) (*Serve, error) {
	l := &loader{Options: o}
	s := &Serve{
		RelayHosts: relayHosts(),
		Patience:   3 * time.Second, TagTTL: time.Minute, Stale: 24 * time.Hour, Grace: 30 * time.Second, Memory: 24 << 20,
	}
	p := policy{Config: Config{Requests: Anyone, CustomNames: Owner, Limits: DefaultLimits(), Language: languages()[0], Referrers: true}}
	mode := inshore
	d := &decoder{path: l.input("FERRY_CONFIG"), fault: l.fault, note: l.note}
	places := []listedPlace{}
	if d.path != "" {
		data, err := l.ReadFile(d.path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			l.fault(Fault{Name: "--config", Place: Elsewhere, Reason: fmt.Sprintf("is %q, which does not exist", clip(d.path))})
		case err != nil:
			l.fault(Fault{Kind: Broken, Place: File, Path: d.path, Reason: "cannot be read: " + err.Error()})
		default:
			if root := d.parse(data); root != nil {
				d.object(root, "", d.serveKeys(s, &p, &places, &mode))
			}
		}
	}
	l.word("FERRY_MODE", modes(), func(v string) { mode = v })
	if listen := l.input("FERRY_LISTEN"); listen != "" {
		if err := checkListen(listen); err != nil {
			l.fault(Fault{Name: "--listen", Place: Elsewhere, Reason: err.Error(), Cure: listenCure})
		} else {
			s.Listen = []string{listen}
		}
	}
	if len(s.Listen) == 0 {
		s.Listen = []string{DefaultListen}
	}
	s.Config = p.Config
	s.Targets = l.targets(p.targets)
	s.Sources = l.sources(p.sources, Anyone)
	l.checkNames(p, s.Targets)
	s.Places = l.places(places, mode, s)
	l.checkFront(s)
	s.Notes = l.notes
	if len(l.faults) > 0 {
		return s, l.faults
	}
	return s, nil
}

// The modes: without and with reading from the sources.
const inshore, offshore = "inshore", "offshore"

func modes() []string { return []string{inshore, offshore} }

func ways() []string { return []string{"auto", "redirect", "relay"} }

// listedPlace is a place in the file before its login is looked up.
type listedPlace struct {
	FrontPlace
	login login
	at    origin
}

// serveKeys and the functions after it define all keys of a front's file.
// docs/serve.md describes them; a test compares them.
func (d *decoder) serveKeys(s *Serve, p *policy, places *[]listedPlace, mode *string) keys {
	k := d.policyKeys(p)
	for _, key := range []string{"requests", "custom-names", "language", "verify", "attest", "archives", "front", "public-mirrors", "keep"} {
		delete(k, key)
	}
	maps.Copy(k, keys{
		"allowed": func(v value) { d.patterns(v, &s.Allowed) },
		"listen": func(v value) {
			d.listOrOne(v, func(v value) {
				text, ok := d.text(v)
				if !ok {
					return
				}
				if err := checkListen(text); err != nil {
					d.wrong(v, err.Error(), listenCure)
					return
				}
				s.Listen = append(s.Listen, text)
			})
		},
		"metrics": func(v value) {
			text, ok := d.text(v)
			if !ok {
				return
			}
			if err := checkListen(text); err != nil {
				d.wrong(v, err.Error(), listenCure)
				return
			}
			s.Metrics = text
		},
		"mode": func(v value) { d.word(v, modes(), mode) },
		"names": func(v value) {
			d.list(v, func(v value) {
				n := FrontName{}
				d.object(v.node, v.name, d.nameKeys(&n))
				switch {
				case n.Name == "":
					d.requires(v, "name")
				case strings.HasPrefix(n.Name, "*.") == (n.Source != ""):
					d.wrong(v, "needs either a star in the name or a source", `write {name: gcr.front.example, source: gcr.io} or {name: "*.front.example"}`)
				default:
					s.Names = append(s.Names, n)
				}
			})
		},
		"places": func(v value) {
			d.list(v, func(v value) {
				place := listedPlace{FrontPlace: FrontPlace{Blobs: ways()[0]}, at: d.origin(v)}
				d.object(v.node, v.name, d.placeKeys(&place))
				if place.Kind == "" {
					d.requires(v, "kind")
					return
				}
				*places = append(*places, place)
			})
		},
		"guests": func(v value) { d.object(v.node, v.name, d.guestKeys(&s.Guests)) },
		"workflow": func(v value) {
			s.Workflow = FrontWorkflow{File: "mirror.yml", Ref: "main", First: []reference.Platform{{OS: "linux", Architecture: "amd64"}}, tokenEnv: "FERRY_GITHUB_TOKEN", Wait: 2 * time.Minute, Hourly: 20, Daily: 200}
			d.object(v.node, v.name, d.workflowKeys(&s.Workflow))
			if s.Workflow.Name == "" {
				d.requires(v, "repository")
			}
		},
		"trusted-proxies": func(v value) { d.networks(v, &s.TrustedProxies) },
		"tls":             func(v value) { d.object(v.node, v.name, d.tlsKeys(&s.TLS)) },
		"plain-http":      func(v value) { d.flag(v, &s.PlainHTTP) },
		"relay-hosts": func(v value) {
			s.RelayHosts = nil
			d.list(v, func(v value) { d.host(v, func(host string, _ bool) { s.RelayHosts = append(s.RelayHosts, host) }) })
		},
		"patience": func(v value) { d.duration(v, time.Second/10, time.Minute, &s.Patience) },
		"tag-ttl":  func(v value) { d.duration(v, time.Second, 24*time.Hour, &s.TagTTL) },
		"stale":    func(v value) { d.duration(v, time.Second, 90*24*time.Hour, &s.Stale) },
		"grace":    func(v value) { d.duration(v, time.Second, time.Hour, &s.Grace) },
		"memory":   func(v value) { d.bytes(v, 16<<30, &s.Memory) },
	})
	return k
}

func (d *decoder) nameKeys(n *FrontName) keys {
	return keys{
		"name": func(v value) {
			d.matching(v, frontNamePattern, "a host name in lower case, or one that begins with *.", &n.Name)
		},
		"source": func(v value) { d.host(v, func(host string, _ bool) { n.Source = host }) },
	}
}

var frontNamePattern = &pattern.Regexp{Text: `^(?:\*\.)?[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$`}

func (d *decoder) placeKeys(p *listedPlace) keys {
	return d.withLogin(&p.login, &p.Other.TokenServer, keys{
		"kind": func(v value) { d.word(v, []string{PlaceMirror, PlaceUpstream, PlaceFront, PlacePublic}, &p.Kind) },
		"at": func(v value) {
			if text, ok := d.text(v); ok {
				p.At = text
			}
		},
		"sources": func(v value) {
			d.list(v, func(v value) { d.host(v, func(host string, _ bool) { p.Sources = append(p.Sources, host) }) })
		},
		"blobs":      func(v value) { d.word(v, ways(), &p.Blobs) },
		"fill":       func(v value) { d.flag(v, &p.Fill) },
		"prefix":     func(v value) { d.flag(v, &p.Prefix) },
		"private":    func(v value) { d.flag(v, &p.Other.Private) },
		"plain-http": func(v value) { d.flag(v, &p.Other.PlainHTTP) },
		"budget":     func(v value) { d.count(v, 1000000, &p.Budget) },
	})
}

func (d *decoder) guestKeys(g *Guests) keys {
	return keys{
		"open": func(v value) { d.flag(v, &g.Open) },
		"tokens": func(v value) {
			d.list(v, func(v value) {
				t := FrontToken{}
				d.object(v.node, v.name, d.tokenKeys(&t))
				switch {
				case t.Name == "":
					d.requires(v, "name")
				case t.Hash == [sha256.Size]byte{}:
					d.requires(v, "sha256")
				default:
					g.Tokens = append(g.Tokens, t)
				}
			})
		},
		"networks":            func(v value) { d.networks(v, &g.Networks) },
		"certificates":        func(v value) { d.file(v, &g.Certificates) },
		"requests-per-minute": func(v value) { d.count(v, 1000000, &g.Requests) },
		"bytes-per-minute":    func(v value) { d.bytes(v, 1<<40, &g.Bytes) },
		"blobs-at-once":       func(v value) { d.count(v, 10000, &g.Blobs) },
	}
}

// The patterns match the names of a repository, and of a file or a branch, on
// GitHub, which become part of an address.
var (
	repositoryPattern = &pattern.Regexp{Text: `^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9_][A-Za-z0-9._-]*$`}
	branchPattern     = &pattern.Regexp{Text: `^[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*$`}
)

func (d *decoder) workflowKeys(w *FrontWorkflow) keys {
	return keys{
		"repository": func(v value) {
			d.matching(v, repositoryPattern, "a repository on GitHub, such as alice/ferry", &w.Name)
			w.Owner, w.Name, _ = strings.Cut(w.Name, "/")
		},
		"file": func(v value) { d.matching(v, branchPattern, "the name of a workflow's file", &w.File) },
		"ref":  func(v value) { d.matching(v, branchPattern, "the name of a branch", &w.Ref) },
		"first": func(v value) {
			text, ok := d.text(v)
			if !ok {
				return
			}
			w.First = nil
			for _, platform := range strings.Split(text, ",") {
				d.platform(v, strings.TrimSpace(platform), &w.First)
			}
		},
		"token-env":       func(v value) { d.matching(v, variablePattern, "the name of an environment variable", &w.tokenEnv) },
		"wait":            func(v value) { d.duration(v, time.Second, 3*time.Minute, &w.Wait) },
		"images-per-hour": func(v value) { d.count(v, 10000, &w.Hourly) },
		"images-per-day":  func(v value) { d.count(v, 10000, &w.Daily) },
	}
}

var tokenName = &pattern.Regexp{Text: `^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`}

func (d *decoder) tokenKeys(t *FrontToken) keys {
	return keys{
		"name": func(v value) { d.matching(v, tokenName, "letters, digits, dots, dashes and underscores", &t.Name) },
		"sha256": func(v value) {
			sum, err := hex.DecodeString(v.node.Value)
			if err != nil || len(sum) != sha256.Size {
				// The value may be the token, so the fault does not repeat it.
				d.wrong(v, "is not the SHA-256 of a token, in hexadecimal", "create it with: printf %s TOKEN | sha256sum")
				return
			}
			copy(t.Hash[:], sum)
		},
		"expires": func(v value) {
			day, err := time.Parse(time.DateOnly, v.node.Value)
			if err != nil {
				d.wrong(v, "is not a date", "write a date such as 2027-01-31; the token expires when that day begins in UTC")
				return
			}
			t.Expires = day
		},
	}
}

func (d *decoder) tlsKeys(t *TLS) keys {
	return keys{
		"certificate": func(v value) { d.file(v, &t.Certificate) },
		"key":         func(v value) { d.file(v, &t.Key) },
		"acme": func(v value) {
			d.object(v.node, v.name, d.acmeKeys(&t.ACME))
			if t.ACME.Cache == "" {
				d.requires(v, "cache")
			}
		},
	}
}

// The patterns match what an authority is asked with: a host name that has a dot
// and is no IP address, and addresses of mail and of the authority itself.
var (
	certifiedPattern = &pattern.Regexp{Text: `^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z](?:[a-z0-9-]*[a-z0-9])?$`}
	mailPattern      = &pattern.Regexp{Text: `^[^@\s:]+@[^@\s:]+$`}
	directoryPattern = &pattern.Regexp{Text: `^https://[A-Za-z0-9.:\[\]-]+(?:/[!-~]*)?$`}
)

func (d *decoder) acmeKeys(a *ACME) keys {
	return keys{
		"cache": func(v value) { d.file(v, &a.Cache) },
		"hosts": func(v value) {
			d.list(v, func(v value) {
				host := ""
				if d.matching(v, certifiedPattern, "a host name in lower case, such as front.example.com", &host); host != "" {
					a.Hosts = append(a.Hosts, host)
				}
			})
		},
		"mail":      func(v value) { d.matching(v, mailPattern, "a mail address", &a.Mail) },
		"directory": func(v value) { d.matching(v, directoryPattern, "an address that begins with https://", &a.Directory) },
	}
}

// file reads the path of a file, without checking it.
func (d *decoder) file(v value, to *string) {
	if text, ok := d.text(v); ok {
		*to = text
	}
}

// host reads the host of a registry.
func (d *decoder) host(v value, set func(host string, plain bool)) {
	text, ok := d.text(v)
	if !ok {
		return
	}
	host, plain, err := parseHost(text)
	if err != nil {
		d.wrong(v, err.Error(), "write one host, such as registry.example.com")
		return
	}
	set(host, plain)
}

// listOrOne reads a sequence or a single item.
func (d *decoder) listOrOne(v value, read func(value)) {
	if v.node.Kind == yaml.ScalarNode {
		read(v)
		return
	}
	d.list(v, read)
}

func (d *decoder) networks(v value, to *[]netip.Prefix) {
	d.list(v, func(v value) {
		text, ok := d.text(v)
		if !ok {
			return
		}
		network, err := netip.ParsePrefix(text)
		if addr, addrErr := netip.ParseAddr(text); addrErr == nil {
			network, err = addr.Prefix(addr.BitLen())
		}
		if err != nil || network != network.Masked() {
			d.wrong(v, fmt.Sprintf("is %q, which is not a network", clip(text)), "write a network such as 10.0.0.0/8, or one address")
			return
		}
		*to = append(*to, network)
	})
}

func (d *decoder) duration(v value, least, most time.Duration, to *time.Duration) {
	t, err := time.ParseDuration(v.node.Value)
	if err != nil || t < least || t > most {
		d.wrong(v, fmt.Sprintf("is not a time from %s to %s", least, most), `write a number and a unit, such as "90s", "5m" or "24h"`)
		return
	}
	*to = t
}

const listenCure = "write an address and a port, such as 127.0.0.1:5050"

// checkListen checks an address to listen on. The error is a clause for a
// Fault.
func checkListen(text string) error {
	if _, err := listenAddress(text); err != nil {
		return fmt.Errorf("is %q, which is not an address with a port", clip(text))
	}
	return nil
}

// listenAddress returns the IP address of an address and port to listen on;
// without one, all addresses of the machine.
func listenAddress(text string) (netip.Addr, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return netip.Addr{}, err
	}
	if strings.Trim(port, "0123456789") != "" || port == "" || len(port) > 5 {
		return netip.Addr{}, errors.New("the port is not a number")
	}
	switch host {
	case "":
		return netip.IPv6Unspecified(), nil
	case "localhost":
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), nil
	}
	return netip.ParseAddr(host)
}

// places returns the places in the file. Without any, they are the mirrors at
// all targets and, if mode is offshore, the sources.
func (l *loader) places(listed []listedPlace, mode string, s *Serve) []FrontPlace {
	if len(listed) == 0 {
		if len(s.Targets) > 0 {
			listed = append(listed, listedPlace{FrontPlace: FrontPlace{Kind: PlaceMirror, Blobs: ways()[0]}})
		}
		if mode == offshore {
			listed = append(listed, listedPlace{FrontPlace: FrontPlace{Kind: PlaceUpstream, Blobs: ways()[0]}})
		}
	}
	var places []FrontPlace
	for _, p := range listed {
		if l.place(&p, s) {
			places = append(places, p.FrontPlace)
		}
	}
	if len(places) == 0 && len(l.faults) == 0 {
		l.fault(Fault{Kind: Missing, Name: "--target", Place: Elsewhere, Reason: "is not set, so there is nowhere to get images from",
			Cure: "set it to the registry and namespace of your mirrors, or add --mode offshore to read from the sources"})
	}
	return places
}

// place completes a place and reports whether it can be used.
func (l *loader) place(p *listedPlace, s *Serve) bool {
	before := len(l.faults)
	for _, host := range p.Sources {
		if !slices.ContainsFunc(s.Sources, func(s Source) bool { return s.Host == host }) {
			l.fault(p.at.fault(fmt.Sprintf("is for %s, which is not a source", host), "add it to the sources"))
		}
	}
	if p.Fill && p.Kind != PlaceMirror {
		l.fault(p.at.fault("has fill, which is only possible for a mirror", "set fill at a place of kind mirror"))
	}
	switch p.Kind {
	case PlaceMirror:
		l.mirrorPlace(p, s)
	case PlaceUpstream:
		if p.At != "" {
			l.fault(p.at.fault("is upstream and has an address", "remove the key at: each source is reached under its own host"))
		}
	default:
		host, plain, err := parseHost(p.At)
		if err != nil {
			l.fault(p.at.fault("has no host in the key at", `write for example "at: front.example.com"`))
			break
		}
		p.Other.Host = host
		p.Other.PlainHTTP = p.Other.PlainHTTP || plain
		p.Other.Private = p.Other.Private || isLocal(host)
		p.Other.Username, p.Other.Password = l.lookUp(p.login)
		if (p.login != login{}) && (p.Other.Username == "" || p.Other.Password.IsZero()) {
			l.fault(p.at.fault("has a login whose variables are empty", "set username or username-env, and password-env, and give the variables values"))
		}
		if p.Kind == PlaceFront {
			p.Prefix = true
		}
		if !p.Prefix && len(p.Sources) != 1 {
			l.fault(p.at.fault("is a public mirror without its source", `write "sources: [docker.io]", or "prefix: true" if its paths begin with the host of the source`))
		}
	}
	return len(l.faults) == before
}

func (l *loader) mirrorPlace(p *listedPlace, s *Serve) {
	if len(s.Targets) == 0 {
		l.fault(p.at.fault("is a mirror, but there is no target", "add it to the targets, or set --target"))
		return
	}
	if p.At != "" {
		target, err := ParseTarget(p.At, "")
		if err != nil {
			l.fault(p.at.fault(err.Error(), "write one of the targets"))
			return
		}
		if !slices.ContainsFunc(s.Targets, func(t Target) bool { return t.String() == target.String() }) {
			l.fault(p.at.fault(fmt.Sprintf("is at %s, which is not a target", target), "add it to the targets"))
			return
		}
		p.At = target.String()
	}
	for _, t := range s.Targets {
		if p.Fill && (p.At == "" || p.At == t.String()) && t.Password.IsZero() {
			l.fault(p.at.fault(fmt.Sprintf("has fill, but there is no login for %s", t.Host), "set FERRY_USERNAME and FERRY_PASSWORD, or username and password-env at the target"))
		}
	}
}

// checkFront checks settings that depend on each other: the guests and the
// encryption.
func (l *loader) checkFront(s *Serve) {
	at := func(name string) origin { return origin{Name: name, Place: File, Path: l.input("FERRY_CONFIG")} }
	if at("").Path == "" {
		at = func(name string) origin { return origin{Name: name, Place: Elsewhere} }
	}
	for _, n := range s.Names {
		if n.Source != "" && !slices.ContainsFunc(s.Sources, func(src Source) bool { return src.Host == n.Source }) {
			l.fault(at("names").fault(fmt.Sprintf("has %s for %s, which is not a source", n.Name, n.Source), "add it to the sources"))
		}
	}
	if (s.TLS.Certificate == "") != (s.TLS.Key == "") {
		l.fault(at("tls").fault("has one of certificate and key", "set both"))
	}
	if acme := s.TLS.ACME; acme.Cache != "" {
		if s.TLS.Certificate != "" || s.TLS.Key != "" {
			l.fault(at("tls").fault("has both files and acme", "remove one of them"))
		}
		if len(acme.Hosts) == 0 && len(s.Names) == 0 {
			l.fault(at("tls.acme").fault("has no host name to request a certificate for", "set hosts, the host names of this front"))
		}
	}
	if s.Guests.Certificates != "" && s.TLS.IsZero() {
		l.fault(at("guests.certificates").fault("needs TLS", "set tls as well"))
	}
	if s.Guests.Open && (len(s.Allowed) == 0 || s.Guests.Requests == 0) {
		l.fault(at("guests.open").fault("admits everyone to every image without a limit",
			"set allowed, the list of repositories to serve, and guests.requests-per-minute"))
	}
	for _, text := range s.Listen {
		if addr, err := listenAddress(text); err == nil {
			for _, f := range s.Exposes(addr) {
				f.Path, f.Place = at("").Path, at("").Place
				l.fault(f)
			}
		}
	}
	if w := &s.Workflow; w.Name != "" {
		if w.Token = NewSecret(strings.TrimSpace(l.Getenv(w.tokenEnv))); w.Token.IsZero() {
			l.fault(at("workflow").fault(fmt.Sprintf("has no token in %s", w.tokenEnv), "set the variable to a fine-grained token for the repository that may write actions, or set token-env"))
		}
		if s.Guests.Open {
			l.fault(at("workflow").fault("lets anybody start runs, because guests.open is set", "remove one of them"))
		}
	}
	if s.Metrics != "" && slices.Contains(s.Listen, s.Metrics) {
		l.fault(at("metrics").fault("is the address of the front", "use another port for the metrics"))
	}
}

// Exposes returns the faults of listening on addr. There are none for loopback,
// unless a proxy lets others in. A front that others can reach must identify
// them.
func (s *Serve) Exposes(addr netip.Addr) []Fault {
	if addr.Unmap().IsLoopback() && len(s.TrustedProxies) == 0 {
		return nil
	}
	var faults []Fault
	g := s.Guests
	if len(g.Tokens) == 0 && len(g.Networks) == 0 && g.Certificates == "" && !g.Open {
		faults = append(faults, Fault{Name: "listen", Reason: fmt.Sprintf("is %s, which others can reach, and no guests are configured", addr),
			Cure: "listen at 127.0.0.1 without trusted-proxies, or configure guests: tokens, networks, certificates, or open"})
	}
	switch {
	case !s.TLS.IsZero() || len(s.TrustedProxies) > 0:
	case !s.PlainHTTP:
		faults = append(faults, Fault{Name: "listen", Reason: fmt.Sprintf("is %s, which others can reach, and TLS is not configured", addr),
			Cure: "set tls, or trusted-proxies if a proxy in front provides TLS, or plain-http: true on a network where nobody else can read the traffic"})
	case len(g.Tokens) > 0:
		faults = append(faults, Fault{Name: "plain-http", Reason: "exposes the guests' tokens to everybody on the network path",
			Cure: "set tls, or identify guests by networks"})
	}
	return faults
}

// Anybody reports whether clients need no identification, because only this
// machine can connect and no guests are named, or because guests.open is set.
func (s *Serve) Anybody() bool {
	g := s.Guests
	return g.Open || len(g.Tokens) == 0 && len(g.Networks) == 0 && g.Certificates == ""
}
