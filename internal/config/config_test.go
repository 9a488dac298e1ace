package config

import "testing"

func TestOwnersLanguage(t *testing.T) {
	for _, c := range []struct{ language, host, want string }{
		{"auto", "docker.io", "en"},
		{"auto", "registry.cn-hangzhou.aliyuncs.com", "zh"},
		{"auto", "crpi-1.cn-hangzhou.personal.cr.aliyuncs.com", "zh"},
		{"auto", "registry-intl.ap-southeast-1.aliyuncs.com", "en"},
		{"auto", "ccr.ccs.tencentyun.com", "zh"},
		{"auto", "swr.cn-north-4.myhuaweicloud.com", "zh"},
		{"auto", "swr.eu-west-101.myhuaweicloud.eu", "en"},
		{"en", "ccr.ccs.tencentyun.com", "en"},
		{"zh", "docker.io", "zh"},
		{"", "", "en"},
	} {
		cfg := &Config{Language: c.language}
		if c.host != "" {
			cfg.Targets = []Target{{Host: "docker.io"}, {Host: c.host}}
		}
		if got := cfg.OwnersLanguage(); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
