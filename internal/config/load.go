package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/suggest"
)

// Options are the sources of the configuration and its purpose.
type Options struct {
	Getenv   func(string) string
	ReadFile func(string) ([]byte, error) // os.ReadFile outside tests
	// Helper asks a credential helper named in Docker's configuration for the
	// login of a target's server. If it is nil, no helper is run.
	Helper func(name, server string) (username, secret string, err error)

	// Fork reports whether the repository is a fork. A fork inherits the
	// workflows, and its owner may not expect requests from strangers. So by
	// default only the owner and collaborators may ask there.
	Fork bool

	// ListTargets are further targets, which lists of images name, "host/namespace"
	// each. The policy file and the environment need not name others then.
	ListTargets []string

	Copies  bool // images will be copied: a target and its login are required
	Answers bool // an issue will be answered: a GitHub token is required
}

// Load reads the environment and the policy file. The environment takes
// precedence. The Config is never nil and has every setting that could be read,
// so that the faults can still be reported. The error is of type Faults and has
// all of them.
//
// Inputs of the action arrive in variables such as FERRY_TARGET and
// FERRY_USERNAME, because GitHub gives composite actions no INPUT_* variables.
func Load(o Options) (*Config, error) {
	l := &loader{Options: o, settings: settingsPage(o.Getenv)}
	requests := Anyone
	if o.Fork {
		requests = Collaborators
	}
	p := l.policy(requests)
	c := &p.Config
	l.word("FERRY_REQUESTS", audiences(), func(v string) { c.Requests = Who(v) })
	if tag := LanguageTag(l.input("FERRY_LANGUAGE")); slices.Contains(languages(), tag) {
		c.Language = tag
	} else {
		l.word("FERRY_LANGUAGE", languages(), func(string) {})
	}
	c.Token = NewSecret(l.input("GITHUB_TOKEN"))
	c.Images = l.input("FERRY_IMAGES")
	c.Issue = l.issue()
	c.First = l.platforms("FERRY_FIRST", l.input("FERRY_FIRST"))
	l.given = l.logins()
	c.Targets = l.targets(p.targets)
	c.Sources = l.sources(p.sources, c.Requests)
	if c.Public == nil {
		c.Public = publicMirrors(c.Sources)
	}
	l.unusedLogins(l.given, slices.Concat(p.targets, l.chosen), c.Sources)
	l.checkNames(p, c.Targets)
	if o.Answers && c.Token.IsZero() {
		l.fault(Fault{Kind: Missing, Name: "GITHUB_TOKEN", Place: Workflow, Reason: "is empty, so no issue can be answered",
			Cure: "leave the input github-token at its default"})
	}
	c.Notes = l.notes
	if len(l.faults) > 0 {
		return c, l.faults
	}
	return c, nil
}

// LanguageTag returns the language of a locale in lower case: "zh" of "zh-CN"
// and of "zh_CN.UTF-8".
func LanguageTag(locale string) string {
	tag, _, _ := strings.Cut(strings.ToLower(locale), "_")
	tag, _, _ = strings.Cut(tag, "-")
	return tag
}

// loader collects faults while it reads the configuration.
type loader struct {
	Options
	given    []givenLogin   // of FERRY_LOGINS
	chosen   []listedTarget // the targets of this run
	settings string         // address of the repository's settings; empty outside Actions
	faults   Faults
	notes    []Fault
}

func (l *loader) fault(f Fault) { l.faults = append(l.faults, f) }
func (l *loader) note(f Fault)  { l.notes = append(l.notes, f) }

// settingsPage returns the address of the repository's settings.
func settingsPage(getenv func(string) string) string {
	repository := getenv("GITHUB_REPOSITORY")
	if getenv("GITHUB_ACTIONS") != "true" || repository == "" {
		return ""
	}
	server := getenv("GITHUB_SERVER_URL")
	if server == "" {
		server = "https://github.com"
	}
	return server + "/" + repository + "/settings"
}

// setAt says where to set a secret or a variable.
func (l *loader) setAt(name string, at Place) string {
	switch {
	case l.settings == "":
		return "set it in the environment"
	case at == Variables:
		return fmt.Sprintf("add the variable %s at %s/variables/actions", name, l.settings)
	}
	return fmt.Sprintf("add the secret %s at %s/secrets/actions", name, l.settings)
}

// input returns the value of a variable without surrounding space: secrets are
// often stored with a line end.
func (l *loader) input(name string) string { return strings.TrimSpace(l.Getenv(name)) }

// word calls set with the value of a variable if it is one of words.
func (l *loader) word(name string, words []string, set func(string)) {
	value := l.input(name)
	if value == "" {
		return
	}
	if reason, cure := notAmong(value, words); reason != "" {
		l.fault(Fault{Name: name, Place: Variables, Reason: reason, Cure: cure})
		return
	}
	set(value)
}

func (l *loader) issue() int {
	value := l.input("FERRY_ISSUE")
	if value == "" {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimPrefix(value, "#"), 10, 32)
	if err != nil || n <= 0 {
		l.fault(Fault{Name: "FERRY_ISSUE", Place: Workflow, Reason: fmt.Sprintf("is %q, not the number of an issue", clip(value))})
		return 0
	}
	return int(n)
}

// platforms reads the value of a variable, a list separated by commas or space; "all"
// is the empty list.
func (l *loader) platforms(name, value string) []reference.Platform {
	if value == "" || value == "all" {
		return nil
	}
	var platforms []reference.Platform
	for _, text := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) {
		platform, err := reference.ParsePlatform(text)
		if err != nil {
			l.fault(Fault{Name: name, Place: Workflow, Reason: fmt.Sprintf("has %q, which is not a platform", clip(text)), Cure: platformCureOf(text)})
			continue
		}
		platforms = append(platforms, platform)
	}
	return platforms
}

const platformCure = "write os/arch or os/arch/variant, such as linux/arm64"

// platformCureOf returns what to write instead of a text that is no platform.
func platformCureOf(text string) string {
	os, arch, found := strings.Cut(strings.ToLower(text), "/")
	if !found {
		os, arch = "linux", os
	}
	meant, err := reference.ParsePlatform(os + "/" + suggest.Nearest(arch, []string{"amd64", "arm64", "386", "ppc64le", "s390x", "riscv64", "loong64", "arm"}))
	if err != nil {
		return platformCure
	}
	return fmt.Sprintf("did you mean %q?", meant)
}

// clip shortens a value that a fault quotes.
func clip(s string) string { return reference.Clip(s, 80) }
