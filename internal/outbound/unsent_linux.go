package outbound

import (
	"net"
	"syscall"
)

// notSentLowat is the option TCP_NOTSENT_LOWAT of tcp(7), and maxUnsent its
// value. It is more than what a link carries until the process runs again.
const notSentLowat, maxUnsent = 25, 256 << 10

// limitUnsent limits the bytes that the kernel buffers before it sends them, so
// that how fast a connection takes them tells how fast it is.
func limitUnsent(conn net.Conn) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, notSentLowat, maxUnsent)
	})
}
