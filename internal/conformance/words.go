package conformance

// words are patterns for the text of a failure: required text in English and in
// Chinese, and misleading text that must not occur.
type words struct{ english, chinese, never string }

// The texts for images that cannot be copied.
var (
	missing    = words{"no such image or tag", "没有这个镜像或标签", "layer|platform|publisher"}
	noLayer    = words{"lists a layer", "列出了这个镜像的一个层", "Check the name|检查镜像名|login|登录"}
	private    = words{"requires a login", "要求登录", "publisher|platform|layer"}
	refused    = words{"refuses to serve", "拒绝提供", "in Ferry|Ferry 内部|Check the name|login"}
	unfit      = words{"not a container image", "不是 Ferry 能搬运的容器镜像", "Check the name|检查镜像名|login"}
	large      = words{"4 MiB", "4 MiB", "limit here|one platform"}
	miscounted = words{"wrong size", "大小与实际不符", "limit here|damaged|损坏"}
	damaged    = words{"does not match its digest", "与摘要不符", "arrived damaged|Check the name"}
	empty      = words{"index without images", "空的索引", "unsupported|Check the name"}
	down       = words{"server error", "服务器错误", "in Ferry|Ferry 内部|Check the name"}
	page       = words{"web page came from", "收到的是网页", "server error|服务器错误|in Ferry|Ferry 内部"}
	inside     = words{"refers to an address", "给出的地址无法使用", "is an address in a private network|in Ferry|Ferry 内部"}
	slower     = words{"limits the number", "限制了请求次数", "server error"}

	email     = words{"e-mail address", "邮箱地址", "publisher|platform"}
	login     = words{"refused Ferry's user name and password", "拒绝了 Ferry 的用户名和密码", "public image|publisher|platform"}
	nowhere   = words{"no such namespace", "没有这个命名空间", "Check the name|检查镜像名"}
	immutable = words{"immutable", "不可变", "one platform|publisher|只要一个平台"}
	shut      = words{"accepts no pushes", "不接受推送", "user name and password|用户名|this image or its name|one platform"}
	rewritten = words{"in another form", "另一种形式", "publisher|发布者|one platform"}
	limit     = words{"requests as large", "所需大小的请求", "one platform|publisher"}
	full      = words{"is used up", "已用尽", "one platform|publisher|Check the name"}
	noToken   = words{`token server of .* issues no token[^$]*localhost:\d+: (400|403|404|405|501)`, "令牌服务器没有签发令牌", "this image or its name|no such|Check the name|检查镜像名"}
	notTaken  = words{"refused this image or its name", "拒绝接收", "publisher|发布者|one platform"}
	lost      = words{"does not have one of them", "缺少其中一部分", "server error|服务器错误|publisher"}
)
