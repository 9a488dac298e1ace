//go:build unix

package wiring

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/fakeworld"
)

// TestHelm: Helm gets no password of this process, and what it says about a
// failure is passed on.
func TestHelm(t *testing.T) {
	folder := t.TempDir()
	getenv := func(name string) string {
		return map[string]string{"PATH": os.Getenv("PATH"), "FERRY_PASSWORD": "sesame"}[name]
	}
	t.Setenv("FERRY_PASSWORD", "sesame")
	t.Setenv("PATH", folder)
	if _, err := runHelm(t.Context(), getenv, []string{"show"}); err == nil || err.Error() != "needs helm, which is not installed" {
		t.Errorf("without helm: %v", err)
	}
	script := "#!/bin/sh\ncase $1 in\nshow) echo \"$@\" $FERRY_PASSWORD;;\nlarge) exec /bin/cat /dev/zero;;\n*) echo 'Error: no chart' >&2; exit 1;;\nesac\n"
	if err := os.WriteFile(filepath.Join(folder, "helm"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"show chart a": "show chart a\n", "template a": `helm says "Error: no chart\n"`, "large": "makes more than 16777216 bytes of the chart",
	} {
		text, err := runHelm(t.Context(), getenv, strings.Fields(args))
		if err != nil {
			text = []byte(err.Error())
		}
		fakeworld.WantText(t, args, string(text)+"$", want+"$")
	}
}
