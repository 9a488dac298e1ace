package bot

import (
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/wiring"
)

func TestContained(t *testing.T) {
	status, err := contained(func() (int, error) { return []int{}[len(t.Name())], nil })
	if status != wiring.StatusFailed || err == nil || !strings.Contains(err.Error(), "out of range") || !strings.Contains(err.Error(), "TestContained") {
		t.Errorf("status %d, %v", status, err)
	}
	if status, err := contained(func() (int, error) { return wiring.StatusNothing, nil }); status != wiring.StatusNothing || err != nil {
		t.Errorf("status %d, %v", status, err)
	}
}
