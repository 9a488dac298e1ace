package reference

import "strings"

// The grammar of the OCI distribution specification, "Pulling manifests", for
// one path component and for a tag. Hosts are DNS names in lower case. The
// specification defines the grammar by regular expressions. They are
// implemented by hand here because a request of a megabyte may contain a
// hundred thousand names. TestGrammar compares the two.

// isComponent matches [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*
func isComponent(s string) bool {
	separators := 0
	for i := range len(s) {
		c := s[i]
		switch {
		case isLowerAlnum(c):
			separators = 0
		case c != '.' && c != '_' && c != '-', i == 0, i == len(s)-1:
			return false
		default:
			separators++
			if separators > 1 && (c != s[i-1] || c == '.' || c == '_' && separators > 2) {
				return false
			}
		}
	}
	return s != ""
}

// isTag matches [a-zA-Z0-9_][a-zA-Z0-9._-]* (its length is checked elsewhere).
func isTag(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !isLowerAlnum(c) && (c < 'A' || c > 'Z') && c != '_' && (i == 0 || c != '.' && c != '-') {
			return false
		}
	}
	return s != ""
}

// maxLabel is the length in bytes of one label of a DNS name (RFC 1035 §2.3.4).
const maxLabel = 63

// isLabel matches [a-z0-9]([a-z0-9-]*[a-z0-9])? of at most maxLabel bytes (RFC
// 1035 §2.3.1, as relaxed by RFC 1123).
func isLabel(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isLowerAlnum(c) && (c != '-' || i == 0 || i == len(s)-1) {
			return false
		}
	}
	return s != "" && len(s) <= maxLabel
}

// isPort reports whether s is a number from 1 to 65535 without leading zeros.
func isPort(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == "" && s[0] != '0' && (len(s) < 5 || len(s) == 5 && s <= "65535")
}

// isHex reports whether s is n lower-case hexadecimal digits.
func isHex(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789abcdef") == ""
}

func isLowerAlnum(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' }
