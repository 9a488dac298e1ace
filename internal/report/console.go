package report

import (
	"strings"

	"github.com/imageferry/ferry/internal/doctor"
	"github.com/imageferry/ferry/internal/reference"
)

// brand is a registry whose pages and ways are known. The empty one stands for
// all others.
type brand string

const (
	hubBrand     brand = "docker"
	githubBrand  brand = "github"
	quayBrand    brand = "quay"
	alibabaBrand brand = "alibaba"
	tencentBrand brand = "tencent"
	huaweiBrand  brand = "huawei"
)

func brandOf(host string) brand {
	under := func(domains ...string) bool {
		for _, domain := range domains {
			if strings.HasSuffix(host, domain) {
				return true
			}
		}
		return false
	}
	switch {
	case host == reference.DockerHub:
		return hubBrand
	case host == "ghcr.io":
		return githubBrand
	case host == "quay.io":
		return quayBrand
	case under(".aliyuncs.com"):
		return alibabaBrand
	case under(".tencentyun.com", ".tencentcloudcr.com"):
		return tencentBrand
	case strings.HasPrefix(host, "swr.") && under(".myhuaweicloud.com", ".myhuaweicloud.eu"):
		return huaweiBrand
	}
	return ""
}

// console is the page on which the owner manages a target.
func console(f doctor.Finding) page {
	namespace := strings.TrimPrefix(f.Target, f.Host+"/")
	account, _, _ := strings.Cut(namespace, "/")
	switch brandOf(f.Host) {
	case hubBrand:
		if f.Kind == doctor.MayNotPush {
			return page{"Personal access tokens", "https://app.docker.com/settings/personal-access-tokens"}
		}
		return page{"hub.docker.com", "https://hub.docker.com/repositories/" + account}
	case githubBrand:
		if f.Kind == doctor.MayNotPush {
			return page{"Personal access tokens", "https://github.com/settings/tokens"}
		}
		return page{"Packages", "https://github.com/" + account + "?tab=packages"}
	case quayBrand:
		return page{"quay.io", "https://quay.io/repository/" + namespace + "/" + doctor.Scratch + "?tab=settings"}
	case alibabaBrand:
		return page{"cr.console.aliyun.com", "https://cr.console.aliyun.com/"}
	case tencentBrand:
		return page{"console.cloud.tencent.com", "https://console.cloud.tencent.com/tcr/"}
	case huaweiBrand:
		return page{"console.huaweicloud.com", "https://console.huaweicloud.com/swr/"}
	}
	if strings.Contains(f.Host, ":") { // a registry alone, without pages
		return page{}
	}
	return page{md(f.Host), "https://" + f.Host + "/"}
}
