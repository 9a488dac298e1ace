package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/name"
	"github.com/imageferry/ferry/internal/pattern"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/suggest"
)

// DefaultPath is the default path of the policy file, relative to the root of
// the repository. The file is optional.
const DefaultPath = ".github/ferry.yaml"

// policy is the content of the policy file, with defaults filled in. Logins are
// not looked up yet, because the environment may select other targets.
type policy struct {
	Config
	targets []listedTarget
	sources []listedSource
}

// policy reads the policy file.
func (l *loader) policy(requests Who) policy {
	p := policy{Config: Config{
		Requests:    requests,
		CustomNames: Collaborators,
		Limits:      DefaultLimits(),
		Language:    languages()[0],
		Referrers:   true,
	}}
	path := l.input("FERRY_CONFIG")
	explicit := path != ""
	if !explicit {
		path = DefaultPath
	}
	file := path
	if workspace := l.Getenv("GITHUB_WORKSPACE"); workspace != "" && !filepath.IsAbs(file) {
		file = filepath.Join(workspace, file)
	}
	data, err := l.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		if explicit {
			l.fault(Fault{Name: "FERRY_CONFIG", Place: Workflow, Reason: fmt.Sprintf("is %q, which does not exist", clip(path)), Cure: "the path is relative to the root of the repository, which must be checked out"})
		}
		return p
	}
	if err != nil {
		l.fault(Fault{Kind: Broken, Place: File, Path: path, Reason: "cannot be read: " + err.Error()})
		return p
	}
	d := decoder{path: path, fault: l.fault, note: l.note}
	if root := d.parse(data); root != nil {
		d.object(root, "", d.policyKeys(&p))
	}
	return p
}

// policyKeys and the functions after it define all keys of the file.
// .github/ferry.schema.json describes the same for editors; a test compares
// them.
func (d *decoder) policyKeys(p *policy) keys {
	return keys{
		"targets": func(v value) {
			d.list(v, func(v value) {
				t := listedTarget{at: d.origin(v)}
				d.object(v.node, v.name, d.targetKeys(&t))
				if t.Host == "" {
					d.requires(v, "to")
					return
				}
				d.identity(v, &t.login, t.Host)
				for _, other := range p.targets {
					if other.String() == t.String() {
						d.fault(d.origin(v).fault(fmt.Sprintf("repeats the target of line %d", other.at.Line), "").as(Repeated))
						return
					}
				}
				p.targets = append(p.targets, t)
			})
		},
		"sources": func(v value) {
			d.list(v, func(v value) {
				s := listedSource{at: d.origin(v)}
				d.object(v.node, v.name, d.sourceKeys(&s))
				if s.Host == "" {
					d.requires(v, "host")
					return
				}
				d.identity(v, &s.login, s.Host)
				if (s.login != login{}) && s.login.oidc == "" && (s.login.passwordEnv == "" || s.login.username == "" && s.login.usernameEnv == "") {
					d.wrong(v, "has an incomplete login", "set password-env and either username or username-env")
					s.login = login{}
				}
				for _, other := range p.sources {
					if other.Host == s.Host {
						d.fault(d.origin(v).fault(fmt.Sprintf("repeats the source of line %d", other.at.Line), "").as(Repeated))
						return
					}
				}
				p.sources = append(p.sources, s)
			})
		},
		"requests":     func(v value) { d.who(v, &p.Requests) },
		"custom-names": func(v value) { d.who(v, &p.CustomNames) },
		"denied":       func(v value) { d.patterns(v, &p.Denied) },
		"allowed":      func(v value) { d.patterns(v, &p.Allowed) },
		"verify": func(v value) {
			d.list(v, func(v value) {
				var rule Verification
				d.object(v.node, v.name, d.verifyKeys(&rule))
				switch identity := rule.Identity != "" || rule.IdentityPattern != ""; {
				case len(rule.Images) == 0:
					d.requires(v, "images")
				case (rule.Key != "") == identity, identity != (rule.Issuer != ""), rule.Identity != "" && rule.IdentityPattern != "":
					d.wrong(v, "does not say whose signature", "write key, or issuer and one of identity and identity-regexp")
				default:
					p.Verify = append(p.Verify, rule)
				}
			})
		},
		"limits": func(v value) { d.object(v.node, v.name, d.limitKeys(&p.Limits)) },
		"archives": func(v value) {
			p.Archives = defaultArchives()
			d.object(v.node, v.name, d.archiveKeys(&p.Archives))
			if p.Archives.Requests == "" {
				d.requires(v, "requests")
			}
		},
		"keep": func(v value) { d.object(v.node, v.name, d.keepKeys(&p.Keep)) },
		"public-mirrors": func(v value) {
			p.Public = []name.Public{} // an empty list asks none
			d.list(v, func(v value) { d.public(v, &p.Public) })
		},
		"language":  func(v value) { d.word(v, languages(), &p.Language) },
		"referrers": func(v value) { d.flag(v, &p.Referrers) },
		"attest":    func(v value) { d.flag(v, &p.Attest) },
		"front": func(v value) {
			text, ok := d.text(v)
			if !ok {
				return
			}
			front, err := ParseFront(text)
			switch {
			case err != nil:
				d.wrong(v, err.Error(), frontCure)
			case front.Scheme != "https":
				d.wrong(v, "does not use TLS, so anyone on the network path could change images", frontCure)
			default:
				p.Front = front.String()
			}
		},
	}
}

// patterns reads repositories, or all repositories below a host or a path.
func (d *decoder) patterns(v value, to *[]name.Pattern) {
	d.list(v, func(v value) {
		text, ok := d.text(v)
		if !ok {
			return
		}
		pattern, err := name.ParsePattern(text)
		if err != nil {
			d.wrong(v, fmt.Sprintf("is %q, which is not a repository", clip(text)), `write "docker.io/user/name", "docker.io/user/*" or "quay.io/*"`)
			return
		}
		host, rest, _ := strings.Cut(text, "/")
		if reason, cure := resembling(host, "/"+rest); reason != "" {
			d.wrong(v, reason, cure)
			return
		}
		*to = append(*to, pattern)
	})
}

func (d *decoder) targetKeys(t *listedTarget) keys {
	return d.withLogin(&t.login, &t.TokenServer, d.oidcKey(&t.login, keys{
		"to": func(v value) {
			text, ok := d.text(v)
			if !ok {
				return
			}
			target, err := ParseTarget(text, "")
			if err != nil {
				d.wrong(v, err.Error(), "write a registry and a namespace, such as docker.io/user")
			} else if lowered(text, target) {
				d.note(d.origin(v).lowered(target))
			}
			// The target is present even if it has a fault, so it must not be
			// reported as missing.
			t.Host, t.Namespace = target.Host, target.Namespace
			t.PlainHTTP = t.PlainHTTP || target.PlainHTTP
		},
		"profile":    func(v value) { d.word(v, profiles(), &t.Profile) },
		"platforms":  func(v value) { d.platforms(v, &t.Platforms) },
		"private":    func(v value) { d.flag(v, &t.Private) },
		"plain-http": func(v value) { d.flag(v, &t.PlainHTTP) },
		"quota":      func(v value) { d.object(v.node, v.name, d.quotaKeys(&t.Quota)) },
		"pull": func(v value) {
			who := ""
			d.word(v, []string{pullAnyone, pullLogin}, &who)
			t.PullsNeedLogin = who == pullLogin
		},
	}))
}

// platforms reads a list of platforms.
func (d *decoder) platforms(v value, to *[]reference.Platform) {
	d.list(v, func(v value) {
		if text, ok := d.text(v); ok {
			d.platform(v, text, to)
		}
	})
}

// platform appends the platform in text, which is v or a part of it.
func (d *decoder) platform(v value, text string, to *[]reference.Platform) {
	platform, err := reference.ParsePlatform(text)
	if err != nil {
		d.wrong(v, fmt.Sprintf("is %q, which is not a platform", clip(text)), platformCureOf(text))
		return
	}
	*to = append(*to, platform)
}

func (d *decoder) keepKeys(k *Keep) keys {
	const most = 10_000
	return keys{
		"newest":    func(v value) { d.count(v, most, &k.Newest) },
		"days":      func(v value) { d.count(v, most, &k.Days) },
		"asked":     func(v value) { d.count(v, most, &k.Asked) },
		"listed":    func(v value) { d.flag(v, &k.Listed) },
		"platforms": func(v value) { d.platforms(v, &k.Platforms) },
	}
}

func (d *decoder) quotaKeys(q *Quota) keys {
	const most = 1_000_000
	return keys{
		"repositories": func(v value) { d.count(v, most, &q.Repositories) },
		"tags":         func(v value) { d.count(v, most, &q.Tags) },
	}
}

// The words for who may pull from a target.
const (
	pullAnyone = "anyone"
	pullLogin  = "login"
)

func (d *decoder) sourceKeys(s *listedSource) keys {
	return d.withLogin(&s.login, &s.TokenServer, d.oidcKey(&s.login, keys{
		"host": func(v value) {
			text, ok := d.text(v)
			if !ok {
				return
			}
			host, plain, err := parseHost(text)
			if err != nil {
				d.wrong(v, err.Error(), "write one host, such as registry.example.com; patterns are not supported")
			}
			s.Host = host
			s.PlainHTTP = s.PlainHTTP || plain
		},
		"label":      func(v value) { d.matching(v, labelPattern, "letters and digits joined by single dashes", &s.Label) },
		"requests":   func(v value) { d.who(v, &s.Requests) },
		"private":    func(v value) { d.flag(v, &s.Private) },
		"plain-http": func(v value) { d.flag(v, &s.PlainHTTP) },
	}))
}

// labelPattern matches a label by the naming rules.
var labelPattern = &pattern.Regexp{Text: `^[a-z0-9]+(?:-[a-z0-9]+)*$`}

// variablePattern matches the name of a secret or a variable on GitHub.
var variablePattern = &pattern.Regexp{Text: `^[A-Za-z_][A-Za-z0-9_]*$`}

// withLogin adds the keys for the login and for the token server that may
// receive it.
func (d *decoder) withLogin(l *login, tokenServer *string, k keys) keys {
	const name = "the name of an environment variable"
	k["username"] = func(v value) {
		if text, ok := d.text(v); ok {
			l.username = text
		}
	}
	k["username-env"] = func(v value) { d.matching(v, variablePattern, name, &l.usernameEnv) }
	k["password-env"] = func(v value) { d.matching(v, variablePattern, name, &l.passwordEnv) }
	k["token-server"] = func(v value) {
		text, ok := d.text(v)
		if !ok {
			return
		}
		host, _, err := parseHost(text)
		if err != nil {
			d.wrong(v, err.Error(), "write one host, such as auth.example.com")
		}
		*tokenServer = host
	}
	return k
}

// otherwise are the words for what becomes of an image without the signature.
func otherwise() []string { return []string{"refuse", "mark"} }

func (d *decoder) verifyKeys(rule *Verification) keys {
	text := func(to *string) func(value) {
		return func(v value) {
			if text, ok := d.text(v); ok {
				*to = text
			}
		}
	}
	return keys{
		"images":          func(v value) { d.patterns(v, &rule.Images) },
		"key":             text(&rule.Key),
		"issuer":          text(&rule.Issuer),
		"identity":        text(&rule.Identity),
		"identity-regexp": text(&rule.IdentityPattern),
		"otherwise": func(v value) {
			word := ""
			d.word(v, otherwise(), &word)
			rule.Mark = word == otherwise()[1]
		},
	}
}

func (d *decoder) limitKeys(l *Limits) keys {
	most := maxLimits()
	return keys{
		"images":               func(v value) { d.count(v, most.Images, &l.Images) },
		"images-per-job":       func(v value) { d.count(v, most.ImagesPerJob, &l.ImagesPerJob) },
		"image-bytes":          func(v value) { d.bytes(v, most.ImageBytes, &l.ImageBytes) },
		"request-bytes":        func(v value) { d.bytes(v, most.RequestBytes, &l.RequestBytes) },
		"requests-per-day":     func(v value) { d.count(v, most.RequestsPerDay, &l.RequestsPerDay) },
		"bytes-per-day":        func(v value) { d.bytes(v, most.BytesPerDay, &l.BytesPerDay) },
		"repositories-per-day": func(v value) { d.count(v, most.RepositoriesPerDay, &l.RepositoriesPerDay) },
		"index-manifests":      func(v value) { d.count(v, most.IndexManifests, &l.IndexManifests) },
		"retry-hours":          func(v value) { d.count(v, most.RetryHours, &l.RetryHours) },
	}
}

func (d *decoder) archiveKeys(a *Archives) keys {
	most := maxArchives()
	return keys{
		"requests": func(v value) { d.who(v, &a.Requests) },
		"bytes":    func(v value) { d.bytes(v, most.Bytes, &a.Bytes) },
		"per-day":  func(v value) { d.count(v, most.PerDay, &a.PerDay) },
		"days":     func(v value) { d.count(v, most.Days, &a.Days) },
		"release":  func(v value) { d.flag(v, &a.Release) },
	}
}

// public reads a public mirror.
func (d *decoder) public(v value, to *[]name.Public) {
	var at, naming string
	var images []name.Pattern
	d.object(v.node, v.name, d.publicKeys(&at, &naming, &images))
	if at == "" || images == nil {
		d.requires(v, "at")
		d.requires(v, "images")
		return
	}
	public, err := name.NewPublic(at, name.Naming(naming), images)
	if err != nil {
		d.wrong(v, fmt.Sprintf("is at %q, which is not a registry", clip(at)), "write a registry, such as m.example.com")
		return
	}
	*to = append(*to, public)
}

func (d *decoder) publicKeys(at, naming *string, images *[]name.Pattern) keys {
	*naming = namings()[0]
	return keys{
		"at": func(v value) {
			if text, ok := d.text(v); ok {
				*at = text
			}
		},
		"names":  func(v value) { d.word(v, namings(), naming) },
		"images": func(v value) { d.patterns(v, images) },
	}
}

// The words of the file. The first of each list is the default.

func profiles() []string {
	var words []string
	for _, p := range name.Profiles() {
		words = append(words, string(p))
	}
	return words
}

func namings() []string {
	return []string{string(name.Prefix), string(name.SamePath), string(name.LastSegment)}
}

func languages() []string { return []string{"auto", "zh", "en"} }

func audiences() []string { return []string{string(Anyone), string(Collaborators), string(Owner)} }

// notAmong returns the clauses of a Fault for a value that is none of words.
func notAmong(written string, words []string) (reason, cure string) {
	if slices.Contains(words, written) {
		return "", ""
	}
	cure = "write " + oneOf(words)
	if word := suggest.Nearest(written, words); word != "" {
		cure = fmt.Sprintf("did you mean %q? valid values: %s", word, strings.Join(words, ", "))
	}
	return fmt.Sprintf("is %q", clip(written)), cure
}
