package report

import (
	"strings"

	"github.com/imageferry/ferry/internal/doctor"
	"github.com/imageferry/ferry/internal/known"
)

// page is where something can be set right.
type page struct {
	text    md
	address string // empty if it is not known
}

const secretsPage md = "Settings → Secrets and variables → Actions"

// console is the page on which the owner manages a target.
func console(f doctor.Finding) page {
	r := known.Of(f.Host)
	p := r.Console
	if f.Kind == doctor.MayNotPush && r.Logins.Title != "" {
		p = r.Logins
	}
	if p.Title != "" {
		namespace := strings.TrimPrefix(f.Target, f.Host+"/")
		account, _, _ := strings.Cut(namespace, "/")
		fill := strings.NewReplacer("{account}", account, "{namespace}", namespace, "{repository}", doctor.Scratch)
		return page{md(p.Title), fill.Replace(p.Address)}
	}
	if strings.Contains(f.Host, ":") { // a registry alone, without pages
		return page{}
	}
	return page{md(f.Host), "https://" + f.Host + "/"}
}
