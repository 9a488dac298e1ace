package registry

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"strings"
)

// sideBySide is the size up to which responses are read concurrently. Larger
// ones are rare, or an attack on the memory, and are read one at a time.
const sideBySide = 256 << 10

var large = make(chan struct{}, 1)

// readSmall reads the body of a small response, at most limit+1 bytes. It
// decompresses the body, because some proxies compress it without being asked,
// which RFC 9110 §12.5.3 allows.
func readSmall(resp *http.Response, limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, min(limit+1, sideBySide)))
	if err == nil && len(body) == sideBySide {
		select {
		case large <- struct{}{}:
			defer func() { <-large }()
		case <-resp.Request.Context().Done():
			return nil, context.Cause(resp.Request.Context())
		}
		whole := bytes.NewBuffer(make([]byte, 0, min(limit, max(resp.ContentLength, 2*sideBySide))+bytes.MinRead))
		whole.Write(body)
		_, err = whole.ReadFrom(io.LimitReader(resp.Body, limit+1-sideBySide))
		body = whole.Bytes()
	}
	if err != nil || !labelled(resp) || !isGzip(body) {
		return body, err
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(z, limit+1))
}

// labelled reports whether a response says that its body is compressed by gzip.
func labelled(resp *http.Response) bool {
	return strings.HasSuffix(strings.ToLower(resp.Header.Get("Content-Encoding")), "gzip") // or x-gzip
}

// isGzip reports whether data begins like a file of gzip.
func isGzip(data []byte) bool { return bytes.HasPrefix(data, []byte{0x1f, 0x8b}) }

// isPacked reports whether the body of a blob of size bytes may be compressed
// for the transfer. Some servers also use the header for blobs that are
// compressed files, which have the right size as they are. Without a length,
// only a blob that is read into memory can show which of the two is the case.
func isPacked(resp *http.Response, size int64) bool {
	return labelled(resp) && (resp.ContentLength < 0 && size <= sideBySide || resp.ContentLength >= 0 && resp.ContentLength != size)
}

// unpacker decompresses a body, unless it has size bytes as it is.
type unpacker struct {
	body io.ReadCloser
	size int64
	open io.Reader // nil before the first Read
}

func (u *unpacker) Read(p []byte) (int, error) {
	if u.open == nil {
		head, err := io.ReadAll(io.LimitReader(u.body, min(u.size, sideBySide)+1))
		if err != nil {
			return 0, err
		}
		u.open = io.MultiReader(bytes.NewReader(head), u.body)
		if int64(len(head)) != u.size && isGzip(head) {
			if u.open, err = gzip.NewReader(u.open); err != nil {
				return 0, err
			}
		}
	}
	return u.open.Read(p)
}

func (u *unpacker) Close() error { return u.body.Close() }
