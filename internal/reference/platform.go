package reference

import (
	"strings"
)

// Platform is an operating system, a CPU architecture and its variant, as in
// the OCI image specification ("Image Index", platform). Platforms compare with
// ==; the zero value means no platform.
type Platform struct {
	OS, Architecture, Variant string
}

// String returns "os/arch" or "os/arch/variant".
func (p Platform) String() string {
	if p.OS == "" {
		return ""
	}
	s := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		s += "/" + p.Variant
	}
	return s
}

// MarshalText returns String, for JSON.
func (p Platform) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText parses a platform.
func (p *Platform) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePlatform(string(text))
	return err
}

// architectures maps common names to Go's GOARCH and a variant, the values that
// image indexes use. It follows containerd's platforms package (normalizeArch)
// and adds names of uname, Debian and of everyday use: "x86", in contrast to
// "arm", means the 64-bit architecture today.
var architectures = map[string]struct{ arch, variant string }{
	"amd64": {"amd64", ""}, "x86_64": {"amd64", ""}, "x86-64": {"amd64", ""}, "x64": {"amd64", ""}, "x86": {"amd64", ""},
	"arm64": {"arm64", ""}, "aarch64": {"arm64", ""}, "armv8": {"arm64", ""}, "arm64v8": {"arm64", ""}, "arm64e": {"arm64", ""},
	"arm": {"arm", "v7"}, "armv7": {"arm", "v7"}, "armv7l": {"arm", "v7"}, "armhf": {"arm", "v7"}, "arm32v7": {"arm", "v7"},
	"armv6": {"arm", "v6"}, "armv6l": {"arm", "v6"}, "arm32v6": {"arm", "v6"},
	"armv5": {"arm", "v5"}, "armv5l": {"arm", "v5"}, "armel": {"arm", "v5"}, "arm32v5": {"arm", "v5"},
	"386": {"386", ""}, "i386": {"386", ""}, "i486": {"386", ""}, "i586": {"386", ""}, "i686": {"386", ""},
	"ppc64le": {"ppc64le", ""}, "ppc64el": {"ppc64le", ""}, "s390x": {"s390x", ""},
	"riscv64": {"riscv64", ""}, "loong64": {"loong64", ""}, "loongarch64": {"loong64", ""},
	"mips64le": {"mips64le", ""}, "mips64el": {"mips64le", ""},
}

// operatingSystems are those of public images.
var operatingSystems = map[string]string{
	"linux": "linux", "windows": "windows", "darwin": "darwin", "macos": "darwin",
	"freebsd": "freebsd", "wasip1": "wasip1", "wasi": "wasip1",
}

// variants are the variants of each architecture in the OCI image
// specification; the one that may be left out is the empty string.
var variants = map[string]map[string]string{
	"arm":   {"v5": "v5", "v6": "v6", "v7": "v7", "v8": "v8", "5": "v5", "6": "v6", "7": "v7", "8": "v8"},
	"arm64": {"v8": "", "8": "", "v9": "v9"},
	"amd64": {"v1": "", "v2": "v2", "v3": "v3", "v4": "v4"},
}

// ParsePlatform parses "os/arch", "os/arch/variant", "arch" or "arch/variant",
// including common aliases ("aarch64", "x86_64", "armv7"), in any case. The
// default operating system is Linux. Each platform has one form:
// "linux/arm64/v8" is "linux/arm64", "arm" is "linux/arm/v7". Errors are of
// type *SyntaxError.
func ParsePlatform(text string) (Platform, error) {
	fail := func(reason string) (Platform, error) {
		return Platform{}, &SyntaxError{text, PartPlatform, reason}
	}
	parts := strings.Split(strings.ToLower(text), "/")
	p := Platform{OS: "linux"}
	if os, ok := operatingSystems[parts[0]]; ok {
		p.OS, parts = os, parts[1:]
	}
	if len(parts) == 0 || len(parts) > 2 {
		return fail("is not os/arch or os/arch/variant")
	}
	a, ok := architectures[parts[0]]
	if parts[0] == "wasm" && p.OS == "wasip1" {
		a.arch, ok = "wasm", true
	}
	if !ok {
		return fail("names no known architecture")
	}
	p.Architecture, p.Variant = a.arch, a.variant
	if len(parts) == 2 {
		variant, ok := variants[a.arch][parts[1]]
		if !ok {
			return fail("names no known variant of its architecture")
		}
		p.Variant = variant
	}
	return p, nil
}
