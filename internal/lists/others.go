package lists

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/selection"
)

// ignored returns a reader that adds a note for a setting that is not supported, if
// there is something to say about it.
func (r *reader) ignored(name, instead string) func(*yaml.Node) {
	return func(v *yaml.Node) {
		if instead != "" {
			r.note(v.Line, fmt.Sprintf("has the setting %q, which is not supported", name), instead)
		}
	}
}

// hauler reads the manifests of hauler (content.hauler.cattle.io), of the kinds
// Images and Charts.
func (r *reader) hauler(roots []*yaml.Node) {
	for _, root := range roots {
		kind := ""
		var spec *yaml.Node
		r.mapping(r.pairs(root), keys{
			"apiVersion": r.ignored("apiVersion", ""), "metadata": r.ignored("metadata", ""),
			"kind": func(v *yaml.Node) { kind = v.Value },
			"spec": func(v *yaml.Node) { spec = v },
		})
		if kind != "Images" && kind != "Charts" || spec == nil {
			r.note(root.Line, "has another kind than Images and Charts, which is not read", "")
			continue
		}
		r.mapping(r.pairs(spec), keys{
			"images": func(v *yaml.Node) {
				for _, item := range r.items(v) {
					line, rest := "", ""
					r.mapping(r.pairs(item), keys{
						"name":     func(v *yaml.Node) { line, _ = r.text("name", v) },
						"platform": func(v *yaml.Node) { rest += " --platform=" + v.Value },
						"rewrite":  func(v *yaml.Node) { rest += " -> " + strings.TrimPrefix(v.Value, "/") },
						"key":      r.ignored("key", "signatures are verified by the rules of the policy"), "registry": r.ignored("registry", "write the registry before the name"),
					})
					r.named(item, line, rest)
				}
			},
			"charts": func(v *yaml.Node) {
				for _, item := range r.items(v) {
					u := Upstream{Line: item.Line, Kind: Chart}
					r.mapping(r.pairs(item), keys{
						"name":    func(v *yaml.Node) { u.Name = v.Value },
						"repoURL": func(v *yaml.Node) { u.From = v.Value },
						"version": func(v *yaml.Node) { u.Range = v.Value },
						"rewrite": r.ignored("rewrite", "charts are not copied, only their images"), "values": func(v *yaml.Node) { u.Values = v.Value },
						"addImages": r.ignored("addImages", ""), "add-images": r.ignored("add-images", ""), "addDependencies": r.ignored("addDependencies", ""), "add-dependencies": r.ignored("add-dependencies", ""),
					})
					r.chart(u)
				}
			},
		})
	}
}

// imagesLock reads the Images.lock of a chart
// (https://github.com/vmware-labs/distribution-tooling-for-helm).
func (r *reader) imagesLock(root []pair) {
	ignored := r.ignored("", "")
	r.mapping(root, keys{
		"apiVersion": ignored, "kind": ignored, "metadata": ignored, "chart": ignored,
		"images": func(v *yaml.Node) {
			for _, item := range r.items(v) {
				line := ""
				r.mapping(r.pairs(item), keys{
					"image": func(v *yaml.Node) { line, _ = r.text("image", v) },
					"name":  ignored, "chart": ignored, "digests": ignored,
				})
				r.named(item, line, "")
			}
		},
	})
}

// named reads an image that an item names, with words that follow it.
func (r *reader) named(item *yaml.Node, line, words string) {
	if line == "" {
		r.fault(item.Line, fmt.Sprintf("has no %q", "name"), "")
		return
	}
	r.lineOf(item.Line, line+words, group{})
}

// chart adds a chart that another program's list names, as the line that means the
// same.
func (r *reader) chart(u Upstream) {
	line := []string{string(Chart), strings.TrimSuffix(u.From, "/"), u.Name, u.Range}
	if strings.HasPrefix(u.From, "oci://") {
		line[1], line[2] = line[1]+"/"+u.Name, ""
	}
	if u.Values != "" {
		line = append(line, "values="+strings.ReplaceAll(u.Values, " ", "?"))
	}
	if !r.upstream(u.Line, strings.Fields(strings.Join(line, " ")), nil) {
		r.fault(u.Line, "names no chart", "")
	}
}

// imageSet reads an ImageSetConfiguration of oc-mirror: the additional images and
// the charts.
func (r *reader) imageSet(root []pair) {
	from := len(r.Entries)
	var blocked []selection.Pattern
	r.mapping(root, keys{
		"apiVersion": r.ignored("apiVersion", ""), "kind": r.ignored("kind", ""), "archiveSize": r.ignored("archiveSize", ""), "storageConfig": r.ignored("storageConfig", ""),
		"mirror": func(v *yaml.Node) {
			r.mapping(r.pairs(v), keys{
				"platform":  r.ignored("platform", "releases of OpenShift are not copied"),
				"operators": r.ignored("operators", "catalogs of operators are not copied"),
				"samples":   r.ignored("samples", "samples are not copied"),
				"additionalImages": func(v *yaml.Node) {
					for _, item := range r.items(v) {
						r.additional(item)
					}
				},
				"blockedImages": func(v *yaml.Node) {
					for _, item := range r.items(v) {
						for _, text := range r.texts("name", r.value(item, "name")) {
							if p, ok := r.expression(item.Line, text, text); ok {
								blocked = append(blocked, p)
							}
						}
					}
				},
				"helm": func(v *yaml.Node) {
					r.mapping(r.pairs(v), keys{
						"local": r.ignored("local", "charts in files are not read"),
						"repositories": func(v *yaml.Node) {
							for _, repository := range r.items(v) {
								if !r.has(repository, "charts") {
									r.fault(repository.Line, "names no chart", "")
								}
								for _, item := range r.items(r.value(repository, "charts")) {
									r.chart(Upstream{
										Line: item.Line, From: r.value(repository, "url").Value,
										Name: r.value(item, "name").Value, Range: r.value(item, "version").Value,
									})
								}
							}
						},
					})
				},
			})
		},
	})
	r.block(from, blocked)
}

// additional reads an image of additionalImages.
func (r *reader) additional(item *yaml.Node) {
	line, repo, tag := "", "", ""
	r.mapping(r.pairs(item), keys{
		"name":       func(v *yaml.Node) { line, _ = r.text("name", v) },
		"targetRepo": func(v *yaml.Node) { repo = " -> " + v.Value },
		"targetTag":  func(v *yaml.Node) { tag = ":" + v.Value },
	})
	if repo == "" && tag != "" {
		r.note(item.Line, `has "targetTag" without "targetRepo", which is not supported`, "the tag stays the same")
		tag = ""
	}
	r.named(item, line, repo+tag)
}

// block removes the entries from the index from on of which an image matches a
// pattern.
func (r *reader) block(from int, patterns []selection.Pattern) {
	kept := r.Entries[:from]
	for _, e := range r.Entries[from:] {
		named, _ := e.Named()
		block := false
		for _, ref := range named {
			for _, p := range patterns {
				block = block || p.Matches(ref.String())
			}
		}
		if !block {
			kept = append(kept, e)
		}
	}
	r.Entries = kept
}

// dregsy reads a configuration of dregsy.
func (r *reader) dregsy(root []pair) {
	const engine = "the relay is Ferry"
	r.mapping(root, keys{
		"relay": r.ignored("relay", ""), "skopeo": r.ignored("skopeo", engine), "docker": r.ignored("docker", engine), "dockerhost": r.ignored("dockerhost", engine), "api-version": r.ignored("api-version", engine),
		"lister": r.ignored("lister", ""), "watch": r.ignored("watch", ""),
		"tasks": func(v *yaml.Node) {
			for _, task := range r.items(v) {
				var mappings *yaml.Node
				hosts := map[string]string{}
				place := func(side string) func(*yaml.Node) {
					return func(end *yaml.Node) {
						r.mapping(r.pairs(end), keys{
							"registry": func(v *yaml.Node) { hosts[side], _ = r.text("registry", v) },
							"auth": func(v *yaml.Node) {
								r.note(v.Line, "has a login for "+shortened(r.value(end, "registry").Value)+", which is not read from a list", loginCure)
							},
							"auth-refresh": r.ignored("auth-refresh", ""), "skip-tls-verify": r.ignored("skip-tls-verify", "name your certificate authority with --ca, or a host without TLS with --plain-http"),
						})
					}
				}
				r.mapping(r.pairs(task), keys{
					"name": r.ignored("name", ""), "interval": r.ignored("interval", "the schedule of the workflow decides when"), "verbose": r.ignored("verbose", ""),
					"source": place("source"), "target": place("target"),
					"mappings": func(v *yaml.Node) { mappings = v },
				})
				if mappings == nil || hosts["source"] == "" || hosts["target"] == "" {
					r.fault(task.Line, "is a task without source, target or mappings", "")
					continue
				}
				for _, m := range r.items(mappings) {
					r.dregsyMapping(m, hosts)
				}
			}
		},
	})
}

func (r *reader) dregsyMapping(m *yaml.Node, hosts map[string]string) {
	e := Entry{Line: m.Line}
	from, to, ok := "", "", true
	r.mapping(r.pairs(m), keys{
		"from": func(v *yaml.Node) { from, _ = r.text("from", v) },
		"to":   func(v *yaml.Node) { to, _ = r.text("to", v) },
		"platform": func(v *yaml.Node) {
			platforms, valid := r.platform(v.Line, r.texts("platform", v))
			e.Platforms, ok = platforms, ok && valid
		},
		"tags": func(v *yaml.Node) {
			tags, valid := r.dregsyTags(v)
			e.Tags, ok = tags, ok && valid
		},
	})
	if to == "" {
		to = from
	}
	if from == "" || strings.HasPrefix(from, "regex:") || strings.HasPrefix(to, "regex:") {
		r.fault(m.Line, "is a mapping without one repository", "write a mapping for each repository")
		return
	}
	source, ok1 := r.repository(m.Line, hosts["source"]+"/"+strings.Trim(from, "/"))
	target, err := reference.Parse(hosts["target"] + "/" + strings.Trim(to, "/"))
	if err != nil {
		r.fault(m.Line, fmt.Sprintf("has the destination %s, which is not a repository", quote(to)), "")
	}
	if ok && ok1 && err == nil {
		e.Source, e.To = source, []Destination{{Repository: target.Repository()}}
		r.add(e)
	}
}

// dregsyTags reads tags, ranges ("semver:"), regular expressions ("regex:") and
// "keep: latest N". A tag has to be in one of them.
func (r *reader) dregsyTags(v *yaml.Node) (s selection.Selection, ok bool) {
	var exact []string
	ok = true
	for _, text := range r.texts("tags", v) {
		kind, rest, found := strings.Cut(text, ":")
		rest = strings.TrimSpace(rest)
		switch {
		case found && kind == "semver":
			versions, err := selection.ParseRange(rest, selection.Masterminds)
			if err != nil {
				r.fault(v.Line, fmt.Sprintf("has the range %s, which %s", quote(rest), err), "")
				ok = false
			}
			s.Sets = append(s.Sets, selection.Set{Ranges: []*selection.Range{versions}})
		case found && kind == "regex":
			expression, not := strings.CutPrefix(rest, "!")
			p, valid := r.expression(v.Line, rest, expression)
			ok = ok && valid
			set := selection.Set{Allow: []selection.Pattern{p}}
			if not {
				set = selection.Set{Deny: []selection.Pattern{p}}
			}
			s.Sets = append(s.Sets, set)
		case found && kind == "keep":
			n, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(rest, "latest")))
			if err != nil || n < 1 {
				r.fault(v.Line, fmt.Sprintf("has %s, which is not supported", quote(text)), `write "keep: latest N"`)
				ok = false
			}
			s.Newest = n
		case found || !reference.ValidTag(text):
			r.fault(v.Line, fmt.Sprintf("has %s, which is not a tag", quote(text)), "")
			ok = false
		default:
			exact = append(exact, text)
		}
	}
	if len(s.Sets) == 0 && s.Newest == 0 {
		s.Tags = exact
		return s, ok
	}
	for _, tag := range exact {
		s.Sets = append(s.Sets, selection.Set{Allow: []selection.Pattern{selection.Exactly(tag)}})
	}
	return s, ok
}

// diun reads the file of diun's file provider: what diun watches is copied.
func (r *reader) diun(root *yaml.Node) {
	for _, item := range r.items(root) {
		var s selection.Selection
		var set selection.Set
		name, watched, ok := "", false, true
		platform := []string{"", "", ""}
		expressions := func(to *[]selection.Pattern) func(*yaml.Node) {
			return func(v *yaml.Node) {
				for _, text := range r.texts("tags", v) {
					p, valid := r.expression(v.Line, text, text)
					*to, ok = append(*to, p), ok && valid
				}
			}
		}
		part := func(i int) func(*yaml.Node) { return func(v *yaml.Node) { platform[i] = "/" + v.Value } }
		known := keys{
			"name":   func(v *yaml.Node) { name, _ = r.text("name", v) },
			"regopt": r.ignored("regopt", loginCure),
			"sort_tags": func(v *yaml.Node) {
				if v.Value != "semver" {
					r.ignored("sort_tags", `"max_tags" selects the newest versions`)(v)
				}
			},
			"include_tags": expressions(&set.Allow), "exclude_tags": expressions(&set.Deny),
			"platform": func(v *yaml.Node) {
				r.mapping(r.pairs(v), keys{"os": part(0), "arch": part(1), "variant": part(2)})
			},
			"watch_repo": func(v *yaml.Node) {
				if watched = strings.EqualFold(v.Value, "true"); !watched && !strings.EqualFold(v.Value, "false") {
					r.fault(v.Line, fmt.Sprintf("has %s in %q", quote(v.Value), "watch_repo"), "write true or false")
					ok = false
				}
			},
			"max_tags": func(v *yaml.Node) {
				n, err := strconv.Atoi(v.Value)
				if err != nil || n < 0 {
					r.fault(v.Line, fmt.Sprintf("has %s in %q", quote(v.Value), "max_tags"), "write a number")
				}
				s.Newest, ok = n, ok && err == nil && n >= 0
			},
		}
		for _, key := range diunKeys {
			if known[key] == nil {
				known[key] = r.ignored(key, "")
			}
		}
		r.mapping(r.pairs(item), known)
		if !ok {
			continue
		}
		if text := strings.TrimPrefix(strings.Join(platform, ""), "/"); text != "" {
			name += " --platform=" + text
		}
		from := len(r.Entries)
		r.named(item, name, "")
		for i := from; i < len(r.Entries) && watched; i++ {
			if s.Sets = nil; len(set.Allow)+len(set.Deny) > 0 {
				s.Sets = []selection.Set{set}
			}
			r.Entries[i].Tags = s
		}
	}
}
