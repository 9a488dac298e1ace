package report

import (
	"fmt"
	"strconv"
	"time"
)

// size is a number of bytes in decimal units, as docker and the registries
// show them.
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

// took is a duration with two units at most.
func took(d time.Duration) md {
	switch {
	case d < time.Second:
		return md(fmt.Sprintf("%d ms", d.Milliseconds()))
	case d < 10*time.Second:
		return md(fmt.Sprintf("%.1f s", d.Seconds()))
	case d < time.Minute:
		return md(fmt.Sprintf("%.0f s", d.Truncate(time.Second).Seconds()))
	case d < time.Hour:
		return md(fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60))
	}
	return md(fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60))
}

// percent is how much of all is done, from 0 to 100. A hundred is not shown
// before it is reached.
func percent(done, all int64) int {
	if all <= 0 || done <= 0 {
		return 0
	}
	if done >= all {
		return 100
	}
	return min(99, int(float64(done)/float64(all)*100))
}
