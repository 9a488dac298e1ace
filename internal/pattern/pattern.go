// Package pattern holds regular expressions that are compiled when they are first
// used. A run uses few of them, and compiling all of them would take a third of
// the processor time that the program needs to start.
package pattern

import (
	"regexp"
	"sync/atomic"
)

// Regexp is a regular expression in the syntax of package regexp. It is meant for
// package variables, which the compiler lays out without code that runs at the
// start:
//
//	var hex = &pattern.Regexp{Text: `^[0-9a-f]+$`}
//
// Its methods panic if Text cannot be compiled, which a test of the package
// architecture rules out. They may be called by several goroutines at once.
type Regexp struct {
	Text string

	compiled atomic.Pointer[regexp.Regexp]
}

// Compiled returns the compiled expression.
func (r *Regexp) Compiled() *regexp.Regexp {
	if re := r.compiled.Load(); re != nil {
		return re
	}
	re := regexp.MustCompile(r.Text)
	r.compiled.Store(re) // another goroutine may have compiled the same
	return re
}

// MatchString is [regexp.Regexp.MatchString].
func (r *Regexp) MatchString(s string) bool { return r.Compiled().MatchString(s) }

// FindStringSubmatch is [regexp.Regexp.FindStringSubmatch].
func (r *Regexp) FindStringSubmatch(s string) []string { return r.Compiled().FindStringSubmatch(s) }
