package registry

import (
	"net/url"
	"testing"

	"github.com/imageferry/ferry/internal/config"
)

// TestWhoMaySeeALogin checks the realms that a registry could name. Hosts that
// anybody can rent beside it do not belong to it, however similar their names
// are.
func TestWhoMaySeeALogin(t *testing.T) {
	for _, test := range []struct {
		registry, realm string
		want            bool
	}{
		// The registry itself, and its parent domains.
		{"quay.io", "https://quay.io/v2/auth", true},
		{"quay.io", "https://QUAY.IO:443/v2/auth", true},
		{"ccr.ccs.tencentyun.com", "https://ccr.ccs.tencentyun.com/service/token", true},
		{"swr.cn-north-4.myhuaweicloud.com", "https://swr.cn-north-4.myhuaweicloud.com/swr/auth/v2/registry/auth/", true},
		{"registry.gitlab.example.com", "https://gitlab.example.com/jwt/auth", true},
		{"gitlab.example.com:5050", "https://gitlab.example.com/jwt/auth", true},
		// Known ones.
		{"docker.io", "https://auth.docker.io/token", true},
		{"registry.gitlab.com", "https://gitlab.com/jwt/auth", true},
		{"registry.cn-hangzhou.aliyuncs.com", "https://dockerauth.cn-hangzhou.aliyuncs.com/auth", true},
		{"registry-vpc.cn-hangzhou.aliyuncs.com", "https://dockerauth-vpc.cn-hangzhou.aliyuncs.com/auth", true},
		{"team-registry.cn-shanghai.cr.aliyuncs.com", "https://dockerauth-ee.cn-shanghai.aliyuncs.com/auth", true},
		{"crpi-x1.cn-hangzhou.personal.cr.aliyuncs.com", "https://dockerauth.cn-hangzhou.aliyuncs.com/auth", true},
		{"registry.cn-zhangjiakou.aliyuncs.com", "https://dockerauth-cn-zhangjiakou.aliyuncs.com/auth", true},

		// Neighbours.
		{"docker.io", "https://evil.docker.io/token", false},
		{"docker.io", "https://docker.io.evil.example/token", false},
		{"docker.io", "https://auth.docker.io:8443/token", false},
		{"docker.io", "https://auth.docker.io./token", false},
		{"docker.io", "https://auth.docker。io/token", false},
		{"ghcr.io", "https://evilghcr.io/token", false},
		{"ghcr.io", "https://evil.ghcr.io/token", false},
		{"registry.example.co.uk", "https://evil.co.uk/token", false},
		{"registry.example.com.cn", "https://evil.com.cn/token", false},
		{"octo.github.io", "https://evil.github.io/token", false},
		{"1.dkr.ecr.us-east-1.amazonaws.com", "https://evil.s3.amazonaws.com/token", false},
		{"1.dkr.ecr.us-east-1.amazonaws.com", "https://2.dkr.ecr.us-east-1.amazonaws.com/token", false},
		{"swr.cn-north-4.myhuaweicloud.com", "https://evil.obs.cn-north-4.myhuaweicloud.com/token", false},
		{"registry.cn-hangzhou.aliyuncs.com", "https://evil.oss-cn-hangzhou.aliyuncs.com/auth", false},
		{"registry.cn-hangzhou.aliyuncs.com", "https://dockerauth.oss-cn-hangzhou.aliyuncs.com/auth", false},
		{"registry.cn-hangzhou.aliyuncs.com", "https://dockerauth.cn-shanghai.aliyuncs.com/auth", false},
		{"registry.cn-hangzhou.aliyuncs.com", "https://dockerauth.cn-hangzhou.aliyuncs.com.evil.example/auth", false},
		{"registry.cn-hangzhou.evil.example", "https://dockerauth.cn-hangzhou.aliyuncs.com/auth", false},
		{"registry.gitlab.com", "https://evil.gitlab.com/jwt/auth", false},
		// Not a domain.
		{"registry.example.com", "https://com/token", false},
		{"localhost:5000", "https://localhost:5001/token", false},
		{"10.1.2.3:5000", "https://10.1.2.3:5001/token", false},
		{"registry.example.com", "http://registry.example.com/token", false},
	} {
		c, _ := NewTargets([]config.Target{{Host: test.registry}}, nil, Options{}).ForHost(test.registry)
		realm, err := url.Parse(test.realm)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.mayLogin(realm); got != test.want {
			t.Errorf("%s may send logins to %s: %v, want %v", test.registry, test.realm, got, test.want)
		}
	}
}

// TestWhomTheOwnerNamesMaySeeALogin checks hosts named as token-server of a
// registry, and other private hosts for a private one.
func TestWhomTheOwnerNamesMaySeeALogin(t *testing.T) {
	sources := []config.Source{{Host: "auth.lan:5001", Private: true}, {Host: "quay.io"}}
	named := config.Target{Host: "registry.example.com", TokenServer: "login.example.net:8443"}
	private := config.Target{Host: "registry.lan", Private: true}
	for _, test := range []struct {
		target config.Target
		realm  string
		want   bool
	}{
		{named, "https://login.example.net:8443/token", true},
		{named, "https://login.example.net/token", false},
		{named, "http://login.example.net:8443/token", false},
		{named, "https://auth.lan:5001/token", false},
		{named, "https://quay.io/token", false},
		{private, "https://auth.lan:5001/token", true},
		{private, "https://quay.io/token", false},
		{private, "https://login.example.net:8443/token", false},
	} {
		c, _ := NewTargets([]config.Target{named, private}, sources, Options{}).ForHost(test.target.Host)
		realm, err := url.Parse(test.realm)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.mayLogin(realm) && c.trust.Check(realm) == nil; got != test.want {
			t.Errorf("%s may send logins to %s: %v, want %v", test.target.Host, test.realm, got, test.want)
		}
	}
}
