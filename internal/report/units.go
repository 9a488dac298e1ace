package report

import (
	"fmt"
	"strconv"
	"time"
)

// size formats a number of bytes in decimal units, like docker and the
// registries.
func size(n int64) md {
	units := []string{"B", "kB", "MB", "GB", "TB", "PB", "EB"}
	x, u := float64(n), 0
	for x >= 999.5 && u < len(units)-1 {
		x, u = x/1000, u+1
	}
	if u == 0 || x >= 99.95 {
		return md(fmt.Sprintf("%.0f %s", x, units[u]))
	}
	return md(strconv.FormatFloat(x, 'f', 1, 64) + " " + units[u])
}

// units are the names of units of time, as they follow a number.
type units struct{ Millisecond, Second, Minute, Hour md }

// took formats a duration with at most two units.
func (u units) took(d time.Duration) md {
	switch {
	case d < time.Second:
		return number(int(d.Milliseconds())) + u.Millisecond
	case d < 10*time.Second:
		return md(strconv.FormatFloat(d.Seconds(), 'f', 1, 64)) + u.Second
	case d < time.Minute:
		return number(int(d.Seconds())) + u.Second
	case d < time.Hour:
		return number(int(d.Minutes())) + u.Minute + " " + number(int(d.Seconds())%60) + u.Second
	}
	return number(int(d.Hours())) + u.Hour + " " + number(int(d.Minutes())%60) + u.Minute
}

// percent returns done as a share of all, from 0 to 100. 100 is shown only when
// everything is done.
func percent(done, all int64) int {
	if all <= 0 || done <= 0 {
		return 0
	}
	if done >= all {
		return 100
	}
	return min(99, int(float64(done)/float64(all)*100))
}

func number(n int) md { return md(strconv.Itoa(n)) }
