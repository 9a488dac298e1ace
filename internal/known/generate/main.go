// Command generate brings the lists of package known up to date from copies of
// their publishers' sources, which it reads from disk. It is run in
// internal/known.
package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func main() {
	official := flag.String("official", "", "directory library of a checkout of docker-library/official-images")
	kubernetes := flag.String("kubernetes", "", "directory with cmd/kubeadm/app/constants/constants.go of releases, as v1.38.0.go")
	flag.Parse()
	log.SetFlags(0)
	var err error
	if *official != "" {
		err = rewrite("official.txt", os.DirFS(*official), officialImages)
	}
	if *kubernetes != "" {
		err = errors.Join(err, rewrite("kubernetes.txt", os.DirFS(*kubernetes), releases))
	}
	if err != nil {
		log.Fatalln("generate:", err)
	}
}

func rewrite(name string, source fs.FS, update func(list string, source fs.FS) (string, error)) error {
	list, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	text, err := update(string(list), source)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return os.WriteFile(name, []byte(text), 0o600) // it exists, and keeps its mode
}

// gone marks a name that the source no longer has. Docker Hub goes on serving
// its images.
const gone = " # gone from the source"

// officialImages adds the names of the source to the list.
func officialImages(list string, source fs.FS) (string, error) {
	files, err := fs.ReadDir(source, ".")
	if err != nil {
		return "", err
	}
	names := map[string]bool{} // whether the source has it
	for name := range strings.Lines(body(list)) {
		name, _, _ = strings.Cut(strings.TrimSpace(name), " ")
		names[name] = false
	}
	for _, file := range files {
		if !file.IsDir() {
			names[file.Name()] = true
		}
	}
	var lines []string
	for name, there := range names {
		if !there {
			name += gone
		}
		lines = append(lines, name)
	}
	slices.Sort(lines)
	return head(list) + strings.Join(lines, "\n") + "\n", nil
}

// constants are what kubeadm says of the images of a release.
var constants = map[string]*regexp.Regexp{
	"coredns": regexp.MustCompile(`(?m)^\s*CoreDNSVersion\s*=\s*"([^"]+)"`),
	"pause":   regexp.MustCompile(`(?m)^\s*PauseVersion\s*=\s*"([^"]+)"`),
	"etcd":    regexp.MustCompile(`(?m)^\s*DefaultEtcdVersion\s*=\s*"([^"]+)"`),
}

var releasePattern = regexp.MustCompile(`^v1\.(\d+)\.(\d+)\.go$`)

// row is one of kubernetes.txt.
type row struct {
	minor, patch int
	images       string
}

// releases adds the releases of the source from which on images change.
func releases(list string, source fs.FS) (string, error) {
	var rows []row
	for line := range strings.Lines(body(list)) {
		version, images, ok := strings.Cut(strings.TrimSpace(line), "\t")
		m := releasePattern.FindStringSubmatch("v" + version + ".go")
		if !ok || m == nil {
			return "", fmt.Errorf("no row: %q", line)
		}
		rows = append(rows, newRow(m, images))
	}
	files, err := fs.ReadDir(source, ".")
	if err != nil {
		return "", err
	}
	var found []row
	for _, file := range files {
		m := releasePattern.FindStringSubmatch(file.Name())
		if m == nil {
			continue
		}
		text, err := fs.ReadFile(source, file.Name())
		if err != nil {
			return "", err
		}
		images, err := imagesOf(string(text), m[1])
		if err != nil {
			return "", fmt.Errorf("%s: %w", file.Name(), err)
		}
		found = append(found, newRow(m, images))
	}
	slices.SortFunc(found, compare)
	for _, f := range found {
		at, exact := slices.BinarySearchFunc(rows, f, compare)
		if exact || at > 0 && rows[at-1].minor == f.minor && rows[at-1].images == f.images {
			continue
		}
		rows = slices.Insert(rows, at, f)
	}
	var b strings.Builder
	b.WriteString(head(list))
	for _, r := range rows {
		fmt.Fprintf(&b, "1.%d.%d\t%s\n", r.minor, r.patch, r.images)
	}
	return b.String(), nil
}

func newRow(version []string, images string) row {
	minor, _ := strconv.Atoi(version[1])
	patch, _ := strconv.Atoi(version[2])
	return row{minor, patch, images}
}

func compare(a, b row) int { return cmp.Or(a.minor-b.minor, a.patch-b.patch) }

// imagesOf are the versions in constants.go. kubeadm takes the etcd that the
// map SupportedEtcdVersion has for the minor release, else the default.
func imagesOf(text, minor string) (string, error) {
	var versions []string
	for _, name := range []string{"coredns", "pause", "etcd"} {
		m := constants[name].FindStringSubmatch(text)
		if m == nil {
			return "", fmt.Errorf("has no version of %s", name)
		}
		versions = append(versions, m[1])
	}
	if _, supported, ok := strings.Cut(text, "SupportedEtcdVersion = map[uint8]string{"); ok {
		supported, _, _ = strings.Cut(supported, "}")
		if m := regexp.MustCompile(`\b` + minor + `:\s*"([^"]+)"`).FindStringSubmatch(supported); m != nil {
			versions[2] = m[1]
		}
	}
	return strings.Join(versions, "\t"), nil
}

// head are the comments at the start of a list, body the rest.
func head(list string) string { return strings.TrimSuffix(list, body(list)) }

func body(list string) string {
	rest := list
	for strings.HasPrefix(rest, "#") {
		_, rest, _ = strings.Cut(rest, "\n")
	}
	return rest
}
