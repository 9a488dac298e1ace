//go:build !linux

package outbound

import "net"

// limitUnsent does nothing here: the kernel may buffer more than on Linux.
func limitUnsent(net.Conn) {}
