// Package texts reads the texts that are embedded in the program. They are files of
// the folders texts in the rooms that have them. The script .github/scripts/pack
// compresses them for the build of a release; other builds have them as they are.
package texts

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"strings"
)

// Unpack returns the text of an embedded file, which is compressed or not.
func Unpack(file string) string {
	if packed, err := gzip.NewReader(strings.NewReader(file)); err == nil {
		if text, err := io.ReadAll(packed); err == nil {
			return string(text)
		}
	}
	return file
}

// Decode reads an embedded file of JSON into a value. Each file has a test that reads
// it, so that the error is one of tests.
func Decode(file string, into any) error { return json.Unmarshal([]byte(Unpack(file)), into) }
