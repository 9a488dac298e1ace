package request

import (
	"net/url"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// readLink reads the address of a web page that shows an image, and a reference
// with a scheme in front. Other addresses are not images.
func readLink(word string) reading {
	scheme, rest, _ := strings.Cut(word, "://")
	switch strings.ToLower(scheme[strings.LastIndexAny(scheme, ":@/")+1:]) {
	case "docker", "docker-pullable", "docker-image", "oci", "container":
		return linked(readName(strings.TrimLeft(rest, "/")))
	case "http", "https":
		if r, ok := readAddress(rest); ok {
			return r
		}
		return linked(readName(strings.TrimRight(rest, "/")))
	}
	return reading{}
}

// readAddress reads the address after "https://". ok is false if it shows no
// image.
func readAddress(rest string) (r reading, ok bool) {
	address, err := url.Parse("https://" + rest)
	if err != nil || address.User != nil && !strings.Contains(rest, "@sha256:") {
		return reading{}, false
	}
	return readPage(address), true
}

// readPage reads the address of a web page or of a registry's API.
func readPage(address *url.URL) reading {
	host := strings.TrimPrefix(strings.ToLower(address.Host), "www.")
	segments := strings.FieldsFunc(address.EscapedPath(), func(r rune) bool { return r == '/' })
	for i, s := range segments {
		plain, err := url.PathUnescape(s)
		if err != nil {
			return reading{}
		}
		segments[i] = plain
	}
	if read := pagesOf(host); read != nil && !isManifestPath(segments) {
		return linked(read(segments, address))
	}
	switch {
	case len(segments) == 0:
		if known.IsRegistry(host) || isMirror(host) {
			return reading{problem: hostOnly(host)}
		}
		return reading{}
	case known.IsSite(host):
		return reading{}
	case segments[0] == "v2":
		if original := address.Query().Get("ns"); known.IsRegistry(original) {
			host = original // as containerd requests it from a mirror
		}
		name, said := readAPI(strings.Join(segments[1:], "/"))
		if !said && !(known.IsRegistry(host) && strings.Contains(name, ":")) {
			return reading{}
		}
		return linked(readName(host + "/" + name))
	case segments[0] == "v1" || segments[0] == "api" || segments[0] == "token" || segments[0] == "artifacts-downloads":
		return reading{} // a registry's API, from an error message
	}
	name := host + "/" + strings.Join(segments, "/")
	r := readName(name)
	if address.RawQuery != "" && r.strength != certain {
		return reading{}
	}
	if r.strength == path {
		return reading{} // some other page
	}
	return linked(r)
}

// isManifestPath reports whether the segments of a path are those of a manifest in a
// registry's API, whose host may have pages as well.
func isManifestPath(segments []string) bool {
	return len(segments) > 3 && segments[0] == "v2" && segments[len(segments)-2] == "manifests"
}

// readAPI turns a path of a registry's API after "v2/", from an error message,
// into the name in it: "name/manifests/tag", "name/tags/list". said is false
// for other paths, which are returned unchanged; those of blobs have no image
// name.
func readAPI(path string) (name string, said bool) {
	if strings.Contains(path, "/blobs/") {
		return "", false
	}
	if name, said = strings.CutSuffix(path, "/tags/list"); said {
		return name, true
	}
	name, version, said := strings.Cut(path, "/manifests/")
	switch {
	case !said:
		return path, false
	case strings.HasPrefix(version, "sha256:"):
		return name + "@" + version, true
	}
	return name + ":" + version, true
}

// linked adds the assumption ReadLink to every image.
func linked(r reading) reading {
	for i := range r.images {
		r.images[i].Assumptions = append([]Assumption{ReadLink}, r.images[i].without(AssumedHost, AssumedLibrary)...)
	}
	if len(r.images) > 0 {
		r.strength = certain
	}
	return r
}

// pageReader reads pages of one site by the segments of the path and the query.
type pageReader func(segments []string, address *url.URL) reading

// pagesOf returns the reader for the pages of a site; nil for other sites.
func pagesOf(host string) pageReader {
	switch host {
	case "hub.docker.com", "registry.hub.docker.com", "store.docker.com":
		return dockerHubPage
	case "quay.io":
		return quayPage
	case "github.com":
		return githubPage
	case "gitlab.com", "gitee.com", "bitbucket.org", "gitcode.com":
		return sourcePage
	case "console.cloud.google.com", "pantheon.corp.google.com":
		return googlePage
	case "mcr.microsoft.com":
		return microsoftPage
	case "catalog.ngc.nvidia.com":
		return nvidiaPage
	case "gallery.ecr.aws":
		return ecrPage
	case "explore.ggcr.dev":
		return explorerPage
	}
	return nil
}

// dockerHubPage: /r/ns/name[/tags], /_/name, /repository/docker/ns/name,
// /layers/ns/name/tag/…, /v2/repositories/ns/name, with ?name= as the tag.
func dockerHubPage(segments []string, address *url.URL) reading {
	if len(segments) < 2 {
		return reading{}
	}
	tag := address.Query().Get("name")
	if segments[0] == "v2" && len(segments) > 3 {
		segments = append([]string{"r"}, segments[2:]...) // the API: /v2/repositories/ns/name/tags/…
	}
	for i, s := range segments[1:] {
		switch after, typed := strings.CutPrefix(s, "tags:"); {
		case typed:
			tag = after
		case s == "tags" && i+2 < len(segments):
			tag = segments[i+2]
		}
	}
	switch segments[0] {
	case "_":
		return tagPage(reference.DockerHub+"/library/"+segments[1], tag)
	case "r":
		if len(segments) == 2 {
			return tagPage(reference.DockerHub+"/"+segments[1], tag)
		}
		if segments[1] == "_" {
			segments[1] = "library"
		}
		return tagPage(reference.DockerHub+"/"+segments[1]+"/"+segments[2], tag)
	case "layers":
		if len(segments) >= 4 {
			tag = segments[3]
		}
		if len(segments) >= 3 {
			return tagPage(reference.DockerHub+"/"+segments[1]+"/"+segments[2], tag)
		}
	case "repository":
		if len(segments) >= 4 {
			return tagPage(reference.DockerHub+"/"+segments[2]+"/"+segments[3], tag)
		}
	case "hardened-images":
		if len(segments) >= 4 {
			return tagPage("dhi.io/"+segments[3], tag)
		}
	case "u", "orgs", "search", "extensions", "settings", "explore", "mcp", "v2", "catalogs", "docker pull", "welcome", "login", "signup":
		return reading{}
	default:
		// An address typed from memory: hub.docker.com/ns/name.
		return tagPage(reference.DockerHub+"/"+segments[0]+"/"+segments[1], tag)
	}
	return reading{}
}

// quayPage: /repository/ns/name[/tag/…|/manifest/sha256:…], ?tab=tags&tag=.
func quayPage(segments []string, address *url.URL) reading {
	if len(segments) > 0 && (segments[0] == "organization" || segments[0] == "user" || segments[0] == "search" || segments[0] == "plans") {
		return reading{}
	}
	if len(segments) == 0 || segments[0] != "repository" {
		return readName("quay.io/" + strings.Join(segments, "/"))
	}
	segments = segments[1:]
	tag, digest := address.Query().Get("tag"), ""
	for i, s := range segments {
		if i+1 < len(segments) && i >= 2 && (s == "tag" || s == "manifest") {
			if s == "tag" {
				tag = segments[i+1]
			} else {
				digest = "@" + segments[i+1]
			}
			segments = segments[:i]
			break
		}
	}
	if len(segments) < 2 {
		return reading{problem: hostOnly("quay.io")}
	}
	if digest != "" {
		return readName("quay.io/" + strings.Join(segments, "/") + digest)
	}
	return tagPage("quay.io/"+strings.Join(segments, "/"), tag)
}

// githubPage: /owner/repo/pkgs/container/name[/id][?tag=], and the same under
// /orgs/owner/packages and /users/owner/packages.
func githubPage(segments []string, address *url.URL) reading {
	tag := address.Query().Get("tag")
	for i, s := range segments {
		if s != "container" || i+1 >= len(segments) || i == 0 {
			continue
		}
		if segments[i+1] == "package" && i+2 < len(segments) {
			segments = slices.Delete(segments, i+1, i+2)
		}
		var owner string
		switch {
		case segments[i-1] == "pkgs" && i >= 3:
			owner = segments[0]
		case segments[i-1] == "packages" && i == 3:
			owner = segments[1]
		default:
			continue
		}
		return tagPage(strings.ToLower("ghcr.io/"+owner+"/"+segments[i+1]), tag)
	}
	if len(segments) < 2 {
		return reading{}
	}
	if len(segments) > 2 && discussions.has(segments[2]) {
		return reading{}
	}
	owner, repo, _ := strings.Cut(strings.Join(segments[:2], "/"), "/")
	repo, _, _ = strings.Cut(repo, ":")
	suggestion := ""
	if len(segments) == 2 || segments[2] == "releases" || segments[2] == "tree" {
		if ref, err := reference.Parse(strings.ToLower("ghcr.io/" + owner + "/" + strings.TrimSuffix(repo, ".git"))); err == nil {
			suggestion = ref.String()
		}
	}
	return reading{problem: &Problem{Code: NotAnImage, Suggestion: suggestion}}
}

// discussions are pages of a repository that stand for no project.
var discussions = wordSet{list: "discussions"}

// sourcePage reads pages of hosts of source code, which serve no images.
func sourcePage(segments []string, _ *url.URL) reading {
	if len(segments) < 2 {
		return reading{}
	}
	return reading{problem: &Problem{Code: NotAnImage}}
}

// googlePage: /gcr/images/project[/GLOBAL]/name[@digest|:tag] and
// /artifacts/docker/project/location/repository/name[/sha256:…].
func googlePage(segments []string, address *url.URL) reading {
	if len(segments) < 3 {
		return reading{}
	}
	tag := address.Query().Get("tag")
	switch {
	case segments[0] == "gcr" && segments[1] == "images":
		host, rest := known.GCR, segments[2:]
		kept := rest[:0:0]
		for _, s := range rest {
			switch location := strings.ToLower(s); location {
			case "global", "details":
			case "us", "eu", "asia":
				host = location + ".gcr.io"
			default:
				kept = append(kept, strings.Trim(s, ":"))
			}
		}
		return tagPage(host+"/"+strings.Join(kept, "/"), tag)
	case segments[0] == "artifacts" && segments[1] == "docker" && len(segments) >= 6:
		project, location, repository, rest := segments[2], segments[3], segments[4], segments[5:]
		name := location + "-docker.pkg.dev/" + project + "/" + repository
		if strings.HasSuffix(repository, "gcr.io") {
			name = repository + "/" + project
		}
		if project == "k8s-artifacts-prod" && repository == "images" {
			name = known.Kubernetes
		}
		digest := ""
		if last := rest[len(rest)-1]; strings.HasPrefix(last, "sha256:") {
			rest, digest = rest[:len(rest)-1], "@"+last
		}
		return tagPage(name+"/"+strings.Join(rest, "/")+digest, tag)
	}
	return reading{}
}

// microsoftPage: /[en-us/]product|artifact/mar/path[/about|/tags].
func microsoftPage(segments []string, address *url.URL) reading {
	for i, s := range segments {
		if (s == "product" || s == "artifact") && i <= 1 {
			segments = segments[i+1:]
			if len(segments) > 0 && segments[0] == "mar" {
				segments = segments[1:]
			}
			break
		}
	}
	for i, s := range segments {
		if i > 0 && (s == "about" || s == "tags" || s == "tag") {
			tag := ""
			if s == "tag" && i+1 < len(segments) {
				tag = segments[i+1]
			}
			return tagPage("mcr.microsoft.com/"+strings.Join(segments[:i], "/"), tag)
		}
	}
	return readName("mcr.microsoft.com/" + strings.Join(segments, "/"))
}

// nvidiaPage: /orgs/org[/teams/team]/containers/name.
func nvidiaPage(segments []string, address *url.URL) reading {
	var name []string
	for i := 0; i+1 < len(segments); i += 2 {
		switch segments[i] {
		case "orgs", "teams", "containers":
			name = append(name, segments[i+1])
		default:
			i = len(segments)
		}
	}
	if len(name) < 2 {
		return reading{}
	}
	return tagPage("nvcr.io/"+strings.Join(name, "/"), address.Query().Get("version"))
}

// ecrPage: gallery.ecr.aws/alias/name.
func ecrPage(segments []string, _ *url.URL) reading {
	if len(segments) < 2 {
		return reading{}
	}
	return tagPage("public.ecr.aws/"+strings.Join(segments, "/"), "")
}

// explorerPage: explore.ggcr.dev/?image= and ?repo=.
func explorerPage(_ []string, address *url.URL) reading {
	query := address.Query()
	return readName(query.Get("image") + query.Get("repo"))
}

// tagPage returns a name with the tag in the page's address, if any. Text in a
// page's filter that is not a valid tag is ignored.
func tagPage(name, tag string) reading {
	if tag == "" || strings.Contains(name, "@") {
		return readName(name)
	}
	if r := readName(name + ":" + tag); len(r.images) == 1 && r.images[0].Reference.Tag() == tag {
		return r
	}
	return readName(name)
}
