package bot

import (
	"context"

	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/request"
	"github.com/imageferry/ferry/internal/wiring"
)

// serveInput mirrors what the input "images" names.
func (s *actionRun) serveInput(ctx context.Context, text string) (int, error) {
	in := s.understand(request.Input{Body: text})
	if s.dry {
		return s.preview(in)
	}
	if len(s.faults) == 0 && len(in.Request.Images) > 0 {
		if err := s.fill(ctx, &in, s.starter(), nil, nil); err != nil {
			return wiring.StatusFailed, err
		}
		in.Phase = s.end(ctx, in.Since)
	}
	answer := report.Render(in)
	return status(answer), s.hand(answer, "")
}
