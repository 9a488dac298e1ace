package request

import "testing"

func TestTongue(t *testing.T) {
	for text, want := range map[string]string{
		"nginx:1.27": "",
		"nginx\nredis:7\nquay.io/prometheus/node-exporter:v1.8.2": "",
		"docker pull us.gcr.io/a/b:1":                             "",
		"image: gcr.io/a/b:1\nimagePullPolicy: Always":            "",
		"Failed to pull image \"gcr.io/a/b:1\": rpc error: code = NotFound desc = failed to pull and unpack image": "",
		"Please mirror nginx:1.27, thanks!":                   "en",
		"I need gcr.io/a/b:1":                                 "en",
		"necesito gcr.io/a/b:1":                               "en",
		"Bitte gcr.io/a/b:1 spiegeln.\nWie lange dauert das?": "en",
		"Necesito gcr.io/a/b:1\n\n¿Cómo lo descargo?":         "en",
		"请同步 gcr.io/a/b:1":                                    "zh",
		"请 please gcr.io/a/b:1":                               "zh",
	} {
		r := Parse(Input{Body: text})
		got := map[bool]string{r.Chinese: "zh", r.English: "en"}[true]
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestLower(t *testing.T) {
	for text, want := range map[string]string{
		"GHCR.io/A": "ghcr.io/a", "Можно ЁЖ": "можно ёж", "É possível": "é possível", "Παρακαλώ": "παρακαλώ", "Đồng bộ": "đồng bộ", "ŞİŞ": "şİş",
		"镜像A": "镜像a", "\xc3A": "\xc3a", "\u212a": "\u212a",
	} {
		if got := lower(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
