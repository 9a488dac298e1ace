package cli

import "cmp"

// inChinese maps the English texts of the help to Chinese ones. A text without
// an entry is shown in English.
func inChinese() map[string]string {
	return map[string]string{
		about: "Ferry 把容器镜像搬运到大家能访问的镜像仓库。",
		statuses: "退出状态：0 全部完成，1 有失败，2 用法或配置有误，3 没有要做的事，\n" +
			"130 被中断。",
		usageIs:   "用法：",
		flagsAre:  "选项：",
		defaultIs: "（默认 %s）",
		begin:     "用 “ferry help 命令” 查看某个命令的说明。例如：",

		// Summaries.
		copyCommand.summary:         "立即搬运镜像",
		syncCommand.summary:         "让镜像列表保持最新",
		pullCommand.summary:         "拉取副本，并恢复原名",
		saveCommand.summary:         "把镜像保存为离线包，供没有网络的机器使用",
		catalogCommand.summary:      "记录所有副本，并生成网站",
		keepCommand.summary:         "删除不需要保留的副本",
		verifyCommand.summary:       "检查离线包是否完整",
		serveCommand.summary:        "以原来的名字提供副本",
		parseCommand.summary:        "显示从一段文字里识别出的镜像",
		nameCommand.summary:         "打印镜像的新名称，或者由新名称反查镜像",
		doctorCommand.summary:       "检查代码仓库的设置，并说明如何修复",
		demoCommand.summary:         "在本机演示完整的流程，不需要镜像仓库",
		runCommand.summary:          "处理触发工作流的事件（Action 的入口）",
		versionCommand.summary:      "打印 Ferry 的版本、提交和 Go 版本",
		helpCommand().summary:       "列出所有命令，或者说明其中一个",
		completionCommand().summary: "打印 shell 的补全脚本",
		manualCommand().summary:     "打印手册页",

		setupCommand.summary: "配置本机的容器客户端，让它们用原来的名字拉取",

		// Explanations.
		setupCommand.help: `查找本机的容器客户端，显示需要在它们的配置文件中改动哪些内容，才能通过拉取代理（“ferry serve”）用
原来的名字拉取。支持 docker、containerd、podman（以及 buildah、skopeo、CRI-O）、k3s、RKE2 和
buildkit。加上 --apply 才会写入，并且只改动显示出来的行。

    ferry setup --front http://127.0.0.1:5050
    ferry setup --front http://127.0.0.1:5050 --apply
    ferry setup --undo

拉取代理的证书由私有机构签发时，用 --ca 把该机构的证书安装到每个客户端查找的位置。拉取代理需要令牌时，用
--token 指定存放令牌的文件：podman 通过 “podman login” 登录；containerd、k3s 和 RKE2 只能写进配置文件，
这些文件会改为只有 root 能读。

用 --proxy 代替 --front 时，客户端经由 HTTP 代理直接从镜像仓库拉取：docker 23.0 以上写入 daemon.json，其他
服务写入 systemd 的单元配置。

    ferry setup --proxy http://proxy.example:3128

终端前这个用户自己的客户端也会一并设置，用 sudo 运行时同样如此：rootless docker，以及有自己的
registries.conf 时的 podman。加上 --user 则只设置这些，不需要 root；撤销时也要给出 --user。

每个被改动的文件旁边都会保留一份备份，--undo 只删除当时插入的内容。

改动通过重新加载生效。需要重启、会造成中断的服务，只打印命令；加上 --restart 才会重启。之后每个客户端
都会用原来的名字从拉取代理拉取一个极小的镜像；拉取失败就撤销对该客户端的改动。

退出状态：0 全部设置好或已显示，1 有失败或需要手工处理的内容。`,
		copyCommand.help: `把镜像复制到指定的镜像仓库和命名空间，并使用新名称。SRC 是镜像名，或者 “ferry parse” 能识别的
任何文字；也可以是离线包，即 “ferry save” 写出的 tar 文件，或者存放分卷的文件夹：复制其中的全部镜像，不访问
源镜像仓库。

目标的登录账号取自 FERRY_USERNAME 和 FERRY_PASSWORD，否则使用 “docker login” 或 “podman login”
为该主机保存的登录账号，也会从凭据助手读取（在 GitHub Actions 里只有 FERRY_CREDENTIAL_HELPERS 为 true
时才运行凭据助手；设为 false 则一律不运行）。读取源镜像时不登录。策略文件由 FERRY_CONFIG 指定。
源在回环或内网地址上时，需要加上 --private。代理由 HTTPS_PROXY 指定。

退出状态：0 全部复制完成，1 有失败，3 没有写镜像。`,
		syncCommand.help: `读取镜像列表，逐个比较源和目标，复制缺少的镜像和标签已移动的镜像。FILE 可以是每行一个镜像的文本、
YAML，也可以是 image-syncer、skopeo sync、regsync、dregsy、diun、hauler、oc-mirror 的列表，原样读取；
“-” 表示标准输入。不写 FILE 时读取 FERRY_LISTS，或者当前目录的 images.txt 和 images.yaml。
格式见 docs/lists.zh-CN.md。

    nginx:1.27                  这一个标签
    redis:>=7.0 <8 newest 3     范围内最新的三个
    quay.io/a/b:/^v\d+$/        正则表达式
    kubernetes >=1.31 newest-patch-of 3          kubeadm 用到的镜像
    release k3s-io/k3s ^1.33 k3s-images.txt      发行版附件里的镜像
    chart oci://ghcr.io/a/charts/b ^2            Helm chart 里的镜像
    text https://example.com/images.txt          文件里的镜像

镜像以新名称放到目标。列表自己写了目的地时按列表放，除非用 --to 指定目标。登录账号的来源与
“ferry copy” 相同，不会从列表里读取。

加上 --plan 时，大量的工作会分给多台机器上的作业（docs/fanout.zh-CN.md）：

    ferry sync images.txt --plan plan.json --jobs 4-8   # 写出计划
    ferry sync --plan plan.json --shard 1               # 复制一份，再帮助其他作业
    ferry sync --plan plan.json --join ferry-receipts   # 汇总结果

退出状态：0 全部已是最新（包括没有要做的事）；1 有镜像失败，或者因限流而等待，或者有条目、
标签列表读取失败；2 文件不是镜像列表。`,
		pullCommand.help: `拉取副本，再恢复源镜像的名字，这样 YAML 和 Compose 文件都不用修改。IMAGE 是镜像名，或者
“ferry parse” 能识别的任何文字；-f 读取 Compose 文件、YAML 文件或镜像列表：

    ferry pull -f compose.yaml --from docker.io/USER && docker compose up

镜像按副本的摘要拉取，拉取后再与客户端报告的摘要核对。完成后会删除本机上的新名称，加上 --keep 则
保留。指定了多个副本来源时，使用最先响应的一个。--from 也可以是拉取代理（“ferry serve”）的地址，即没有路径的
URL，或者镜像目录的地址，即带路径的 URL；镜像目录会给出它所知道的副本：

    ferry pull nginx:1.27 --from http://127.0.0.1:5050
    ferry pull nginx:1.27 --from https://alice.github.io/ferry

还没有搬运的镜像可以请机器人所在的代码仓库搬运：设置了 GITHUB_TOKEN 或 GH_TOKEN 时，--request 用这个令牌在那里
创建 issue，显示处理它的运行，并在搬运完成后拉取，最多等待 15 分钟或 --wait 指定的时间。没有令牌时显示表单的
链接，有桌面环境时在浏览器里打开：

    ferry pull gcr.io/ns/img:1 --from docker.io/USER --request OWNER/REPO --wait 15m

没有安装任何客户端时，像 “ferry save” 一样把镜像保存到 images.tar。

拉取时使用客户端自己的登录账号。查询摘要时使用 “docker login” 保存的登录账号，没有则不登录。

退出状态：0 客户端已有全部镜像，1 有失败，3 没有写镜像。`,
		saveCommand.help: `从镜像仓库读取镜像（加上 --from 则读取副本），写入一个 tar 文件，docker、podman、nerdctl、ctr 和
k3s 都可以加载它。保存时不需要安装这些程序，除这个文件外也不占用磁盘空间。镜像保留源镜像的名字。
IMAGE 是镜像名，或者 “ferry parse” 能识别的任何文字。

    ferry save nginx:1.27 redis:7 -o images.tar && docker load -i images.tar

如果 -o 是文件夹，除 tar 外还会写入校验和、内容清单，以及在 Linux、macOS 和 Windows 上校验并加载的
脚本。--split 把 tar 分卷，适用于 GitHub release（单个文件小于 2 GiB）或容量小的存储设备：

    ferry save --list images.txt --split 1900MiB -o images/
    sh images/load.sh

多平台镜像只保存 linux/amd64，或者 --platform 指定的平台；没有 linux/amd64 的镜像保存全部平台。
内容相同的镜像得到的文件逐字节相同。只要有一个镜像失败，就不写入任何文件。

退出状态：0 文件完整，1 有失败，3 没有写镜像。`,
		catalogCommand.help: `在一个文件夹里记录搬运过哪些镜像，例如 catalog 分支的工作目录，并据此生成网站：一个搜索页面，每个镜像仓库
一份列表，以及 JSON API（docs/catalog.zh-CN.md）。

    ferry sync --json > records.json
    ferry catalog add records.json --in catalog
    ferry catalog build --in catalog --output site

add 读取 “ferry copy --json” 和 “ferry sync --json” 的搬运记录，把日志里还没有的变化写入一个新文件；“-” 表示
标准输入。harvest 从 Ferry 自己的评论里读取代码仓库 GITHUB_REPOSITORY 的 issue 得到了哪些镜像，把变化提交到
GitHub 上的分支 “catalog”，需要 GITHUB_TOKEN。rebuild 读取全部这些评论，在没有旧日志的情况下重写日志，并说明
哪些内容无法得知。build 生成网站。check 逐个文件比较网站与日志。search 列出名称或摘要包含所有关键词的副本。
日志相同，不论各行的顺序，网站就相同。只有 harvest 和 rebuild 访问网络。

退出状态：0 完成，1 有无法识别的行或搬运记录、网站不一致，或者没有找到。`,
		keepCommand.help: `列出策略文件里 “keep” 的规则都不保留的副本；加上 --apply 才会删除。副本来自文件夹里的镜像目录日志，例如
分支 “catalog” 的工作目录（docs/catalog.zh-CN.md）。规则 “asked” 还需要 GITHUB_REPOSITORY 和
GITHUB_TOKEN。

标签的摘要与日志一致才会删除。如果没有保留的标签使用同一份内容，内容和它的签名也一并删除。镜像仓库不能
删除时（如 ACR、SWR 个人版），打印需要打开的页面。删除会写入日志，列表不会再复制已删除的副本。

退出状态：0 完成，1 有副本没能删除。`,
		verifyCommand.help: `检查离线包：由 “ferry save”、docker 25 及以后的版本写出，或者由 podman、skopeo 以 oci-archive 格式
写出。ARCHIVE 是 tar 文件，或者存放 tar 文件或分卷的文件夹。核对每个摘要，检查每个镜像的所有层，并比较 docker
读取的列表与其他客户端读取的列表。不访问网络。

退出状态：0 全部正确，1 有缺失、损坏或自相矛盾的内容。`,
		serveCommand.help: `运行一个只读的镜像仓库，以原来的名字提供镜像。内容来自目标镜像仓库中的副本；加上
--mode offshore，或者在配置文件中指定时，也来自源镜像仓库。如果只设置了目标，则监听
127.0.0.1:5050，只供本机使用。

目标的登录账号取自 FERRY_USERNAME 和 FERRY_PASSWORD，否则使用 “docker login” 为该主机保存的
登录账号；公开的副本不需要登录。--config 指定的文件发生变化，或者收到 SIGHUP 时，会重新读取。
配置文件和客户端的设置见 docs/serve.zh-CN.md。`,
		parseCommand.help: `显示 Ferry 如何理解一个请求：有哪些镜像和平台，作了哪些假定，哪些内容无法识别，以及相应的建议。
加上 --explain 则改为列出检查过的每个词：它的位置、写法、该位置的要求，以及用到的规则
（docs/shapes.zh-CN.md）。不访问网络。

输入的文字与 issue 相同，来自 TEXT 或 --body 指定的文件（“-” 表示标准输入）；两者都没有，也没有
标题时，读取标准输入。

退出状态：0 全部识别，1 有问题，3 没有写镜像。`,
		nameCommand.help: `打印每个镜像的新名称，每行一个。加上 --reverse 则由新名称得出源镜像。没有设置目标时（--to、
FERRY_TARGET 或 FERRY_USERNAME），打印的名称不带命名空间，输入的名称带不带都可以。
规则见 docs/names.zh-CN.md。

加上 --catalog 则打印该地址的镜像目录里每个镜像的全部副本（docs/catalog.zh-CN.md）。除此之外不访问网络。`,
		doctorCommand.help: `检查 Ferry 需要的一切：配置、GitHub 上的代码仓库（Issues、工作流、令牌的权限），以及每个目标：
能否登录、能否推送并读回镜像、不登录能否拉取，并读取 “ferry sync” 的列表。每个问题都会说明在哪里、
如何修复。

检查时会创建缺少的标签（label），并向每个目标的 ferry-doctor 镜像库推送一个几百字节的镜像；如果
镜像仓库允许，随后会删除它。加上 --read-only 则不做任何改动。

GITHUB_REPOSITORY 和 GITHUB_TOKEN 指定要检查的代码仓库，在工作流中已经设置好。退出状态：1 有必须
修复的问题。`,
		demoCommand.help: `在一个进程内演示完整的流程：公共镜像仓库（镜像是生成的）、需要登录的目标镜像仓库，以及有一个 issue
的 GitHub，全部是模拟的。先显示对话的过程，再拉取副本并核对摘要。不访问网络。“ferry demo serve”
演示 “ferry serve”：目标镜像仓库已有的镜像、只有源镜像仓库才有的镜像，以及拉取时自动搬运的镜像。`,
		runCommand.help: `处理 GitHub 的 runner 通过 GITHUB_EVENT_NAME、GITHUB_EVENT_PATH 等变量描述的事件：回复 issue
和评论，搬运输入 images 中的镜像，定时处理未完成的请求，有推送时检查设置。输入来自 FERRY_TARGET、
FERRY_USERNAME、FERRY_PASSWORD 等变量，见 docs/configuration.zh-CN.md。

加上 --dry-run（在工作流以外默认启用）则不复制镜像，也不写入 GitHub，只打印计划和评论。`,
		versionCommand.help: "打印版本号、对应的提交，以及构建时的 Go 版本。",
		helpCommand().help:  "列出所有命令，或者说明指定的命令。",
		completionCommand().help: `打印补全脚本，用于补全命令、选项及其取值（其中的说明为英文）。请在 shell 的启动文件中加载：

  bash        source <(ferry completion bash)
  zsh         source <(ferry completion zsh)
  fish        ferry completion fish | source
  PowerShell  ferry completion powershell | Out-String | Invoke-Expression

读取一次镜像目录中的列表之后，也能补全镜像名；补全时不访问网络：

    ferry completion images --catalog https://alice.github.io/ferry`,
		manualCommand().help: `打印手册页 ferry(1)，内容与 “ferry help” 相同。查看方法：ferry manual | man -l -`,

		// The manual.
		manualTitle: "把容器镜像搬运到大家能访问的镜像仓库",
		"NAME":      "名称", "SYNOPSIS": "概要", "DESCRIPTION": "描述", "COMMANDS": "命令", "EXIT STATUS": "退出状态", "ENVIRONMENT": "环境变量", "SEE ALSO": "另见",
		allDone:     "全部完成",
		someFailed:  "有失败，原因见输出",
		wrongUsage:  "命令行或配置有误，没有做任何事",
		nothingToDo: "没有要做的事",
		interrupted: "被中断",
		variables:   "各变量的说明见 docs/configuration.zh-CN.md：",

		// Flags.
		"`file` with certificate authorities to trust besides the system's, in PEM (or FERRY_CA)":                            "除系统证书外还信任的证书颁发机构，PEM 文件 `file`（或 FERRY_CA）",
		"`address` of the front, such as http://127.0.0.1:5050":                                                              "拉取代理的地址 `address`，例如 http://127.0.0.1:5050",
		"`host` of a source that the front serves; may be repeated (default: the usual public registries)":                   "通过拉取代理访问的源镜像仓库 `host`；可以重复（默认：常用的公共镜像仓库）",
		"`client` to set up: docker, containerd, podman, k3s, rke2, buildkit; may be repeated (default: all that are found)": "要设置的客户端 `client`：docker、containerd、podman、k3s、rke2、buildkit；可以重复（默认：本机上的全部客户端）",
		"root `folder` of the machine to set up":                                                                             "要设置的机器的根目录 `folder`",
		"write the changes":                                                                                                  "写入改动",
		"`file` with the authorities of the front's certificate, in PEM; installed where each client looks":                  "`文件`，含签发拉取代理证书的机构证书（PEM），安装到每个客户端查找的位置",
		"`file` with the token that the front gives to its guests; - for standard input":                                     "`文件`，含拉取代理发给客户端的令牌；- 表示标准输入",
		"`URL` of an HTTP proxy for the clients, instead of a front":                                                         "客户端使用的 HTTP 代理的 `URL`，代替拉取代理",
		"`hosts` and networks that clients reach without --proxy, separated by commas":                                       "不经过 --proxy 的`主机`和网段，用逗号分隔",
		"`time` to wait for images that are not mirrored yet, such as 15m":                                                   "还没有搬运的镜像最多等待多长`时间`，例如 15m",
		"set up the clients of this user only, without root: rootless docker and podman":                                     "只设置这个用户自己的客户端，不需要 root：rootless docker 和 podman",
		"`address` of a catalog, such as https://alice.github.io/ferry: read the images that it has":                         "镜像目录的地址 `address`，例如 https://alice.github.io/ferry：读取其中的镜像名",
		"remove the changes": "撤销改动",
		"`target`: registry and namespace, such as docker.io/USER (or FERRY_TARGET)":                                                                      "`target`：镜像仓库和命名空间，例如 docker.io/USER（或 FERRY_TARGET）",
		"`target`: registry and namespace, such as docker.io/USER":                                                                                        "`target`：镜像仓库和命名空间，例如 docker.io/USER",
		"`target`: registry and namespace of a mirror, such as docker.io/USER (or FERRY_TARGET), or the address of a front or a catalog; may be repeated": "`target`：副本所在的镜像仓库和命名空间，例如 docker.io/USER（或 FERRY_TARGET），也可以是拉取代理或镜像目录的地址；可以重复",
		"`target`: registry and namespace of the mirrors, such as docker.io/USER (or FERRY_TARGET)":                                                       "`target`：副本所在的镜像仓库和命名空间，例如 docker.io/USER（或 FERRY_TARGET）",
		"naming `profile`: flat, host, last, path, one":                                                                                                   "`profile`：新名称的命名方式，flat、host、last、path 或 one",
		"naming `profile` of the mirrors: flat, host, last, path, one":                                                                                    "`profile`：新名称的命名方式，flat、host、last、path 或 one",
		"`profile`: flat, host, last, path, one":                                                                                                          "`profile`：flat、host、last、path 或 one",
		"`platforms` to copy, separated by commas (default: all); an image that lacks one fails":                                                          "要复制的平台 `platforms`，用逗号分隔（默认：全部）；镜像缺少其中任何一个，就算失败",
		"`platform` to pull, such as linux/arm64 (default: that of the machine)":                                                                          "要拉取的平台 `platform`，例如 linux/arm64（默认：本机的平台）",
		"`file` with image names, in any form; - for standard input":                                                                                      "含有镜像名的文件 `file`，格式不限；- 表示标准输入",
		"`file` with a list as \"ferry sync\" reads it, also with ranges of tags; may be repeated":                                                        "镜像列表文件 `file`，与 “ferry sync” 的格式相同，可以写标签范围；可以重复",
		"`owner/repository` for requests of images that are not found (default: that of the workflow)":                                                    "页面上找不到的镜像向哪个代码仓库 `owner/repository` 请求（默认是工作流所在的代码仓库）",
		"`folder` of the log":  "日志所在的文件夹 `folder`",
		"`folder` of the site": "网站的文件夹 `folder`",
		"`file` to write, such as images.tar; a folder for parts and scripts; - for standard output":                                "要写入的文件 `file`，例如 images.tar；写文件夹则可以分卷并附带脚本；- 表示标准输出",
		"largest `size` of a part, such as 1900MiB; needs a folder":                                                                 "每个分卷的最大大小 `size`，例如 1900MiB；需要写入文件夹",
		"`platforms` to save, separated by commas, or all (default linux/amd64)":                                                    "要保存的平台 `platforms`，用逗号分隔，all 表示全部（默认 linux/amd64）",
		"`target` to read from instead of the sources: registry and namespace of a mirror, such as docker.io/USER; may be repeated": "从 `target` 而不是源镜像仓库读取：副本所在的镜像仓库和命名空间，例如 docker.io/USER；可以重复",
		"`address` of a catalog, such as https://alice.github.io/ferry: print the mirrors that it has":                              "镜像目录的地址 `address`，例如 https://alice.github.io/ferry：打印其中的副本",
		"largest `size` of the archive, such as 4GiB; a larger one is not saved":                                                    "离线包大小的上限 `size`，例如 4GiB；超过就不保存",
		"print the contents of the archive as JSON":                                                                                 "用 JSON 打印离线包的内容",
		"print receipts as JSON, one for each image":                                                                                "用 JSON 打印搬运记录，每个镜像一条",
		"print results as JSON, one for each image":                                                                                 "用 JSON 打印结果，每个镜像一条",
		"print the docker commands that pull each mirror":                                                                           "打印用 docker 拉取每个副本的命令",
		"print failures only": "只打印失败的镜像",
		"print a line when an image starts and when it is done, instead of progress bars": "不显示进度条，每个镜像开始和完成时打印一行",
		"`host` that may be on a loopback or private address; may be repeated":            "允许使用回环或内网地址的主机 `host`；可以重复",
		"`host` to connect to without TLS; may be repeated":                               "不用 TLS 访问的主机 `host`；可以重复",
		"show the comment as the Markdown that Ferry sends":                               "显示 Ferry 所发评论的 Markdown 原文",
		"make no changes: create no labels, push no image":                                "不做任何改动：不创建标签（label），不推送镜像",
		"delete them": "执行删除",
		"print the image that has the mirror name":                                                                         "打印新名称对应的源镜像",
		"`platforms` for entries without platforms, if an image has them, separated by commas (default: all)":              "列表没有指定平台时要复制的平台 `platforms`，镜像没有的平台略过，用逗号分隔（默认：全部）",
		"copy nothing; show why each tag is selected or not, and what would be copied":                                     "不复制，只显示每个标签是否选中及原因，以及将要复制的镜像",
		"maximum `number` of tags that one entry may select":                                                               "一个条目最多选中的标签数 `number`",
		"`file` that stores comparisons for the next run (or FERRY_SEEN)":                                                  "保存比较结果供下次使用的文件 `file`（或 FERRY_SEEN）",
		"`file` of the plan of several jobs: written if there is no --shard or --join (or FERRY_PLAN)":                     "多个作业的计划文件 `file`：没有 --shard 或 --join 时写入（或 FERRY_PLAN）",
		"maximum `number` of jobs of a plan, or a range such as 4-8 (or FERRY_JOBS; default 8)":                            "计划最多分给几个作业 `number`，也可以写范围，例如 4-8（或 FERRY_JOBS；默认 8）",
		"`number` of the shard of the plan to copy, from 1 (or FERRY_SHARD)":                                               "要复制计划里的哪一份，编号 `number` 从 1 开始（或 FERRY_SHARD）",
		"`folder` for the receipts of a shard (or FERRY_RECEIPTS; default ferry-receipts)":                                 "一份的搬运记录写入的文件夹 `folder`（或 FERRY_RECEIPTS；默认 ferry-receipts）",
		"`folder` with a checkout of the branch catalog: with --join, changes are committed to that branch (or FERRY_LOG)": "catalog 分支的工作目录 `folder`：与 --join 一起使用时，把变化提交到该分支（或 FERRY_LOG）",
		"`folder` with the receipts of all shards, to report the result of the plan (or FERRY_JOIN)":                       "存放各份搬运记录的文件夹 `folder`，汇总计划的结果（或 FERRY_JOIN）",
		"only copy images that the target does not have, without checking for moved tags":                                  "只复制目标没有的镜像，不检查标签是否已移动",
		"print records as JSON, one for each image and target":                                                             "用 JSON 打印记录，每个镜像和目标一条",
		"print JSON": "打印 JSON",
		"show every word that was considered, and why it was accepted or not": "列出检查过的每个词，以及是否采用的原因",
		"the issue's `title`":                                "issue 的标题 `title`",
		"`file` with the issue's body; - for standard input": "issue 正文的文件 `file`；- 表示标准输入",
		"`client` to pull with: docker, podman, nerdctl, ctr, k3s (default: the first that is installed)":                      "用来拉取的客户端 `client`：docker、podman、nerdctl、ctr、k3s（默认：已安装的第一个）",
		"`owner/repository` to request missing images from; opens an issue with GITHUB_TOKEN or GH_TOKEN, else shows the form": "向哪个代码仓库 `owner/repository` 请求缺少的镜像：有 GITHUB_TOKEN 或 GH_TOKEN 时创建 issue，否则显示表单的链接",
		"keep the mirror name on the machine, too":                                                "在本机同时保留新名称",
		"print the plan and the comment without changing anything":                                "打印计划和评论，不做任何改动",
		"`address` and port to listen on (or FERRY_LISTEN) (default 127.0.0.1:5050)":              "监听的地址和端口 `address`（或 FERRY_LISTEN）（默认 127.0.0.1:5050）",
		"`mode`: inshore reads from mirrors only, offshore also from the sources (or FERRY_MODE)": "`mode`：inshore 只读取副本，offshore 也读取源（或 FERRY_MODE）",
		"`file` with all other settings (or FERRY_CONFIG)":                                        "其余设置的文件 `file`（或 FERRY_CONFIG）",
	}
}

// translator returns the function that translates the help to a language, "zh"
// or "en".
func translator(language string) func(string) string {
	if language != "zh" {
		return func(text string) string { return text }
	}
	texts := inChinese()
	return func(text string) string { return cmp.Or(texts[text], text) }
}
