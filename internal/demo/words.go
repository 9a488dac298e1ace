package demo

import "fmt"

// inChinese are the headings and formats of the demo in Chinese.
var inChinese = map[string]string{
	request: `你好，集群连不上这些镜像仓库，麻烦搬运一下，谢谢：` + images,

	"Somebody opens an issue":                                      "有人提了一个 issue",
	"Ferry's log":                                                  "Ferry 的日志",
	"The comment, as it stands in the end":                         "最后的评论",
	"The mirrors, pulled back":                                     "把副本拉回来核对",
	"An image that the mirror has, by its original name":           "目标镜像仓库已有的镜像，用原名拉取",
	"An image that only the source has: served and copied at once": "只有源镜像仓库才有的镜像：边提供边复制",
	"An image that nobody has mirrored: the pull has it mirrored":  "还没有副本的镜像：由拉取触发搬运",
	"The mirror now":                                               "现在目标镜像仓库里有",

	"equal to the source":                                                            "与源镜像相同",
	"the one platform that was asked for":                                            "只含所要求的平台",
	"  %s/%s:%s\n    %s\n    %d bytes read, digest %s\n":                             "  %s/%s:%s\n    %s\n    读取 %d 字节，摘要%s\n",
	"    %s\n    %d bytes read, digest equal to the source\n":                        "    %s\n    读取 %d 字节，摘要与源镜像相同\n",
	"\nThe request is answered and every digest is as it should be.\n":               "\n请求已回复，所有摘要都正确。\n",
	"  pulling gcr.io/harbour/%s:1.0 through the front\n":                            "  通过拉取代理拉取 gcr.io/harbour/%s:1.0\n",
	"  pulling gcr.io/harbour/%s:1.0 through a front without the source\n":           "  通过连不上源镜像仓库的拉取代理拉取 gcr.io/harbour/%s:1.0\n",
	"  GitHub: starting the workflow mirror for %s\n":                                "  GitHub：为 %s 启动工作流 mirror\n",
	"    the same pull has waited for it\n":                                          "    这次拉取一直在等它完成\n",
	"\nAll were pulled by their original names. docs/serve.md says how to run it.\n": "\n全部用原名拉取成功。部署方法见 docs/serve.zh-CN.md。\n",
}

// word returns a text in the language of the demo.
func (d *demo) word(text string) string {
	if chinese, ok := inChinese[text]; ok && d.language == "zh" {
		return chinese
	}
	return text
}

// print writes to the output in the language of the demo.
func (d *demo) print(format string, args ...any) { fmt.Fprintf(d.out, d.word(format), args...) }
