package doctor

import (
	"context"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/registry"
)

// Patient is the set-up to check.
type Patient struct {
	Config   *config.Config
	Faults   config.Faults
	Hub      Hub               // nil if no token or no repository is known
	Targets  *registry.Clients // with the credentials of Config
	Sources  *registry.Clients
	Visitors *registry.Clients // of the targets' hosts and the public mirrors, without credentials

	// NameMasked reports whether GitHub masks FERRY_USERNAME, because it is a
	// secret instead of a variable.
	NameMasked bool
	// Watch, if not nil, is called with the next thing to be checked: "GitHub",
	// or a target or host.
	Watch func(place string)

	// Count returns what a target holds, "host/namespace", and false if that is not
	// known. It may be nil.
	Count func(ctx context.Context, target string) (plan.Stock, bool)

	Mirrors  bool      // try the public mirrors, too
	ReadOnly bool      // change nothing
	Now      time.Time // makes the test image unique
}

func (p Patient) watch(place string) {
	if p.Watch != nil {
		p.Watch(place)
	}
}
