package request

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// announcesPlatform tells whether a line says that platforms follow, so that
// words such as "arm" and "x86" are ones.
func announcesPlatform(text string) bool {
	text = lower(text)
	return slices.ContainsFunc([]string{"platform", "arch", "架构", "平台", "版", "镜像", "仅", "只", "only"}, func(w string) bool { return strings.Contains(text, w) })
}

// everyTag are the ways to ask for all tags of a repository.
var everyTag = []string{"所有tag", "全部tag", "所有 tag", "全部 tag", "所有标签", "全部标签", "所有版本", "全部版本", "所有的tag", "所有的版本", "all tags", "all-tags", "every tag", "all versions"}

// fillers are words that go with a list of images without being prose.
var fillers = set("and", "和", "以及", "及", "与", "跟", "还有", "或", "or", "image", "images", "镜像", "镜像名", "镜像名称", "镜像地址", "镜像列表", "platform", "架构",
	"版本", "最新", "最新版", "最新版本", "镜像版本", "平台", "标签", "sync", "porter", "tag", "version", "the", "arch", "hub-mirror", "latest", "个", "源镜像", "原镜像", "原始镜像", "源", "docker", "name", "addr",
	"镜像架构", "镜像仓库", "仓库", "镜像仓库地址", "地址", "列表", "同步", "搬运", "转换", "名称", "需要", "请", "谢谢", "thanks", "please", "url", "registry", "repository")

func isFiller(word string) bool {
	word = lower(strings.Trim(word, ".:*_~#-=。!?<> "))
	return fillers[word] || word != "" && word[0] >= utf8.RuneSelf && fillerParts.Replace(word) == ""
}

// fillerParts takes out of a run of Chinese what may go with a list of images.
var fillerParts = strings.NewReplacer("镜像", "", "需要", "", "同步", "", "搬运", "", "拉取", "", "帮忙", "", "麻烦", "", "一下", "", "谢谢", "", "以下", "", "如下", "",
	"这些", "", "这几个", "", "几个", "", "以及", "", "还有", "", "最新", "", "版本", "", "请", "", "求", "", "个", "", "的", "", "和", "", "与", "", "及", "", "等", "", "也", "", "都", "",
	"要", "", "我", "", "两", "", "三", "", "四", "", "五", "", "六", "", "七", "", "八", "", "九", "", "十", "", "版", "", "共", "", "!", "", "。", "")

var wishes = []string{"同步", "搬运", "转换", "拉取", "拉一下", "需要", "求个", "求一", "跪求", "求 ", "帮忙", "请帮", "麻烦", "缓存", "下载", "想要", "申请", "加一下", "添加", "搬一下", "转存", "迁移", "镜像一下", "请求", "更新",
	"mirror", "sync", "need", "want", "please", "request", "copy", "transfer", "pull", "port ", "fetch", "would like", "add "}

// hasWish tells whether a sentence asks for something to be mirrored.
func hasWish(text string) bool {
	text = lower(text)
	for _, w := range wishes {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

// environments are what people say of their machines in front of a colon.
var environments = set("os", "kernel", "docker", "docker version", "containerd", "kubernetes", "kubernetes version", "k8s", "k8s version", "kubectl", "kubeadm", "kubelet",
	"cri", "cni", "arch linux", "distro", "browser", "go", "go version", "python", "runc", "system", "client", "server", "系统", "操作系统", "系统版本", "操作系统版本", "内核", "内核版本",
	"docker 版本", "docker版本", "k8s 版本", "k8s版本", "kubernetes 版本", "kubernetes版本", "集群版本", "环境", "运行环境", "浏览器")

// isEnvironment tells whether a line says what somebody's machine runs: "OS:
// Ubuntu 22.04", "k8s: 1.22.3".
func isEnvironment(text string) bool {
	label, value, ok := strings.Cut(text, ":")
	return ok && len(label) < 40 && environments[lower(strings.Trim(label, " *_`"))] && !strings.ContainsAny(value, "/") && strings.HasPrefix(value+" ", " ") ||
		ok && environments[lower(strings.Trim(label, " *_`"))] && strings.IndexFunc(label, func(r rune) bool { return r > 127 }) >= 0
}

// isReport tells whether a line is of the form of a bug report.
func isReport(text string) bool {
	text = lower(text)
	return slices.ContainsFunc([]string{"describe the bug", "to reproduce", "expected behavior", "actual behavior", "复现步骤", "重现步骤", "我的环境", "期望结果", "what happened", "what you expected"},
		func(w string) bool { return strings.Contains(text, w) })
}

// isAddition tells whether a sentence adds to what was said before.
func isAddition(text string) bool {
	text = lower(text)
	return slices.ContainsFunc([]string{"也需要", "也要", "也同步", "还需要", "另外", "一并", " also ", "as well", "in addition"},
		func(w string) bool { return strings.Contains(text, w) })
}

var polite = []string{"帮", "麻烦", "请", "求同步", "跪求", "希望", "能同步", "可以同步", "能搬", "可以搬", "能否同步", "能不能同步", "想要", "需要", "please", "could you", "can you", "can we", "would you", "i need", "request", "sync ", "mirror "}

// isPolite tells whether a question is a request in other words.
func isPolite(text string) bool {
	text = strings.ReplaceAll(lower(text), "请问", "")
	return slices.ContainsFunc(polite, func(w string) bool { return strings.Contains(text, w) })
}

var questions = []string{"吗", "怎么", "如何", "为什么", "为啥", "请问", "什么", "咋", "能不能", "是否", "变慢", "很慢", "太慢", "好慢", "速度", "限流", "slow", "how ", "why ", "what ", "when ", "where ", "which ", "is it ", "does it", "does this", "do i ", "can i "}

// isQuestion tells whether a sentence asks for an answer.
func isQuestion(text string) bool {
	text = lower(text)
	if strings.HasSuffix(text, "?") || strings.Contains(text, "? ") {
		return true
	}
	for _, q := range questions {
		if strings.Contains(text, q) {
			return true
		}
	}
	return false
}
