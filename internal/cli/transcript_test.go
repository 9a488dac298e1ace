//go:build !release

// The transcripts are those of a build with the demo; see TestDemoIsOffered for one
// without.

package cli

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the transcripts anew")

// transcripts are command lines whose output is compared with
// testdata/NAME.txt: every help text, and the most likely mistakes.
func transcripts() map[string][]string {
	help := []string{"ferry", "ferry help"}
	for _, name := range commandNames() {
		help = append(help, "ferry help "+name)
	}
	return map[string][]string{
		"help": help,
		"mistakes": {
			"ferry cpoy quay.io/a/b:1",
			"ferry mirror quay.io/a/b:1",
			"ferry quay.io/a/b:1",
			"ferry login",
			"ferry help cpoy",
			"ferry copy",
			"ferry copy quay.io/a/b:1",
			"ferry copy quay.io/a/b:1 --too docker.io/me",
			"ferry copy quay.io/a/b:1 --plaform arm64",
			"ferry copy quay.io/a/b:1 -t",
			"ferry copy quay.io/a/b:1 --to hub.docker.com/me",
			"ferry copy quay.io/a/b:1 --to docker.io",
			"ferry copy quay.io/a/b:1 --to docker.io/me",
			"ferry copy grc.io/a/b:1 --to docker.io/me",
			"ferry copy quay.io/a/b:1 docker.io/me/b:1",
			"ferry copy --file none.txt --to docker.io/me",
			"ferry copy quay.io/A/B:1 --to docker.io/me",
			"ferry name",
			"ferry name --reverse my-image:1",
			"ferry parse --body none.txt",
			"ferry doctor now",
			"ferry run",
			"ferry completion tcsh",
			"ferry version --short",
		},
	}
}

func TestTranscripts(t *testing.T) {
	all := transcripts()
	all["help.zh"], all["mistakes.zh"] = all["help"], all["mistakes"]
	for name, lines := range all {
		environ := map[string]string{"DOCKER_CONFIG": t.TempDir()}
		if strings.HasSuffix(name, ".zh") {
			environ["LANG"] = "zh_CN.UTF-8"
		}
		var b strings.Builder
		for _, line := range lines {
			status, stdout, stderr := ferry(t, "", environ, strings.Fields(line)[1:]...)
			fmt.Fprintf(&b, "$ %s\n%s", line, stdout)
			for said := range strings.Lines(stderr) {
				fmt.Fprintf(&b, "! %s", said)
			}
			fmt.Fprintf(&b, "= %d\n\n", status)
		}
		compare(t, name+".txt", b.String())
	}
}

// TestGenerated compares the completions and the manual with testdata.
func TestGenerated(t *testing.T) {
	for file, args := range map[string][]string{
		"ferry.bash": {"completion", "bash"}, "ferry.zsh": {"completion", "zsh"}, "ferry.fish": {"completion", "fish"},
		"ferry.ps1": {"completion", "powershell"}, "ferry.1": {"manual"}, "ferry.zh.1": {"manual"},
	} {
		environ := map[string]string{}
		if strings.Contains(file, ".zh") {
			environ["FERRY_LANGUAGE"] = "zh"
		}
		_, stdout, _ := ferry(t, "", environ, args...)
		if args[0] == "manual" { // the first line has the version
			_, stdout, _ = strings.Cut(stdout, "\n")
		}
		compare(t, file, stdout)
	}
}

func compare(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-update rewrites it): -want +got\n%s", name, diff)
	}
}

// TestBashCompletes runs the script in a shell and asks for completions.
func TestBashCompletes(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash here")
	}
	_, script, _ := ferry(t, "", nil, "completion", "bash")
	// What the command prints stays as it is: nothing in it is expanded.
	script += "ferry() { [[ \"$1 $2\" == \"completion images\" ]] || return; for i in nginx:1.27 nginx:1.28 gcr.io/a/b:1 'x$(id)'; do [[ $i == \"$3\"* ]] && echo \"$i\"; done; }\n"
	for _, test := range []struct{ typed, want string }{
		{"ferry pull ng", "nginx:1.27 nginx:1.28"},
		{"ferry pull nginx:", "1.27 1.28"},
		{"ferry pull redis nginx:1.28", "1.28"},
		{"ferry pull gcr.io/", "gcr.io/a/b:1"},
		{"ferry name x", "x$(id)"},
		{"ferry pull -", "-f --file --from --json --keep --plain-http -p --platform --private --profile --request --wait --with --help"},
		{"ferry co", "copy completion"},
		{"ferry copy --pl", "--plain-http --platform"},
		{"ferry copy --profile h", "host"},
		{"ferry completion z", "zsh"},
		{"ferry help do", "doctor"},
		{"ferry name --profile=l", ""},
	} {
		words := strings.ReplaceAll(test.typed, ":", " : ") // as bash does
		ask := fmt.Sprintf("%s\nCOMP_LINE='%s'; COMP_POINT=${#COMP_LINE}; COMP_WORDS=(%s); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _ferry; echo \"${COMPREPLY[*]}\"", script, test.typed, words)
		out, err := exec.CommandContext(t.Context(), bash, "-c", ask).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if got := strings.TrimSpace(string(out)); got != test.want {
			t.Errorf("%q completes to %q, want %q", test.typed, got, test.want)
		}
	}
}
