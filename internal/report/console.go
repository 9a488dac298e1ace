package report

import (
	"cmp"
	"strings"

	"github.com/imageferry/ferry/internal/doctor"
	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// page is a web page on which a problem can be fixed.
type page struct {
	text    md
	address string // empty if unknown
}

const secretsPage md = "Settings → Secrets and variables → Actions"

// console returns the page on which the owner manages a target.
func console(f *doctor.Finding) page {
	r := known.Of(f.Host)
	p := r.Console
	if f.Kind == doctor.MayNotPush && r.Logins.Title != "" {
		p = r.Logins
	}
	if p.Title != "" {
		return page{md(p.Title), filled(p.Address, strings.TrimPrefix(f.Target, f.Host+"/"), doctor.Scratch)}
	}
	if strings.Contains(f.Host, ":") { // the host alone: the pages of the repository are unknown
		return page{}
	}
	return page{md(f.Host), "https://" + f.Host + "/"}
}

// filled returns the address of the page for a repository of a namespace.
func filled(address, namespace, repository string) string {
	account, _, _ := strings.Cut(namespace, "/")
	return strings.NewReplacer("{account}", account, "{namespace}", namespace, "{repository}", repository).Replace(address)
}

// Console returns the address of the page on which a repository is managed.
func Console(r reference.Repository) string {
	path := r.Path()
	at := max(strings.LastIndexByte(path, '/'), 0)
	return cmp.Or(filled(known.Of(r.Host()).Console.Address, path[:at], strings.TrimPrefix(path[at:], "/")), "https://"+r.Host())
}
