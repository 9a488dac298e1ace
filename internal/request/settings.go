package request

import (
	"cmp"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// at returns the offset of the value in its line, or of the end of it.
func (one setting) at() int {
	_, last, _ := cutLast(one.value)
	return max(one.line.indent(), cmp.Or(1+strings.Index(one.line.text, one.value), 1+strings.Index(one.line.text, last))-1)
}

// treeKeys are keys that together define an image.
var treeKeys = wordSet{list: "treeKeys"}

// platformKeys are keys of platforms.
var platformKeys = wordSet{list: "platformKeys"}

// targetKeys are keys of destinations.
var targetKeys = wordSet{list: "target|targets|dest|destination|destinations|dst|to"}

// isImageKey reports whether the value of a key, in lower case, is an image:
// "image", "sidecarImage", "GRAFANA_IMAGE", "additionalImages".
func isImageKey(key string) bool {
	of, ok := strings.CutSuffix(strings.TrimSuffix(key, "s"), "image")
	return ok && len(key) < 48 && !machines.has(strings.TrimRight(of, "_-."))
}

// machines are words before "image" in the keys of what is no container: of
// virtual machines and of pictures.
var machines = endings{list: "machines"}

// nameStem returns the common beginning of the keys of an image's name and tag,
// if one mapping has several images: "calico_node_image" for
// "calico_node_image_repo", "harbor_image" for itself. The key is in lower
// case; the stem is empty for other keys.
func nameStem(key string) string {
	for _, end := range []string{"image_repo", "image_repository", "image_name"} {
		if strings.HasSuffix(key, end) {
			return key[:len(key)-len(end)+len("image")]
		}
	}
	if isImageKey(key) {
		return key
	}
	return ""
}

// nameEnds are the ends of keys that may be those of the name of an image, if the key
// of its tag begins in the same way.
var nameEnds = []string{"repository", "repo"}

// namesImage reports whether a key, in lower case, has one of these ends, and a
// beginning.
func namesImage(key string) bool {
	return slices.ContainsFunc(nameEnds, func(end string) bool { return len(key) > len(end) && strings.HasSuffix(key, end) })
}

// pairStem returns the common beginning of a key with one of nameEnds and that of the
// tag, "argocd_dex" of "argocd_dex_repo" and "argocd_dex_tag"; empty if there is no
// pair. A "repo" is that of an image only if its registry is known.
func (s *scan) pairStem(key string, values map[string]string) string {
	for _, end := range nameEnds {
		stem, ok := strings.CutSuffix(key, end)
		if !ok || stem == "" || tagOf(stem, values) == "" {
			continue
		}
		name := values[key]
		if registry := besides(stem, "registry", values); registry != "" && isHostless(name) {
			name = registry + "/" + name
		}
		if r := s.peek(name); r.strength == certain && r.untagged() || end == "repository" && besides(stem, "tag", values) != "" {
			return stem
		}
	}
	return ""
}

// isTagKey reports whether a key, in lower case, is that of the tag of an image
// whose name has another key.
func isTagKey(key string) bool {
	return strings.HasSuffix(key, "image_tag") || strings.HasSuffix(key, "image_version")
}

// tagOf returns the tag that belongs to a stem: "calico_node_image_tag" to
// "calico_node_image", "HARBOR_TAG" or "HARBOR_VERSION" to "harbor_image".
func tagOf(stem string, values map[string]string) string {
	return cmp.Or(besides(stem, "tag", values), besides(stem, "version", values))
}

// besides returns the value of the key that begins with a stem and has another end.
func besides(stem, end string, values map[string]string) string {
	base := strings.TrimRight(strings.TrimSuffix(stem, "image"), "_-")
	for _, mark := range []string{"_", "", "-"} {
		if value := values[stem+mark+end]; value != "" {
			return value
		}
		if value := values[base+mark+end]; value != "" && base != "" {
			return value
		}
	}
	return ""
}

// valuesOf returns the values of settings by their keys in lower case.
func valuesOf(settings []setting) map[string]string {
	values := make(map[string]string, len(settings))
	for _, one := range settings {
		values[strings.ToLower(one.key)] = one.value
	}
	return values
}

// copyRecord is an entry of a list of copies: the source, its tags and usually a target.
type copyRecord struct {
	scan   *scan
	parts  map[part]setting // of the source
	tags   []setting
	source bool // a key names it the source
	target bool // there is a target, which is an image or a registry
}

// joinRecord builds images from an entry of a list of copies. It reports whether the
// settings have this form.
func (s *scan) joinRecord(settings []setting) bool {
	c := copyRecord{scan: s, parts: map[part]setting{}}
	for _, one := range settings {
		c.add(one)
	}
	name := c.parts[namePart]
	if !c.source || name.value == "" || !c.target && len(c.tags) == 0 {
		return false
	}
	text := c.text()
	r := s.readWord(text)
	switch {
	case len(r.images) == 0 && r.problem == nil, r.strength == bare && !c.target:
		return false
	case isComplete(strings.TrimPrefix(text, "docker://")), len(c.tags) == 0:
		s.offer(name.line, name.at(), r, inSource)
	default:
		s.offerTags(name, text, r, c.tags)
	}
	return true
}

// add adds a setting. Of several for a part of the source the first one counts, or the
// last one that is called the source's.
func (c *copyRecord) add(one setting) {
	from, what := sideOf(one.key)
	host, _, _ := strings.Cut(one.value, "/")
	switch {
	case one.value == "" || what == noPart:
	case from == targetSide:
		r := c.scan.peek(one.value)
		c.target = c.target || len(r.images) > 0 && r.strength >= official || isDomain(one.value)
	case what == tagPart:
		for _, tag := range itemsIn(one.value) {
			c.tags = append(c.tags, setting{one.key, tag, one.line})
		}
	case what == namePart && known.IsSite(host), strings.Contains(one.value, "github.com/"): // of source code
	case from == sourceSide || c.parts[what].value == "":
		c.parts[what] = one
		c.source = c.source || from == sourceSide
	}
}

// text returns the source without its tags.
func (c *copyRecord) text() string {
	text := c.parts[namePart].value
	own := c.parts[registryPart].value
	registry := cmp.Or(own, c.scan.registry)
	if registry != "" && (own != "" || isHostless(text)) && !strings.HasPrefix(text, registry+"/") {
		text = strings.TrimRight(registry, "/") + "/" + text
	}
	if digest := c.parts[digestPart].value; digest != "" && !strings.Contains(text, "@") {
		text += "@" + digestOf(digest)
	}
	return text
}

// offerTags offers a source with each of its tags. r is the reading of the source
// without any.
func (s *scan) offerTags(name setting, source string, r reading, tags []setting) {
	for _, tag := range tags {
		written := source + ":" + tag.value
		if isTagPattern(tag.value) && len(r.images) == 1 {
			p := allTags(r.images[0].Reference)
			p.Written = clip(written)
			s.flaw(tag.line, 0, *p)
			s.finish(name.line) // the source without a tag is not meant
			continue
		}
		r := s.readWord(written)
		for i := range r.images {
			r.images[i].Written = clip(written)
		}
		s.offer(name.line, name.at(), r, inSource)
	}
}

// joinTags builds an image of each tag that the settings of a mapping list, "tags: [v1, v2]",
// and reports whether they list any.
func (s *scan) joinTags(where *place, parent string, settings []setting) bool {
	var rest, tags []setting
	for _, one := range settings {
		if listed := tagsIn(one); listed != nil {
			tags = append(tags, listed...)
		} else {
			rest = append(rest, one)
		}
	}
	if !slices.ContainsFunc(tags, func(one setting) bool { return isVersion(one.value) || looksLikeTag(one.value) }) {
		return false
	}
	at := untaggedIn(s, rest)
	if at < 0 {
		return false
	}
	s.finish(rest[at].line)
	if rest[at].key == "name" {
		rest[at].key = string(namePart)
	}
	for _, tag := range tags[:min(len(tags), MaxExpansion)] {
		s.join(where, parent, append(slices.Clip(rest), tag))
		s.finish(tag.line)
	}
	return true
}

// tagsIn returns the tags that a setting lists: those of a key for tags, or of another one
// if all look like tags; nil for other settings.
func tagsIn(one setting) (tags []setting) {
	named := one.key == "tags" || one.key == "versions"
	if !named && !strings.HasPrefix(one.value, "[") {
		return nil
	}
	for _, tag := range itemsIn(one.value) {
		if !looksLikeTag(tag) && (!named || !isTagWord(tag) || strings.ContainsAny(tag, "/:=")) {
			return nil
		}
		tags = append(tags, setting{"tag", tag, one.line})
	}
	return tags
}

// itemsIn returns the words of a list in the flow style, "[v1, 'v2']".
func itemsIn(value string) []string {
	return strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune("[], \"'", r) })
}

// untaggedIn returns the index of the setting with the name of an image without a tag; -1 if
// there is none. "name" is the key of one with a path, or of an official one.
func untaggedIn(s *scan, settings []setting) int {
	if has(settings, "tag") || has(settings, "newTag") {
		return -1
	}
	for _, key := range []string{"image", string(namePart), "name"} {
		at := slices.IndexFunc(settings, func(one setting) bool { return strings.EqualFold(one.key, key) })
		if at < 0 {
			continue
		}
		if r := s.peek(settings[at].value); r.untagged() && r.strength >= official {
			return at
		}
		return -1
	}
	return -1
}

// mapping are the settings of one mapping, of which images are made.
type mapping struct {
	scan      *scan
	where     *place
	parent    string // its key
	settings  []setting
	byKey     map[string]string // the values by their keys in lower case; nil until they are needed
	changed   bool              // a line of a diff changes one
	tag       string
	digest    string
	registry  string
	platforms []reference.Platform
	found     bool // an image
}

// join builds images from the settings of one mapping at a place.
func (s *scan) join(where *place, parent string, settings []setting) {
	if s.joinRecord(settings) || s.joinTags(where, parent, settings) {
		return
	}
	m := mapping{scan: s, where: where, parent: parent, settings: settings}
	m.changed = slices.ContainsFunc(settings, func(one setting) bool { return !one.line.unchanged })
	m.readTag()
	m.digest = m.value("digest", "sha", "imagedigest")
	m.registry = cmp.Or(m.value("registry"), s.registry)
	m.readPlatforms()
	if !m.inSpace() {
		m.joinParts()
	}
	m.joinVariable()
	for _, one := range settings {
		m.joinKey(one)
	}
	if !m.found {
		s.platforms = addPlatform(s.platforms, m.platforms...)
	}
}

// get returns the first setting with one of some keys, in lower case, and a value.
func (m *mapping) get(keys ...string) (one setting, ok bool) {
	for _, one := range m.settings {
		if slices.Contains(keys, strings.ToLower(one.key)) && one.value != "" && one.value != "~" && one.value != "null" {
			return one, true
		}
	}
	return setting{}, false
}

// value returns the value of get; empty if there is none.
func (m *mapping) value(keys ...string) string {
	one, _ := m.get(keys...)
	return one.value
}

// values returns the values by their keys in lower case.
func (m *mapping) values() map[string]string {
	if m.byKey == nil {
		m.byKey = valuesOf(m.settings)
	}
	return m.byKey
}

// readTag reads the tag. A "version" is one only beside an image with a path, below "image",
// or in the record of a container: charts and programs have versions, too.
func (m *mapping) readTag() {
	m.tag = m.value("newtag", "tag", "imagetag", "image_tag", "image-tag", "finalimagetag", "ver")
	image := m.value("image")
	if m.tag == "" && (isImageKey(lower(m.parent)) || m.isContainer() || strings.Contains(image, "/") && !isComplete(image)) {
		m.tag = m.value("version")
	}
}

// readPlatforms reads the platforms of all images.
func (m *mapping) readPlatforms() {
	one, ok := m.get("platform", "platforms", "arch", "architecture", "architectures")
	if !ok {
		return
	}
	platforms, problem := platformValue(strings.Trim(one.value, "[]"))
	if m.platforms = platforms; problem != nil {
		m.scan.flaw(one.line, 0, *problem)
	}
}

// joinParts builds the image whose name, tag and registry have keys of their own:
// "repository: a/b" above "tag: 1.2".
func (m *mapping) joinParts() {
	name, ok := m.name()
	if !ok || strings.Contains(name.value, "://") {
		return
	}
	text := name.value
	if at := slices.IndexFunc(m.settings, func(one setting) bool { return isNamespace(one.key) }); at >= 0 && m.value("registry") != "" {
		text = inNamespaceOf(m.settings[at].value, text)
	}
	if m.registry != "" && !strings.HasPrefix(text, m.registry+"/") {
		text = strings.TrimRight(m.registry, "/") + "/" + text
		if m.registry == m.scan.registry {
			m.tag = cmp.Or(m.tag, m.scan.tag)
		}
	}
	if m.tag != "" && !strings.Contains(text[strings.LastIndexByte(text, '/')+1:], ":") {
		text += ":" + m.tag
	}
	if m.digest != "" {
		text += "@" + digestOf(m.digest)
	}
	m.offer(name, text, true)
}

// inSpace notes the namespace and the version of the image of charts whose "repository" is
// the namespace of "image", "quay.io/a" above "b", and reports whether this is one.
func (m *mapping) inSpace() bool {
	space, image := m.value("repository"), m.value("image")
	if m.registry != "" && space != "" && isHostless(space) {
		space = m.registry + "/" + space
	}
	if _, last, ok := cutLast(space); !ok || !isNamespaceWord(space) && !isBelowRegistry(space) || last == image || image == "" || strings.Contains(image, "/") {
		return false
	}
	m.registry, m.tag = space, cmp.Or(m.tag, m.value("version"))
	return true
}

// name returns the setting with the name of the image.
func (m *mapping) name() (name setting, ok bool) {
	name, ok = m.get("name")
	if copied, renamed := m.get("newname"); ok && renamed && isCopyOf(copied.value, name.value) {
		return name, true
	}
	if name, ok = m.get("newname", "repository", "imagename"); ok {
		return name, true
	}
	if name, ok = m.get("imagerepository"); ok && m.tag != "" {
		return name, true
	}
	if name, ok = m.get("name"); ok && m.isOfImage(name) {
		return name, true
	}
	name, _ = m.get("url")
	if chart, ok := strings.CutPrefix(name.value, "oci://"); ok && (m.tag+m.digest != "" || isComplete(chart)) {
		name.value = chart
		return name, true
	}
	if m.tag != "" {
		return m.scan.linkAmong(m.settings)
	}
	return setting{}, false
}

// isCopyOf reports whether a kustomization replaces an image by a copy of it: one with the
// same path, at a registry that is unknown or below more components.
func isCopyOf(copied, name string) bool {
	host, path := cutHost(name)
	to, copiedPath := cutHost(copied)
	if !strings.Contains(path, "/") || !strings.HasSuffix(copied, "/"+path) || host != "" && !known.IsRegistry(host) {
		return false
	}
	return !known.IsRegistry(to) || host != "" && copiedPath != path
}

// isContainer reports whether the mapping is the record of an image in a bill of materials.
func (m *mapping) isContainer() bool { return m.value("type") == "container" }

// isOfImage reports whether "name" is the key of an image in the mapping: in a list of
// images, a task of Ansible, or a bill of materials.
func (m *mapping) isOfImage(name setting) bool {
	key := strings.ToLower(m.parent[strings.LastIndexByte(m.parent, '.')+1:])
	switch {
	case has(m.settings, "newTag"):
		return true
	case key == "image", key == "services", strings.HasSuffix(key, "images"):
		return m.tag != "" || isComplete(name.value)
	case m.isContainer():
		return strings.Contains(name.value, "/") && isTagWord(m.tag)
	}
	return slices.ContainsFunc([]string{"docker_image", "podman_image", "docker_image_pull", "docker_image_info"}, func(task string) bool { return strings.HasSuffix(key, task) })
}

// joinVariable reads the value of an environment variable that is named like one with an
// image, and notes that of a parameter: "name: image.tag" above "value: 1.2".
func (m *mapping) joinVariable() {
	name := m.value("name")
	content, ok := m.get("value")
	if !ok {
		return
	}
	if isImageVariable(name) && strings.Contains(content.value, "/") && isComplete(content.value) {
		m.offer(content, content.value, true)
	}
	if strings.Contains(name, ".") {
		m.scan.parameters.set(name, content.value, content.line)
	}
}

// joinKey builds the images that the value of a key names, with the other keys of the same
// image.
func (m *mapping) joinKey(one setting) {
	stem := m.stem(one)
	if stem == "" || one.value == "" || one.value == "|" || one.value == ">" || m.scan.readPairs(one.line, one.value) {
		return
	}
	version := cmp.Or(tagOf(stem, m.values()), m.tag)
	apart := version+m.digest+m.registry != "" && !isComplete(one.value)
	if all, ok := m.listIn(one.value); ok {
		for _, image := range all {
			m.offer(one, image, apart)
		}
		return
	}
	text := one.value
	if fields := strings.Fields(text); len(fields) > 1 && !strings.ContainsAny(text, "{$") {
		if text = fields[0]; readWord(text).strength < path {
			return
		}
	}
	if host := cmp.Or(besides(stem, "registry", m.values()), m.registry); host != "" && isHostless(text) {
		text = strings.TrimRight(host, "/") + "/" + text
		if host == m.scan.registry {
			version = cmp.Or(version, m.scan.tag)
		}
	}
	if version != "" {
		if r := m.scan.peek(text); r.untagged() {
			text += ":" + version
		}
	}
	if m.digest != "" && !strings.Contains(text, "@") {
		text += "@" + digestOf(m.digest)
	}
	m.offer(one, text, apart)
}

// stem returns the common beginning of a key of an image's name and that of its tag; empty
// for other keys.
func (m *mapping) stem(one setting) string {
	key := strings.ToLower(one.key)
	stem := nameStem(key)
	if stem == "" && namesImage(key) {
		if stem = m.scan.pairStem(key, m.values()); stem != "" { // "sidecarRepository" above "sidecarTag"
			m.scan.finish(one.line)
		}
	}
	if stem == "image" && !strings.Contains(one.value, "/") && has(m.settings, "build") && !m.scan.job {
		return "" // built here, so it has its own name
	}
	return stem
}

// listIn returns the images that a value lists; ok is false if it is no list.
func (m *mapping) listIn(value string) (all []string, ok bool) {
	if inside, flow := strings.CutPrefix(value, "["); flow {
		for _, item := range strings.Split(strings.TrimSuffix(inside, "]"), ",") {
			all = append(all, cleanValue(item))
		}
		return all, true
	}
	all = m.scan.listIn(value)
	return all, len(all) > 1 || strings.Contains(value, ",") && len(all) > 0
}

// offer offers an image of a setting, of which the parts may stand apart on several lines.
func (m *mapping) offer(from setting, text string, apart bool) {
	r := m.scan.readWord(text)
	for i := range r.images {
		r.images[i].Written = clip(text)
		r.images[i].Platforms = addPlatform(r.images[i].Platforms, m.platforms...)
	}
	if r.strength == nothing && r.problem == nil && len(text) < maxWritten && strings.ContainsAny(text, "$<{") {
		r = placeholder(text)
	}
	l := *from.line
	l.unchanged = l.unchanged && !(m.changed && apart)
	m.found = m.scan.offer(&l, from.at(), r, m.where) || m.found
}

// listIn returns the images that a value lists, after commas or, if it has nothing
// else, after spaces. A version alone is one more tag of the image before it.
func (s *scan) listIn(value string) []string {
	if !strings.Contains(value, ",") {
		words := strings.Fields(value)
		if slices.ContainsFunc(words, func(word string) bool { return s.peek(word).strength < official }) {
			return nil
		}
		return words
	}
	var all []string
	for _, part := range strings.Split(value, ",") {
		words := strings.Fields(part)
		switch {
		case len(words) == 0:
		case len(words) == 1 && len(all) > 0 && isVersion(words[0]):
			name, _ := cutTag(all[len(all)-1])
			all = append(all, name+":"+words[0])
		case s.peek(words[0]).strength >= tagged, len(words) == 1 && s.peek(words[0]).strength >= official:
			all = append(all, words[0])
		}
	}
	return all
}

// linkAmong returns the setting whose value is the page of an image, with the
// image as its value.
func (s *scan) linkAmong(settings []setting) (name setting, ok bool) {
	for _, one := range settings {
		if !strings.Contains(one.value, "://") {
			continue
		}
		if r := s.peek(one.value); r.untagged() && r.images[0].has(ReadLink) && nameStem(strings.ToLower(one.key)) == "" {
			one.value = r.images[0].Reference.Repository().String()
			return one, true
		}
	}
	return setting{}, false
}

// isHostless reports whether a name has no registry.
func isHostless(name string) bool {
	host, _ := cutHost(name)
	return host == ""
}

// isImageVariable reports whether a variable is named like one with an image:
// "RELATED_IMAGE_POSTGRES".
func isImageVariable(name string) bool {
	name = strings.ToUpper(name)
	return strings.Contains(name, "IMAGE") && !strings.Contains(name, "PULL")
}

func has(settings []setting, key string) bool {
	for i := range settings {
		if settings[i].key == key {
			return true
		}
	}
	return false
}

// digestOf adds the algorithm, which charts sometimes omit, to a digest.
func digestOf(value string) string {
	if strings.Contains(value, ":") {
		return value
	}
	return "sha256:" + value
}

func (f *forest) set(key, value string, l *line) {
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
		s.join(inKey, parent[strings.LastIndexByte(parent, '.')+1:], f.trees[parent])
	}
}

// readAssignments reads images defined by several settings on consecutive
// lines, as in HCL, Starlark, Nix and files of variables: 'image =
// "gcr.io/distroless/base",' above 'digest = "sha256:…",'.
func (s *scan) readAssignments() {
	for from := 0; from < len(s.lines); from++ {
		var settings []setting
		to, tags := from, -1 // tags is the index of the setting with them
		for ; to < len(s.lines) && !s.taken[to]; to++ {
			key, value, ok := cutSetting(s.lines[to].text)
			if !ok {
				break
			}
			switch key {
			case "repo":
				key = string(namePart)
			case "tag", "tags":
				key, tags = "tag", len(settings)
			}
			settings = append(settings, setting{key, value, &s.lines[to]})
		}
		if len(settings) > 1 && (s.shareRegistries(settings) || s.isApart(settings)) {
			s.joinWithTags(settings, tags)
			values := valuesOf(settings)
			for i, one := range settings {
				key := strings.ToLower(one.key)
				s.taken[from+i] = treeKeys.has(key) || platformKeys.has(key) || nameStem(key) != "" || isTagKey(key) || s.pairStem(key, values) != ""
			}
		}
		from = to
	}
}

// shareRegistries puts the images of variables into the registries of variables whose names
// begin in the same way, "A_REGISTRY", "A_TAG", "A_IMAGE_B" and "A_IMAGE_C", or of one such
// as "SOURCE_REGISTRY". It reports whether there are any. More registries than maxUses are
// not read, which keeps the time linear.
func (s *scan) shareRegistries(settings []setting) (found bool) {
	values, uses := valuesOf(settings), 0
	for _, all := range []bool{false, true} {
		for _, one := range settings {
			stem, ok := strings.CutSuffix(lower(one.key), "registry")
			word := strings.TrimRight(stem, "_")
			if !ok || word == "" || targetWords.has(word) || sourceWords.has(word) != all || !known.IsRegistry(one.value) {
				continue
			}
			if uses++; uses > maxUses {
				return found
			}
			if all {
				stem = ""
			}
			found = s.shareRegistry(settings, values, one.value, stem, tagOf(word, values)) || found
		}
	}
	return found
}

// shareRegistry puts the images of variables whose names have a common beginning into a
// registry, with a tag unless they have their own. values are those of all variables.
func (s *scan) shareRegistry(settings []setting, values map[string]string, registry, stem, tag string) (found bool) {
	for i := range settings {
		one := &settings[i]
		key := lower(one.key)
		end, ok := strings.CutPrefix(key, stem)
		image := registry + "/" + one.value
		if r := s.peek(image); !ok || !strings.Contains(end, "image") || isTagKey(key) || !isHostless(one.value) || len(r.images) != 1 {
			continue
		}
		if of := nameStem(key); (of == "" || tagOf(of, values) == "") && tag != "" && !isComplete(image) {
			image += ":" + tag
		}
		if one.value, found = image, true; nameStem(key) == "" {
			one.key += "_image" // which joinKey reads
		}
	}
	return found
}

// joinWithTags builds images from settings, one for each tag in the setting at an index,
// which is -1 if there is none.
func (s *scan) joinWithTags(settings []setting, tags int) {
	if tags < 0 || settings[tags].value == "" {
		s.join(inKey, "", settings)
		return
	}
	for _, tag := range valuesIn(tagPart, settings[tags].value) {
		settings[tags].value = tag
		s.join(inKey, "", settings)
	}
}

// isApart reports whether an image's name is separate from its tag or digest.
func (s *scan) isApart(settings []setting) bool {
	name, rest := false, false
	values := valuesOf(settings)
	for key := range values {
		stem := cmp.Or(nameStem(key), s.pairStem(key, values))
		name = name || stem != "" || key == "repository" || key == "imagename"
		rest = rest || key == "tag" || strings.HasSuffix(key, "digest") || strings.HasSuffix(key, "imagetag") || stem != "" && tagOf(stem, values) != ""
	}
	return name && rest
}

// cutSetting splits 'key = "value",' and "KEY=value".
func cutSetting(text string) (key, value string, ok bool) {
	key, value, ok = strings.Cut(text, "=")
	key = strings.TrimPrefix(strings.TrimRight(strings.TrimSpace(key), "?:+ "), "export ") // "=", "?=", ":="
	key = strings.TrimPrefix(strings.TrimPrefix(key, "$"), "env:")                         // of PowerShell
	key = strings.ReplaceAll(key, ".", "_")                                                // "app.image.tag=1.2"
	return key, cleanValue(strings.TrimSuffix(strings.TrimSpace(value), ";")), ok && isIdentifier(key)
}

// readPairs reads "repo=quay.io/a/b tag=v1", the parts of an image on one line.
func (s *scan) readPairs(l *line, text string) bool {
	if strings.Count(text, "=") < 2 {
		return false
	}
	var settings []setting
	names, tags := 0, 0
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,;", r) }) {
		key, value, ok := strings.Cut(word, "=")
		if !ok || !isIdentifier(key) {
			continue
		}
		_, p := sideOf(key)
		switch p {
		case namePart:
			names++
		case tagPart:
			tags++
		case registryPart:
		default:
			continue // the line has more than a name and a tag
		}
		settings = append(settings, setting{string(p), cleanValue(value), l})
	}
	if names != 1 || tags != 1 {
		return false
	}
	from := len(s.candidates)
	s.join(inKey, "", settings)
	return len(s.candidates) > from
}
