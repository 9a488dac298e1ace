package request

import (
	"strings"
)

// toolOf is the reader for the command lines of a program; nil for all that
// name no images. A reader reports whether it understood a command.
func toolOf(name string) func(*invocation) bool {
	switch strings.ToLower(strings.TrimSuffix(name, ".exe")) {
	case "docker", "podman", "nerdctl", "buildah", "finch":
		return docker
	case "ctr":
		return ctr
	case "crictl":
		return crictl
	case "skopeo":
		return skopeo
	case "crane", "gcrane", "regctl", "oras":
		return crane
	case "kubectl", "oc":
		return kubectl
	case "helm":
		return helm
	case "kubeadm":
		return kubeadm
	case "kind", "minikube", "k3d":
		return localCluster
	case "docker-compose", "curl", "wget", "apt", "apt-get", "yum", "dnf", "git", "systemctl":
		return noImages
	}
	return nil
}

// loneRun are the flags of "docker run" and "create" that take no value.
var loneRun = set("d", "i", "t", "P", "q", "detach", "interactive", "tty", "rm", "privileged", "init", "publish-all", "read-only", "no-healthcheck",
	"oom-kill-disable", "sig-proxy", "quiet", "replace", "disable-content-trust", "help", "tls-verify", "net-host", "use-api-socket")

// loneMove are those of the commands that only move images.
var loneMove = set("a", "all-tags", "q", "quiet", "disable-content-trust", "tls-verify", "insecure", "k", "all-platforms", "plain-http", "skip-verify", "local",
	"v", "debug", "D", "all", "preserve-digests", "remove-signatures", "src-no-creds", "dest-no-creds", "no-creds", "unpack", "rm", "skip-metadata",
	"insecure-policy", "scoped", "keep-going", "dry-run", "r", "recursive", "f", "force", "print", "hosts", "verbose", "d", "i", "t", "net-host")

// dockerVerbs are the sub-commands of docker that name no image to carry.
var dockerVerbs = set("push", "build", "login", "logout", "load", "images", "ps", "rmi", "rm", "compose", "exec", "logs", "info", "version", "search",
	"start", "stop", "restart", "commit", "import", "export", "network", "volume", "system", "stack", "service", "swarm", "kill", "cp", "stats", "top",
	"update", "context", "plugin", "ls", "prune", "attach", "wait", "port", "rename", "bud", "from")

func docker(c *invocation) bool {
	verb := c.verb("image", "container", "buildx", "imagetools")
	switch verb {
	case "manifest":
		if c.verb() != "inspect" {
			return true // makes a list of images at the target
		}
		c.source()
	case "pull":
		c.morePulls(c.source())
	case "tag", "history", "inspect", "scout", "sbom":
		c.source()
	case "run", "create":
		c.parse(loneRun, 1)
	case "save":
		c.parse(loneMove, -1)
	default:
		return dockerVerbs[verb]
	}
	return c.images()
}

// morePulls lets "docker pull a b" name several images and "docker pull a 1.2"
// a tag, which people write although docker does not take it.
func (c *invocation) morePulls(rest []token) {
	for i, t := range rest {
		r := c.scan.readWord(t.text)
		tag := strings.TrimLeft(t.text, ":")
		switch {
		case toolOf(t.text) != nil:
			return
		case r.weight >= tagged && len(r.images) > 0, r.weight >= path && !c.inProse && len(r.images) > 0:
			c.positional = append(c.positional, t)
		case i == 0 && (isVersion(tag) || tag == "latest") && !strings.Contains(c.positional[0].text, "@"):
			c.positional[0].text = strings.TrimRight(c.positional[0].text, ":") + ":" + tag
		}
	}
}

func ctr(c *invocation) bool {
	switch c.verb("images", "image", "i", "containers", "c", "content") {
	case "pull", "fetch", "tag", "mount", "check":
		c.source()
	case "run", "create":
		c.parse(loneRun, 1)
	case "import", "export", "push", "ls", "list", "rm", "label", "version", "convert":
	default:
		return false
	}
	return c.images()
}

func crictl(c *invocation) bool {
	switch c.verb() {
	case "pull", "inspecti":
		c.source()
	case "images", "image", "img", "ps", "rmi", "pods", "info", "logs", "rm", "rmp":
	default:
		return false
	}
	return c.images()
}

func skopeo(c *invocation) bool {
	switch verb := c.verb(); verb {
	case "copy", "inspect", "sync", "list-tags":
		c.source()
		c.allTags = verb == "list-tags"
		if verb != "sync" && len(c.positional) > 0 && !strings.Contains(c.positional[0].text, "://") {
			return true
		}
	case "login", "logout", "delete":
	default:
		return false
	}
	return c.images()
}

func crane(c *invocation) bool {
	switch c.verb("image", "repository", "repo") {
	case "pull", "copy", "cp", "digest", "config", "manifest", "export", "validate", "get", "head", "inspect", "fetch", "size":
		c.source()
	case "ls", "push", "auth", "login", "tag", "delete", "catalog", "append", "mutate", "registry", "version":
	default:
		return false
	}
	return c.images()
}

var kubectlVerbs = set("run", "create", "set", "debug", "apply", "get", "describe", "delete", "logs", "edit", "exec", "rollout", "scale", "expose", "patch",
	"label", "taint", "drain", "cluster-info", "version", "port-forward", "top", "wait", "replace")

// kubectl reads "--image=" and "set image deploy/x container=image".
func kubectl(c *invocation) bool {
	verb := c.verb()
	if !kubectlVerbs[verb] {
		return false
	}
	c.parse(loneRun, -1)
	for _, f := range c.flags {
		if f.name == "image" {
			c.image(f.value)
		}
	}
	if verb == "set" && len(c.positional) > 0 && c.positional[0].text == "image" {
		for _, t := range c.positional[1:] {
			if _, value, ok := strings.Cut(t.text, "="); ok {
				c.image(token{text: value, at: t.at})
			}
		}
	}
	return true
}

var helmVerbs = set("install", "upgrade", "template", "pull", "show", "repo", "search", "dependency", "list", "uninstall", "fetch", "push", "create",
	"package", "lint", "registry", "status", "get", "rollback")

// helm reads "--set image.repository=…,image.tag=…" (settings that differ in
// their last key alone make up one image) and charts in registries.
func helm(c *invocation) bool {
	if !helmVerbs[c.verb()] {
		return false
	}
	var trees forest
	for i, t := range c.args {
		text := t.text
		if strings.HasPrefix(text, "oci://") {
			if i+2 < len(c.args) && c.args[i+1].text == "--version" {
				t.text += ":" + c.args[i+2].text
			}
			c.image(t)
			continue
		}
		if strings.HasPrefix(text, "-") {
			flag, setting, _ := strings.Cut(strings.TrimLeft(text, "-"), "=")
			if flag != "set" && flag != "set-string" {
				continue
			}
			text = setting
		}
		for setting := range strings.SplitSeq(text, ",") {
			if key, value, ok := strings.Cut(setting, "="); ok {
				trees.set(strings.TrimSpace(key), strings.Trim(value, `"' `), c.line)
			}
		}
	}
	trees.flush(c.scan)
	return true
}

// kubeadm reads "kubeadm config images pull --kubernetes-version v1.30.2",
// "kubeadm init" and "kubeadm upgrade apply" as the wish for a whole release.
func kubeadm(c *invocation) bool {
	verb := c.verb()
	switch verb {
	case "config", "init", "upgrade", "join", "reset", "token":
	default:
		return false
	}
	c.parse(loneMove, -1)
	for _, f := range c.flags {
		if f.name == "kubernetes-version" {
			c.scan.release(c.line, f.value.at, f.value.text)
			return true
		}
	}
	for _, t := range c.positional {
		if verb == "upgrade" && isVersion(t.text) {
			c.scan.release(c.line, t.at, t.text)
		}
	}
	return true
}

// localCluster reads "kind create cluster --image" and its like.
func localCluster(c *invocation) bool {
	switch c.verb() {
	case "create", "load", "build", "start", "image", "cache", "cluster":
	default:
		return false
	}
	c.parse(loneMove, -1)
	for _, f := range c.flags {
		if f.name == "image" || f.name == "base-image" {
			c.image(f.value)
		}
	}
	return true
}

// noImages takes the command lines of programs that name no images.
func noImages(c *invocation) bool {
	return !c.inProse && len(c.args) > 0 && c.args[0].kind == asciiWord
}
