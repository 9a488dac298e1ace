package transfer

import "context"

// acquire returns the stream of a blob, creating it for the first user. A
// stream that all users have left continues with the blocks still in memory.
// part is true for readers of a part of the blob.
func (e *Engine) acquire(blob Blob, source Source, part bool) *stream {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.streams[streamKey{blob.Digest, part}]
	if s == nil || s.err != nil || s.ending || !part && e.reads && s.sums == nil {
		s = newStream(e, blob, source, part)
		if blob.Content != nil {
			s.holdLocked(blob.Content)
		}
		e.streams[s.key()] = s
	}
	if e.closed {
		s.failLocked(errClosed)
	}
	if s.users == 0 {
		s.source = source // the one of earlier users may be gone
		s.ctx, s.cancel = context.WithCancel(e.ctx)
		s.host = e.joinLocked(s)
	} else {
		e.counts.Joined++
	}
	s.users++
	return s
}

// release stops the stream with its last user. Complete blocks stay until the
// memory is needed, because another target may want them.
func (e *Engine) release(s *stream) {
	if !e.abandon(s) {
		return
	}
	s.running.Wait()
	e.retire(s)
}

// abandon removes a user from the stream, and stops the stream with the last
// one.
func (e *Engine) abandon(s *stream) (last bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s.users > 1 {
		s.users--
		return false
	}
	s.ending = true
	s.cancel()
	s.wakeLocked()
	return true
}

// retire keeps the complete blocks of a stopped stream and drops the others.
func (e *Engine) retire(s *stream) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s.users, s.ending = 0, false
	e.leaveLocked(s)
	for index, b := range s.blocks {
		if !b.full() || s.err != nil || e.streams[s.key()] != s {
			delete(s.blocks, index)
			e.memory.dropLocked(b)
		}
	}
	s.restLocked()
	s.forgetLocked()
}
