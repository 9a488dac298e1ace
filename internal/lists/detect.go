package lists

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/imageferry/ferry/internal/pattern"
)

// Read reads a list.
func Read(text []byte, o Options) List {
	r := &reader{getenv: o.Getenv, today: o.Today, now: o.Now, repositories: map[string]repository{}, mappings: map[*yaml.Node][]pair{}}
	r.Format = o.Format
	r.read(text)
	for _, faults := range [][]Fault{r.Faults, r.Notes} {
		sort.SliceStable(faults, func(i, j int) bool { return faults[i].Line < faults[j].Line })
	}
	if r.lost > 0 {
		r.Faults = append(r.Faults, Fault{Reason: fmt.Sprintf("has %d more faults", r.lost)})
	}
	return r.List
}

// read detects the format and reads the text.
func (r *reader) read(text []byte) {
	if len(text) > MaxBytes {
		r.fault(0, fmt.Sprintf("has more than %d bytes", MaxBytes), "split the list")
		return
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if !utf8.Valid(text) {
		r.fault(0, "is not UTF-8", "save it as UTF-8")
		return
	}
	if r.Format == Lines || r.Format == Unknown && !structured(text) {
		r.Format = Lines
		r.lines(string(text))
		return
	}
	root := r.document(text)
	if root == nil {
		return
	}
	if root.Kind == yaml.SequenceNode {
		r.Format = Diun
		r.diun(root)
		return
	}
	all := r.pairs(root)
	if r.Format == Unknown {
		r.Format = r.detect(root, all)
	}
	switch r.Format {
	case YAML:
		r.native(all)
	case ImageSyncer:
		r.imageSyncer(all)
	case Skopeo:
		r.skopeo(all)
	case Regsync:
		r.regsync(all)
	case Dregsy:
		r.dregsy(all)
	case Hauler:
		r.hauler(append([]*yaml.Node{root}, r.more...))
	case ImageSet:
		r.imageSet(all)
	case ImagesLock:
		r.imagesLock(all)
	default: // lines were read above; for Unknown there is a fault
	}
}

// keyPattern matches a key of YAML or JSON at the start of a line. A key has a
// space or nothing after the colon; an image has a tag there.
var keyPattern = &pattern.Regexp{Text: `^\s*(?:"[^"]*"|'[^']*'|[^\s"'#][^#]*?)\s*[:：](?:\s|$)`}

// structured reports whether a text is YAML or JSON rather than lines.
func structured(text []byte) bool {
	for _, line := range bytes.Split(text, []byte("\n")) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' || bytes.HasPrefix(line, []byte("---")) || line[0] == '%' {
			continue
		}
		return line[0] == '{' || line[0] == '[' || keyPattern.Compiled().Match(line)
	}
	return false
}

// detect returns the format of a document. An unknown format is a fault, and so
// is a mixture of two.
func (r *reader) detect(root *yaml.Node, all []pair) Format {
	keys := map[string]*yaml.Node{}
	for _, p := range all {
		keys[p.name()] = p.value
	}
	switch {
	case isHauler(r.value(root, "apiVersion")):
		return Hauler
	case r.value(root, "kind").Value == "ImageSetConfiguration":
		return ImageSet
	case r.value(root, "kind").Value == "ImagesLock":
		return ImagesLock
	case keys["tasks"] != nil && keys["relay"] != nil:
		return Dregsy
	}
	if name, cure := foreign(keys); name != "" {
		r.fault(root.Line, "is "+name+", which is not a list", cure)
		return Unknown
	}
	images := keys["images"]
	var found []Format
	if keys["sync"] != nil {
		found = append(found, Regsync)
	}
	if keys["groups"] != nil || images != nil && images.Kind == yaml.SequenceNode {
		found = append(found, YAML)
	}
	if images != nil && images.Kind == yaml.MappingNode {
		found = append(found, ImageSyncer) // the old configuration, with "auth"
	}
	settled := len(found) > 0 // other keys are settings of that format
	registries, pairs, logins := 0, 0, 0
	for _, p := range all {
		switch value := r.follow(p.value); {
		case strings.HasPrefix(p.name(), "x-"):
		case r.isRegistry(value):
			registries++
		case r.isLogin(value):
			logins++
		case !settled && strings.ContainsAny(p.name(), "/.:") && (value.Kind == yaml.ScalarNode || value.Kind == yaml.SequenceNode):
			pairs++
		}
	}
	if registries > 0 {
		found = append(found, Skopeo)
	}
	if pairs > 0 {
		found = append(found, ImageSyncer)
	}
	switch {
	case len(found) == 1:
		return found[0]
	case len(found) > 1:
		r.fault(root.Line, fmt.Sprintf("is both %s and %s", formatName(found[0]), formatName(found[1])), "split it into two lists")
	case logins > 0:
		r.logins(all)
	default:
		r.fault(root.Line, "is not a list of images in a known format", "the formats are lines, YAML with \"images\" or \"groups\", image-syncer, skopeo sync, regsync, dregsy, diun, hauler and oc-mirror")
	}
	return Unknown
}

// foreign returns the name of a known kind of document that is not a list, and
// the advice for it.
func foreign(keys map[string]*yaml.Node) (name, cure string) {
	const write = `write its images into a list, one a line`
	switch {
	case keys["apiVersion"] != nil && keys["kind"] != nil:
		return "a manifest of Kubernetes", `"ferry copy --file" copies the images that it names`
	case keys["services"] != nil:
		return "a Compose file", `"ferry copy --file" copies the images that it names`
	case keys["jobs"] != nil && keys["on"] != nil:
		return "a workflow of GitHub Actions", write
	}
	return "", ""
}

func formatName(f Format) string {
	switch f {
	case YAML:
		return "a list of Ferry"
	case ImageSyncer:
		return "a list of image-syncer"
	case Skopeo:
		return "a list of skopeo sync"
	default: // lines are detected elsewhere
		return "a configuration of regsync"
	}
}

// isRegistry reports whether a value is a registry in a list of skopeo.
func (r *reader) isRegistry(value *yaml.Node) bool {
	return value.Kind == yaml.MappingNode && r.has(value, "images", "images-by-tag-regex", "images-by-semver")
}
