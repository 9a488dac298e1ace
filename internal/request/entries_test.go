package request_test

import (
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/request"
)

// TestWords checks that each word on a line of a list or of a form's field ends
// as an image or as a problem, whatever separates it.
func TestWords(t *testing.T) {
	images := []string{"nginx:1.27", "gcr.io/ns/img:1.0", "redis", "jellyfin/jellyfin", "quay.io/a/b@" + digest, "ghcr.io/a/b:${TAG}", "`redis:7`"}
	separators := []string{",", ", ", " ", "  ", ";", "；", "、", "，", " and ", " & ", " + ", " | ", " / ", " 和 ", "，还要", "以及", "\n", "\n\n", " or ", "\t", " - "}
	words := []string{"immich", "node-exporter", "Immich", "immich/server", "immich:", "${IMAGE}", "!immich"}
	for _, image := range images {
		for _, separator := range separators {
			for _, word := range words {
				for _, line := range []string{image + separator + word, word + separator + image, image + separator + word + separator + "mysql:8"} {
					if word == "immich:" && strings.TrimSpace(separator) == "" && !strings.Contains(separator, "\n") && !strings.HasSuffix(line, word) {
						continue // a label
					}
					for name, in := range map[string]request.Input{
						"list":  {Body: "quay.io/a/c:1\n" + line, List: true},
						"field": {Body: "### 镜像 / Images\n\nquay.io/a/c:1\n" + line + "\n\n### 平台 / Platforms\n\n_No response_\n"},
					} {
						got := request.Parse(in)
						if !tells(got, strings.Trim(word, "!:${}")) {
							t.Errorf("%s %q: %s is lost: %s", name, line, word, summary(got))
						}
					}
				}
			}
		}
	}
}

// tells reports whether an image or a problem of a request contains a word.
func tells(r request.Request, word string) bool {
	var told strings.Builder
	for _, i := range r.Images {
		told.WriteString(i.Written + " " + i.Reference.String() + " " + i.As.String() + "\n")
	}
	for _, p := range r.Problems {
		told.WriteString(p.Written + "\n")
	}
	return strings.Contains(strings.ToLower(told.String()), strings.ToLower(word))
}

// TestWholeLines checks lines without an image, below one with an image.
func TestWholeLines(t *testing.T) {
	for _, line := range []string{"latest", "immich:", "[immich]", "| immich |", "> immich", "${IMAGE}", "{{ image }}", "<image>", "docker pull", "!!!", "immich", "- immich", "1. immich", "`immich`", "???", "<your image>"} {
		for name, in := range map[string]request.Input{
			"list":  {Body: "quay.io/a/b:1\n" + line, List: true},
			"field": {Body: "### 镜像 / Images\n\nquay.io/a/b:1\n" + line},
		} {
			if got := request.Parse(in); len(got.Images) != 1 || len(got.Problems) != 1 {
				t.Errorf("%s %q: %s", name, line, summary(got))
			}
		}
	}
}

// TestSilentWords checks that words around images which name no image are no
// problems.
func TestSilentWords(t *testing.T) {
	for _, line := range []string{
		"redis:7 # immich", "redis:7 // cache", "redis 7", "redis:7, thanks", "please mirror these images, thanks", "Thanks!", "谢谢大佬", "redis:7 linux/arm64", "redis:7, linux/amd64, linux/arm64",
		"redis:7 -> cache", "redis:7 谢谢", "redis:7（缓存）", "redis:7 (cache)", "1. redis:7", "1) redis:7 2) mysql:8", "redis:7 also mysql:8", "cache: redis:7", "- [x] redis:7", "- [ ] immich", "docker pull redis:7", "docker pull redis:7 && docker pull mysql:8",
		"redis:7 and mysql:8", "redis, mysql and nginx, all please", "I need redis:7 for my home server, thanks", "please add redis:7 for our cluster", "求同步 redis:7，急用", "redis:7 --platform linux/arm64",
		"# immich", "---", "***", "```", "<details>", "<br>", "镜像列表：", "linux/arm64", "images:", "quay.io/a/c redis:7 mysql", "redis:7 latest", "image: redis:7", "| redis | 7 |", "| redis:7 | cache |", "<!-- immich -->", "redis:7 50MB", "以下镜像", "Images", "thank you very much",
		"redis:7 <!-- immich -->", "redis:7|linux/arm64", "sudo docker pull redis:7", "$ docker pull redis:7", "[redis:7](https://hub.docker.com/_/redis)", "**redis:7**",
	} {
		got := request.Parse(request.Input{Body: "### 镜像 / Images\n\nquay.io/a/b:1\n" + line})
		if len(got.Problems) > 0 {
			t.Errorf("%q: %s", line, summary(got))
		}
	}
}

// TestListedWords checks that each word of a list outside of a form's field ends
// as an image or as a problem, too.
func TestListedWords(t *testing.T) {
	for _, body := range []string{
		"docker pull redis:7, immich", "docker pull redis:7 and immich", "$ docker pull redis:7, immich, nginx:1", "podman pull redis:7,immich", "docker pull redis:7、immich",
		"please docker pull redis:7, immich", "images: redis:7, immich", "image: redis:7, immich", "images: immich, redis:7", "images: [redis:7, immich]", "images: redis:7, immich, nginx:1",
		"redis:7, immich", "redis:7, nginx, immich", "redis:7; immich", "- redis:7, immich", "`redis:7`, `immich`", "immich, redis:7", "redis:7 and immich", "redis:7 or immich", "redis:7 & immich", "nginx:1 / redis:7 / immich", "- redis:7\n- immich",
		"Please mirror redis:7, immich", "Please mirror redis:7, nginx:1 and immich", "请搬运 redis:7、immich", "请搬运 redis:7 和 immich", "Please mirror redis:7, immich too. Thanks!",
	} {
		if got := request.Parse(request.Input{Body: body}); !tells(got, "immich") || len(got.Images) == 0 {
			t.Errorf("%q: immich is lost: %s", body, summary(got))
		}
	}
	for _, body := range []string{"redis:7、节点导出器", "images: redis:7、节点导出器", "请搬运 redis:7、节点导出器", "docker pull redis:7、节点导出器", "节点导出器、redis:7", "redis:7、节点导出器、nginx:1.27，谢谢", "- redis:7\n- 节点导出器"} {
		for name, in := range map[string]request.Input{"text": {Body: body}, "field": {Body: "### 镜像 / Images\n\n" + body}} {
			if got := request.Parse(in); !tells(got, "节点导出器") || len(got.Images) == 0 {
				t.Errorf("%s %q: 节点导出器 is lost: %s", name, body, summary(got))
			}
		}
	}
	for body, images := range map[string]int{"redis 6, 7": 2, "redis:6, 7": 2, "redis:6 and 7": 2, "redis 6 和 7": 2, "Please mirror redis 6, 7": 2, "redis:6, 2 nodes": 1,
		"images: redis:6, 7": 2, "Images: redis:7, nginx:1 (for ARM), thank you": 2, "image: redis:7 nginx:1": 2, "images: redis, nginx": 2} {
		if got := request.Parse(request.Input{Body: body}); len(got.Images) != images || len(got.Problems) > 0 {
			t.Errorf("%q: %s", body, summary(got))
		}
	}
}

// TestMisspeltPlatform checks that a platform that does not exist is no image.
func TestMisspeltPlatform(t *testing.T) {
	for _, body := range []string{"nginx:1.27 | linux/amd46", "nginx:1.27 linux/foo", "Please mirror nginx:1.27 for linux/amd46"} {
		got := request.Parse(request.Input{Body: body})
		if len(got.Images) != 1 || len(got.Problems) != 1 || got.Problems[0].Code != request.UnknownPlatform {
			t.Errorf("%q: %s", body, summary(got))
		}
	}
}

// TestRemarks checks that words of thanks and remarks after an image are not
// taken for names.
func TestRemarks(t *testing.T) {
	for _, body := range []string{
		"docker pull redis:7, please", "docker pull redis:7, thanks", "redis:7, thanks!", "redis:7、谢谢", "redis:7，急", "redis:7，多谢大佬", "docker pull redis:7, timeout", "Please mirror redis:7, urgent",
		"redis:7, linux/arm64", "redis:7, arm64", "docker pull redis:7; ls", "docker pull redis:7 && reboot", "Please mirror redis:7, it is needed here.", "Hello all, please mirror redis:7", "redis:7, both platforms",
		"redis:7 -> cache", "redis:7 | linux/amd64", "docker run redis:7 redis-server, now", "Please mirror redis:7 and nginx:1, kindly", "请搬运 redis:7、nginx:1 等镜像",
		"- redis:7\n- nginx:1\n\n谢谢", "- redis:7\n- linux/arm64", "- redis:7\n- 谢谢大佬", "- redis:7\n- it is urgent", "- redis:7\n- 平台：arm64", "- redis:7\n- [x] I have read the rules",
	} {
		if got := request.Parse(request.Input{Body: body}); len(got.Images) == 0 || len(got.Problems) > 0 {
			t.Errorf("%q: %s", body, summary(got))
		}
	}
}
