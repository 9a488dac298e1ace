package bot

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/fakeworld"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/lists"
	"github.com/imageferry/ferry/internal/request"
	"github.com/imageferry/ferry/internal/wiring"
)

// outputs returns what the run has written for later steps, and forgets it.
func (w *world) outputs() string {
	text, err := os.ReadFile(w.Environ["GITHUB_OUTPUT"])
	if err != nil {
		w.T.Fatal(err)
	}
	w.Write("output", "")
	return string(text)
}

// TestArchive checks that a file is announced, made of what was mirrored, and told
// with its address, or with the reason why there is none.
func TestArchive(t *testing.T) {
	const record = `{"images":[],"size":3000000,"sha256":"5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03","files":[]}`
	for _, test := range []struct {
		name, record, artifact string
		says                   []string
	}{
		{"made", record, "https://github.com/octo-harbour/ferry/actions/runs/7/artifacts/9",
			[]string{"[images.tar](https://github.com/octo-harbour/ferry/actions/runs/7/artifacts/9), 3.0 MB, until 2026-11-24 08:00 UTC", "docker load -i images.tar", "5891b5b5"}},
		{"released", strings.Replace(record, `"files":[]`, `"files":[{"file":"images.tar.001","size":3000000,"sha256":"`+strings.Repeat("1", 64)+`"}]`, 1),
			"https://github.com/octo-harbour/ferry/releases/download/ferry-archive-20261121-7",
			[]string{"[images.tar.001](https://github.com/octo-harbour/ferry/releases/download/ferry-archive-20261121-7/images.tar.001), 3.0 MB, until 2026-11-24 08:00 UTC. On the", "docker load -i images.tar.001 ", "sha256sum images.tar.001 # 1111"}},
		{"released in parts", strings.Replace(record, `"files":[]`, `"files":[{"file":"images.tar.001","sha256":"11"},{"file":"images.tar.002","sha256":"22"}]`, 1),
			"https://github.com/octo-harbour/ferry/releases/download/ferry-archive-20261121-7",
			[]string{"[images.tar.002](https://github.com/octo-harbour/ferry/releases/download/ferry-archive-20261121-7/images.tar.002), 3.0 MB", "sha256sum images.tar.001 # 11", "cat images.tar.* | docker load"}},
		{"a release elsewhere", record, "https://github.com/other/ferry/releases/download/ferry-archive-20261121-7", []string{"could not be made"}},
		{"too large", `{"images":[],"size":5000000000,"limit":4294967296}`, "failed", []string{"it would have 5.0 GB, the limit is 4.3 GB"}},
		{"failed", "", "failed", []string{"could not be made: [run log](https://github.com/octo-harbour/ferry/actions/runs/7)"}},
		{"the upload failed", record, "failed", []string{"could not be made"}},
		{"another address", record, "https://elsewhere.example/x", []string{"could not be made"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.SetPolicy(fakeworld.Policy + "archives: {requests: anyone}\n")
			w.Environ["GITHUB_RUN_ID"] = "7"
			w.Publish("ns/img", "1.0", 1)
			n := w.open(stranger, "please", "gcr.io/ns/img:1.0 | linux/amd64\ngcr.io/ns/none:1\n/archive")
			status, log := w.happens("issues", "opened", n, nil)
			w.WantStatus(status, wiring.StatusDone, log)
			fakeworld.WantText(t, "the comment", w.comment(n), "The tar file is being made")
			out := w.outputs()
			_, rest, _ := strings.Cut(out, "archive<<")
			lines := strings.Split(rest, "\n")
			if len(lines) < 3 {
				t.Fatalf("outputs: %s", out)
			}
			asked := lists.Parse(request.Input{Body: lines[1]})
			if len(asked.Images) != 1 || !strings.HasPrefix(asked.Images[0].Reference.String(), "gcr.io/ns/img:1.0@sha256:") || len(asked.Images[0].Platforms) != 1 {
				t.Errorf("the file is asked for with %q", lines[1])
			}
			w.Write("record.json", test.record)
			w.Environ["FERRY_ARCHIVE"], w.Environ["FERRY_ARCHIVE_RECORD"] = test.artifact, filepath.Join(w.Dir, "record.json")
			for range 2 { // repeating it changes nothing
				status, log = w.happens("issues", "opened", n, nil)
				w.WantStatus(status, wiring.StatusDone, log)
				comment := w.comment(n)
				fakeworld.WantText(t, "the comment", comment, test.says...)
				if m, _ := ledger.ParseMarker(comment); strings.Contains(comment, "is being made") || m.Used.Archives != 1 || m.State != ledger.Partial {
					t.Errorf("the comment is %s", comment)
				}
			}
		})
	}
}

// TestArchiveIsRefused checks that nobody gets a file whom the owner does not
// allow one, and that the answer says so.
func TestArchiveIsRefused(t *testing.T) {
	for _, test := range []struct {
		policy string
		by     event.User
		before int
		says   string
	}{
		{"", sailor, 0, "has not enabled tar files"},
		{"archives: {requests: collaborators}\n", stranger, 0, "Tar files are for the owner and collaborators only"},
		{"archives: {requests: collaborators}\n", sailor, 0, "is being made"},
		{"archives: {requests: anyone, per-day: 1}\n", stranger, 1, "the limit for a person is 1 in 24 hours"},
		{"archives: {requests: anyone, per-day: 2}\n", stranger, 1, "is being made"},
		{"archives: {requests: anyone, per-day: 1}\n", sailor, 2, "is being made"},
	} {
		w := newWorld(t)
		w.SetPolicy(fakeworld.Policy + test.policy)
		w.Publish("ns/img", "1.0", 1)
		var n int
		for range test.before + 1 {
			w.Write("output", "")
			n = w.open(test.by, "please", "gcr.io/ns/img:1.0\n/archive")
			w.happens("issues", "opened", n, nil)
		}
		fakeworld.WantText(t, "the comment", w.comment(n), test.says, "docker pull")
		if made := strings.Contains(w.outputs(), "\ngcr.io/ns/img:1.0@sha256"); made != strings.Contains(test.says, "being made") {
			t.Errorf("%s: the outputs have the image: %v", test.says, made)
		}
	}
}

// TestArchiveCommand checks that a command adds a file to an answered request.
func TestArchiveCommand(t *testing.T) {
	w := newWorld(t)
	w.SetPolicy(fakeworld.Policy + "archives: {requests: anyone}\n")
	w.Publish("ns/img", "1.0", 1)
	n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	w.happens("issues", "opened", n, nil)
	if strings.Contains(w.comment(n), "tar file") {
		t.Error("nobody asked for a file")
	}
	w.says(stranger, n, "/ferry 离线包")
	fakeworld.WantText(t, "the comment", w.comment(n), "The tar file is being made", "Nothing had to be copied")
}
