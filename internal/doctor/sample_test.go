package doctor

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"
)

func TestEmptyLayer(t *testing.T) {
	z, err := gzip.NewReader(strings.NewReader(emptyLayer))
	if err != nil {
		t.Fatal(err)
	}
	tar, err := io.ReadAll(z)
	if err != nil || !bytes.Equal(tar, make([]byte, 1024)) {
		t.Errorf("%d bytes, %v", len(tar), err)
	}
}
