package cli

import "cmp"

// inChinese are the texts of the help in Chinese, by the English ones. A text
// that is not in here is shown in English.
func inChinese() map[string]string {
	return map[string]string{
		about: "Ferry 把容器镜像搬运到大家能访问的镜像仓库。",
		statuses: "退出状态：0 全部完成，1 有失败，2 用法或配置有误，3 没有要做的事，\n" +
			"130 被中断。",
		usageIs:   "用法：",
		flagsAre:  "选项：",
		defaultIs: "（默认 %s）",
		begin:     "“ferry help 命令”介绍一个命令。可以从这里开始：",

		// Summaries.
		copyCommand.summary:         "立即搬运镜像",
		pullCommand.summary:         "把副本拉到本机，并恢复原名",
		saveCommand.summary:         "把镜像保存成离线包，带到没有网络的机器上",
		serveCommand.summary:        "让客户端用原来的名字拉取",
		parseCommand.summary:        "显示一段文字里读出了哪些镜像",
		nameCommand.summary:         "打印镜像的新名称，或者反查",
		doctorCommand.summary:       "检查代码仓库的设置，并指出该点哪里",
		demoCommand.summary:         "在本机看一遍完整的流程，不用安装任何东西",
		runCommand.summary:          "处理触发工作流的事件（Action 的入口）",
		versionCommand.summary:      "打印 Ferry 的版本、提交和 Go 版本",
		helpCommand().summary:       "列出命令，或者介绍其中一个",
		completionCommand().summary: "打印 shell 的补全脚本",
		manualCommand().summary:     "打印手册页",

		setupCommand.summary: "设置本机的容器客户端，让它们用原来的名字拉取",

		// Explanations.
		setupCommand.help: `找出本机的容器客户端，显示它们的配置文件要改哪些内容，才能通过拉取代理（“ferry serve”）用原来的
名字拉取：docker、containerd、podman 及 buildah、skopeo、CRI-O，k3s、RKE2 和 buildkit。加上
--apply 才会写入；除显示的行以外，什么都不改。

    ferry setup --front http://127.0.0.1:5050
    ferry setup --front http://127.0.0.1:5050 --apply
    ferry setup --undo

每个改动的文件旁边都留有一份副本，--undo 只取出当时插入的内容。不会重启客户端，而是打印重启所用的
命令。

退出状态：全部设好或已显示为 0，有需要手工完成的为 1。`,
		copyCommand.help: `把镜像复制到指定的镜像仓库和命名空间，各用各的新名称。SRC 是镜像名，或者 “ferry parse”
认得的任何文字。

目标的登录账号取自 FERRY_USERNAME 和 FERRY_PASSWORD，否则用 “docker login” 或 “podman login”
为该主机留下的登录。读取源镜像不登录。FERRY_CONFIG 指定策略文件。源在回环或内网地址上时要加 --private。
会使用 HTTPS_PROXY 指定的代理。

退出状态：全部就位为 0，有失败为 1，没有写镜像为 3。`,
		pullCommand.help: `从副本拉取镜像，再改回源镜像的名字，于是 YAML 和 Compose 文件都不用改。IMAGE 是镜像名，
或者 “ferry parse” 认得的任何文字；-f 读取 Compose 文件、YAML 文件或清单：

    ferry pull -f compose.yaml --from docker.io/USER && docker compose up

镜像按副本标签所指的摘要拉取，再与客户端里的摘要核对。之后从本机删除副本自己的名字，除非加上
--keep。指定了多个副本来源时，使用最先答复的那一个。

拉取用的是客户端自己的登录。查询摘要时用 “docker login” 留下的登录，没有就不登录。

退出状态：客户端里全部都有为 0，有失败为 1，没有写镜像为 3。`,
		saveCommand.help: `从镜像仓库读取镜像，加上 --from 则读取副本，写成一个 tar 文件。docker、podman、nerdctl、ctr 和
k3s 都能加载它；保存时不需要其中任何一个，除了这个文件也不占用磁盘空间。镜像保留源镜像的名字。IMAGE
是镜像名，或者 “ferry parse” 认得的任何文字。

    ferry save nginx:1.27 redis:7 -o images.tar && docker load -i images.tar

-o 写文件夹时，tar 旁边还有校验和、内容清单，以及在 Linux、macOS 和 Windows 上核对并加载的脚本。
--split 把 tar 分卷，用于 GitHub release（每个文件小于 2 GiB）或容量小的存储设备：

    ferry save -f images.txt --split 1900MiB -o images/
    sh images/load.sh

多平台的镜像只保存 linux/amd64，或者 --platform 指定的平台；没有 linux/amd64 的镜像保存全部平台。
镜像相同，文件就逐字节相同。只要有一个镜像失败，就什么都不写。

退出状态：文件完整为 0，有失败为 1，没有写镜像为 3。`,
		serveCommand.help: `运行一个只读的镜像仓库，客户端用原来的名字向它拉取镜像。内容取自目标上的副本；加上
--mode offshore，或者配置文件里这样写时，也取自源。除目标外什么都不写时，它监听
127.0.0.1:5050，只供本机使用。

目标的登录账号取自 FERRY_USERNAME 和 FERRY_PASSWORD，否则用 “docker login” 为该主机留下的
登录；公开的副本不需要登录。--config 的文件改变时，以及收到 SIGHUP 时，会重新读取。
docs/serve.zh-CN.md 介绍了配置文件和客户端的设置。`,
		parseCommand.help: `显示 Ferry 怎样理解一个请求：镜像、平台、作了哪些假定、哪些没有读懂，并给出建议。加上 --explain 则列出
考虑过的每个词：在文中的位置、写法有多确定、所在位置的要求、用到的规则。不访问网络。
文字与 issue 里的一样：取自 TEXT，或 --body 的文件（“-” 表示标准输入）；两者都没有、也没有标题时，
取自标准输入。

退出状态：全部读懂为 0，有问题为 1，没有写镜像为 3。`,
		nameCommand.help: `打印每个镜像的新名称，每行一个。加上 --reverse 则反过来：输入新名称，得到源镜像。没有目标时
（--to、FERRY_TARGET 或 FERRY_USERNAME），名称不带命名空间。
规则见 docs/names.zh-CN.md。不访问网络。`,
		doctorCommand.help: `检查 Ferry 需要的一切：配置、GitHub 上的代码仓库（Issues、工作流、令牌的权限），以及每个目标：
能否登录、能否推送并读回镜像、不登录能否拉取。每个问题都说明该做什么、在哪里做。

检查时会创建缺少的标签（label），并向每个目标的 ferry-doctor 镜像库推送一个几百字节的镜像，能
删除就再删除。加上 --read-only 则不做任何改动。

GITHUB_REPOSITORY 和 GITHUB_TOKEN 指定要检查的代码仓库，工作流里已经设好。有必须改正的问题时，
退出状态为 1。`,
		demoCommand.help: `在这一个进程里把整个流程走一遍：带有生成镜像的公共镜像仓库、需要登录的目标、带有 issue 的
GitHub。先显示对话的经过，再把副本拉回来核对摘要。没有任何内容离开本机。“ferry demo serve”
演示 “ferry serve”。`,
		runCommand.help: `处理 GitHub 的 runner 用 GITHUB_EVENT_NAME、GITHUB_EVENT_PATH 等变量描述的事件：回复 issue
和评论，搬运输入 images 里的镜像，定时处理没有完成的请求，推送时检查设置。输入取自 FERRY_TARGET、
FERRY_USERNAME、FERRY_PASSWORD 等变量，见 docs/configuration.zh-CN.md。

加上 --dry-run（在工作流之外是默认）则不复制任何内容，也不写入 GitHub，只打印计划和评论。`,
		versionCommand.help: "打印版本、构建所用的提交和 Go 版本。",
		helpCommand().help:  "列出命令，或者介绍指定的命令。",
		completionCommand().help: `打印补全脚本，可以补全命令、选项和取值。请在 shell 的启动文件里加载：

  bash        source <(ferry completion bash)
  zsh         source <(ferry completion zsh)
  fish        ferry completion fish | source
  PowerShell  ferry completion powershell | Out-String | Invoke-Expression`,
		manualCommand().help: `打印手册页 ferry(1)，内容与 “ferry help” 相同。阅读方法：ferry manual | man -l -`,

		// Flags.
		"`file` with certificate authorities to trust besides the system's, in PEM (or FERRY_CA)":                              "另外信任的证书签发机构的文件 `file`，PEM 格式（或 FERRY_CA）",
		"`address` of the front, such as http://127.0.0.1:5050":                                                                "拉取代理的地址 `address`，例如 http://127.0.0.1:5050",
		"`host` of a source that the front answers for; may be repeated; the usual public registries if left out":              "拉取代理负责的源主机 `host`；可以重复；不写则是常用的公共镜像仓库",
		"`client` to set up: docker, containerd, podman, k3s, rke2, buildkit; may be repeated; all that are there if left out": "要设置的客户端 `client`：docker、containerd、podman、k3s、rke2、buildkit；可以重复；不写则是本机有的全部",
		"`folder` that is the root of the machine to set up":                                                                   "要设置的机器的根目录 `folder`",
		"write the changes":         "写入改动",
		"take out what was written": "取出写入的内容",
		"`target`: registry and namespace, such as docker.io/USER (or FERRY_TARGET)":                                                "`target`：镜像仓库和命名空间，例如 docker.io/USER（或 FERRY_TARGET）",
		"`target`: registry and namespace, such as docker.io/USER":                                                                  "`target`：镜像仓库和命名空间，例如 docker.io/USER",
		"`target`: registry and namespace of a mirror, such as docker.io/USER (or FERRY_TARGET); may be repeated":                   "`target`：副本所在的镜像仓库和命名空间，例如 docker.io/USER（或 FERRY_TARGET）；可以重复",
		"`target`: registry and namespace of the mirrors, such as docker.io/USER (or FERRY_TARGET)":                                 "`target`：副本所在的镜像仓库和命名空间，例如 docker.io/USER（或 FERRY_TARGET）",
		"`profile`, how names are made: flat, host, last, path":                                                                     "`profile`：新名称的生成方式，flat、host、last 或 path",
		"`profile`, how names were made: flat, host, last, path":                                                                    "`profile`：新名称的生成方式，flat、host、last 或 path",
		"`profile`: flat, host, last, path":                                                                                         "`profile`：flat、host、last 或 path",
		"`platforms` to copy, separated by commas; all if left out":                                                                 "要复制的平台 `platforms`，用逗号分隔；不写则全部复制",
		"`platform` to pull, such as linux/arm64; the machine's own if left out":                                                    "要拉取的平台 `platform`，例如 linux/arm64；不写则是本机的平台",
		"`file` that names images, in any form; - for standard input":                                                               "写有镜像的文件 `file`，形式不限；- 表示标准输入",
		"`file` to write, such as images.tar; a folder for parts and scripts; - for standard output":                                "要写的文件 `file`，例如 images.tar；写文件夹则附带分卷和脚本；- 表示标准输出",
		"`size` of a part at most, such as 1900MiB; needs a folder":                                                                 "每个分卷的最大大小 `size`，例如 1900MiB；需要写文件夹",
		"`platforms` to save, separated by commas, or all; linux/amd64 if left out":                                                 "要保存的平台 `platforms`，用逗号分隔，all 表示全部；不写则是 linux/amd64",
		"`target` to read from instead of the sources: registry and namespace of a mirror, such as docker.io/USER; may be repeated": "不读源镜像，而从 `target` 读取：副本所在的镜像仓库和命名空间，例如 docker.io/USER；可以重复",
		"`profile`, how names are made at the mirror: flat, host, last, path":                                                       "`profile`：副本处新名称的生成方式，flat、host、last 或 path",
		"print what the archive holds as JSON":                                                                                      "用 JSON 打印离线包的内容",
		"print receipts as JSON, one for each image":                                                                                "用 JSON 打印搬运记录，每个镜像一条",
		"print results as JSON, one for each image":                                                                                 "用 JSON 打印结果，每个镜像一条",
		"print below each mirror the commands that pull it with docker":                                                             "在每个副本下面打印用 docker 拉取它的命令",
		"print only what failed": "只打印失败的镜像",
		"print a line when an image starts and when it is done, instead of bars": "不显示进度条，每个镜像开始和完成时打印一行",
		"`host` that may be on a loopback or private address; may be repeated":   "可以在回环或内网地址上的主机 `host`；可以重复",
		"`host` that is spoken to without TLS; may be repeated":                  "不用 TLS 访问的主机 `host`；可以重复",
		"show the comment as the Markdown that Ferry sends":                      "按 Ferry 发送的 Markdown 原文显示评论",
		"change nothing: create no labels, push no image":                        "不做任何改动：不创建标签（label），不推送镜像",
		"print the image that has the mirror name":                               "打印新名称对应的源镜像",
		"print JSON": "打印 JSON",
		"show every word that was considered, and why it counts or not": "列出考虑过的每个词，以及算不算数的原因",
		"the issue's `title`":                                "issue 的标题 `title`",
		"`file` with the issue's body; - for standard input": "写有 issue 正文的文件 `file`；- 表示标准输入",
		"`client` that pulls: docker, podman, nerdctl, ctr, k3s; the first one that is installed if left out": "用来拉取的客户端 `client`：docker、podman、nerdctl、ctr、k3s；不写则用已安装的第一个",
		"`owner/repository` to ask for what is not mirrored yet; prints the link":                             "没有副本的镜像向哪个代码仓库 `owner/repository` 请求；打印链接",
		"keep the mirror's own name on the machine":                                                           "在本机保留副本自己的名字",
		"print the plan and the comment, change nothing":                                                      "打印计划和评论，不做任何改动",
		"`address` and port to listen on (or FERRY_LISTEN); 127.0.0.1:5050 if left out":                       "监听的地址和端口 `address`（或 FERRY_LISTEN）；不写则是 127.0.0.1:5050",
		"`mode`: inshore, from mirrors alone, or offshore, from the sources too (or FERRY_MODE)":              "`mode`：inshore 只取自副本，offshore 也取自源（或 FERRY_MODE）",
		"`file` with everything else (or FERRY_CONFIG)":                                                       "其余设置的文件 `file`（或 FERRY_CONFIG）",
	}
}

// translator gives the texts of the help in a language, "zh" or "en".
func translator(language string) func(string) string {
	if language != "zh" {
		return func(text string) string { return text }
	}
	texts := inChinese()
	return func(text string) string { return cmp.Or(texts[text], text) }
}
