package config

import (
	"fmt"
	"strings"
)

// Place is where the owner can fix a fault.
type Place string

// The places. The first two are pages of the repository's settings.
const (
	Secrets   Place = "secrets"   // Settings → Secrets and variables → Actions → Secrets
	Variables Place = "variables" // the same page, Variables
	File      Place = "policy"    // the policy file, .github/ferry.yaml unless FERRY_CONFIG says otherwise
	Workflow  Place = "workflow"  // an input in the workflow's file
	Elsewhere Place = "elsewhere" // Cure names the place
)

// Kind classifies a Fault, for descriptions in other languages.
type Kind string

// The kinds. The zero Kind is Invalid.
const (
	Invalid  Kind = ""         // the value is invalid
	Missing  Kind = "missing"  // a required value is missing
	Unknown  Kind = "unknown"  // there is no such setting
	Repeated Kind = "repeated" // it appears twice
	Broken   Kind = "broken"   // the whole file cannot be read
)

// Fault is a problem that the owner has to fix. Its text contains no value of a
// credential.
type Fault struct {
	_ [0]func() // incomparable: the code to compare two has 0.7 kB

	Kind   Kind
	Name   string // of the environment variable or the key: "FERRY_PASSWORD", "targets[0].profile"
	Place  Place
	Path   string // of the file, where Place is File
	Line   int    // in the file, from 1; 0 for none
	Reason string // a clause about Name: "is empty"
	Cure   string // what to do, a clause: `write "flat"`; may be empty
}

// String describes the fault on one line: place, reason, cure.
func (f Fault) String() string {
	var b strings.Builder
	switch {
	case f.Line > 0:
		fmt.Fprintf(&b, "%s:%d: ", f.Path, f.Line)
	case f.Path != "":
		fmt.Fprintf(&b, "%s: ", f.Path)
	}
	if f.Name != "" {
		b.WriteString(f.Name + " ")
	}
	b.WriteString(f.Reason)
	if f.Cure != "" {
		b.WriteString(": " + f.Cure)
	}
	return b.String()
}

// as returns the fault with another kind.
func (f Fault) as(kind Kind) Fault {
	f.Kind = kind
	return f
}

// Faults are all faults of a configuration as one error, one on each line:
// those of the file from top to bottom, then those of the environment and of
// both together.
type Faults []Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "\n")
}

// oneOf lists words in text: `"a", "b" or "c"`.
func oneOf(words []string) string {
	var b strings.Builder
	for i, word := range words {
		switch {
		case i == 0:
		case i == len(words)-1:
			b.WriteString(" or ")
		default:
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", word)
	}
	return b.String()
}
