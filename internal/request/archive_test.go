package request

import "testing"

// TestArchive checks which texts ask for a file, beside an image that they all
// name.
func TestArchive(t *testing.T) {
	const image = "\nquay.io/prometheus/node-exporter:v1.8.2\n"
	for text, want := range map[string]bool{
		"":                                  false,
		"/archive":                          true,
		"as tar please":                     true,
		"I need a tar file":                 true,
		"Tarball, please":                   true,
		"请提供离线包":                            true,
		"需要 tar 包，机器没有网络":                   true,
		"内网使用，麻烦做成tar包":                     true,
		"an offline archive would be great": true,
		"不要离线包":                             false,
		"no tar needed":                     false,
		"without a tar file":                false,
		"I don't need a tar file":           false,
		"tar -xzf x.tgz":                    false,
		"then I run tar xzf on it":          false,
		"see nginx.tar and tar.gz":          false,
		"we target arm":                     false,
		"```sh\ntar file\n```":              false,
		"> /archive":                        false,
		"<!-- /archive -->":                 false,
		"see docs/archive/readme":           false,
	} {
		if got := Parse(Input{Body: text + image}); got.Archive != want || len(got.Images) != 1 {
			t.Errorf("%q: archive %v, want %v; %d images", text, got.Archive, want, len(got.Images))
		}
	}
	if !Parse(Input{Title: "离线包 nginx:1.27"}).Archive {
		t.Error("the title asks for a file")
	}
}
