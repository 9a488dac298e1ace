package cli

import (
	"fmt"
	"io"

	"github.com/imageferry/ferry/internal/wiring"
)

// saying is a format of say in a table.
type saying string

// say writes text of results or of the progress in the language of the output.
// The formats are those of package fmt.
func say(env wiring.Env, w io.Writer, format string, args ...any) {
	fmt.Fprintf(w, worded(language(env), format), args...)
}

// worded returns a format of say in a language.
func worded(language, format string) string {
	if chinese, ok := saidInChinese[format]; ok && language == "zh" {
		return chinese
	}
	return format
}

// saidInChinese are the formats of say in Chinese.
var saidInChinese = map[string]string{
	// The progress. The first words of lines are as wide as each other.
	"started  %s\n":         "开始  %s\n",
	"present  %s\n":         "已有  %s\n",
	"done     %s  %s, %s\n": "完成  %s  %s，%s\n",
	"failed   %s\n":         "失败  %s\n",
	"stopped  %s\n":         "停止  %s\n",
	", %d failed":           "，失败 %d 个",
	"  %s left":             "  剩余 %s",
	"and %d more":           "另有 %d 个",
	"looking":               "查询中",
	"checking %s…\n":        "正在检查 %s…\n",

	"ferry: reading from the keyboard until Ctrl-D; \"ferry help\" lists other ways\n": "ferry：正在读取键盘输入，按 Ctrl-D 结束；其他方式见 “ferry help”\n",
	"warning: %s\n": "警告：%s\n",

	// Results.
	"%s: %s from %s\n":            "%s：%s，来自 %s\n",
	"To ask for them, open: %s\n": "请求这些镜像请打开：%s\n",
	"To mirror them where the registries can be reached: ferry copy %s --to TARGET\n":    "在能访问这些镜像仓库的机器上搬运：ferry copy %s --to TARGET\n",
	"warning: %s: the source lists %v but does not have it\n":                            "警告：%s：源镜像仓库列出了 %v，但并没有提供\n",
	"%s: %s in %d files; to load it: sh %s\n":                                            "%s：%s，共 %d 个文件；加载方法：sh %s\n",
	"%s: %s, SHA-256 %s; to load it: docker load -i %s\n":                                "%s：%s，SHA-256 %s；加载方法：docker load -i %s\n",
	"%s: selects none of the %d tags of %s; \"ferry sync --check\" shows why\n":          "%[1]s：%[3]s 的 %[2]d 个标签一个也没有选中；原因见 “ferry sync --check”\n",
	"warning: %s: selects none of the %d tags of %s; \"ferry sync --check\" shows why\n": "警告：%[1]s：%[3]s 的 %[2]d 个标签一个也没有选中；原因见 “ferry sync --check”\n",
	"%s: %d blobs, %s: intact\n":                                                         "%s：%d 个数据块，%s，完好\n",
	"(without a name): %s\n":                                                             "（没有名字）：%s\n",
	"%s: %d repositories, %d files\n":                                                    "%s：%d 个镜像库，%d 个文件\n",
	"%d answers, %d changes\n":                                                           "%d 个回复，%d 处变化\n",
	"ferry catalog: issue #%d: %s\n":                                                     "ferry catalog: issue #%d 的记录：%s\n",
	"not known: what lists have copied, unless you add records of \"ferry sync --json\"; which mirrors have moved before their last answer; which images their sources no longer have\n": "无法得知：列表复制过哪些镜像（除非加入 “ferry sync --json” 的记录）；最后一次回复之前哪些副本更新过；哪些镜像源里已经没有\n",
	"%d comments have no records: nothing was mirrored, or an earlier version of Ferry wrote them\n":                                                                                     "%d 条评论没有记录：没有搬运任何镜像，或者由旧版本的 Ferry 写成\n",
	"%d images\n":                        "%d 个镜像\n",
	"%d changes\n":                       "%d 处变化\n",
	"ferry catalog: %s: record %d: %s\n": "ferry catalog: %s：第 %d 条记录：%s\n",
	"%d images for %d jobs, which take %v or longer\n":                     "%d 个镜像分给 %d 个作业，至少需要 %v\n",
	"%d mirrors to delete; to delete them, add --apply\n":                  "要删除的副本 %d 个；加上 --apply 才会删除\n",
	"%d mirrors were deleted by \"ferry keep\" and are not copied again\n": "有 %d 个副本已被 “ferry keep” 删除，不再复制\n",
	"deleted  %[1]s\n": "已删除  %[1]s\n",
	"kept     %[1]s: its tag has moved since it was mirrored\n":                                   "保留    %[1]s：标签在搬运之后更新过\n",
	"kept     %[1]s: the registry only deletes by digest, and another tag has the same content\n": "保留    %[1]s：镜像仓库只能按摘要删除，而另一个标签使用同一份内容\n",
	"by hand  %[1]s: the registry does not delete for this login; open %[2]s\n":                   "手工    %[1]s：镜像仓库不允许这个账号删除，请打开 %[2]s\n",
	"failed   %[1]s: the registry gave no usable answer\n":                                        "失败    %[1]s：镜像仓库没有正常响应\n",
	"shard %d: %d images of its own, %d of them failed; helped with %d images of other shards\n":  "第 %d 份：自己的镜像 %d 个，失败 %d 个；帮助其他作业复制 %d 个\n",
	"warning: %s belongs to another plan; the target is asked instead\n":                          "警告：%s 属于另一个计划；改为查询目标\n",
	"warning: %s is of another version of Ferry; the target is asked instead\n":                   "警告：%s 是其他版本的 Ferry 写的；改为查询目标\n",
	"warning: %s has no receipts, or is incomplete; the target is asked instead\n":                "警告：%s 没有搬运记录，或者不完整；改为查询目标\n",
	"warning: %s has a line that is incomplete; the target is asked instead\n":                    "警告：%s 有一行不完整；改为查询目标\n",
	"ferry pull: %v: saving to %s\n":                                                              "ferry pull：%v：改为保存到 %s\n",
	"requested: %s\n":                                                                             "已提出请求：%s\n",
	"its run: %s/actions/runs/%d\n":                                                               "处理它的运行：%s/actions/runs/%d\n",
	"the answer says why: %s\n":                                                                   "原因见回复：%s\n",
	"ferry pull: no issue was opened: %v\n":                                                       "ferry pull：没有创建 issue：%v\n",
	"waiting at most %v for: %s\n":                                                                "最多等待 %v：%s\n",
	"restored %s\n":                                                                               "已还原 %s\n",
	"there is nothing to undo\n":                                                                  "没有可以撤销的改动\n",
	"  written\n":                                                                                 "  已写入\n",
	"\nNothing was written. To write it, add --apply.\n":                                          "\n没有写入任何文件。要写入，请加上 --apply。\n",
	"  is already set up\n":                                                                       "  已经设置好\n",
	"  to do by hand: %s\n":                                                                       "  需要手工处理：%s\n",
	"  tested: pulled with %s, through %s\n":                                                      "  已测试：%s，经由 %s\n",
	"  takes effect after: %s\n":                                                                  "  执行后生效：%s\n",
	"  logs in with: %s\n":                                                                        "  登录命令：%s\n",
	"  which has the token in the clear, because the client knows no other way; only its owner may read it\n": "  其中有明文的令牌（这个客户端没有别的办法），只有文件的所有者可以读取\n",
	"  which stops: %s\n": "  会中断：%s\n",
	"then run: %s\n":      "然后执行：%s\n",
	"ferry setup: %s does not use TLS: anyone on the network path can change images that are pulled by a tag\n": "ferry setup: %s 没有使用 TLS：网络路径上的任何人都能篡改按标签拉取的镜像\n",
}
