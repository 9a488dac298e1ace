// Package setup changes the configuration files of container clients so that
// they pull by original names through a front ("ferry serve").
//
// A client is one file: it says what it needs in which of its files. Nothing
// but what is needed is inserted; every other byte of a file stays. What cannot
// be done so is not done, and the lines to add by hand are given instead.
package setup

import "slices"

// Plan is what is to be done for the clients on the machine, in a fixed order.
// Only names the clients to look at; nil for all.
func Plan(m Machine, front Front, only []string) []Part {
	var parts []Part
	for _, c := range clients() {
		if len(only) > 0 && !slices.Contains(only, c.name) || !c.installed(m) {
			continue
		}
		part := c.plan(m, front)
		part.Client = c.name
		parts = append(parts, part)
	}
	return parts
}

// Clients are the names of the clients that can be set up.
func Clients() []string {
	var names []string
	for _, c := range clients() {
		names = append(names, c.name)
	}
	return names
}

// clients are all, in the order in which they are shown.
func clients() []client { return []client{docker(), containerd(), podman(), k3s(), rke2(), buildkit()} }
