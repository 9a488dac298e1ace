package registry

import "testing"

func TestChallengesAreRead(t *testing.T) {
	for _, c := range []struct {
		header []string
		want   challenge
		ok     bool
	}{
		{[]string{`Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a:pull"`}, challenge{"bearer", "https://auth.docker.io/token", "registry.docker.io"}, true},
		{[]string{`bearer service = "s" , REALM=https://r/t`}, challenge{"bearer", "https://r/t", "s"}, true},
		{[]string{`Basic realm="x"`}, challenge{scheme: "basic"}, true},
		{[]string{`Basic realm="x"`, `Bearer realm="https://r/t"`}, challenge{"bearer", "https://r/t", ""}, true},
		{[]string{`Bearer realm="a\"b,c",service="d"`}, challenge{"bearer", `a"b,c`, "d"}, true},
		{[]string{`Bearer service="no realm"`}, challenge{}, false},
		{[]string{`Negotiate`}, challenge{}, false},
		{[]string{`Bearer realm="unfinished`}, challenge{"bearer", "unfinished", ""}, true},
		{nil, challenge{}, false},
	} {
		got, ok := challenges(map[string][]string{"Www-Authenticate": c.header}, nil)
		if got.challenge != c.want || ok != c.ok {
			t.Errorf("%q is %+v %v, want %+v %v", c.header, got.challenge, ok, c.want, c.ok)
		}
	}
}

func FuzzChallenges(f *testing.F) {
	for _, seed := range []string{`Bearer realm="https://a/b",service="c"`, `Basic realm="x"`, `Bearer =,="\`, `bearer realm="\",realm=`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ch, ok := challenges(map[string][]string{"Www-Authenticate": {text}}, nil)
		if ok && ch.scheme == "bearer" && ch.realm == "" {
			t.Error("a challenge without a realm")
		}
	})
}
