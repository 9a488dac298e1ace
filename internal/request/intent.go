package request

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Sentences about the whole text: whether it asks for images at all, or only
// mentions some.

// wantsImage reports whether a sentence, in lower case, with some images and
// other words asks for an image.
func wantsImage(said string, title bool, images, other int) bool {
	if isPolite(said) && (isAboutImage(said) && (images > 0 || isPolite(notImperative.Replace(said))) || images > 0 && (other <= talk || desires.in(said)) && !others.in(said)) {
		return true
	}
	if isPolite(said) && strings.HasSuffix(said, ":") && !others.in(said) && !questions.in(said) {
		return true // "we need all of these:"
	}
	if _, thanked := thanks.cut(strings.TrimRight(said, " .!~,")); thanked && images > 0 && other <= talk && !praises.in(said) {
		return true
	}
	return (images > 0 || title && strings.Contains(said, "image")) && orders.starts(afterCommitType(strings.TrimLeft(said, "# -*")))
}

// thanks are words at the end of sentences that thank for an image in advance.
var thanks = newEndings(wordsIn("thanks a lot|thanks in advance|thank you very much|thank you|thanks|thx|tia|谢谢|感谢|多谢|辛苦|辛苦了|感恩|gracias|merci|danke|obrigado|obrigada|grazie|спасибо|teşekkürler|cảm ơn|terima kasih|감사합니다|ممنون|شكرا")...)

// praises are words of sentences that say that something works.
var praises = newPhrases(wordsIn("it works|works perfectly|works fine|works well|works again|work perfectly|closing.|closing,|closing as|great project|nice work|great work|good job|well done|great job|arrived|funktioniert jetzt|funktioniert wieder|funciona bien|funciona perfect|fonctionne bien|fonctionne parfait|всё работает|все работает|теперь работает|" +
	"可以用了|搞定|收到了|好用|動きました|助かりました|잘 됩니다|잘 동작|sorunsuz|chạy tốt|berjalan lancar")...)

// withdraws reports whether a line without images, in lower case, takes the whole
// request back.
func withdraws(said string, toks []token) bool {
	const most = 16 // words of such a line
	if len(toks) > most || strings.HasSuffix(said, ":") || slices.ContainsFunc(toks, func(t token) bool { return looksLikeTag(trimWord(t.text)) || tagNouns[spoken(t)] }) || announcesPlatform(said) {
		return false
	}
	said = strings.TrimLeft(said, " -*#[(【>")
	if _, rest, ok := strings.Cut(said, ": "); ok && (withdrawals.starts(rest) || withdrawalEnds.in(rest)) {
		return true // "Edit: never mind"
	}
	return withdrawals.starts(said) || withdrawalEnds.in(said)
}

// withdrawals are beginnings of lines that take a request back, withdrawalEnds
// words anywhere in them.
var (
	withdrawals    = newPhrases(wordsIn("never mind|nevermind|nvm|not needed any|no longer need|no longer required|not required any|solved|resolved|please ignore|pls ignore|please disregard|disregard|please close|closing|ignore this|ignore that|forget it|forget about it|cancel|不用了|不用搬|不用同步|不需要了|不必了|算了|已解决|已经解决|解决了|取消|撤回|作废|自己搞定|搞定了|ya no|olvid|resuelto|solucionado|não preciso mais|não precisa mais|resolvido|esquece|plus besoin|résolu|laissez tomber|oubliez|hat sich erledigt|erledigt|nicht mehr nötig|wird nicht mehr|уже не ну|больше не ну|не актуально|неактуально|отмена|решено|вопрос решен|もう不要|不要になり|解決しま|取り下げ|キャンセル|필요 없|필요없|해결|취소|artık gerek|artık ihtiya|gerek kalmadı|vazgeç|çözüldü|không cần nữa|đã giải quyết|bỏ qua|sudah tidak|tidak jadi|tidak perlu lagi|batal|دیگر لازم|دیگر نیاز|حل شد|لم أعد|تم الحل|لا حاجة|non serve più|risolto|niet meer nodig|opgelost")...)
	withdrawalEnds = newPhrases(wordsIn("pulled it myself|got it myself|found it elsewhere|found another source|got it through|got it from elsewhere|no longer need it|don't need it anym|do not need it anym|not needed anymore|can be closed|can close this|please close this|feel free to close|已经拉到|已经拉下来|自己拉下来|自己搞定|已经搞定|可以关了|可以关闭|麻烦关|关闭吧|关了吧|hat sich erledigt|já consegui|ya lo consegu|j'ai trouvé|уже скача|уже не нуж|自己解決|自分で取得|직접 받았")...)
)

// desires are words of sentences in which authors say what they want.
var desires = newPhrases(wordsIn("i want|we want|i need|we need|i'd like|we'd like|我要|想要")...)

// notImperative removes verbs that are nouns in sentences without an image: "the
// sync of images".
var notImperative = strings.NewReplacer("mirror shows", "", "mirror is ", "", "mirror has ", "", "mirror does", "", "mirror fails", "", "sync of ", "", "last sync", "", "sync is ", "", "sync fails", "", "sync job", "")

// orders are verbs at the beginning of sentences that ask for an image.
var orders = newPhrases(wordsIn("add |adds |promotes |imports |bumps |updates |mirrors |import |include |bump |upgrade |update |promote |copy |upload |replicate |transfer |bring in |new image|missing |and |also |plus |同步|新增|添加|搬运|加 |还有|以及|另外|再")...)

// Words of sentences that say that an image cannot be had: one of fetching, and
// one of the others. A network that is apart is no fault on its own.
var (
	fetching = newPhrases(wordsIn("find mirror|pull|download|fetch|reach|sandbox image|save image|access to|internet|the mirror|your mirror|on mirror|registry|docker hub|dockerhub|ghcr|quay|gcr|拉|下载|访问|descarg|bajar|baix|télécharg|récupér|accéd|accès|acceso|acesso|herunterlad|ziehen|erreich|zugriff|" +
		"скач| загру|доступ|プル|取得|ダウンロード|アクセス|다운로드|받|접근|indir|çek|eriş|tải|kéo|truy cập|unduh|menarik|akses|دانلود|دسترسی|تحميل|تنزيل|الوصول")...)
	failing = newPhrases(wordsIn("can't|cannot|can not|couldn't|could not|unable|fail|error|no access|has no |have no |not able|block|timeout|timed out|times out|time out|slow|rate limit|limited|toomanyrequests|reachable|missing|not found|404|403|429|denied|unavailable|not available|isn't available|not exist|not in |not on |doesn't|won't|isn't there|never |" +
		"stuck|失败|不了|不下|不动|不到|不上|超时|无法|慢|不能|没有|限|墙|报错|卡|不通|不可|no puedo|no podemos|no se puede|no tien|sin acceso|não consig|não pode|sem |impossible|ne peu|pas accès|bloqu|nicht|kein|gesperrt|langsam|" +
		"не |нет |недоступ|блок|できません|失敗|遅|ない|안 |못|실패|없|느|emiyor|hata|engel|yok|yavaş|không|chậm|lỗi|tidak|gagal|lambat|نمی|ندار|خطا|لا |فشل|بطي")...)
	apart = newPhrases(wordsIn("firewall|air-gap|airgap|air gap|offline|restricted|离线|内网|隔离|內網|離線|防火牆|закрытый контур|закрытом контуре|изолир|閉域|オフライン|폐쇄망|오프라인|sin internet|hors ligne|abgeschottet|nội bộ|kapalı ağ")...)
)

// absent are words that say so on their own.
var absent = newPhrases(wordsIn("fehlt |fehlen |il manque|falta la imagen|falta a imagem|отсутствует|缺 |缺:|还缺|缺下面|缺以下|缺几个|报 429|hits 429|http 429|没有这个镜像|没有该镜像|镜像站没有|缺少镜像|缺镜像|镜像不存在|镜像加速|missing image|missing these|missing those|missing the following|image is missing|images are missing|imagepullbackoff|errimagepull|toomanyrequests")...)

// running are words of sentences about running containers, not about having
// their images.
var running = newPhrases(wordsIn("gets killed|crashloop|exit code|exits with|exited|restarting|starts|permission denied|already allocated|port is already|segmentation fault|exec format|unhealthy|no space left|healthcheck|out of memory|oomkilled|stack trace|traceback|typeerror|nullpointer|can't write|cannot write|memory leak|flaky|vulnerabilit|cve-|x509|expected the|is that expected|as expected|" +
	"启动失败|启动不了|起不来|无法启动|一直重启|白屏|闪退|权限|端口|日志|健康检查|неправильно|порт|démarr|reinicia|arranc|startet|neustart|başlıyor|起動|실행")...)

// wordsOf returns about how many words of prose a line has: words that are no
// image, and pairs of characters in other scripts. Code, comments and headings
// have none.
func wordsOf(l line, toks []token, reads []reading) int {
	const fewest = 3 // of a sentence
	if l.fenced || strings.HasPrefix(strings.TrimLeft(l.text, " "), "#") || strings.ContainsAny(l.text, "={}[]$;|<>") || strings.Contains(l.text, "   ") {
		return 0
	}
	if len(toks) > 1 && reads != nil && len(reads[0].images) > 0 && strings.HasSuffix(l.text, ")") && strings.HasPrefix(strings.TrimLeft(l.text[min(len(l.text), toks[0].at+len(toks[0].text)):], "` "), "(") {
		return 0 // an image with a remark
	}
	words := 0
	for i, t := range toks {
		switch {
		case t.kind == asciiWord && (reads == nil || len(reads[i].images) == 0 || reads[i].strength <= bare):
			words++
		case t.kind == otherWord && isChinese(t.text):
			words += utf8.RuneCountInString(t.text) / 2
		case t.kind == otherWord:
			words++
		}
	}
	if words < fewest {
		return 0
	}
	return words
}

// hostsOfNames removes the registries of references, which say nothing about
// pulling.
var hostsOfNames = strings.NewReplacer("docker.io/", "", "ghcr.io/", "", "quay.io/", "", "gcr.io/", "")

// canItBe removes questions that look like failures.
var canItBe = strings.NewReplacer("能不能", "", "有没有", "")

// readIntent notes what the lines say about the whole text. whole is the text in
// lower case.
func (s *scan) readIntent(whole string) {
	for _, said := range strings.Split(whole, "\n") {
		fails := failing.in(canItBe.Replace(said))
		isolated := apart.in(said)
		s.fails, s.isolated = s.fails || fails, s.isolated || isolated
		s.lacks = s.lacks || (fails || isolated) && fetching.in(hostsOfNames.Replace(said)) && !strings.Contains(said, "am i missing") || absent.in(said)
		s.running = s.running || running.in(said)
	}
}
