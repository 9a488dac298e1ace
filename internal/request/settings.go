package request

import (
	"slices"
	"strings"
)

// setting is one key with its value.
type setting struct {
	key, value string
	line       line
}

// treeKeys are the keys that make up an image together.
var treeKeys = set("repository", "registry", "tag", "digest", "sha", "newname", "newtag", "imagetag", "image_tag", "image-tag", "imagename", "imagerepository")

// platformKeys are the keys of platforms.
var platformKeys = set("platform", "platforms", "arch", "architecture", "architectures")

// targetKeys are the keys of where somebody means to put an image.
var targetKeys = set("target", "dest", "destination", "dst", "to")

// isImageKey tells whether a key in lower case has an image as its value:
// "image", "sidecarImage", "GRAFANA_IMAGE".
func isImageKey(key string) bool {
	return key == "image" || key == "images" || len(key) < 48 && strings.HasSuffix(key, "image")
}

// join makes images out of the settings of one mapping.
func (s *scan) join(parent string, settings []setting) {
	get := func(keys ...string) (setting, bool) {
		for _, one := range settings {
			if slices.Contains(keys, strings.ToLower(one.key)) && one.value != "" && one.value != "~" && one.value != "null" {
				return one, true
			}
		}
		return setting{}, false
	}
	tag, _ := get("newtag", "tag", "imagetag", "image_tag", "image-tag")
	digest, _ := get("digest", "sha")
	registry, _ := get("registry")
	name, ok := get("newname", "repository", "imagename")
	if !ok && tag.value != "" {
		name, ok = get("imagerepository")
	}
	if !ok && (tag.value != "" && slices.Contains([]string{"image", "images"}, strings.ToLower(parent)) || has(settings, "newTag")) {
		name, ok = get("name")
	}
	platformOf, hasPlatform := get("platform", "platforms", "arch", "architecture", "architectures")
	platforms, problem := platformValue(strings.Trim(platformOf.value, "[]"))
	if problem != nil {
		s.flaw(platformOf.line, 0, *problem, tagged)
	}
	found := false
	emit := func(from setting, text string) {
		r := s.readWord(text)
		for i := range r.images {
			r.images[i].Written = clip(text)
			r.images[i].Platforms = addPlatform(r.images[i].Platforms, platforms...)
		}
		if r.weight == nothing && r.problem == nil && len(text) < maxWritten && strings.ContainsAny(text, "$<{") {
			r = placeholder(text)
		}
		found = s.take(from.line, from.line.indent(), r, bare, pasted) || found
	}
	if ok && !strings.Contains(name.value, "://") {
		text := name.value
		if registry.value != "" && !strings.HasPrefix(text, registry.value+"/") {
			text = strings.TrimRight(registry.value, "/") + "/" + text
		}
		if tag.value != "" && !strings.Contains(text[strings.LastIndexByte(text, '/')+1:], ":") {
			text += ":" + tag.value
		}
		if digest.value != "" {
			text += "@" + digestOf(digest.value)
		}
		emit(name, text)
	}
	for _, one := range settings {
		if !isImageKey(strings.ToLower(one.key)) || one.value == "" || one.value == "|" || one.value == ">" {
			continue
		}
		if inside, list := strings.CutPrefix(one.value, "["); list {
			for item := range strings.SplitSeq(strings.TrimSuffix(inside, "]"), ",") {
				emit(one, cleanValue(item))
			}
			continue
		}
		text := one.value
		fields := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' })
		if len(fields) > 1 && !slices.ContainsFunc(fields, func(f string) bool { return s.readWord(f).weight < official }) {
			for _, f := range fields {
				emit(one, f)
			}
			continue
		}
		if fields := strings.Fields(text); len(fields) > 1 && !strings.ContainsAny(text, "{$") {
			if readWord(fields[0]).weight < path {
				continue
			}
			text = fields[0]
		}
		if tag.value != "" {
			if r := s.readWord(text); len(r.images) == 1 && slices.Contains(r.images[0].Assumptions, AssumedTag) {
				text += ":" + tag.value
			}
		}
		if host, _ := cutHost(text); registry.value != "" && host == "" {
			text = strings.TrimRight(registry.value, "/") + "/" + text
		}
		if digest.value != "" && !strings.Contains(text, "@") {
			text += "@" + digestOf(digest.value)
		}
		emit(one, text)
	}
	if hasPlatform && !found {
		s.platforms = addPlatform(s.platforms, platforms...)
	}
}

func has(settings []setting, key string) bool {
	return slices.ContainsFunc(settings, func(s setting) bool { return s.key == key })
}

// digestOf gives a digest the algorithm that charts sometimes leave out.
func digestOf(value string) string {
	if strings.Contains(value, ":") {
		return value
	}
	return "sha256:" + value
}

// forest gathers dotted settings ("controller.image.tag") by the mapping that they belong to.
type forest struct {
	order []string
	trees map[string][]setting
}

func (f *forest) set(key, value string, l line) {
	if f.trees == nil {
		f.trees = make(map[string][]setting)
	}
	parent, leaf := "", key
	if dot := strings.LastIndexByte(key, '.'); dot >= 0 {
		parent, leaf = key[:dot], key[dot+1:]
	}
	if f.trees[parent] == nil {
		f.order = append(f.order, parent)
	}
	f.trees[parent] = append(f.trees[parent], setting{leaf, value, l})
}

func (f *forest) flush(s *scan) {
	for _, parent := range f.order {
		s.join(parent[strings.LastIndexByte(parent, '.')+1:], f.trees[parent])
	}
}
