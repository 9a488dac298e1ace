package lists

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/selection"
)

// regsync reads a configuration of regclient's regsync, version 1.
func (r *reader) regsync(root []pair) {
	var defaults, entries []pair
	for _, p := range root {
		value := r.follow(p.value)
		switch p.name() {
		case "version":
			if value.Value != "1" && !null(value) {
				r.fault(p.line(), "has the version "+quote(value.Value)+"; the only version is 1", "")
			}
		case "creds":
			var hosts []string
			for _, item := range r.items(value) {
				for _, field := range r.pairs(item) {
					if field.name() == "registry" {
						hosts = append(hosts, shortened(field.value.Value))
					}
				}
			}
			if len(hosts) > 0 {
				r.note(p.line(), "has logins and settings for "+shorten(hosts)+", which are not read from a list", loginCure)
			}
		case "defaults":
			defaults = r.pairs(value)
		case "sync":
			for _, item := range r.items(value) {
				entries = append(entries, pair{item, item})
			}
		default:
			if !strings.HasPrefix(p.name(), "x-") {
				r.note(p.line(), fmt.Sprintf("has the key %s, which is unknown", quote(p.name())), "")
			}
		}
	}
	backup := r.settings(defaults)
	for _, e := range entries {
		if e.value.Kind != yaml.MappingNode {
			r.fault(e.line(), "is "+kind(e.value)+", not an entry with source and target", "")
			continue
		}
		r.regsyncEntry(e.line(), r.pairs(e.value), backup)
	}
}

// The settings that only affect the speed or the checks of regsync, and those
// that Ferry does not support, with what Ferry does instead.
var (
	silent = []string{
		"ratelimit", "parallel", "fastCheck", "forceRecursive", "cacheCount", "cacheTime", "blobLimit", "userAgent",
		"skipDockerConfig", "includeExternal", "referrers", "referrerSlow",
	}
	otherwise = map[string]string{
		"interval":        "the schedule of the workflow decides when",
		"schedule":        "the schedule of the workflow decides when",
		"backup":          "the old content of a moved tag is kept under a dated tag",
		"hooks":           "no hook runs",
		"digestTags":      "referrers are copied; tags that start with sha256- are not",
		"mediaTypes":      "every kind of image is copied",
		"referrerFilters": "all referrers are copied",
		"referrerSource":  "referrers are read from the repository of the image",
		"referrerTarget":  "referrers are written to the repository of the image",
	}
)

// settings records notes for settings that are ignored, and reports whether they
// have a backup.
func (r *reader) settings(all []pair) (backup bool) {
	for _, p := range all {
		backup = backup || p.name() == "backup"
		switch instead, ok := otherwise[p.name()]; {
		case ok:
			r.note(p.line(), fmt.Sprintf("has the setting %q, which is not supported", p.name()), instead)
		case !slices.Contains(silent, p.name()) && !strings.HasPrefix(p.name(), "x-"):
			r.note(p.line(), fmt.Sprintf("has the key %s, which is unknown", quote(p.name())), "")
		}
	}
	return backup
}

// regsyncEntry reads an entry of "sync".
func (r *reader) regsyncEntry(line int, all []pair, backup bool) {
	fields := map[string]*yaml.Node{}
	var rest []pair
	for _, p := range all {
		switch p.name() {
		case "source", "target", "type", "tags", "tagSets", "platform", "platforms", "repos":
			fields[p.name()] = r.follow(p.value)
		default:
			rest = append(rest, p)
		}
	}
	backup = r.settings(rest) || backup
	for _, name := range []string{"source", "target", "type"} {
		if fields[name] == nil {
			r.fault(line, fmt.Sprintf("has no %q", name), "")
			return
		}
	}
	if fields["type"].Value == "registry" {
		r.fault(line, `has the type "registry", which is not supported`, "write an entry for each repository")
		return
	}
	sourceText, ok := r.text("source", fields["source"])
	if !ok {
		return
	}
	source, ok := r.template(fields["source"].Line, sourceText, nil)
	if !ok {
		return
	}
	targetText, ok := r.text("target", fields["target"])
	if !ok {
		return
	}
	target, ok := r.template(fields["target"].Line, targetText, map[string]string{".Sync.Source": source, ".Sync.Type": fields["type"].Value})
	if !ok {
		return
	}
	from, ok := r.regsyncReference(fields["source"].Line, source)
	if !ok {
		return
	}
	to, ok := r.regsyncReference(fields["target"].Line, target)
	if !ok {
		return
	}
	e := Entry{Line: line, Source: from.Repository(), To: []Destination{{Repository: to.Repository()}}, KeepOld: backup}
	for _, name := range []string{"platform", "platforms"} {
		if v := fields[name]; v != nil {
			more, ok := r.platform(v.Line, r.texts(name, v))
			if !ok {
				return
			}
			e.Platforms = append(e.Platforms, more...)
		}
	}
	switch kind := fields["type"].Value; kind {
	case "image":
		e.Digest = from.Digest()
		if from.Tag() != "" {
			e.Tags.Tags = []string{from.Tag()}
		}
		switch {
		case to.Tag() != "" && to.Tag() != from.Tag():
			e.To[0].Tags = []string{to.Tag()}
		case to.HasDigest() && to.Digest() != from.Digest():
			r.fault(line, "has different digests at the source and the target", "leave out the digest at the target")
			return
		}
		r.add(e)
	case "repository":
		if sets, ok := r.tagSets(fields["tags"], fields["tagSets"]); ok {
			e.Tags.Sets = sets
			r.add(e)
		}
	default:
		r.fault(fields["type"].Line, fmt.Sprintf("has the type %s, which is unknown", quote(kind)), `write "image" or "repository"`)
	}
}

func (r *reader) regsyncReference(line int, text string) (reference.Reference, bool) {
	if strings.HasPrefix(text, "ocidir:") || strings.HasPrefix(text, "ocifile:") {
		r.fault(line, fmt.Sprintf("has %s, which is a folder", quote(text)), "name a repository of a registry")
		return reference.Reference{}, false
	}
	ref, err := reference.Parse(text)
	if err != nil {
		reason := "is not an image"
		if syntax, ok := errors.AsType[*reference.SyntaxError](err); ok {
			reason = "is not an image: the " + string(syntax.Part) + " " + syntax.Reason
		}
		r.fault(line, fmt.Sprintf("has %s, which %s", quote(text), reason), "")
	}
	return ref, err == nil
}

// tagSets reads "tags" and "tagSets". Without either, all tags are meant, and
// likewise for an empty set in "tagSets".
func (r *reader) tagSets(tags, sets *yaml.Node) ([]selection.Set, bool) {
	var all []selection.Set
	ok := true
	read := func(v *yaml.Node, always bool) {
		set := selection.Set{}
		for _, p := range r.pairs(v) {
			switch p.name() {
			case "allow":
				ok = r.anchored(p, &set.Allow) && ok
			case "deny":
				ok = r.anchored(p, &set.Deny) && ok
			case "semverRange":
				for _, item := range r.items(p.value) {
					if item.Value == "" {
						continue
					}
					versions, err := selection.ParseRange(item.Value, selection.Regsync)
					if err != nil {
						r.fault(item.Line, fmt.Sprintf("has the range %s, which %s", quote(item.Value), err), "")
						ok = false
						continue
					}
					set.Ranges = append(set.Ranges, versions)
				}
			default:
				r.note(p.line(), fmt.Sprintf("has the key %s, which is unknown", quote(p.name())), "")
			}
		}
		if always || len(set.Allow)+len(set.Deny)+len(set.Ranges) > 0 {
			all = append(all, set)
		}
	}
	if sets != nil {
		for _, item := range r.items(sets) {
			read(item, true)
		}
	}
	if tags != nil {
		read(tags, false)
	}
	return all, ok
}

// anchored reads regular expressions for the whole tag. It adds anchors as
// regsync does: in "a|b" the first anchor applies to "a" and the second to "b".
func (r *reader) anchored(p pair, to *[]selection.Pattern) bool {
	ok := true
	for _, text := range r.texts(p.name(), p.value) {
		pattern, valid := r.expression(p.line(), text, "^"+text+"$")
		ok = ok && valid
		*to = append(*to, pattern)
	}
	return ok
}
