package config

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestSecretShowsItselfToNobody(t *testing.T) {
	const value = "hunter2-token"
	s := NewSecret(value)
	// fmt prints unexported fields without calling their methods.
	type private struct {
		name   string
		secret Secret
		list   []Secret
		ptr    *Secret
	}
	outer := []any{
		s, &s, []Secret{s}, map[string]Secret{"k": s}, Target{Host: "h", Password: s},
		&Config{Token: s, Targets: []Target{{Password: s}}, Sources: []Source{{Password: s}}},
		private{"n", s, []Secret{s}, &s}, &private{"n", s, []Secret{s}, &s},
		fmt.Errorf("logging in: %w", fmt.Errorf("%v %s", s, s)), errors.Join(errors.New("x"), fmt.Errorf("%q", s)),
	}
	for _, v := range outer[:4] {
		for verb := range strings.SplitSeq("v +v #v s q x X d t c U e b o 10v -5s .3s p T", " ") {
			check(t, "%"+verb, fmt.Sprintf("%"+verb, v), value)
		}
	}
	for _, v := range append(outer[:4:4], outer[4:]...) {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			check(t, verb, fmt.Sprintf(verb, v), value)
		}
		check(t, "Sprint", fmt.Sprint(v), value)
		if data, err := json.Marshal(v); err == nil {
			check(t, "json", string(data), value)
		}
		if data, err := xml.Marshal(v); err == nil {
			check(t, "xml", string(data), value)
		}
		if data, err := yaml.Marshal(v); err == nil {
			check(t, "yaml", string(data), value)
		}
		var buf bytes.Buffer
		_ = gob.NewEncoder(&buf).Encode(v) // some cannot be encoded, which is fine
		check(t, "gob", buf.String(), value)
		buf.Reset()
		slog.New(slog.NewTextHandler(&buf, nil)).Info("x", "v", v, slog.Group("g", "s", s))
		slog.New(slog.NewJSONHandler(&buf, nil)).Info("x", "v", v, slog.Group("g", "s", s))
		check(t, "slog", buf.String(), value)
	}
}

func check(t *testing.T, how, output, value string) {
	t.Helper()
	for _, form := range []string{value, fmt.Sprintf("%x", value), fmt.Sprintf("%X", value), fmt.Sprint([]byte(value)), value[:3] + "ter"} {
		if strings.Contains(output, form) {
			t.Errorf("%s shows %q", how, output)
		}
	}
}

func TestSecret(t *testing.T) {
	if s := NewSecret("x"); s.Reveal() != "x" || s.IsZero() {
		t.Error("a secret does not hold its value")
	}
	for _, s := range []Secret{{}, NewSecret("")} {
		if s.Reveal() != "" || !s.IsZero() || fmt.Sprint(s) != redacted {
			t.Errorf("an empty secret is %v", s)
		}
	}
	if data, err := json.Marshal(Target{Password: NewSecret("x")}); err != nil || !strings.Contains(string(data), `"Password":"[secret]"`) {
		t.Errorf("a target is %s, %v", data, err)
	}
}
