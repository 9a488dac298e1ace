package report

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/imageferry/ferry/internal/pattern"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
)

// maxTitle is the longest title that Ferry writes. GitHub accepts 256
// characters; lists of issues show far fewer.
const maxTitle = 200

// titleOf names the images, so that the list of issues is readable; empty if
// there are none.
func titleOf(images []request.Image) string {
	var title string
	for i, image := range images {
		name := image.Reference.String()
		if i == 0 {
			title = reference.Clip(name, maxTitle)
			continue
		}
		rest := fmt.Sprintf(" (+%d)", len(images)-i)
		if len(title)+len(", ")+len(name)+len(rest) > maxTitle {
			return title + rest
		}
		title += ", " + name
	}
	return title
}

// A title is boilerplate if nothing is left after removing bracketed prefixes
// ("[PORTER]", "【镜像】") and words that only say that this is a request.
var bracketed = &pattern.Regexp{Text: `\[[^\]]*\]|【[^】]*】`}

const fillerWords = " a add an copy docker download ferry for from hub image images issue mirror mirroring new me need of please porter pull request sync test the this title to untitled "

var fillerCharacters = strings.NewReplacer(
	"镜像", "", "搬运", "", "同步", "", "请求", "", "下载", "", "拉取", "", "转换", "", "加速", "", "申请", "", "需要", "", "添加", "", "新增", "",
	"标题", "", "测试", "", "请", "", "我", "", "帮忙", "", "帮", "", "的", "", "一下", "", "一个", "", "谢谢", "")

func isBoilerplate(title string) bool {
	title = strings.ToLower(bracketed.Compiled().ReplaceAllString(oneLine(title), " "))
	for _, word := range strings.FieldsFunc(title, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if !strings.Contains(fillerWords, " "+word+" ") && fillerCharacters.Replace(word) != "" {
			return false
		}
	}
	return true
}
