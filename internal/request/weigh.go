package request

import (
	"slices"
	"strconv"
	"strings"
)

// weigh tells how sure a name in lower case, with tag and digest, is to be
// that of an image. It knows what else looks like one: ports, paths, dates,
// files, media types, labels of Kubernetes, source repositories.
func weigh(name, tag, digest string, hostless bool) weight {
	if digest != "" {
		return certain
	}
	components := strings.Split(name, "/")
	if !hostless {
		host := components[0]
		switch {
		case isRegistry(host):
			return certain
		case isSite(host) || strings.HasSuffix(strings.ToLower(host), ".k8s.io") || strings.HasSuffix(strings.ToLower(host), ".kubernetes.io"):
			return nothing
		case tag != "" && isTag(tag):
			return tagged
		}
		if hasFileExtension(components[len(components)-1]) {
			return nothing
		}
		return path
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
	if hasFileExtension(last) && (tag == "" || isDigits(tag)) {
		return nothing
	}
	if mediaTypes[components[0]] && len(components) == 2 && tag == "" {
		return nothing
	}
	if len(components) == 1 {
		switch {
		case tag == "":
			if isVersion(name) || len(name) < 2 {
				return nothing
			}
			if officialImages[name] {
				return official
			}
			return bare
		case isVersion(name) || notNames[name]:
			return nothing
		case officialImages[name] || isTag(tag):
			return tagged
		}
		return bare
	}
	if tag != "" {
		return tagged
	}
	if notPaths[name] || len(components) == 2 && (isDigit(name[0]) && units[last] || isSize(components[0]) && isSize(last)) {
		return nothing
	}
	return path
}

// units are what a number is divided by in a rate: "1024Ki/s", "20r/m".
var units = set("s", "m", "h", "d", "ms", "sec", "min", "hour", "day", "month", "second", "minute")

// isSize tells whether s is an amount of bytes: "0b", "697.6mb", "64ki".
func isSize(s string) bool {
	number := strings.TrimRight(s, "bikmgt")
	return len(number) < len(s) && number != "" && strings.Trim(number, "0123456789.") == ""
}

// notPaths are words with a slash that are no names.
var notPaths = set("and/or", "yes/no", "he/she", "client/server", "input/output", "read/write", "true/false", "on/off", "tcp/ip", "ci/cd", "i/o", "n/a", "a/b", "w/o",
	"tcp/udp", "http/https", "docker/podman", "amd64/arm64", "x86/arm", "linux/windows", "kb/s", "mb/s", "km/h", "http/1.1", "ssl/tls",
	"os/arch", "config/images", "net/http", "tags/list", "domain/path", "host/path")

// mediaTypes are the first halves of "application/json" and its like.
var mediaTypes = set("application", "text", "image", "audio", "video", "multipart", "font", "message")

// notNames are words that stand before a colon without being images.
var notNames = set("http", "https", "port", "ports", "error", "err", "code", "version", "line", "step", "status", "time", "date", "level", "id", "tag",
	"tags", "image", "images", "host", "localhost", "msg", "note", "name", "namespace", "reason", "message", "uid", "gid", "sha256", "sha512", "md5", "size",
	"ssh", "git", "tcp", "udp", "file", "total", "exit", "count", "platform", "arch", "os", "cpu", "memory", "ip", "issue", "docker-image", "desc", "release",
	"ipv4", "ipv6", "type", "key", "value", "default", "user", "password", "age", "kubernetes", "k8s", "kubeadm", "kubelet", "kubectl-version", "chart", "layer", "dockerfile")

// extensions are those of files that are mentioned in requests. What could as
// well be the end of an image's name ("node.js", "vote.py") is here too: with
// a tag it is taken as an image all the same.
var extensions = set("yaml", "yml", "json", "toml", "ini", "conf", "cfg", "sh", "bash", "md", "txt", "log", "go", "py", "java", "xml", "html", "htm",
	"php", "rb", "rs", "ts", "tsx", "jsx", "css", "sql", "png", "jpg", "jpeg", "gif", "svg", "webp", "pdf", "doc", "docx", "xls", "xlsx", "csv",
	"tar", "gz", "tgz", "zip", "bz2", "xz", "zst", "rpm", "deb", "exe", "dll", "so", "service", "lock", "env", "pem", "crt", "csr", "pub", "repo",
	"list", "bak", "tmp", "iso", "apk", "jar", "war", "whl", "mod", "sum", "tpl", "tmpl", "sock", "dockerfile", "js", "vue", "c", "h", "cpp")

// hasFileExtension tells whether s is named like a file.
func hasFileExtension(s string) bool {
	dot := strings.LastIndexByte(s, '.')
	return dot > 0 && extensions[strings.ToLower(s[dot+1:])]
}

// tagWords are tags, or parts of tags, that have no digit.
var tagWords = set("latest", "stable", "main", "master", "dev", "develop", "development", "edge", "nightly", "alpine", "slim", "beta", "alpha", "rc", "release",
	"lts", "debug", "nonroot", "canary", "prod", "production", "unstable", "testing", "test", "snapshot", "preview", "experimental", "next", "trunk", "head",
	"bookworm", "bullseye", "buster", "trixie", "jammy", "focal", "noble", "bionic", "stretch", "ubuntu", "debian", "centos", "cuda", "gpu", "cpu", "rocm",
	"full", "lite", "mini", "base", "amd", "arm", "linux", "server", "client", "apache", "fpm", "management", "community", "enterprise", "ce", "ee", "oss",
	"jre", "jdk", "runtime", "devel", "mainline", "perl", "noroot", "rootless", "ffmpeg", "ollama", "musl", "glibc", "onbuild", "windowsservercore", "nanoserver", "public")

// isTag tells whether s looks like a tag rather than like the value of a key:
// it has a digit, or one of its parts is a word that tags are made of.
func isTag(s string) bool {
	if strings.ContainsAny(s, "0123456789") {
		return true
	}
	for part := range strings.FieldsFuncSeq(strings.ToLower(s), func(r rune) bool { return r == '-' || r == '_' || r == '.' }) {
		if tagWords[part] {
			return true
		}
	}
	return false
}

// isVersion tells whether s is a version number: "1.25", "v3", "1.2.3-rc1".
func isVersion(s string) bool {
	s = strings.TrimPrefix(strings.TrimPrefix(s, "v"), "V")
	digits := 0
	for digits < len(s) && (isDigit(s[digits]) || s[digits] == '.') {
		digits++
	}
	return digits > 0 && isDigit(s[0]) && (digits == len(s) || strings.IndexByte("-+_", s[digits]) >= 0 || strings.HasPrefix(s[digits:], "rc") || s[digits:] == "x")
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func hasLetter(s string) bool {
	return strings.ContainsAny(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
}

// isDomain tells whether s could be a host: a dotted name whose last label is
// a word, an IPv4 address, or anything with a port.
func isDomain(s string) bool {
	name, port, hasPort := strings.Cut(s, ":")
	if hasPort && !isDigits(port) {
		return false
	}
	if name == "localhost" {
		return true
	}
	labels := strings.Split(name, ".")
	if len(labels) < 2 {
		return hasPort
	}
	if slices.Contains(labels, "") {
		return false
	}
	last := labels[len(labels)-1]
	if isDigits(last) {
		return len(labels) == 4 && !hasLetter(name)
	}
	return len(last) >= 2 && !strings.ContainsAny(last, "0123456789_")
}

// topLevels are the last labels of the hosts that people name alone.
var topLevels = set("io", "com", "cn", "org", "net", "dev", "me", "cc", "top", "xyz", "run", "live", "pro", "cloud", "aws", "app", "site", "icu", "co", "info", "tech", "de", "us", "edu", "gov")

// isHostName tells whether a dotted word is a host rather than an image.
func isHostName(s string) bool {
	return isDomain(s) && topLevels[strings.ToLower(s[strings.LastIndexByte(s, '.')+1:])]
}

// isPlaceholder tells whether a name or a tag stands for something that the
// reader is to fill in. A tag such as "tag" or "version" is taken by its letter:
// if there is none the registry says so, and which there are.
func isPlaceholder(name, tag string) bool {
	last := name[strings.LastIndexByte(name, '/')+1:]
	if strings.Contains("/"+name, "/your-") || strings.Contains("/"+name, "/your_") {
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

func limit(n int) string { return strconv.Itoa(n) }

// officialImages are the repositories of docker.io/library.
// Source: https://github.com/docker-library/official-images, directory library.
var officialImages = set("adminer", "aerospike", "almalinux", "alpine", "alt", "amazoncorretto", "amazonlinux", "api-firewall", "arangodb", "archlinux",
	"backdrop", "bash", "bonita", "buildpack-deps", "busybox", "caddy", "cassandra", "centos", "chronograf", "cirros", "clearlinux", "clefos", "clickhouse",
	"clojure", "composer", "convertigo", "couchbase", "couchdb", "crate", "dart", "debian", "docker", "drupal", "eclipse-mosquitto", "eclipse-temurin",
	"eggdrop", "elasticsearch", "elixir", "emqx", "erlang", "express-gateway", "fedora", "flink", "fluentd", "friendica", "gazebo", "gcc", "geonetwork",
	"ghost", "golang", "gradle", "groovy", "haproxy", "haskell", "haxe", "hello-world", "hitch", "httpd", "hylang", "ibm-semeru-runtimes", "ibmjava",
	"influxdb", "irssi", "jetty", "jobber", "joomla", "jruby", "julia", "kapacitor", "kibana", "kong", "krakend", "lightstreamer", "liquibase", "logstash",
	"mageia", "mariadb", "matomo", "maven", "mediawiki", "memcached", "mongo", "mongo-express", "monica", "mysql", "nats", "nats-streaming", "neo4j",
	"neurodebian", "nextcloud", "nginx", "node", "notary", "odoo", "open-liberty", "openjdk", "opensuse", "oraclelinux", "orientdb", "percona", "perl",
	"photon", "php", "php-zendserver", "phpmyadmin", "plone", "postfixadmin", "postgres", "pypy", "python", "r-base", "rabbitmq", "rakudo-star", "redis",
	"redmine", "registry", "rethinkdb", "rocket.chat", "rockylinux", "ros", "ruby", "rust", "sapmachine", "satosa", "scratch", "silverpeas", "solr",
	"sonarqube", "spark", "spiped", "storm", "swarm", "swift", "swipl", "teamspeak", "telegraf", "thrift", "tomcat", "tomee", "traefik", "ubuntu", "unit",
	"varnish", "vault", "websphere-liberty", "wordpress", "xwiki", "yourls", "znc", "zookeeper")
