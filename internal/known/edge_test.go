package known_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/imageferry/ferry/internal/known"
)

var update = flag.Bool("update", false, "write edge/src/known.json anew")

// edgeRow has the facts about a registry that the Worker in edge/ needs for its
// responses.
type edgeRow struct {
	Hosts      []string    `json:"hosts,omitempty"`
	Aliases    []string    `json:"aliases,omitempty"`
	Domains    []string    `json:"domains,omitempty"`
	SameAs     string      `json:"sameAs,omitempty"`
	API        string      `json:"api,omitempty"`
	Allowed    bool        `json:"allowed,omitempty"`
	Label      string      `json:"label,omitempty"`
	Names      *edgeNames  `json:"names,omitempty"`
	Tokens     *edgeTokens `json:"tokens,omitempty"`
	TokenHosts string      `json:"tokenHosts,omitempty"`
}

type edgeNames struct {
	Most       int  `json:"most,omitempty"`
	Shortest   int  `json:"shortest,omitempty"`
	Longest    int  `json:"longest,omitempty"`
	SingleDash bool `json:"singleDash,omitempty"`
}

type edgeTokens struct {
	Realm   string `json:"realm"`
	Service string `json:"service"`
}

// TestEdge checks that the table of the Worker in edge/ agrees with this one.
func TestEdge(t *testing.T) {
	const file = "../../edge/src/known.json"
	var b bytes.Buffer
	for i, r := range known.All() {
		row := edgeRow{
			Hosts: r.Hosts, Aliases: r.Aliases, Domains: r.Domains, SameAs: r.SameAs, API: r.API, Allowed: r.Allowed, Label: r.Label,
		}
		if n := (edgeNames{r.Names.Most, r.Names.Shortest, r.Names.Longest, r.Names.SingleDash}); n != (edgeNames{}) {
			row.Names = &n
		}
		if r.Tokens != (known.TokenServer{}) {
			row.Tokens = &edgeTokens{r.Tokens.Realm, r.Tokens.Service}
		}
		if r.TokenHosts != nil {
			row.TokenHosts = r.TokenHosts.Text
		}
		line, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(map[bool]string{true: "[\n", false: ",\n"}[i == 0])
		b.Write(line)
	}
	b.WriteString("\n]\n")
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if old, err := os.ReadFile(file); err != nil || !bytes.Equal(old, b.Bytes()) {
		t.Errorf("%s is not what the table says (%v): go test ./internal/known -update", file, err)
	}
}
