package report

import (
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/selection"
)

const againInChinese = "已传输的内容会保留，再次运行同样的命令即可继续。"

var (
	terminalInChinese = terminalWords{
		platforms: "平台：",
		name:      "新名称：",
		written:   "原文是 ",
		considered: consideredWords{
			title: "标题", rules: "；规则：", why: "写法 %s，位置 %s，该位置要求 %s",
			verdicts: map[string]string{"taken": "采用", "guessed": "猜测，没有别的镜像时才采用", "asked": "询问", "dropped": "不采用"},
		},
		causes: table[Cause, advice]{
			{UnknownHost, advice{"主机不存在", "找不到主机 {host}。", "请检查拼写。"}},
			{Unresolved, advice{"域名无法解析", "本机无法解析 {host}。", "请检查本机的 DNS，或者用 HTTPS_PROXY 指定能访问它的代理。"}},
			{NoTLS, advice{"没有 TLS", "{host} 不支持 TLS。", "如果确实要用 HTTP 访问，请加上 `--plain-http` 和主机名。"}},
			{OnlyTLS, advice{"需要 TLS", "{host} 只支持 TLS。", "请去掉 `--plain-http` 中的这个主机名。"}},
			{OldTLS, advice{"TLS 版本过旧", "{host} 的 TLS 过旧：Ferry 需要 1.2 以上的版本和仍然安全的加密套件。", "需要它的运维者升级它，或者升级它前面的代理。"}},
			{Certificate, advice{"证书无效", "{host} 的证书无效：本机不认识签发它的机构。", "请把签发机构加入系统证书，或者用 `--ca` 指定。如果它是公开的镜像仓库，证书可能被所在的网络替换过。"}},
			{Expired, advice{"证书已过期", "按本机时钟，{host} 的证书已过期或尚未生效。", "请检查本机时钟。时钟没错的话，需要运维者更新证书。"}},
			{OtherName, advice{"证书属于别的主机", "{host} 的证书里是别的主机名。", "请检查主机名。也可能是代理或网络的登录页面代它作答。"}},
			{NoLogin, advice{"没有登录账号", "{host} 要求登录，但没有找到它的登录账号。", "请运行 `docker login`，或者设置 FERRY_USERNAME 和 FERRY_PASSWORD。"}},
			{Blocked, advice{"被 DNS 屏蔽", "本网络的 DNS 为 {host} 返回的地址上没有镜像仓库，多半是在屏蔽它。", "请换用其他 DNS，或者用 HTTPS_PROXY 指定能访问它的代理。"}},
			{Website, advice{"不是镜像仓库", "{host} 是网站，不是镜像仓库：连 /v2/ 返回的也是表示不存在的网页。", "请检查主机名。"}},
			{Refers, advice{"被 DNS 屏蔽", "{host} 指向另一台主机，本网络的 DNS 为它返回的地址上没有服务器，多半是在屏蔽它。", "请换用其他 DNS，或者用 HTTPS_PROXY 指定能访问它的代理。"}},
			{NoServer, advice{"连接被拒绝", "{host} 拒绝连接。", "请检查主机名和端口，以及镜像仓库是否在运行。"}},
		},
		hints: table[failure.Code, md]{{failure.TargetLogin, "原因：{hints}。"}, {failure.HostForbidden, "地址是 {hints}。"}},
		cures: table[failure.Code, md]{
			{failure.NameTaken, "要换一个名称，请在镜像后面写 `-> name:tag`。"},
			{failure.HostForbidden, "如果它在你自己的内网中，请加上 `--private` 和主机名；否则请换用其他 DNS，或者用 HTTPS_PROXY 指定能访问它的代理。"},
			{failure.BadAddress, "需要镜像仓库的运维者设置好对外的地址。如果地址没错，只是在内网，请加上 `--private` 和这个地址。"},
			{failure.WebPage, "请用浏览器打开任意网页，如果网络要求登录，先登录，再运行同样的命令。"},
			{failure.Proxy, "请检查 HTTPS_PROXY 和 ALL_PROXY，或者把主机名写进 NO_PROXY。如果代理需要登录，其中的地址要带上用户名和密码。"},
			{failure.Private, "请检查镜像名。读取源镜像时不登录，除非策略文件（FERRY_CONFIG）里写了登录账号。"},
			{failure.TargetLogin, "请重新运行 `docker login`，或者更新 FERRY_USERNAME 和 FERRY_PASSWORD。很多镜像仓库要用访问令牌，而不是网站的登录密码。"},
			{failure.TargetRefused, "原因见镜像仓库的响应。"},
			{failure.TargetClosed, "原因见响应。"},
			{failure.TokenServer, "如果属于它，请在策略文件（FERRY_CONFIG）里把那台主机写成这个镜像仓库的 `token-server`。"},
			{failure.Quota, "请清理不用的内容，或者换一个目标镜像仓库。"},
			{failure.TooLarge, "请用 `--platform` 只选一个平台，或者在策略文件（FERRY_CONFIG）里提高上限。"},
			{failure.TooMany, "请少写几个，或者在策略文件（FERRY_CONFIG）里提高上限。"},
			{failure.Network, againInChinese},
			{failure.TimedOut, againInChinese},
			{failure.Cancelled, againInChinese},
			{failure.Internal, "如果再次出现，请反馈：https://github.com/imageferry/ferry/issues"},
		},
		total:   count{"搬运了 1 个镜像", "搬运了 {n} 个镜像"},
		arrived: "（{bytes}，用时 {time}）",
		present: count{"1 个已存在", "{n} 个已存在"},
		failed:  count{"1 个失败", "{n} 个失败"},
		sync: syncWords{
			added:    count{"", "新增 {n} 个"},
			moved:    count{"", "标签已移动、重新复制 {n} 个"},
			gone:     count{"", "源端已删除、目标仍保留 {n} 个"},
			failed:   count{"", "失败 {n} 个"},
			waiting:  count{"", "因限流等待 {n} 个，下次运行时优先复制"},
			same:     count{"", "没有变化 {n} 个"},
			toAdd:    count{"", "待复制 {n} 个"},
			toMove:   count{"", "标签已移动 {n} 个"},
			unlisted: count{"", "没有结果的选择 {n} 条"},
			chosen:   "选中 {n} 个标签，共 {all} 个",
			kept:     "旧内容保留为",
			tooMany:  "选中了 {n} 个标签，上限是 {limit} 个。请缩小范围，或者用 `--limit` 提高上限。",
			reasons: table[selection.Reason, md]{
				{selection.NoVersion, "不是版本号"},
				{selection.OutOfRange, "不在范围内"},
				{selection.OtherKind, "是另一种变体"},
				{selection.Prerelease, "是预发布版本"},
				{selection.MovingTag, "是会移动的标签（不足三段数字）"},
				{selection.NoMatch, "不匹配"},
				{selection.Excepted, "已排除"},
				{selection.Older, "不在最新的几个之内"},
				{selection.OlderPatch, "不是最新的补丁版本"},
			},
		},
	}
)
