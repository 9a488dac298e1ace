package lists

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/selection"
	"github.com/imageferry/ferry/internal/suggest"
)

// keys maps the keys that a mapping may have to the readers of their values.
type keys map[string]func(*yaml.Node)

// mapping reads a mapping with known keys. An unknown key is a fault, unless it
// starts with "x-".
func (r *reader) mapping(pairs []pair, known keys) {
	for _, p := range pairs {
		read, ok := known[p.name()]
		switch {
		case ok && null(p.value):
		case ok:
			read(p.value)
		case !strings.HasPrefix(p.name(), "x-"):
			names := slices.Sorted(maps.Keys(known))
			cure := "the keys allowed here are " + strings.Join(names, ", ")
			if near := suggest.Nearest(p.name(), names); near != "" {
				cure = fmt.Sprintf("did you mean %q? %s", near, cure)
			}
			r.fault(p.line(), fmt.Sprintf("has the key %s, which is not allowed here", quote(p.name())), cure)
		}
	}
}

// group is the settings that images of images.yaml have in common.
type group struct {
	platforms []reference.Platform
	targets   []string
	words     string // of the selection
	immutable *selection.Pattern
	keepOld   bool
	later     bool // its schedule has another day, so its images are not read
	broken    bool // it has a fault, so its images are not read
}

// native reads images.yaml.
func (r *reader) native(root []pair) {
	var defaults group
	// The defaults apply wherever they stand.
	for _, p := range root {
		if p.name() == "defaults" {
			r.mapping(r.pairs(p.value), r.groupKeys(&defaults))
		}
	}
	r.mapping(root, keys{
		"version": func(v *yaml.Node) {
			if v.Value != "1" {
				r.fault(v.Line, "has the version "+quote(v.Value)+"; the only version is 1", "")
			}
		},
		"defaults": func(*yaml.Node) {},
		"images":   func(v *yaml.Node) { r.images(v, defaults) },
		"groups": func(v *yaml.Node) {
			for _, item := range r.items(v) {
				if item.Kind != yaml.MappingNode {
					r.fault(item.Line, "is "+kind(item)+", not a group", `write "images:" before the images`)
					continue
				}
				g := defaults
				var images *yaml.Node
				known := r.groupKeys(&g)
				known["name"] = func(v *yaml.Node) { r.text("name", v) }
				known["images"] = func(v *yaml.Node) { images = v }
				r.mapping(r.pairs(item), known)
				if images == nil {
					r.fault(item.Line, "is a group without images", "")
					continue
				}
				r.images(images, g)
			}
		},
	})
}

func (r *reader) groupKeys(g *group) keys {
	return keys{
		"platforms": func(v *yaml.Node) {
			all, ok := r.platform(v.Line, r.texts("platforms", v))
			g.platforms, g.broken = all, g.broken || !ok
		},
		"targets": func(v *yaml.Node) { g.targets = r.texts("targets", v) },
		"immutable": func(v *yaml.Node) {
			if text, ok := r.text("immutable", v); ok {
				p, err := selection.ParsePattern(text)
				if err != nil {
					r.fault(v.Line, err.Error(), "")
				}
				g.immutable, g.broken = &p, g.broken || err != nil
			}
		},
		"keep-old": func(v *yaml.Node) {
			if v.Value != "true" && v.Value != "false" {
				r.fault(v.Line, fmt.Sprintf("has %s in %q", quote(v.Value), "keep-old"), "write true or false")
			}
			g.keepOld = v.Value == "true"
		},
		"schedule": func(v *yaml.Node) { g.later = !r.due(v) },
		"select": func(v *yaml.Node) {
			if text, ok := r.text("select", v); ok {
				g.words = text
			}
		},
	}
}

// weekdays are the names of the values of time.Weekday.
var weekdays = strings.Fields("sunday monday tuesday wednesday thursday friday saturday")

// due reads a schedule, "daily", "weekly" (on Mondays), "monthly" (on the first day) or
// days of the week, and reports whether it has today.
func (r *reader) due(v *yaml.Node) bool {
	found := r.today.IsZero()
	for _, text := range r.texts("schedule", v) {
		switch day := strings.ToLower(text); day {
		case "daily":
			found = true
		case "weekly":
			found = found || r.today.Weekday() == time.Monday
		case "monthly":
			found = found || r.today.Day() == 1
		default:
			weekday := slices.IndexFunc(weekdays, func(name string) bool { return len(day) >= 3 && strings.HasPrefix(name, day) })
			if weekday < 0 {
				r.fault(v.Line, fmt.Sprintf("has %s in %q", quote(text), "schedule"), `write daily, weekly, monthly, or days such as [mon, thu]`)
				return true
			}
			found = found || r.today.Weekday() == time.Weekday(weekday)
		}
	}
	return found
}

// images reads images, each a line as in images.txt or a mapping.
func (r *reader) images(list *yaml.Node, g group) {
	if g.broken || g.later {
		return
	}
	for _, item := range r.items(list) {
		if r.full {
			return
		}
		switch item.Kind {
		case yaml.ScalarNode:
			r.lineOf(item.Line, item.Value, g)
		case yaml.MappingNode:
			if !r.has(item, "image") {
				r.fault(item.Line, `is a mapping without "image"`, "write the tag without a space after the colon, or put quotes around the image")
				continue
			}
			own := g
			var line, as string
			known := r.groupKeys(&own)
			known["image"] = func(v *yaml.Node) { line, _ = r.text("image", v) }
			known["as"] = func(v *yaml.Node) { as, _ = r.text("as", v) }
			r.mapping(r.pairs(item), known)
			if as != "" {
				line += " -> " + as
			}
			if line != "" && !own.broken && !own.later {
				r.lineOf(item.Line, line, own)
			}
		default:
			r.fault(item.Line, "is "+kind(item)+", not an image", "")
		}
	}
}

// lineOf reads one image of images.yaml.
func (r *reader) lineOf(n int, line string, g group) {
	line = uncomment(line)
	if g.words != "" {
		before, as, renamed := cutName(line)
		line = strings.TrimSpace(before) + " " + g.words
		if renamed {
			line += " -> " + as
		}
	}
	from, upstreams := len(r.Entries), len(r.Upstreams)
	if !r.image(n, line) {
		r.fault(n, fmt.Sprintf("is %s, which is not an image", quote(line)), "write REPOSITORY:TAG")
	}
	for i := from; i < len(r.Entries); i++ {
		if r.Entries[i].Platforms == nil {
			r.Entries[i].Platforms = g.platforms
		}
		if r.Entries[i].Immutable == nil {
			r.Entries[i].Immutable = g.immutable
		}
		r.Entries[i].KeepOld = r.Entries[i].KeepOld || g.keepOld
		r.Entries[i].Targets = g.targets
	}
	for i := upstreams; i < len(r.Upstreams); i++ {
		if r.Upstreams[i].Platforms == nil {
			r.Upstreams[i].Platforms = g.platforms
		}
		r.Upstreams[i].Targets = g.targets
	}
}
