package cli

import (
	"net"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/demo"
	"github.com/imageferry/ferry/internal/wiring"
)

// TestHints checks that a word of another program, or a misspelt one, is
// answered by the one of Ferry, in both languages.
func TestHints(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().String()
	for _, test := range []struct {
		args             string
		status           int
		english, chinese string
	}{
		{"copy --targets a b", wiring.StatusUsage, "did you mean --to?", "是不是 --to？"},
		{"copy --insecure a", wiring.StatusUsage, "--plain-http HOST", "--plain-http 主机"},
		{"copy --tls-verify=false a", wiring.StatusUsage, "--ca FILE", "--ca 文件"},
		{"copy --username a", wiring.StatusUsage, `the login of "docker login"`, "的登录账号"},
		{"copy --password-stdin", wiring.StatusUsage, `the login of "docker login"`, "的登录账号"},
		{"copy --dry-run a", wiring.StatusUsage, `"ferry parse" shows`, "“ferry parse” 显示"},
		{"sync --dryrun", wiring.StatusUsage, "did you mean --check?", "是不是 --check？"},
		{"completion bahs", wiring.StatusUsage, `did you mean "bash"?`, `是不是 "bash"？`},
		{"catalog sreach", wiring.StatusUsage, `did you mean "search"?`, `是不是 "search"？`},
		{"catalog search", wiring.StatusUsage, "no words to search for", "没有写要搜索的词"},
		{"stauts", wiring.StatusUsage, `did you mean "doctor"?`, `是不是 "doctor"？`},
		{"copy nginx --to docker.io/me --platform amd46", wiring.StatusUsage, `did you mean "linux/amd64"?`, `是不是 "linux/amd64"？`},
		{"copy --json=maybe a", wiring.StatusUsage, `--json is "maybe"; write true or false`, `--json 的值是 "maybe"；请写 true 或 false`},
		{"copy --ca nofile a --to docker.io/me", wiring.StatusUsage, `--ca is "nofile", which does not exist`, `--ca 是 "nofile"，但文件不存在`},
		{"parse", wiring.StatusNothing, "no image is named", "没有写镜像"},
		{"pull grc.io/a/b:1", wiring.StatusFailed, "gcr.io/a/b:1", "笔误"},
		{"name grc.io/a/b", wiring.StatusFailed, "gcr.io/a/b", "笔误"},
		{"name a..b", wiring.StatusFailed, "letters and digits joined", "不合规"},
		{"name UPPER/x", wiring.StatusFailed, "has no dot and no port", "没有点，也没有端口"},
		{"serve --target docker.io/me --listen " + port, wiring.StatusFailed, "the port of " + port + " is in use", port + " 的端口已被占用"},
	} {
		for language, want := range map[string]string{"en": test.english, "zh": test.chinese} {
			status, out, said := ferry(t, "", map[string]string{"FERRY_LANGUAGE": language}, strings.Fields(test.args)...)
			if status != test.status || !strings.Contains(said, want) || out != "" {
				t.Errorf("ferry %s: status %d, %q, %q; want %d and %q", test.args, status, out, said, test.status, want)
			}
		}
	}
}

// TestDemoIsOffered: builds without the demo do not list it, and say where it
// runs.
func TestDemoIsOffered(t *testing.T) {
	_, usage, _ := ferry(t, "", nil, "help")
	_, script, _ := ferry(t, "", nil, "completion", "bash")
	for name, text := range map[string]string{"help": usage, "completion": script} {
		if strings.Contains(text, "demo") != demo.Included {
			t.Errorf("%s: the demo is included: %v", name, demo.Included)
		}
	}
	if !demo.Included {
		for _, args := range [][]string{{"demo"}, {"help", "demo"}} {
			if status, _, said := ferry(t, "", nil, args...); status != wiring.StatusUsage || !strings.Contains(said, "go run ") {
				t.Errorf("%q: status %d, %q", args, status, said)
			}
		}
	}
}
