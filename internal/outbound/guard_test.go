package outbound

import (
	"errors"
	"net/netip"
	"testing"
)

func TestGuardKnowsWhatIsPublic(t *testing.T) {
	for address, want := range map[string]bool{
		"8.8.8.8":              true,
		"140.82.112.33":        true,
		"2606:4700::6810:84e5": true,
		"2001:4860:4860::8888": true,
		"127.0.0.1":            false,
		"0.0.0.0":              false,
		"10.1.2.3":             false,
		"100.100.100.200":      false, // Alibaba's metadata
		"168.63.129.16":        false, // Azure's wire server
		"169.254.169.254":      false, // everyone's metadata
		"172.31.255.255":       false,
		"192.168.0.1":          false,
		"192.0.0.192":          false, // Oracle's metadata
		"198.19.0.1":           false,
		"224.0.0.1":            false,
		"255.255.255.255":      false,
		"::1":                  false,
		"::":                   false,
		"::ffff:127.0.0.1":     false, // IPv4-mapped
		"::ffff:8.8.8.8":       true,
		"::127.0.0.1":          false, // IPv4-compatible
		"64:ff9b::7f00:1":      false, // NAT64 of loopback
		"64:ff9b::808:808":     true,  // of 8.8.8.8
		"64:ff9b::a9fe:a9fe":   false,
		"64:ff9b:1::1":         false,
		"2002:7f00:1::":        false, // 6to4
		"2001:0:4136:e378::1":  false, // Teredo
		"fd00:ec2::254":        false, // Amazon's metadata
		"fe80::1":              false,
		"fec0::1":              false,
		"ff02::1":              false,
		"2001:db8::1":          false,
		"100::1":               false,
	} {
		if got := public(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: public is %v, want %v", address, got, want)
		}
		err := guardAddress("tcp", netip.AddrPortFrom(netip.MustParseAddr(address), 443).String(), nil)
		if (err == nil) != want || err != nil && !errors.Is(err, ErrForbidden) {
			t.Errorf("%s: the guard says %v", address, err)
		}
	}
	if public(netip.Addr{}) {
		t.Error("no address at all is public")
	}
	if guardAddress("tcp", "nonsense", nil) == nil {
		t.Error("the guard lets nonsense through")
	}
}

// TestFakeIP: addresses that a proxy makes up are let pass for names where the
// owner's own machine resolves them, and nothing else is.
func TestFakeIP(t *testing.T) {
	for address, want := range map[string]bool{
		"198.18.0.9:443": true, "198.19.255.255:443": true, "[::ffff:198.18.0.9]:443": true, "8.8.8.8:443": true,
		"198.20.0.1:443": true, "10.0.0.1:443": false, "127.0.0.1:443": false, "169.254.169.254:80": false, "[fd00::1]:443": false,
		"[fc00::9]:443": true, "[fdfe:dcba:9876::2]:443": true, "[fd00:ec2::254]:443": false,
	} {
		if err := guardFakeIP("tcp", address, nil); (err == nil) != want {
			t.Errorf("%s: %v", address, err)
		}
	}
	err := guardAddress("tcp", "198.18.0.9:443", nil)
	if fake, ok := errors.AsType[*AddressError](err); !ok || !fake.Fake || fake.Addr.String() != "198.18.0.9" || !errors.Is(err, ErrForbidden) {
		t.Errorf("error %v, want one that names the address", err)
	}
	for address, want := range map[string]bool{"198.18.0.9:443": true, "[::1]:443": true, "quay.io:443": false, "nonsense": true} {
		if literal(address) != want {
			t.Errorf("%s: literal is %v", address, !want)
		}
	}
	// An address that was written is none that a name resolved to.
	d := newDialer(NewTrust(nil), Options{FakeIP: true})
	if _, err := d.dial(t.Context(), "tcp", "198.18.0.9:443"); !errors.Is(err, ErrForbidden) {
		t.Errorf("error %v, want a refusal", err)
	}
}
