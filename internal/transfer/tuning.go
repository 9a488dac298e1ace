package transfer

import "time"

const (
	// DefaultMemory limits the bytes in transit from a source to the targets.
	// With some dozens of connections and the garbage collector's share, the
	// process stays under 64 MiB.
	DefaultMemory = 24 << 20
	// blockSize is the unit in which memory is used, in bytes.
	blockSize = 256 << 10
	// minMemory is the smallest number of blocks with which several uploads can
	// make progress.
	minMemory = 16 * blockSize
	// nearTrip is the round trip below which a source is near: connections
	// reach their full rate at once, and opening several costs time, unless
	// each of them is limited.
	nearTrip = 12 * time.Millisecond
	// loopbackTrip is the round trip below which a source is on this machine: blocks
	// arrive as fast as they are requested. A registry that shares its processors
	// with Ferry takes up to 1.5 ms for the first answers.
	loopbackTrip = 2 * time.Millisecond
	// smallBlob is the largest blob, in bytes, that takes no longer to send
	// than a request.
	smallBlob = blockSize
)

// tuning holds the numbers that decide how an Engine works.
type tuning struct {
	_ [0]func() // incomparable: the code to compare two has half a kilobyte

	// maxUploads is how many blobs are sent to one target at once. More would
	// share the same link, and a blob half sent is lost if the process ends; fewer
	// would leave the link idle while connections start. A near target gets one
	// and one more for each uploadTrip of the round trip, minUploads at least, and
	// then uploadStep more as long as that helps, or twice as many while they
	// raise the rate by the factor proportional. Twice maxUploads are tried once,
	// at a steady rate, and stay if they raise it by that factor. After a failed
	// trial, the next restChecks evaluations are skipped.
	maxUploads, minUploads, uploadStep, restChecks int
	uploadTrip                                     time.Duration
	proportional                                   float64
	// maxExchanges is how many mounts and small blobs one target is asked to
	// take at once beside them.
	maxExchanges int
	// maxHolders is how many of the repositories with a blob are remembered. For
	// others the blob is mounted again, which costs one request.
	maxHolders int
	// maxReads is how often a blob is read whose content does not match its
	// digest: content networks do have bad copies.
	maxReads int
	// maxRestarts is how often an upload begins anew because its session is
	// gone or has failed. A session that is resumed does not count.
	maxRestarts int

	// minAhead and maxAhead are how many blocks are read ahead of an upload:
	// what the network carries in a round trip and more, as far as memory goes.
	// nearAhead is that where a round trip costs nothing.
	minAhead, maxAhead, nearAhead int64
	// pieceTime is how long the body of one request should take to arrive, and
	// waitShare how many times as long as its answer takes to begin. A piece that
	// takes longer is in memory long before its reader comes to it.
	pieceTime time.Duration
	waitShare int
	// coldRate is the assumed rate of a connection before any measurement, in
	// bytes per second.
	coldRate float64
	// piece is how many blocks a request of a stream with one connection asks
	// for at least. It is small enough that several connections can soon share
	// the work if that helps. Once it has turned out not to help, a request
	// asks for up to maxPiece. From a near source it asks for at least
	// nearPiece.
	piece, maxPiece, nearPiece int64
	// probePiece is how many blocks the first request for a large blob asks
	// for. The response shows whether the blob can be read in parts.
	probePiece int64
	// nearness is how many blocks apart two pieces count as equally near to
	// their readers.
	nearness int64
	// minPeers is how many exchanges must be known before one can be late. It
	// is late if it takes lateFactor times as long as another would, and
	// lateGrace more, but not in the first startTrips round trips. It is starved
	// below one part in starvedFactor of the others' rate.
	minPeers                  int
	lateFactor, starvedFactor float64
	lateGrace                 time.Duration
	startTrips                int
	// lateUpload is that factor for an upload, which is given up when it is
	// late. That is done at most maxHedges times for a blob.
	lateUpload float64
	// maxHedges is how often a piece is hedged at most, and how many pieces of
	// a host are hedged at the same time.
	maxHedges int
	// longAnswer is the response time from which a few large requests are
	// better than many connections. firstPiece is how many blocks of a large
	// blob are then requested first.
	longAnswer time.Duration
	firstPiece int64
	// window is how many blocks ahead of a reader several connections fetch.
	window int64
	// maxNotice is the most, in bytes, that is read before readers are woken,
	// because waking them costs more than reading.
	maxNotice int

	// idleAfter is how long a reader may not read before blocks that are in
	// memory for it alone are given to waiting readers.
	idleAfter time.Duration

	// initialConnections is how many connections are opened at once for a few
	// large blobs.
	initialConnections int
	// coldAfter is the time after which a silent connection is slow again (RFC
	// 5681, section 4.1).
	coldAfter time.Duration

	// maxConnections is the largest number of shared connections of a host, and
	// probeStep how many are tried at once. Two would not be enough to show a
	// difference, because a single blob already uses two in turn.
	maxConnections, probeStep int
	// tick is how often the number of connections is adjusted.
	tick time.Duration
	// trialTicks is how many ticks a trial of more connections lasts, and
	// releaseTicks a trial of fewer.
	trialTicks, releaseTicks int
	// quietTicks is how many ticks no connections are added after the registry
	// has asked clients to slow down.
	quietTicks int
	// gain is by how much more connections must raise the rate to be kept.
	gain float64
	// noise is the difference of the rate from tick to tick without a cause.
	noise float64
	// dominant is the share of the best rate beyond which a single connection
	// is not the limit.
	dominant float64
	// fastConnection is the rate of a connection that is not the bottleneck, in
	// bytes per second.
	fastConnection float64
}

var defaultTuning = tuning{
	maxUploads:         12,
	minUploads:         3,
	uploadStep:         2,
	restChecks:         10,
	proportional:       1.3,
	uploadTrip:         4 * time.Millisecond,
	maxExchanges:       48,
	maxHolders:         64,
	maxReads:           3,
	maxRestarts:        3,
	minAhead:           4,
	maxAhead:           48,
	nearAhead:          4,
	pieceTime:          200 * time.Millisecond,
	waitShare:          3,
	coldRate:           2e6,
	piece:              8,
	maxPiece:           256,
	nearPiece:          32,
	probePiece:         1,
	nearness:           4,
	minPeers:           2,
	startTrips:         8,
	lateFactor:         3,
	starvedFactor:      12,
	lateGrace:          400 * time.Millisecond,
	lateUpload:         4,
	maxHedges:          3,
	longAnswer:         120 * time.Millisecond,
	firstPiece:         32,
	window:             64,
	maxNotice:          128 << 10,
	idleAfter:          250 * time.Millisecond,
	initialConnections: 12,
	coldAfter:          250 * time.Millisecond,
	maxConnections:     16,
	probeStep:          4,
	tick:               100 * time.Millisecond,
	trialTicks:         2,
	releaseTicks:       5,
	quietTicks:         600,
	gain:               1.05,
	noise:              1.15,
	dominant:           0.6,
	fastConnection:     100e6,
}
