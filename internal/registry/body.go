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
	if err != nil || !strings.HasSuffix(strings.ToLower(resp.Header.Get("Content-Encoding")), "gzip") || !bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		return body, err
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(z, limit+1))
}
