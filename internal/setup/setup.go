// Package setup changes the configuration files of container clients so that
// they pull by original names through a front ("ferry serve").
//
// Each client has one source file, which says what to insert into which
// configuration files. All other bytes of a file stay. If that is not possible,
// the package changes nothing and returns the lines to add by hand.
package setup

import (
	"bytes"
	"slices"
)

// Plan returns what to do for the clients on the machine, in a fixed order.
// only selects clients by name; nil selects all.
func Plan(m Machine, front Front, only []string) []Part {
	parts := each(&m, only, func(c client) Part { return c.plan(&m, &front) })
	for _, part := range parts {
		for i := range part.Changes {
			part.Changes[i].Secret = front.Token != "" && bytes.Contains(part.Changes[i].After, []byte(front.Token))
		}
	}
	return parts
}

// PlanProxy is like Plan, for clients that pull through a proxy.
func PlanProxy(m Machine, proxy Proxy, only []string) []Part {
	return each(&m, only, func(c client) (p Part) {
		p.planProxy(&m, proxy, c.unit(&m))
		return p
	})
}

// each returns the parts of the installed clients.
func each(m *Machine, only []string, plan func(client) Part) []Part {
	var parts []Part
	for _, c := range all() {
		if len(only) > 0 && !slices.Contains(only, c.name) || m.UserOnly && !c.user || !c.installed(m) {
			continue
		}
		part := plan(c)
		part.Client = c.name
		parts = append(parts, part)
	}
	return parts
}

// Clients returns the names of the clients that can be set up.
func Clients() []string {
	var names []string
	for _, c := range all() {
		names = append(names, c.name)
	}
	return names
}

// all returns all clients, in the order in which they are shown.
func all() []client {
	return []client{docker(), rootlessDocker(), containerd(), podman(), k3s(), rke2(), buildkit()}
}
