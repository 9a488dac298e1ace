package archive

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// This file implements the part of the tar format (POSIX.1-2008, "pax", "ustar
// Interchange Format") that archives of images use. The package of the standard
// library would be a fortieth of the size of Ferry's binary, for owners, links
// and devices, which no image archive has. The tests compare the two.

// tarBlock is the block size of a tar file, in bytes. Every file is padded to
// whole blocks.
const tarBlock = 512

// The types of entries.
const (
	tarFile     = '0'
	tarFolder   = '5'
	tarLongName = 'L' // GNU: the name of the next entry
	tarPAX      = 'x' // fields of the next entry that do not fit in its header
	tarGlobal   = 'g' // fields for all entries; no program uses it for names or sizes
)

// padded returns size rounded up to whole blocks.
func padded(size int64) int64 { return (size + tarBlock - 1) / tarBlock * tarBlock }

// tarHeader returns the header of a file, or of a folder if the name ends with
// a slash, without owner and time. The name has at most 100 bytes.
func tarHeader(name string, size int64) []byte {
	h := make([]byte, tarBlock)
	copy(h, name)
	kind, mode := byte(tarFile), 0o644
	if strings.HasSuffix(name, "/") {
		kind, mode = tarFolder, 0o755
	}
	copy(h[100:], fmt.Sprintf("%07o\x00%07o\x00%07o\x00", mode, 0, 0))
	if size < 1<<33 {
		copy(h[124:], fmt.Sprintf("%011o\x00", size))
	} else { // a binary number, an extension by GNU tar that all programs read
		h[124] = 0x80
		binary.BigEndian.PutUint64(h[128:], uint64(size))
	}
	copy(h[136:], "00000000000\x00        ") // the time, and spaces for the checksum
	h[156] = kind
	copy(h[257:], "ustar\x0000")
	copy(h[329:], "0000000\x000000000\x00")
	copy(h[148:], fmt.Sprintf("%06o\x00 ", tarSum(h)))
	return h
}

// tarSum returns the checksum of a header, which counts the bytes of the
// checksum field as spaces.
func tarSum(h []byte) int64 {
	sum := int64(8 * ' ')
	for i, c := range h {
		if i < 148 || i >= 156 {
			sum += int64(c)
		}
	}
	return sum
}

// tarEntry is a file in a tar file.
type tarEntry struct {
	name   string
	kind   byte
	offset int64 // of its content
	size   int64
}

// errNoTar means that a file is not a tar file.
var errNoTar = errors.New("is not a tar file")

// maxNames is the maximum size of the fields of an entry that do not fit in its
// header, in bytes.
const maxNames = 64 << 10

// scan calls visit for each entry of a tar file of the given size. It reads
// only the headers. It returns an error if the content of an entry is
// incomplete.
func scan(r io.ReaderAt, size int64, visit func(tarEntry) error) error {
	var name string // of the next entry, if it does not fit in its header
	length := int64(-1)
	header := make([]byte, tarBlock)
	for at := int64(0); ; {
		if at+tarBlock > size {
			if at == 0 {
				return errNoTar
			}
			return fmt.Errorf("is cut off after %d bytes", size)
		}
		if _, err := r.ReadAt(header, at); err != nil && err != io.EOF {
			return err
		}
		if bytes.Count(header, []byte{0}) == tarBlock { // the end of the archive
			return nil
		}
		e, err := parseHeader(header)
		if err != nil {
			if at == 0 {
				return errNoTar
			}
			return fmt.Errorf("has no entry at byte %d: %w", at, err)
		}
		if name != "" {
			e.name = name
		}
		if length >= 0 {
			e.size = length
		}
		e.offset = at + tarBlock
		if e.size > size-e.offset {
			return fmt.Errorf("is cut off: %.100q ends at byte %d of %d", e.name, e.offset+e.size, size)
		}
		at = e.offset + padded(e.size)
		switch e.kind {
		case tarPAX, tarLongName:
			if e.size > maxNames {
				return fmt.Errorf("has an entry at byte %d with a name of %d bytes", e.offset, e.size)
			}
			text := make([]byte, e.size)
			if _, err := r.ReadAt(text, e.offset); err != nil && err != io.EOF {
				return err
			}
			if e.kind == tarLongName {
				name = string(bytes.TrimRight(text, "\x00"))
			} else if name, length, err = parsePAX(text); err != nil {
				return fmt.Errorf("has an entry at byte %d that cannot be read: %w", e.offset, err)
			}
			continue
		case tarGlobal:
			continue
		}
		name, length = "", -1
		if err := visit(e); err != nil {
			return err
		}
	}
}

// parseHeader parses a header.
func parseHeader(h []byte) (tarEntry, error) {
	sum, err := tarNumber(h[148:156])
	if err != nil || sum != tarSum(h) {
		return tarEntry{}, errors.New("its header has a wrong checksum")
	}
	e := tarEntry{name: tarText(h[:100]), kind: h[156]}
	if e.kind == 0 { // written before POSIX
		e.kind = tarFile
	}
	if bytes.HasPrefix(h[257:], []byte("ustar\x00")) { // GNU's header has other fields there
		if prefix := tarText(h[345:500]); prefix != "" {
			e.name = prefix + "/" + e.name
		}
	}
	if e.size, err = tarNumber(h[124:136]); err != nil {
		return tarEntry{}, fmt.Errorf("its size %w", err)
	}
	if e.kind != tarFile && e.kind < tarLongName && e.kind != '7' {
		e.size = 0 // links, devices and folders have no content
	}
	return e, nil
}

// tarText returns a field up to its first zero byte.
func tarText(field []byte) string {
	text, _, _ := bytes.Cut(field, []byte{0})
	return string(text)
}

// tarNumber parses a field: octal digits, or a binary number.
func tarNumber(field []byte) (int64, error) {
	if field[0]&0x80 != 0 {
		n := uint64(field[0] & 0x7f)
		for _, c := range field[1:] {
			if n>>55 != 0 {
				return 0, errors.New("is too large or negative")
			}
			n = n<<8 | uint64(c)
		}
		return int64(n), nil
	}
	text := strings.Trim(string(field), " \x00")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 8, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("is %.20q", field)
	}
	return n, nil
}

// parsePAX parses the records of an extended header, each "LENGTH KEY=VALUE\n".
// It returns the name and the size, or "" and -1 without them.
func parsePAX(text []byte) (name string, size int64, err error) {
	size = -1
	for len(text) > 0 {
		digits, _, _ := bytes.Cut(text, []byte(" "))
		n, err := strconv.Atoi(string(digits))
		if err != nil || n <= len(digits)+1 || n > len(text) || text[n-1] != '\n' {
			return "", -1, errors.New("its extended header has an invalid record")
		}
		key, value, _ := strings.Cut(string(text[len(digits)+1:n-1]), "=")
		text = text[n:]
		switch {
		case key == "path":
			name = value
		case key == "size":
			if size, err = strconv.ParseInt(value, 10, 64); err != nil || size < 0 {
				return "", -1, fmt.Errorf("its size is %.20q", value)
			}
		case strings.HasPrefix(key, "GNU.sparse."):
			return "", -1, errors.New("it is a sparse file")
		}
	}
	return name, size, nil
}
