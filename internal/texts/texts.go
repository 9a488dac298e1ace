// Package texts reads the texts that are embedded in the program. They are files of
// the folders texts in the rooms that have them. The script .github/scripts/pack
// compresses them for the build of a release; other builds have them as they are.
package texts

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strconv"
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

// Message is a text of a room, in English, and its translation.
type Message struct{ ID, Str string }

// Messages returns the messages of an embedded file in their order. The file is in the
// PO format of gettext (https://www.gnu.org/software/gettext/manual/html_node/PO-Files.html),
// with a header, comments, msgid and msgstr.
func Messages(file string) ([]Message, error) {
	var all []Message
	var text *string // the one that the line belongs to
	number := 0
	for line := range strings.SplitSeq(Unpack(file), "\n") {
		number++
		if line == "" || line[0] == '#' {
			continue
		}
		keyword, quoted, _ := strings.Cut(line, `"`)
		switch {
		case keyword == "msgid ":
			all = append(all, Message{})
			text = &all[len(all)-1].ID
		case keyword == "msgstr " && all != nil && text == &all[len(all)-1].ID:
			text = &all[len(all)-1].Str
		case keyword != "" || text == nil:
			return nil, fmt.Errorf("line %d: %q has no place here", number, line)
		}
		value, err := strconv.Unquote(`"` + quoted)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		*text += value
	}
	if all == nil || all[0].ID != "" {
		return nil, errors.New("no header")
	}
	return all[1:], nil
}
