package outbound

import (
	"testing"
	"time"
)

func TestTrips(t *testing.T) {
	const ms = time.Millisecond
	tests := map[string]struct {
		note func(*trips)
		want time.Duration
	}{
		"nothing":                            {func(*trips) {}, 0},
		"a server that thinks":               {func(t *trips) { t.noteConnect("a", 2*ms); t.noteExchange("a", 3*ms); t.noteExchange("a", 250*ms) }, 3 * ms},
		"storage that is far":                {func(t *trips) { t.noteExchange("a", 3*ms); t.noteExchange("b", 90*ms) }, 90 * ms},
		"a connection longer than an answer": {func(t *trips) { t.noteConnect("a", 20*ms); t.noteConnect("a", 9*ms); t.noteExchange("a", 3*ms) }, 9 * ms},
	}
	for name, c := range tests {
		var trips trips
		c.note(&trips)
		if got := trips.longest(); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}
