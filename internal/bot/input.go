package bot

import (
	"context"

	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/lists"
	"github.com/imageferry/ferry/internal/request"
	"github.com/imageferry/ferry/internal/wiring"
)

// serveInput mirrors the images of the input "images".
func (s *actionRun) serveInput(ctx context.Context, text string) (int, error) {
	j := job{request: lists.Parse(request.Input{Body: text, List: true}), count: ledger.Action{Tries: 1, Since: s.now()}}
	if s.dry {
		return s.preview(j)
	}
	if s.workable(j.request) {
		if err := s.fill(ctx, &j, s.starter(), nil); err != nil {
			return wiring.StatusFailed, err
		}
		j.phase = s.end(ctx, j.count.Since)
	}
	answer := s.render(j)
	return status(answer), s.hand(answer, "")
}
