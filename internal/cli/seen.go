package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/fanout"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
)

// seen is the set of earlier comparisons with targets whose digest differs from
// the source's: mirrors with only some platforms, or in an adapted format.
// Their digests do not show whether they are up to date, and reading the
// source's manifests counts as pulls on Docker Hub. A lost line only costs
// requests.
//
// It also has the images that the lists call immutable, each with the day of the last
// look: "immutable MIRROR", a tab, and "DAY SOURCE HELD". Their lines have a value, the
// others have none. And it has the images that a run did not come to: "waits IMAGE".
type seen map[string]string

// rates is the line of the rates of jobs, as measured by their receipts: "rates", a
// tab, bytes per second and milliseconds to start.
const rates = "rates"

// rates returns the rates for a plan.
func (s seen) rates() fanout.Rates {
	r := fanout.Usual()
	var job, start int64
	if _, err := fmt.Sscan(s[rates], &job, &start); err != nil {
		return r
	}
	return r.Measured([]fanout.Measure{{Bytes: max(job, 0) << 10, Time: 1 << 10 * time.Second, Start: time.Duration(start) * time.Millisecond}})
}

// measure notes the rates that jobs have achieved.
func (s seen) measure(jobs []fanout.Measure) {
	r := fanout.Usual().Measured(jobs)
	s[rates] = fmt.Sprintf("%.0f %d", r.Job, r.Start.Milliseconds())
}

// waits begins the lines of images that the next run copies first.
const waits = "waits "

// maxSeen limits the size of the file, in bytes: a line has about 250.
const maxSeen = 64 << 20

// readSeen reads the file of the last run, if it exists.
func readSeen(file string) (seen, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return seen{}, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSeen))
	if err != nil {
		return nil, err
	}
	all := seen{}
	for line := range bytes.Lines(text) {
		all.add(strings.TrimSpace(string(line)))
	}
	return all, nil
}

func (s seen) add(line string) {
	key, value, _ := strings.Cut(line, "\t")
	s[key] = value
}

// has reports whether a comparison was made.
func (s seen) has(line string) bool {
	_, ok := s[line]
	return ok
}

// lines returns the lines in order.
func (s seen) lines() []string {
	lines := make([]string, 0, len(s))
	for key, value := range s {
		lines = append(lines, strings.TrimSuffix(key+"\t"+value, "\t"))
	}
	sort.Strings(lines)
	return lines
}

// immutableFor is how long an image that the lists call immutable is not looked up
// again.
const immutableFor = 7 * 24 * time.Hour

// rest takes over from before that an immutable image is there, if that was seen in the
// last days.
func (s seen) rest(before seen, name reference.Reference, now time.Time) (mirror.Standing, bool) {
	key := "immutable " + name.String()
	fields := strings.Fields(before[key])
	if len(fields) != 3 || fields[0] < now.Add(-immutableFor).UTC().Format(time.DateOnly) || fields[0] > now.UTC().Format(time.DateOnly) {
		return mirror.Standing{}, false
	}
	source, err := reference.ParseDigest(fields[1])
	held, invalid := reference.ParseDigest(fields[2])
	if err != nil || invalid != nil {
		return mirror.Standing{}, false
	}
	s[key] = before[key]
	return mirror.Standing{Source: source, Held: held}, true
}

// note notes that an immutable image is there, unless that is known of an earlier day.
func (s seen) note(r *mirror.Receipt, now time.Time) {
	if key := "immutable " + r.Mirror.String(); !s.has(key) {
		s[key] = now.UTC().Format(time.DateOnly) + " " + r.SourceDigest.String() + " " + r.Digest.String()
	}
}

// write replaces the file, and creates its folder.
func (s seen) write(file string) error {
	text := strings.Join(s.lines(), "\n") + "\n"
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// seenLine returns the line which records that a mirror with the digest held is
// up to date with the source's digest.
func seenLine(d plan.Destination, source, held v1.Hash) string {
	platforms := make([]string, len(d.Platforms))
	for i, p := range d.Platforms {
		platforms[i] = p.String()
	}
	slices.Sort(platforms)
	return fmt.Sprintf("%s %s %s %s", d.Mirror, source, held, strings.Join(platforms, ","))
}
