package ledger

import (
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/config"
)

func TestNext(t *testing.T) {
	const other = "another request"
	ago := func(d time.Duration) time.Time { return noon.Add(-d) }
	spoken := func(o Occasion, state State, change func(*Facts)) Facts {
		f := Facts{
			Occasion: o, Spoken: true, Trusted: true, Request: sum, Run: 2, Now: noon, Edited: ago(time.Hour),
			Before: Marker{Request: sum, State: state, Tries: 3, Since: ago(5 * time.Hour), Run: 1, Asker: config.Collaborators},
		}
		if change != nil {
			change(&f)
		}
		return f
	}
	fresh := Usage{From: noon}
	once := Usage{Repeats: 1, From: noon}
	anew := Action{Deed: Serve, Tries: 1, Since: noon, Used: fresh}
	anewAgain := Action{Deed: Serve, Tries: 1, Since: noon, Used: once}
	for _, test := range []struct {
		name string
		seen Facts
		want Action
	}{
		{"never seen", Facts{Request: sum, Now: noon}, anew},
		{"never seen, by the sweep", Facts{Occasion: Swept, Request: sum, Now: noon}, anew},
		{"the jobs of another run are at it", spoken(Swept, Working, func(f *Facts) { f.Before.Shards, f.Edited = 8, ago(divided-1) }), Action{Deed: Leave, Tries: 1, Since: noon, Used: fresh}},
		{"the jobs of another run have ended without a word", spoken(Swept, Working, func(f *Facts) { f.Before.Shards, f.Edited = 8, ago(divided) }),
			Action{Tries: 4, Lost: 1, Since: ago(5 * time.Hour), Used: fresh, Asker: config.Collaborators}},
		{"the jobs of another run are at it, asked again", spoken(Asked, Working, func(f *Facts) { f.Before.Shards, f.Edited = 8, ago(time.Minute) }),
			Action{Tries: 4, Since: ago(5 * time.Hour), Used: once}},
		{"the jobs of this run have ended", spoken(Swept, Working, func(f *Facts) { f.Before.Shards, f.Before.Run, f.Before.Lost = 8, 2, 3 }),
			Action{Tries: 3, Lost: 3, Since: ago(5 * time.Hour), Used: fresh, Asker: config.Collaborators}},
		{"answered", spoken(Changed, Done, nil), Action{Deed: Conclude, Tries: 1, Since: noon, Used: fresh}},
		{"answered, by the sweep", spoken(Swept, Refused, nil), Action{Deed: Conclude, Tries: 1, Since: noon, Used: fresh}},
		{"answered, as a command has changed it", spoken(Swept, Done, func(f *Facts) { f.Before.Request, f.Before.Text = other, sum }),
			Action{Deed: Conclude, Tries: 1, Since: noon, Used: fresh}},
		{"answered, asked again", spoken(Asked, Done, nil), anewAgain},
		{"edited", spoken(Changed, Done, func(f *Facts) { f.Before.Request = other }), anewAgain},
		{"edited while another run works", spoken(Changed, Working, func(f *Facts) { f.Before.Request, f.Edited = other, noon }), anewAgain},
		{"only helped before", spoken(Changed, Empty, func(f *Facts) { f.Before.Request = "" }), anew},
		{"another run is at it", spoken(Swept, Working, func(f *Facts) { f.Edited = ago(14 * time.Minute) }), Action{Deed: Leave, Tries: 1, Since: noon, Used: fresh}},
		{"this run is at it", spoken(Changed, Working, func(f *Facts) { f.Before.Run, f.Edited = 2, noon }),
			Action{Tries: 4, Lost: 1, Since: ago(5 * time.Hour), Used: fresh, Asker: config.Collaborators}},
		{"another run has just been heard of", spoken(Asked, Working, func(f *Facts) { f.Edited = ago(59 * time.Second) }),
			Action{Deed: Leave, Tries: 1, Since: noon, Used: once}},
		{"another run was quiet for a minute", spoken(Asked, Working, func(f *Facts) { f.Edited = ago(time.Minute) }),
			Action{Tries: 4, Since: ago(5 * time.Hour), Used: once}},
		{"another run was lost", spoken(Swept, Working, nil), Action{Tries: 4, Lost: 1, Since: ago(5 * time.Hour), Used: fresh, Asker: config.Collaborators}},
		{"too many were lost", spoken(Swept, Working, func(f *Facts) { f.Before.Lost = maxLost - 1 }),
			Action{Deed: GiveUp, Tries: 4, Lost: maxLost, Since: ago(5 * time.Hour), Used: fresh, Asker: config.Collaborators}},
		{"too many were lost, asked again", spoken(Asked, Working, func(f *Facts) { f.Before.Lost = maxLost - 1 }),
			Action{Tries: 4, Since: ago(5 * time.Hour), Used: once}},
		{"to be tried again", spoken(Swept, Retry, nil), Action{Tries: 4, Since: ago(5 * time.Hour), Used: fresh, Asker: config.Collaborators}},
		{"to be tried again, not signed", spoken(Swept, Retry, func(f *Facts) { f.Trusted = false }),
			Action{Tries: 4, Since: ago(5 * time.Hour), Used: fresh, Recall: true}},
		{"a visitor's, not signed", spoken(Swept, Retry, func(f *Facts) { f.Trusted, f.Before.Asker = false, config.Anyone }),
			Action{Tries: 4, Since: ago(5 * time.Hour), Used: fresh}},
		{"the owner's, not signed", spoken(Swept, Retry, func(f *Facts) { f.Trusted, f.Before.Asker = false, config.Owner }),
			Action{Tries: 4, Since: ago(5 * time.Hour), Used: fresh, Recall: true}},
		{"to be refreshed", spoken(Swept, Interrupted, func(f *Facts) { f.Before.Refresh = true }),
			Action{Tries: 4, Since: ago(5 * time.Hour), Used: fresh, Asker: config.Collaborators, Recall: true}},
		{"changed by a command", spoken(Swept, Retry, func(f *Facts) { f.Before.Request, f.Before.Text = other, sum }),
			Action{Tries: 4, Since: ago(5 * time.Hour), Used: fresh, Asker: config.Collaborators, Recall: true}},
		{"waits for the owner", spoken(Swept, SetUp, nil), Action{Tries: 1, Since: noon, Used: fresh, Asker: config.Collaborators}},
		{"repeats of today count on", spoken(Asked, Done, func(f *Facts) { f.Before.Used = Usage{Repeats: 3, Bytes: 7, From: ago(23 * time.Hour)} }),
			Action{Tries: 1, Since: noon, Used: Usage{Repeats: 4, Bytes: 7, From: ago(23 * time.Hour)}}},
		{"repeats of yesterday do not", spoken(Asked, Done, func(f *Facts) { f.Before.Used = Usage{Repeats: 3, From: ago(24 * time.Hour)} }), anewAgain},
	} {
		if got := Next(test.seen); got != test.want {
			t.Errorf("%s:\n got %+v\nwant %+v", test.name, got, test.want)
		}
	}
}

func TestLost(t *testing.T) {
	mine := Marker{Request: sum, State: Working, Run: 2, Since: noon}
	for name, test := range map[string]struct {
		now  Marker
		want Loss
	}{
		"still mine":                       {mine, Kept},
		"withdrawn":                        {Marker{Run: 3, State: Withdrawn}, Cancelled},
		"the same by another run":          {Marker{Run: 3, Request: sum, State: Working}, Overtaken},
		"something else, read later":       {Marker{Run: 3, Request: "b", Since: noon.Add(time.Second)}, Overtaken},
		"something else, read before":      {Marker{Run: 3, Request: "b", Since: noon.Add(-time.Second)}, Kept},
		"something else, at the same time": {Marker{Run: 3, Request: "b", Since: noon}, Kept},
	} {
		if got := Lost(mine, test.now); got != test.want {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}

func TestRecent(t *testing.T) {
	today, before := noon.Add(-time.Hour), noon.Add(-30*time.Hour)
	all := []Opened{{1, today, true}, {2, today, false}, {3, today, true}, {4, before, true}, {5, today, true}}
	for _, test := range []struct {
		issue, repeats, want int
	}{
		{1, 0, 0}, {3, 0, 1}, {5, 0, 3}, // of what was opened at once the first are served
		{4, 0, 2},            // opened before today: an update today is not a request
		{3, 1, 4}, {3, 4, 7}, // a repetition is a request of its own
	} {
		if got := Recent(all, test.issue, test.repeats, noon); got != test.want {
			t.Errorf("issue %d, repeats %d: got %d, want %d", test.issue, test.repeats, got, test.want)
		}
	}
}

func TestUsageOfADay(t *testing.T) {
	own := Usage{Repeats: 2, Bytes: 1, Repositories: 1, From: noon}
	got := own.Add([]Usage{
		{Bytes: 10, Repositories: 2, Repeats: 5, From: noon.Add(-23 * time.Hour)},
		{Bytes: 100, Repositories: 20, From: noon.Add(-24 * time.Hour)},
		{},
	}, noon)
	if want := (Usage{Repeats: 2, Bytes: 11, Repositories: 3, From: noon}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
