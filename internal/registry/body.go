package registry

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
)

// readSmall reads the body of a small answer, at most limit bytes and one more.
// Proxies compress such answers though nothing asked them to (RFC 9110 §12.5.3
// lets them); that is undone.
func readSmall(resp *http.Response, limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil || !strings.HasSuffix(strings.ToLower(resp.Header.Get("Content-Encoding")), "gzip") || !bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		return body, err
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(z, limit+1))
}
