package request

import (
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// phrases are words to look for in a text. Their table is built when it is first
// needed, because most commands read no request.
type phrases struct {
	words []string
	build sync.Once
	built phraseTable
}

// phraseTable has the words by their first byte, so that one pass finds them all.
// The first two bytes exclude most positions.
type phraseTable struct {
	by    [][]string
	pairs []uint64 // a bit for each pair of bytes at the beginning of a phrase
}

func newPhrases(words ...string) *phrases { return &phrases{words: words} }

// table returns the table of the phrases.
func (p *phrases) table() *phraseTable {
	p.build.Do(func() {
		t := &p.built
		t.by, t.pairs = make([][]string, 256), make([]uint64, 1<<16/64)
		for _, w := range p.words {
			t.by[w[0]] = append(t.by[w[0]], w)
			if len(w) > 1 {
				t.add(w[0], w[1])
				continue
			}
			for second := range 256 {
				t.add(w[0], byte(second))
			}
		}
	})
	return &p.built
}

func (t *phraseTable) add(first, second byte) {
	pair := uint(first)<<8 | uint(second)
	t.pairs[pair/64] |= 1 << (pair % 64)
}

// in reports whether text, in lower case, contains one of the phrases.
func (p *phrases) in(text string) bool { return p.index(text) >= 0 }

// index returns the offset of the first of the phrases in text, in lower case; -1
// if there is none.
func (p *phrases) index(text string) int {
	t := p.table()
	for i := range len(text) {
		if i+1 < len(text) {
			if pair := uint(text[i])<<8 | uint(text[i+1]); t.pairs[pair/64]&(1<<(pair%64)) == 0 {
				continue
			}
		}
		if t.starts(text[i:]) {
			return i
		}
	}
	return -1
}

// starts reports whether text begins with one of the phrases.
func (p *phrases) starts(text string) bool { return text != "" && p.table().starts(text) }

func (t *phraseTable) starts(text string) bool {
	for _, w := range t.by[text[0]] {
		if strings.HasPrefix(text, w) {
			return true
		}
	}
	return false
}

// all returns the phrases.
func (p *phrases) all() []string { return p.words }

// endings are words to look for at the end of a text, by their last byte.
type endings [256][]string

func newEndings(words ...string) *endings {
	var e endings
	for _, w := range words {
		last := w[len(w)-1]
		e[last] = append(e[last], w)
	}
	return &e
}

// cut removes the first of the words that text ends with, as a separate word.
func (e *endings) cut(text string) (before string, ok bool) {
	if text == "" {
		return text, false
	}
	for _, w := range e[text[len(text)-1]] {
		if before, ok = cutWord(text, w); ok {
			return before, true
		}
	}
	return text, false
}

// has reports whether text is one of the words.
func (e *endings) has(text string) bool {
	return text != "" && slices.Contains(e[text[len(text)-1]], text)
}

// makeUp reports whether text consists of the phrases only.
func (p *phrases) makeUp(text string) bool {
	t := p.table()
next:
	for text != "" {
		for _, w := range t.by[text[0]] {
			if rest, ok := strings.CutPrefix(text, w); ok {
				text = rest
				continue next
			}
		}
		return false
	}
	return true
}

// announcesPlatform reports whether a line announces platforms, so that words
// such as "arm" and "x86" are platforms.
func announcesPlatform(text string) bool { return platformWords.in(text) }

var platformWords = newPhrases(wordsIn("platform|arch|架构|平台|版|镜像|仅|只|only")...)

// oneOfThem are words of sentences that leave the choice of an image to others.
var oneOfThem = newPhrases(wordsIn("whichever|either one|only need one of|one of them is|any one of them|任选一个|随便一个|哪个都行|其中一个就行|二选一")...)

// everyTag are ways to ask for all tags of a repository.
var everyTag = newPhrases(wordsIn("所有tag|全部tag|所有 tag|全部 tag|所有标签|全部标签|所有版本|全部版本|所有的tag|所有的版本|all tags|all-tags|every tag|all versions")...)

// isEnglish reports whether a text, in lower case, is written in English or
// another language that is answered in English. Logs and files contain none of
// these words.
func isEnglish(text string) bool {
	for _, word := range strings.Fields(text) {
		if personal[strings.Trim(word, ".,:;!?()")] {
			return true
		}
	}
	return foreignWishes.in(text)
}

var personal = set(wordsIn("please|pls|plz|need|want|would|could|can|thanks|thank|thx|hello|hi|hey|i|i'd|i'm|my|we|our|kindly")...)

// fillers are words that accompany a list of images without being prose.
var fillers = set(wordsIn("and|和|以及|及|与|跟|还有|或|or|image|images|镜像|镜像名|镜像名称|镜像地址|镜像列表|platform|架构|" +
	"版本|最新|最新版|最新版本|镜像版本|平台|标签|sync|porter|tag|version|the|arch|hub-mirror|latest|个|源镜像|原镜像|原始镜像|源|docker|name|addr|" +
	"svp|stp|bitte|danke|merci|gracias|obrigado|grazie|lütfen|镜像架构|镜像仓库|仓库|镜像仓库地址|地址|列表|同步|搬运|转换|名称|需要|请|谢谢|thanks|please|url|registry|repository")...)

func isFiller(word string) bool {
	if word == "" || !isAlnum(word[0]) || !isAlnum(word[len(word)-1]) {
		word = strings.Trim(word, ".:*_~#-=。!?<> ")
	}
	word = lower(word)
	return fillers[word] || word != "" && word[0] >= utf8.RuneSelf && fillerParts.makeUp(word)
}

// fillerParts are the parts of Chinese text that accompanies a list of images.
var fillerParts = newPhrases(wordsIn("镜像|需要|同步|搬运|拉取|帮忙|麻烦|一下|谢谢|以下|如下|这些|这几个|几个|以及|还有|最新|版本|请|求|个|的|和|与|" +
	"及|等|也|都|要|我|两|三|四|五|六|七|八|九|十|版|共|!|。")...)

var wishes = newPhrases(wordsIn("pls|plz|搬了|搬吧|一起搬|同步|搬运|转换|拉取|拉一下|需要|求个|求一|跪求|求 |帮忙|请帮|麻烦|缓存|下载|想要|申请|加一下|添加|搬一下|转存|迁移|镜像一下|请求|更新|" +
	"mirror|sync|need|want|please|request|copy|transfer|pull|port |fetch|would like|add |missing|include|possible to|available|" +
	"請|新增|麻煩|幫忙|搬運")...)

// foreignWishes are words of requests in other languages than Chinese and
// English: Spanish, Portuguese, French, Italian, German, Dutch, Swedish,
// Polish, Czech, Russian, Ukrainian, Turkish, Vietnamese, Indonesian, Japanese,
// Korean, Persian, Arabic, Hebrew, Greek, Hindi and Thai. Questions with such a
// word are requests.
var foreignWishes = newPhrases(wordsIn("por favor|podrían|podrias|podrías|podéis|hace falta|necesit|solicit|añadir|agregar|añadan|agreguen|replicar|" +
	"poderia|precisa|preciso|gostaria|adicion|espelhar|espelhem|" +
	"s'il vous pla|svp|pourriez|pouvez-vous|merci de|besoin|ajouter|j'aimerais|nous aimerions|" +
	"per favore|potreste|potete|aggiung|bisogno|" +
	"bitte|könntet|könnten|könnt ihr|bräuchte|brauch|benötig|hätte gern|spiegeln|hinzufüg|" +
	"kunt u|kunnen jullie|kan ni|kan du|czy możecie|můžete|mohli byste|alstublieft|graag|toevoegen|vänligen|lägga till|proszę|dodać|prosím|přidat|" +
	"пожалуйста|могли бы|можете|прошу|просьба|добав|нужен|нужна|нужно|нужны|требуется|необходим|хотелось бы|будь ласка|додати|" +
	"lütfen|ekleyebilir|bilir misin|ekler misin|ekleyin|ihtiyac|gerekli|gerekiyor|rica|eklenebilir|istiyor|" +
	"làm ơn|vui lòng|giúp|nhờ|xin |thêm|hãy |cần |tolong|mohon|minta|tambahkan|butuh|perlu|" +
	"お願い|ください|下さい|いただけ|頂け|もらえ|くれ|追加|欲しい|ほしい|必要|希望し|同期して|ミラーして|부탁|주실|주세요|추가|해주|필요|요청|" +
	"בבקשה|μπορείτε|להוסיף|παρακαλώ|προσθ|कृपया|जोड़|รบกวน|ช่วย|ขอเพิ่ม|" +
	"لطفا|اضافه|نیاز|من فضلك|رجاء|إضافة|اضافة|نحتاج|أرجو|يرجى")...)

// foreignModals are words of questions in these languages that ask whether
// something can be done. They are requests if they say that it is to be done to
// an image.
var foreignModals = newPhrases(wordsIn("pueden |se puede|es posible|sería posible|podem |é possível|seria possível|" +
	"pourrait-on|peut-on|serait-il possible|est-il possible|è possib|sarebbe possib|" +
	"könnte man|kann man|wäre es möglich|ist es möglich|czy można|" +
	"можно|чи можна|mümkün|edebilir mi|có thể|bisakah|bisa |가능할까요|가능한가요|אפשר ל|می شه|میشه|می شود|میشود|ممکن|هل يمكن")...)

// foreignQuestions are words in these languages that ask how, why, when, which
// or how much.
var foreignQuestions = newPhrases(wordsIn("どのくらい|どれくらい|いつ|何回|知りたい|教えて|cómo |por qué|cuándo|cuánt|por que |como faço|quantos|comment |pourquoi|combien|perché|wie |warum|wieso|wann |welche|hoe |waarom|hur |varför|jak |dlaczego|proč|как |почему|зачем|сколько|чому|" +
	"nasıl|neden|niçin|hangi|kaç |làm sao|như thế nào|hỏi |làm thế nào|tại sao|bao nhiêu|bagaimana|mengapa|kenapa|berapa|なぜ|どうやって|どのように|どうすれば|어떻게|왜 |언제|얼마나|چگونه|چطور|چرا|كيف|لماذا|متى")...)

// isForeignWish reports whether a sentence in one of these languages asks for an image.
func isForeignWish(text string) bool {
	text = notForeign.Replace(text)
	return (foreignWishes.in(text) || foreignModals.in(text) && foreignDoings.in(text)) && !foreignQuestions.in(text)
}

// notForeign removes words that look like such ones: German "consumption" and
// "used".
var notForeign = strings.NewReplacer("verbrauch", "", "gebraucht", "")

// hasWish reports whether a sentence asks to mirror something.
func hasWish(text string) bool {
	return wishes.in(strings.ReplaceAll(text, "requested access", "")) || isForeignWish(text)
}

// environments are labels of descriptions of a machine.
var environments = set(wordsIn("os|kernel|docker|docker version|containerd|kubernetes|kubernetes version|k8s|k8s version|kubectl|kubeadm|kubelet|" +
	"cri|cni|arch linux|distro|browser|go|go version|python|runc|system|client|server|系统|操作系统|系统版本|操作系统版本|内核|内核版本|" +
	"docker 版本|docker版本|k8s 版本|k8s版本|kubernetes 版本|kubernetes版本|集群版本|环境|运行环境|浏览器")...)

// isEnvironment reports whether a line describes a machine: "OS: Ubuntu 22.04",
// "k8s: 1.22.3".
func isEnvironment(text string) bool {
	label, value, ok := strings.Cut(text, ":")
	if ok && strings.EqualFold(label, "name") {
		return !strings.ContainsAny(value, ":/") // what "kubectl describe" begins with
	}
	return ok && len(label) < 40 && environments[lower(strings.Trim(label, " *_`"))] && !strings.ContainsAny(value, "/") && strings.HasPrefix(value+" ", " ") ||
		ok && environments[lower(strings.Trim(label, " *_`"))] && strings.IndexFunc(label, func(r rune) bool { return r > 127 }) >= 0
}

// isDaemon reports whether a line configures the registries of a daemon: the hosts
// on it are not images.
func isDaemon(text string) bool { return daemons.in(text) }

var daemons = newPhrases(wordsIn("registry-mirrors|registry_mirrors|insecure-registries|registry.mirrors|endpoint = [")...)

// isReport reports whether a line belongs to the form of a bug report.
func isReport(text string) bool { return reports.in(text) }

var reports = newPhrases(wordsIn("describe the bug|to reproduce|expected behavior|actual behavior|复现步骤|重现步骤|我的环境|期望结果|what happened|what you expected")...)

// isDefect reports whether a sentence reports a fault of the project or
// proposes a feature.
func isDefect(text string) bool {
	return isProposal(text) || defects.in(text) && !strings.HasPrefix(text, "this pr contains the following updates") || commits.starts(text) && !mirroring.in(text)
}

// isProposal reports whether a Chinese sentence proposes a change to the project
// or reports a fault of it, and does not ask for an image.
func isProposal(text string) bool {
	return (proposals.in(text) && matters.in(text) || topics.starts(strings.TrimLeft(text, " #*-【["))) && !helping.in(text)
}

var (
	proposals = newPhrases(wordsIn("建议|希望|能不能|能否|可否|是否可以|可以加|可以增加|最好|不如")...)
	matters   = newPhrases(wordsIn("功能|参数|选项|格式|进度|提示|界面|文档|例子|示例|接口|的支持|排版|体验")...)
	topics    = newPhrases(wordsIn("建议:|建议]|想法:|想法]|功能建议|功能请求|功能需求|改进建议|反馈:|问题反馈|意见反馈|缺陷:|文档里|文档中|readme 里|readme里")...)
	helping   = newPhrases(wordsIn("镜像|同步|搬|拉不|拉取|下载|超时|缓存|转存|帮忙|帮我|麻烦|mirror|sync")...)
)

// mirroring are words of changes that concern mirrored images.
var mirroring = newPhrases(wordsIn("mirror|sync|image|docker tag|docker digest|镜像|同步")...)

// commits are beginnings of commit subjects (Conventional Commits).
var commits = newPhrases(wordsIn("merge pull request|merge branch|feat:|feat(|feat/|fix:|fix(|fix/|chore:|chore(|build:|build(|refactor:|refactor(|ci:|ci(|test:|test(|perf:|docs:|docs(|style:|revert:")...)

// afterCommitType returns the subject of a commit without its type:
// "chore(deps): update a/b".
func afterCommitType(said string) string {
	if label, rest, ok := strings.Cut(said, ": "); ok && (commits.starts(said) || strings.HasSuffix(label, " ask")) {
		return rest
	}
	return said
}

var defects = newPhrases(wordsIn("crashes|crashed|panic|segfault|feature request|feature:|it would be great if|it would be nice if|would be nice to support|" +
	"happy to send a pr|in scope?|this pr |this pull request|closing this|can be closed|works now|confusing|misleading|what's changed|changelog|release notes|更新日志|发布说明|feel free to close|meeting notes|works great|可以关闭|取消之前|已经拉到|已经收到|bug:|bug report|fix typo|fix a typo|fixes a typo|fixes typo|typo in the |typo in docs|typos in |a regression|regression in|regression:|regression since|should read| docs/|in readme|readme shows|the readme|the docs |documentation says|documentation shows|" +
	"apt 源|apt源|yum 源|yum源|软件源|软件包源|pypi 源|npm 源|rsync://|apt mirror|apt repo|yum mirror|yum repo|deb mirror|iso mirror|iso 镜像|package mirror|packages mirror|http://deb.|https://deb.|" +
	"显示不对|显示不正确|显示错误|显示有误|显示异常|崩溃|卡死|闪退|建议增加|建议支持|希望支持|希望能支持|能否支持|能不能支持|是否支持|可以支持|文档有误|文档错误|写错了")...)

// isAddition reports whether a sentence adds to the text before.
func isAddition(text string) bool { return additions.in(text) }

var additions = newPhrases(wordsIn("也需要|也要|也同步|还需要|另外|一并| also |as well|in addition")...)

var polite = newPhrases(wordsIn("pls|plz|帮|麻烦|请|求同步|跪求|希望|能同步|可以同步|能搬|可以搬|想要|需要|please|could you|can you|can we|can this be added|can this be put|can this be mirrored|can it be added|can it be mirrored|could this be added|could this be put|could this be mirrored|could it be added|could it be mirrored|could these|could those|could they|can they|only need|just need|need this|need these|need those|need all|need them|need the following|need copies|can these|can those|could the images|needed image|too much trouble|can the images|could the bot|could an |would you|i need|request|to sync|to mirror|" +
	"would it be possible|would it be feasible|is it feasible|possible to have|possible to add|possible to get|could we|could someone|can someone|could somebody|can somebody|could anyone|can anyone|could anybody|any chance|would be great|would be nice to have|would like|would be super|would be awesome|would be good to have|would be helpful|appreciate|grateful|should be mirrored|should be added|should be synced|to be mirrored|kindly|may we|may i have|may i ask|could i ask|搬了吧|搬吧|一起搬|一起同步|we need|d like to have|d love to|want these|want those|would need|we'd need|i'd need|happy to have|would love|looking for|請|麻煩|幫忙|能加|可以加|能不能把|能不能更新|能否|可否|求 ")...)

// notPolite removes words that look like polite ones.
var notPolite = strings.NewReplacer("请问", "", "请教", "", "请注意", "", "请检查", "", "请忽略", "", "请勿", "", "请先", "", "请提前", "", "do i need", "", "do we need", "", "n't need", "", "not need", "", "longer need", "", "we mirror ", "", "do you mirror ", "", "our mirror", "", "requested access", "", "toomanyrequests", "", "too many requests", "", "pull request", "", "request entity", "", "bad request", "", "request canceled", "", "request cancelled", "", "http request", "", "request failed", "", "feature request", "", "your mirror", "", "the mirror", "", "this mirror", "", "a mirror", "")

// doings are verbs of polite sentences that concern an image, and of those that
// concern the project.
var (
	doings = newPhrases(wordsIn(" container |distribute|convert|add the new|add the missing|add the latest|place it|put it|put every|put all|put the|put those|cache them|cache these|cache this|cache it|cache that|make it available|add it|add this|add that|add them|add these|add one|mirror|sync|copy|pull|port |fetch|include|image|registry|update it|update this|have it|have this|have them|have these|get it|get this|get them|get these|同步|搬|拉取|拉一下|加一下|更新一下|更新下|添加|缓存|转存|镜像|新增|加上")...)
	others = newPhrases(wordsIn("document|explain|describe|docs|readme|wiki|how to |how do |how i |how we |clarify|support for|tell me|let me know|rebuild|investigate|look into|fix |help with|help me|some help|renew|accept a pr|send a pr|open a pr|revert|restart|rotate|retag|roll back|keep |increase|文档|说明一下|解释|介绍一下|怎么|如何|参数|选项|进度")...)
)

// isAboutImage reports whether a polite sentence asks for an image, if it does
// not name one.
func isAboutImage(text string) bool {
	there := wherever.in(text)
	text = notPolite.Replace(text)
	return (there || doings.in(text) || foreignDoings.in(text) || foreignNouns.in(text)) && !others.in(text) && !foreignQuestions.in(text)
}

// wherever are the places where images are put on request.
var wherever = newPhrases(wordsIn("to the mirror|to your mirror|on the mirror|on your mirror|in the mirror|in our registry|on our registry|to our registry|to the registry")...)

// foreignDoings are verbs of such sentences in other languages, foreignNouns
// words for an image.
var (
	foreignDoings = newPhrases(wordsIn("actualiz|añad|agreg|replic|subir|copiar|atualiz|adicion|espelh|disponibiliz|mettre à jour|ajout|copier|mettre à dispo|tener |d'avoir|aggiung|aktualisier|hinzu|spiegel|aufnehm|aufgenommen|bereitstell|toevoeg|lägga till|dodać|přidat|обнов|добав|зеркал|скопир|залить|додати|güncelle|ekle|aynala|cập nhật|thêm|đồng bộ|" +
		"perbarui|tambahkan|追加|同期|ミラー|추가|동기화|미러|להוסיף|προσθ|जोड़|เพิ่ม|اضافه|إضافة|اضافة")...)
	foreignNouns = newPhrases(wordsIn("imagen|imagem|immagin|abbild|образ|imaj|citra|イメージ|이미지|ایمیج|صورة")...)
)

// courtesies are words of sentences without a subject.
var courtesies = set(wordsIn("hello|hi|hey|dear|all|team|everyone|there|thanks|thank|you|thx|very|much|so|a|lot|many|in|advance|please|pls|plz|kindly|best|kind|regards|cheers|good|morning|day|nice|great|work|job|" +
	"i|we|need|want|would|like|this|it|one|the|to|for|my|our|me|us|could|can|be|is|if|possible|asap|latest|version|newest|stable|official|tag|docker|hub|from")...)

// hasSubject reports whether a sentence has a subject besides courtesies.
func hasSubject(toks []token) bool {
	const most = 2 // words that do not make a subject
	words := 0
	for _, t := range toks {
		switch {
		case t.kind == asciiWord && !courtesies[spoken(t)] && !isFiller(t.text):
			words++
		case t.kind == otherWord && isChinese(t.text) && !isFiller(t.text):
			words += utf8.RuneCountInString(t.text) / 4
		case t.kind == otherWord && !isFiller(t.text):
			words++
		}
	}
	return words > most
}

// isPolite reports whether a question is a polite request.
func isPolite(text string) bool {
	text = notPolite.Replace(text)
	if strings.IndexFunc(text, isForeignLetter) >= 0 {
		text = imperatives.Replace(text)
	}
	return polite.in(text) || bids.starts(strings.TrimLeft(afterCommitType(text), "# -*[(\"'`【")) || isForeignWish(text)
}

// bids are verbs and nouns at the beginning of sentences that ask for an image.
var bids = newPhrases("need ", "requesting ", "sync ", "mirror ", "sync]", "mirror]", "sync:", "mirror:")

// imperatives removes English verbs, which are nouns in sentences of other
// languages.
var imperatives = strings.NewReplacer("mirror ", "", "sync ", "")

// isForeignLetter reports whether a rune is a letter of another script than
// Chinese and English.
func isForeignLetter(r rune) bool {
	return r == '¿' || r == '¡' || r >= 0xc0 && r < 0x2000 || r >= 0x3040 && r < 0x3100 || r >= 0xac00 && r < 0xd7b0
}

var questions = newPhrases(wordsIn("吗|哪个|哪里|在哪|怎么|如何|为啥|请问|什么|咋|是不是|能不能|是否|变慢|很慢|太慢|好慢|速度|限流|slow|how to|how do|how can|how should|how long|why |is it |does it|does this|do i |can i |? ")...)

// interrogatives begin a question; inside a sentence they mostly join its
// parts.
var interrogatives = []string{"how ", "what ", "where ", "which "}

// isQuestion reports whether a sentence asks for an answer.
func isQuestion(text string) bool {
	return strings.HasSuffix(text, "?") || questions.in(text) ||
		slices.ContainsFunc(interrogatives, func(word string) bool { return strings.HasPrefix(text, word) })
}
