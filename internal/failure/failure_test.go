package failure

import (
	"errors"
	"fmt"
	"testing"
)

func TestCodeOf(t *testing.T) {
	refused := &Error{Code: Quota}
	for _, c := range []struct {
		err  error
		want Code
	}{
		{nil, ""},
		{refused, Quota},
		{fmt.Errorf("uploading: %w", refused), Quota},
		{errors.New("broken pipe"), Internal},
	} {
		if got := CodeOf(c.err); got != c.want {
			t.Errorf("%v: code %q, want %q", c.err, got, c.want)
		}
		f, ok := As(c.err)
		if ok != (c.want == Quota) || ok && f != refused {
			t.Errorf("%v: As gives %v, %v", c.err, f, ok)
		}
	}
}
