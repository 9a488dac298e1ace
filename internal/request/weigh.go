package request

import (
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// weigh tells how sure a name in lower case, with tag and digest, is to be
// that of an image. It knows what else looks like one: ports, paths, dates,
// files, media types, labels of Kubernetes, source repositories.
func weigh(name, tag, digest string, hostless bool) strength {
	if digest != "" {
		return certain
	}
	components := strings.Split(name, "/")
	if !hostless {
		return weighHosted(components, tag)
	}
	for i, c := range components {
		if i == 0 && len(components) == 2 && len(c) > 4 && hasLetter(components[1]) {
			continue // people take their telephone's number for a namespace
		}
		if !hasLetter(c) && len(components) < 3 && (tag == "" || isDigits(tag) || len(components) == 1) {
			return nothing
		}
	}
	last := components[len(components)-1]
	if isAction(components, tag) {
		return nothing
	}
	if (hasFileExtension(last) || fileNames[last] && len(components) > 1) && (tag == "" || isDigits(tag)) {
		return nothing
	}
	if mediaTypes[components[0]] && len(components) == 2 && tag == "" {
		return nothing
	}
	if len(components) == 1 {
		switch {
		case tag == "":
			if isVersion(name) || len(name) < 2 || literals[name] {
				return nothing
			}
			if known.IsOfficial(name) {
				return official
			}
			return bare
		case isVersion(name) || notNames[name], isPort(tag), !known.IsOfficial(name) && isMeasure(tag):
			return nothing
		case !known.IsOfficial(name) && isModelSize(tag):
			return bare
		case isTag(tag):
			return tagged
		case known.IsOfficial(name):
			return official // "node:sqlite" is a module, in a sentence
		}
		return bare
	}
	if tag != "" {
		return tagged
	}
	if len(components) > 2 {
		return nothing // Docker Hub has two, directories have any number
	}
	if notPaths[name] || folders[components[0]] || continents[components[0]] || len(components) == 2 && (isDigit(name[0]) && units[strings.TrimLeft(last, "0123456789")] || isSize(components[0]) && isSize(last)) {
		return nothing
	}
	return path
}

// isAction reports whether a name is that of an action of GitHub's workflows:
// "actions/checkout", "golangci/golangci-lint-action:v6".
func isAction(components []string, tag string) bool {
	major := tag != "" && isDigits(strings.TrimPrefix(tag, "v"))
	return components[0] == "actions" || len(components) == 2 && strings.HasSuffix(components[1], "-action") && (components[0] == "docker" || major)
}

// weighHosted is weigh for a name that begins with a host.
func weighHosted(components []string, tag string) strength {
	host := components[0]
	last := components[len(components)-1]
	switch {
	case tag == "" && isDocument(last):
		return nothing // "registry.k8s.io/images/images.yaml", a path in a repository
	case tag == "" && host == reference.DockerHub && len(components) == 2 && !known.IsOfficial(last):
		return official // more often a namespace than an image
	case known.IsRegistry(host):
		return certain
	case known.IsSite(host) || strings.HasSuffix(strings.ToLower(host), ".k8s.io") || strings.HasSuffix(strings.ToLower(host), ".kubernetes.io"):
		return nothing
	case tag != "" && isTag(tag):
		return tagged
	}
	if hasFileExtension(last) {
		return nothing
	}
	return path
}

// isDocument reports whether s is named like a file of settings or text, which
// no image is.
func isDocument(s string) bool {
	name, extension, ok := cutExtension(s)
	return ok && name != "" && documents[extension]
}

// documents are the extensions of such files.
var documents = set(wordsIn("yaml|yml|json|toml|md|txt|sh|lock|conf")...)

// isMeasure reports whether what stands behind a colon is a port or an amount
// rather than a tag: "db:5432", "p99:120ms".
func isMeasure(tag string) bool {
	unit := strings.TrimLeft(tag, "0123456789.")
	return isPort(tag) || unit != tag && units[unit]
}

// isPort reports whether what stands behind a colon is a port: "redis:6379".
func isPort(tag string) bool {
	return isDigits(tag) && (len(tag) == 5 || len(tag) == 4 && !strings.HasPrefix(tag, "20"))
}

// isModelSize reports whether a tag is the size of a language model, in
// parameters: "7b", "0.5b", "8b-instruct".
func isModelSize(tag string) bool {
	size, _, _ := strings.Cut(lower(tag), "-")
	number, ok := strings.CutSuffix(size, "b")
	return ok && number != "" && strings.Trim(number, "0123456789.x") == ""
}

// literals are values of settings.
var literals = set(wordsIn("true|false|null|nil|none|yes|no|on|off")...)

// folders are names of directories in repositories of source code.
var folders = set(wordsIn("images|docs|scripts|tools|src|pkg|cmd|charts|config|tests|examples|deploy|internal")...)

// continents begin the names of time zones: "America/Los_Angeles".
var continents = set(wordsIn("africa|america|asia|atlantic|australia|europe|pacific|etc")...)

// units are what a number is divided by in a rate: "1024Ki/s", "20r/m".
var units = set(wordsIn("s|m|h|d|ms|sec|min|hour|day|month|second|minute")...)

// isSize reports whether s is an amount of bytes: "0b", "697.6mb", "64ki".
func isSize(s string) bool {
	number := strings.TrimRight(s, "bikmgt")
	return len(number) < len(s) && number != "" && strings.Trim(number, "0123456789.") == ""
}

// notPaths are words with a slash that are no names.
var notPaths = set(wordsIn("and/or|yes/no|he/she|client/server|input/output|read/write|true/false|on/off|tcp/ip|ci/cd|i/o|n/a|a/b|w/o|" +
	"tcp/udp|http/https|docker/podman|amd64/arm64|x86/arm|linux/windows|kb/s|mb/s|km/h|http/1.1|ssl/tls|" +
	"os/arch|config/images|net/http|tags/list|domain/path|host/path")...)

// mediaTypes are the first halves of "application/json" and its like.
var mediaTypes = set(wordsIn("application|text|image|audio|video|multipart|font|message")...)

// notNames are words that stand before a colon without being images.
var notNames = set(wordsIn("http|https|port|ports|error|err|code|version|line|step|status|time|date|level|id|tag|" +
	"tags|image|images|host|localhost|msg|note|name|namespace|reason|message|uid|gid|sha256|sha512|md5|size|" +
	"ssh|git|tcp|udp|file|total|exit|count|platform|arch|os|cpu|memory|ip|issue|docker-image|desc|release|" +
	"ipv4|ipv6|type|key|value|default|user|password|age|kubernetes|k8s|kubeadm|kubelet|kubectl-version|chart|layer|dockerfile")...)

// extensions are those of files that are mentioned in requests. What could as
// well be the end of an image's name ("node.js", "vote.py") is here too: with
// a tag it is taken as an image all the same.
var extensions = set(wordsIn("yaml|yml|json|toml|ini|conf|cfg|sh|bash|md|txt|log|go|py|java|xml|html|htm|" +
	"tsv|fastq|fasta|fq|bam|bai|vcf|bed|parquet|h5|rds|php|rb|rs|ts|tsx|jsx|css|sql|png|jpg|jpeg|gif|svg|webp|pdf|doc|docx|xls|xlsx|csv|" +
	"tar|gz|tgz|zip|bz2|xz|zst|rpm|deb|exe|dll|so|service|lock|env|pem|crt|csr|pub|repo|" +
	"list|bak|tmp|iso|apk|jar|war|whl|mod|sum|tpl|tmpl|sock|dockerfile|js|vue|c|h|cpp")...)

// fileNames are names of files without an extension.
var fileNames = set(wordsIn("dockerfile|containerfile|makefile|readme|license|jenkinsfile|vagrantfile|procfile|gemfile|codeowners|changelog|earthfile")...)

// hasFileExtension reports whether s is named like a file.
func hasFileExtension(s string) bool {
	name, extension, ok := cutExtension(s)
	return ok && name != "" && extensions[extension]
}

// cutExtension splits the name of a file before its extension.
func cutExtension(s string) (name, extension string, ok bool) {
	dot := strings.LastIndexByte(s, '.')
	if dot < 0 {
		return s, "", false
	}
	return s[:dot], strings.ToLower(s[dot+1:]), true
}

// tagWords are tags, or parts of tags, that have no digit.
var tagWords = set(wordsIn("latest|stable|main|master|dev|develop|development|edge|nightly|alpine|slim|beta|alpha|rc|release|" +
	"lts|debug|nonroot|canary|prod|production|unstable|testing|test|snapshot|preview|experimental|next|trunk|head|" +
	"bookworm|bullseye|buster|trixie|jammy|focal|noble|bionic|stretch|ubuntu|debian|centos|cuda|gpu|cpu|rocm|" +
	"full|lite|mini|base|amd|arm|linux|server|client|apache|fpm|management|community|enterprise|ce|ee|oss|" +
	"sid|plucky|oracular|mantic|lunar|questing|cli|rawhide|tumbleweed|leap|jre|jdk|runtime|devel|mainline|perl|noroot|rootless|ffmpeg|ollama|musl|glibc|onbuild|windowsservercore|nanoserver|public")...)

// isTag reports whether s looks like a tag rather than like the value of a key:
// it has a digit, or one of its parts is a word that tags are made of.
func isTag(s string) bool {
	if strings.ContainsAny(s, "0123456789") {
		return true
	}
	for _, part := range strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return r == '-' || r == '_' || r == '.' }) {
		if tagWords[part] {
			return true
		}
	}
	return false
}

// isTagPattern reports whether a text is a regular expression or a pattern for
// tags, as regsync has them: "3\.\d+", "v1.*".
func isTagPattern(text string) bool { return strings.ContainsAny(text, `\*+^$()|`) }

// isPlaceholder reports whether a name or a tag stands for something that the
// reader is to fill in. A tag such as "tag" or "version" is taken by its letter:
// if there is none the registry says so, and which there are.
func isPlaceholder(name, tag string) bool {
	first, _, _ := strings.Cut(name, "/")
	last := name[strings.LastIndexByte(name, '/')+1:]
	if strings.Contains("/"+name, "/your-") || strings.Contains("/"+name, "/your_") || strings.HasPrefix(first, "your") && first != last {
		return true
	}
	if first == last && (last == "image" || last == "name" || last == "repo") && (strings.EqualFold(tag, "tag") || strings.EqualFold(tag, "version")) {
		return true
	}
	switch strings.ToLower(tag) {
	case "xxx", "xx", "x.x.x", "x.y.z", "your-tag", "image-tag", "vx.y.z", "vx.x.x":
		return true
	}
	if len(last) > 2 && strings.Trim(last, "x") == "" {
		return true
	}
	switch last {
	case "image-name", "imagename", "image_name", "yourimage":
		return true
	case "image", "name", "repo", "repository":
		return name == "namespace/image" || strings.HasPrefix(name, "registry/") || strings.HasPrefix(name, "user/") || strings.HasPrefix(name, "username/") || strings.HasPrefix(name, "namespace/")
	}
	return false
}

// talk is the number of words of prose up to which a text is a request rather
// than a story.
const talk = 6

// isGuess reports whether a bare word could be meant as an image: no key held
// down, no domain, no identifier of an image, and not made of words that mean
// something else.
func isGuess(word string) bool {
	if len(word) < 3 || strings.Trim(word, word[:1]) == "" || strings.Contains(word, ".") || len(word)%4 == 0 && len(word) >= 12 && strings.Trim(word, "0123456789abcdef") == "" {
		return false
	}
	for _, part := range strings.FieldsFunc(word, func(r rune) bool { return r == '-' || r == '_' }) {
		if !notGuesses.has(part) {
			return true
		}
	}
	return false
}

// gluedVersion is the canonical reference that a word such as "mysql8.0" may
// stand for: an official image and a version. Empty if it is not such a word.
func gluedVersion(word string) string {
	digits := strings.IndexAny(word, "0123456789")
	if digits <= 0 || !isVersion(word[digits:]) {
		return ""
	}
	name := strings.TrimRight(strings.TrimSuffix(word[:digits], "v"), "-_.")
	ref, err := reference.Parse(name + ":" + word[digits:])
	if err != nil || !known.IsOfficial(name) {
		return ""
	}
	return ref.String()
}

// notGuesses are words that people leave in a field without meaning an image.
var notGuesses = endingsIn("notGuesses")
