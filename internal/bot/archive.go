package bot

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/pattern"
	"github.com/imageferry/ferry/internal/publish"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/wiring"
)

// tellArchive completes the answer of this run, which announced a tar file: with
// the address of the artifact or the release or, if the steps before have failed, with the reason.
// artifact is empty then.
func (s *actionRun) tellArchive(ctx context.Context, artifact string) (int, error) {
	number := s.cfg.Issue
	if s.event.Issue != nil {
		number = s.event.Issue.Number
	}
	if s.hub == nil || number == 0 {
		s.log.Info("nothing to do: there is no issue")
		return wiring.StatusDone, nil
	}
	talk, err := s.hub.Open(ctx, number)
	if err != nil {
		return wiring.StatusFailed, err
	}
	body, announced := report.WithArchive(talk.Body(), s.runPage(), s.archiveFile(artifact))
	if !announced {
		s.log.Info("nothing to do: the answer of this run has been replaced")
		return wiring.StatusDone, nil
	}
	return wiring.StatusDone, talk.Finish(ctx, publish.Outcome{Body: body, Anew: true})
}

// partName matches the names of the parts of a tar file, as "ferry save" gives them.
var partName = &pattern.Regexp{Text: `^images\.tar(\.[0-9]{3})?$`}

// archiveFile returns the file that "ferry save" has described. Its description is
// made by an earlier step of the same job.
func (s *actionRun) archiveFile(artifact string) report.File {
	f := report.File{Until: s.now().Add(time.Duration(s.cfg.Archives.Days) * ledger.Day)}
	var saved struct { // docs/outputs.md, "ferry save --json"
		Size, Limit int64
		SHA256      string
		Files       []report.Part
	}
	text, err := os.ReadFile(s.env.Getenv("FERRY_ARCHIVE_RECORD"))
	if err != nil || json.Unmarshal(text, &saved) != nil {
		return f
	}
	f.Size, f.Limit = saved.Size, saved.Limit
	sum, err := hex.DecodeString(saved.SHA256)
	if err != nil || len(sum) == 0 || s.runPage() == "" {
		return f
	}
	repository, _, _ := strings.Cut(s.runPage(), "/actions/")
	switch {
	case strings.HasPrefix(artifact, s.runPage()+"/"):
		f.URL, f.SHA256, f.Limit = artifact, saved.SHA256, 0
	case strings.HasPrefix(artifact, repository+"/releases/download/ferry-archive-") && len(saved.Files) > 0:
		f.URL, f.Parts, f.Limit = artifact, slices.DeleteFunc(saved.Files, func(p report.Part) bool { return !partName.MatchString(p.Name) }), 0
	}
	return f
}
