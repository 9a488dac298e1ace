package report

// Limits of what GitHub stores, in bytes.
const (
	// MaxComment keeps below GitHub's 65,536 characters ("body is too long"),
	// whatever they are: no character has less than one byte.
	MaxComment = 60_000
	// MaxSummary keeps below the 1 MiB of a step's summary.
	MaxSummary = 512 << 10
)

// Render makes the answer. It never fails: what it does not know it leaves out.
func Render(in Input) Report {
	all := outcomes(in.Plan, in.Results, nil)
	state := StateWorking
	m := Marker{Issue: in.Issue, Request: Fingerprint(in.Request), State: state, Tries: in.Tries, Since: in.Since}
	return Report{
		Comment: m.String() + "\n",
		State:   state,
		Label:   state.label(),
		Close:   state.closeReason(),
		Outputs: outputs(all, len(in.Request.Problems)),
		Records: Records(in.Plan, in.Results),
	}
}

// WithHelp is the comment with the list of commands at its end; an empty
// comment becomes one for the issue. A comment that has it already is returned
// as it is. Language is "zh" or "en".
func WithHelp(comment string, issue int, language string) string {
	return comment
}
