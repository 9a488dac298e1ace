package report

import (
	"strings"

	"github.com/imageferry/ferry/internal/doctor"
	"github.com/imageferry/ferry/internal/known"
)

// page is a web page on which a problem can be fixed.
type page struct {
	text    md
	address string // empty if unknown
}

const secretsPage md = "Settings → Secrets and variables → Actions"

// console returns the page on which the owner manages a target.
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
	if strings.Contains(f.Host, ":") { // the host alone: the pages of the repository are unknown
		return page{}
	}
	return page{md(f.Host), "https://" + f.Host + "/"}
}
