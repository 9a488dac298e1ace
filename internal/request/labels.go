package request

import "strings"

// labels are the words by which people name the parts of an image, one a line,
// and the keys of a document that they stand for.
var labels = map[string]string{
	"镜像仓库": "registry", "仓库": "registry", "仓库地址": "registry", "镜像域名": "registry", "域名": "registry", "registry": "registry",
	"镜像名": "repository", "镜像名称": "repository", "镜像": "repository", "名称": "repository", "image": "repository", "image name": "repository", "repository": "repository",
	"版本": "tag", "镜像版本": "tag", "版本号": "tag", "标签": "tag", "镜像标签": "tag", "tag": "tag", "version": "tag", "image tag": "tag", "image version": "tag", "tag name": "tag", "name": "repository", "image repository": "repository", "image registry": "registry",
	"平台": "platform", "架构": "platform", "镜像架构": "platform", "platform": "platform", "arch": "platform",
}

// readLabels reads an image whose parts stand on neighbouring lines, each
// behind its label: "镜像名: coreos/flannel", "版本: v0.15.1". A name that needs
// no other line is left to the passes that read lines.
func (s *scan) readLabels() {
	var settings []setting
	var at []int
	flush := func() {
		parts := map[string]int{}
		for _, one := range settings {
			parts[one.key]++
		}
		if parts["repository"] == 1 && parts["tag"]+parts["registry"] > 0 && len(settings) == len(parts) {
			s.join("", settings)
			for _, i := range at {
				s.taken[i] = true
			}
		}
		settings, at = nil, nil
	}
	s.rest(func(i int, l line) {
		if colon := strings.IndexByte(l.text, ':'); colon < 0 || colon > 40 || l.indent() > 0 {
			flush()
			return
		}
		text, _ := stripMarkers(l.text)
		label, value, ok := strings.Cut(strings.ReplaceAll(text, "*", ""), ":")
		value = strings.Trim(value, " `\"'")
		key := labels[strings.ToLower(strings.TrimSpace(label))]
		switch {
		case !ok || key == "" || value == "" || strings.ContainsAny(value, " ,") ||
			key == "registry" && !isDomain(value) || key == "repository" && strings.Contains(value, ":"):
			flush()
		case len(at) > 0 && i > at[len(at)-1]+2:
			flush()
			fallthrough
		default:
			settings, at = append(settings, setting{key, value, l}), append(at, i)
		}
	})
	flush()
}
