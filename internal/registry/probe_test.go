package registry

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/reference"
)

// probed returns a target client of a fake registry.
func probed(t *testing.T, fake *fakeregistry.Registry, password string) (*Client, reference.Repository) {
	t.Helper()
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	host := server.Listener.Addr().String()
	clients := NewTargets([]config.Target{{
		Host: host, Private: true, PlainHTTP: true, Username: "mate", Password: config.NewSecret(password),
	}}, nil, Options{Wait: impatiently})
	t.Cleanup(clients.Close)
	c, _ := clients.ForHost(host)
	repository, err := reference.NewRepository(host, "ns/test")
	if err != nil {
		t.Fatal(err)
	}
	return c, repository
}

func TestLogin(t *testing.T) {
	const password = "sesame-of-the-target"
	for _, test := range []struct {
		name     string
		opts     fakeregistry.Options
		password string
		proven   bool
		refused  bool
	}{
		{"tokens", fakeregistry.Options{Username: "mate", Password: password, Tokens: true}, password, true, false},
		{"tokens for reading only", fakeregistry.Options{Username: "mate", Password: password, Tokens: true, ReadOnly: true}, password, true, false},
		{"tokens, wrong password", fakeregistry.Options{Username: "mate", Password: password, Tokens: true}, "wrong", false, true},
		{"password", fakeregistry.Options{Username: "mate", Password: password, Private: true}, password, true, false},
		{"password, a wrong one", fakeregistry.Options{Username: "mate", Password: password, Private: true}, "wrong", false, true},
		{"never asked", fakeregistry.Options{}, "whatever", false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, repository := probed(t, fakeregistry.New(test.opts), test.password)
			proven, err := c.Login(t.Context(), repository)
			if proven != test.proven {
				t.Errorf("proven %v, want %v", proven, test.proven)
			}
			if refused := failure.CodeOf(err) == failure.TargetLogin; refused != test.refused || !refused && err != nil {
				t.Errorf("error %v, want a refusal: %v", err, test.refused)
			}
		})
	}
}

// TestLoginWithATokenThatIsForARepository checks registries that accept no
// repository token at /v2/.
func TestLoginWithATokenThatIsForARepository(t *testing.T) {
	fake := fakeregistry.New(fakeregistry.Options{Username: "mate", Password: "sesame", Tokens: true})
	fake.Inject(fakeregistry.Fault{Match: "^GET /v2/$", Times: -1, Status: http.StatusForbidden})
	c, repository := probed(t, fake, "sesame")
	if proven, err := c.Login(t.Context(), repository); !proven || err != nil {
		t.Errorf("proven %v, error %v", proven, err)
	}
}

func TestDelete(t *testing.T) {
	for _, tokens := range []bool{false, true} {
		fake := fakeregistry.New(fakeregistry.Options{Username: "mate", Password: "sesame", Tokens: tokens})
		c, repository := probed(t, fake, "sesame")
		image := fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{"linux/amd64"}, Layers: []int{100}})
		fake.Add(repository.Path(), "1", image)
		digest, err := reference.ParseDigest(fakeregistry.Digest(image.Root().Body))
		if err != nil {
			t.Fatal(err)
		}
		tagged, err := repository.Tagged("1")
		if err != nil {
			t.Fatal(err)
		}
		by := tagged.Untagged(digest)
		if _, ok := failure.As(c.Delete(t.Context(), by)); !ok {
			t.Error("what has a tag was deleted")
		}
		fake.Add(repository.Path(), "1", fakeregistry.Generate(fakeregistry.Spec{Seed: 2, Platforms: []string{"linux/amd64"}, Layers: []int{100}}))
		for range 2 { // that it is gone is fine
			if err := c.Delete(t.Context(), by); err != nil {
				t.Error(err)
			}
		}
		if _, _, there := fake.Manifest(repository.Path(), digest.String()); there {
			t.Error("it is still there")
		}
	}
}

func TestAllowance(t *testing.T) {
	for _, test := range []struct {
		limit, remaining string
		want             Allowance
		told             bool
	}{
		{"100;w=21600", "76;w=21600", Allowance{100, 76, 6 * time.Hour}, true},
		{"100", "0", Allowance{100, 0, 0}, true},
		{"", "", Allowance{}, false},
		{"100;w=21600", "", Allowance{}, false},
		{"many", "-1", Allowance{}, false},
		{"100;w=99999999999999999999", "7", Allowance{100, 7, 0}, true},
	} {
		fake := fakeregistry.New(fakeregistry.Options{})
		c, repository := probed(t, fake, "")
		fake.Add(repository.Path(), "1", fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{"linux/amd64"}, Layers: []int{100}}))
		fake.Inject(fakeregistry.Fault{Match: "^HEAD ", Times: -1, Do: func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("RateLimit-Limit", test.limit)
			w.Header().Set("RateLimit-Remaining", test.remaining)
			return false
		}})
		ref, err := repository.Tagged("1")
		if err != nil {
			t.Fatal(err)
		}
		got, told, err := c.Allowance(t.Context(), ref)
		if got != test.want || told != test.told || err != nil {
			t.Errorf("%q, %q: %+v, told %v, error %v", test.limit, test.remaining, got, told, err)
		}
		if n := fake.Count("^GET /v2/ns"); n != 0 {
			t.Errorf("%d pulls were spent on asking", n)
		}
	}
}
