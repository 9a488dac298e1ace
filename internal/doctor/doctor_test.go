package doctor_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/doctor"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/outbound"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/registry"
)

const (
	host     = "registry.example.com"
	password = "sesame-of-the-target"
)

// hub is a fake repository on GitHub.
type hub struct {
	settings                       doctor.Settings
	workflows                      map[string]string
	settingsErr, workErr, labelErr error
	labels                         int // number of write attempts
}

func (h *hub) Settings(context.Context) (doctor.Settings, error) { return h.settings, h.settingsErr }
func (h *hub) Workflows(context.Context) (map[string]string, error) {
	return h.workflows, h.workErr
}

func (h *hub) Label(context.Context) error {
	h.labels++
	return h.labelErr
}

// ward is a patient and its surroundings, which are in order until a test
// changes them.
type ward struct {
	cfg     *config.Config
	faults  config.Faults
	hub     *hub
	target  fakeregistry.Options
	fault   *fakeregistry.Fault // of the target
	limit   string              // pulls of a hundred left at Docker Hub; empty to report nothing
	at      map[string]string   // addresses of the hosts
	patient doctor.Patient      // only ReadOnly is set

	registry *fakeregistry.Registry // the target, set by the run
}

func newWard() *ward {
	login := config.NewSecret(password)
	return &ward{
		cfg: &config.Config{
			Requests: config.Anyone,
			Targets:  []config.Target{{Host: host, Namespace: "ns", Username: "mate", Password: login, Private: true, PlainHTTP: true}},
		},
		hub: &hub{
			settings:  doctor.Settings{Issues: true},
			workflows: map[string]string{".github/workflows/mirror.yml": "active", ".github/workflows/sweep.yml": "active"},
		},
		target: fakeregistry.Options{Username: "mate", Password: password, Tokens: true},
	}
}

// public makes the target a public registry.
func (w *ward) public() { w.cfg.Targets[0].Host = "quay.io" }

// dockerHub adds Docker Hub as a source.
func (w *ward) dockerHub(limit string) {
	w.limit = limit
	w.cfg.Sources = append(w.cfg.Sources, config.Source{Host: "docker.io", Private: true, PlainHTTP: true})
}

func (w *ward) examine(t *testing.T) []*doctor.Finding {
	t.Helper()
	serve := func(h http.Handler) string {
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		return server.Listener.Addr().String()
	}
	w.registry = fakeregistry.New(w.target)
	if w.fault != nil {
		w.registry.Inject(*w.fault)
	}
	dockerHub := fakeregistry.New(fakeregistry.Options{})
	dockerHub.Add("ratelimitpreview/test", "latest", fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{"linux/amd64"}, Layers: []int{10}}))
	dockerHub.Inject(fakeregistry.Fault{Match: "^HEAD ", Times: -1, Do: func(rw http.ResponseWriter, _ *http.Request) bool {
		if w.limit != "" {
			rw.Header().Set("RateLimit-Limit", "100;w=21600")
			rw.Header().Set("RateLimit-Remaining", w.limit+";w=21600")
		}
		return false
	}})
	if w.at == nil {
		w.at = map[string]string{w.cfg.Targets[0].Host + ":80": serve(w.registry), "registry-1.docker.io:80": serve(dockerHub)}
	}
	opts := registry.Options{Network: outbound.Options{At: w.at}, Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
	p := w.patient
	p.Config, p.Faults, p.Now = w.cfg, w.faults, time.Now()
	if w.hub != nil {
		p.Hub = w.hub
	}
	p.Targets = registry.NewTargets(w.cfg.Targets, w.cfg.Sources, opts)
	p.Sources = registry.NewSources(w.cfg.Sources, opts)
	p.Visitors = registry.NewSources([]config.Source{{Host: w.cfg.Targets[0].Host, Private: true, PlainHTTP: true}}, opts)
	for _, c := range []*registry.Clients{p.Targets, p.Sources, p.Visitors} {
		t.Cleanup(c.Close)
	}
	return doctor.Examine(t.Context(), p)
}

var levels = map[doctor.Level]string{doctor.OK: "ok", doctor.Note: "note", doctor.Warning: "warning", doctor.Fault: "fault"}

// shown has a line for each finding, except those that all cases share.
func shown(findings []*doctor.Finding) string {
	var b strings.Builder
	for _, f := range findings {
		switch f.Kind {
		case doctor.Configured, doctor.Names, doctor.OpenToAll, doctor.QuotaUnknown:
			continue
		}
		b.WriteString(levels[f.Level] + " " + string(f.Kind) + "\n")
	}
	return b.String()
}

const (
	github = "ok issues-on\nok workflows-on\nok may-answer\n"
	pushed = "ok login-valid\nok pushed\n"
	fine   = github + pushed + "ok public\nok deleted\n"
)

func TestExamine(t *testing.T) {
	denied := fakeregistry.Fault{Times: -1, Status: http.StatusForbidden, Body: `{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}`}
	refusing := func(match, code, message string, status int) *fakeregistry.Fault {
		return &fakeregistry.Fault{Match: match, Times: -1, Status: status, Body: `{"errors":[{"code":"` + code + `","message":"` + message + `"}]}`}
	}
	for _, test := range []struct {
		name   string
		change func(*ward)
		want   string
		worst  doctor.Level
	}{
		{"everything fine", func(*ward) {}, fine, doctor.Note},
		{"fine, with a password at the registry", func(w *ward) { w.target.Tokens = false },
			github + "note login-unproven\nok pushed\nok public\nok deleted\n", doctor.Note},

		{"missing secret", func(w *ward) {
			w.faults = config.Faults{{Name: "FERRY_PASSWORD", Place: config.Secrets, Reason: "is empty"}}
			w.cfg.Targets[0].Password, w.cfg.Targets[0].Private = config.Secret{}, false
		}, "fault misconfigured\n" + github, doctor.Fault},
		{"only some may ask", func(w *ward) { w.cfg.Requests = config.Collaborators }, "note open-to-some\n" + fine, doctor.Note},
		{"a source's login is for everybody", func(w *ward) {
			w.dockerHub("")
			w.cfg.Sources[0].Username, w.cfg.Sources[0].Password, w.cfg.Sources[0].Requests = "mate", config.NewSecret("x"), config.Anyone
		}, "warning source-exposed\n" + fine + "note login-unproven\n", doctor.Warning},

		{"no token", func(w *ward) { w.hub = nil }, "note github-not-asked\n" + pushed + "ok public\nok deleted\n", doctor.Note},
		{"Issues off", func(w *ward) { w.hub.settings.Issues = false },
			"fault issues-off\nok workflows-on\nok may-answer\n" + pushed + "ok public\nok deleted\n", doctor.Fault},
		{"archived", func(w *ward) { w.hub.settings.Archived = true }, "fault archived\n" + pushed + "ok public\nok deleted\n", doctor.Fault},
		{"private repository", func(w *ward) { w.hub.settings.Private = true }, "note github-private\n" + fine, doctor.Note},
		{"a catalog that nobody sees", func(w *ward) { w.hub.settings.Catalog = true },
			"ok issues-on\nok workflows-on\nnote catalog-off\nok may-answer\n" + pushed + "ok public\nok deleted\n", doctor.Note},
		{"a catalog on a page", func(w *ward) { w.hub.settings.Catalog, w.hub.settings.Pages = true, true },
			"ok issues-on\nok workflows-on\nok catalog-on\nok may-answer\n" + pushed + "ok public\nok deleted\n", doctor.Note},
		{"a page of something else", func(w *ward) { w.hub.settings.Pages = true }, fine, doctor.Note},
		{"workflows off", func(w *ward) {
			w.hub.workflows = map[string]string{".github/workflows/mirror.yml": "disabled_manually", ".github/workflows/sweep.yml": "disabled_fork"}
		}, "ok issues-on\nfault workflow-mirror-off\nwarning workflow-sweep-off\nok may-answer\n" + pushed + "ok public\nok deleted\n", doctor.Fault},
		{"workflows of one's own", func(w *ward) {
			w.hub.workflows = map[string]string{".github/workflows/images.yml": "disabled_manually"}
		}, fine, doctor.Note},
		{"workflows hidden", func(w *ward) { w.hub.workErr = doctor.ErrPermission },
			"ok issues-on\nnote workflows-hidden\nok may-answer\n" + pushed + "ok public\nok deleted\n", doctor.Note},
		{"refused for another reason", func(w *ward) { w.hub.labelErr = &doctor.RefusedError{Said: "an allow list", Err: errors.New("403")} },
			"ok issues-on\nok workflows-on\nfault github-refuses\n" + pushed + "ok public\nok deleted\n", doctor.Fault},
		{"read-only token", func(w *ward) { w.hub.labelErr = doctor.ErrPermission },
			"ok issues-on\nok workflows-on\nfault may-not-answer\n" + pushed + "ok public\nok deleted\n", doctor.Fault},
		{"bad token", func(w *ward) { w.hub.settingsErr = doctor.ErrToken }, "fault github-token\n" + pushed + "ok public\nok deleted\n", doctor.Fault},
		{"no such repository", func(w *ward) { w.hub.settingsErr = doctor.ErrGone }, "fault github-gone\n" + pushed + "ok public\nok deleted\n", doctor.Fault},
		{"GitHub is down", func(w *ward) { w.hub.settingsErr = errors.New("503") }, "warning github-down\n" + pushed + "ok public\nok deleted\n", doctor.Warning},

		{"wrong password", func(w *ward) { w.target.Password = "another" }, github + "fault login-refused\n", doctor.Fault},
		{"wrong password, no tokens", func(w *ward) { w.target.Password, w.target.Tokens = "another", false },
			github + "note login-unproven\nfault login-refused\n", doctor.Fault},
		{"token at the registry for reading", func(w *ward) { w.target.ReadOnly = true }, github + "ok login-valid\nfault may-not-push\n", doctor.Fault},
		{"push denied", func(w *ward) { w.fault = &denied; w.fault.Match = "^POST " }, github + "ok login-valid\nfault may-not-push\n", doctor.Fault},
		{"no namespace", func(w *ward) { w.fault = refusing("^POST ", "NAME_UNKNOWN", "namespace not found", 404) },
			github + "ok login-valid\nfault not-pushed\n", doctor.Fault},
		{"manifest refused", func(w *ward) { w.fault = refusing("^PUT .*/manifests/", "MANIFEST_INVALID", "no", 400) },
			github + "ok login-valid\nfault not-pushed\n", doctor.Fault},
		{"full", func(w *ward) { w.fault = refusing("^PUT .*/blobs/", "DENIED", "quota exceeded", 403) },
			github + "ok login-valid\nfault full\n", doctor.Fault},
		{"a token server of somebody else's", func(w *ward) {
			w.target.Tokens = false
			w.fault = &fakeregistry.Fault{Match: "^GET /v2/$", Times: -1, Status: 401,
				Header: http.Header{"Www-Authenticate": {`Bearer realm="https://auth.example.net/token",service="x"`}}}
		}, github + "fault login-kept\n", doctor.Fault},
		{"the registry is down", func(w *ward) { w.fault = &fakeregistry.Fault{Match: "^GET /v2/$", Times: -1, Status: 503} },
			github + "warning trouble\n", doctor.Warning},
		{"the registry is nowhere", func(w *ward) { w.at = map[string]string{host + ":80": "127.0.0.1:1"} },
			github + "fault unreachable\n", doctor.Fault},
		{"private by default", func(w *ward) { w.public(); w.target.Private = true }, github + pushed + "fault hidden\nok deleted\n", doctor.Fault},
		{"private by default, among friends", func(w *ward) { w.public(); w.target.Private, w.cfg.Requests = true, config.Collaborators },
			"note open-to-some\n" + github + pushed + "warning hidden\nok deleted\n", doctor.Warning},
		{"a registry for a few", func(w *ward) { w.target.Private = true }, github + pushed + "note restricted\nok deleted\n", doctor.Note},
		{"private on purpose", func(w *ward) { w.public(); w.target.Private, w.cfg.Targets[0].PullsNeedLogin = true, true },
			github + pushed + "ok private\nok deleted\n", doctor.Note},
		{"public by mistake", func(w *ward) { w.cfg.Targets[0].PullsNeedLogin = true }, github + pushed + "warning exposed\nok deleted\n", doctor.Warning},
		{"the user name is a secret", func(w *ward) { w.patient.NameMasked = true }, "warning name-masked\n" + fine, doctor.Warning},
		{"cannot delete", func(w *ward) { w.target.NoDelete = true }, github + pushed + "ok public\nnote not-deleted\n", doctor.Note},

		{"pulls left", func(w *ward) { w.dockerHub("76") }, fine + "ok pulls-left\n", doctor.Note},
		{"few pulls left", func(w *ward) { w.dockerHub("9") }, fine + "warning pulls-scarce\n", doctor.Warning},
		{"no limit of pulls", func(w *ward) { w.dockerHub("") }, fine, doctor.Note},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWard()
			test.change(w)
			findings := w.examine(t)
			if diff := cmp.Diff(strings.Split(test.want, "\n"), strings.Split(shown(findings), "\n")); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if worst := doctor.Worst(findings); worst != test.worst {
				t.Errorf("the worst is %s, want %s", levels[worst], levels[test.worst])
			}
			for _, f := range findings {
				if f.Failure != nil && strings.Contains(f.Failure.Error()+f.Failure.Detail, password) {
					t.Errorf("%s shows the password: %v", f.Kind, f.Failure)
				}
			}
		})
	}
}

// TestTheTestImage checks that the doctor pushes a complete image and leaves
// nothing behind.
func TestTheTestImage(t *testing.T) {
	w := newWard()
	var manifests []string
	w.target.Refuse = func(mediaType string, _ []byte) (string, bool) {
		manifests = append(manifests, mediaType)
		return "", false
	}
	w.examine(t)
	if want := []string{"application/vnd.docker.distribution.manifest.v2+json"}; !cmp.Equal(manifests, want) {
		t.Errorf("pushed %q, want %q", manifests, want)
	}
	if tags := w.registry.Tags("ns/" + doctor.Scratch); len(tags) != 0 {
		t.Errorf("tags are left: %q", tags)
	}
	for _, r := range w.registry.Requests() {
		if strings.HasPrefix(r.Path, "/v2/") && r.Path != "/v2/" && !strings.HasPrefix(r.Path, "/v2/ns/"+doctor.Scratch+"/") {
			t.Errorf("%s %s is about something else", r.Method, r.Path)
		}
	}
}

func TestReadOnly(t *testing.T) {
	w := newWard()
	w.patient.ReadOnly = true
	findings := w.examine(t)
	if got, want := shown(findings), "ok issues-on\nok workflows-on\nok login-valid\nnote not-tried\n"; got != want {
		t.Errorf("findings %q, want %q", got, want)
	}
	if n := w.registry.Count("^(POST|PUT|PATCH|DELETE) "); n != 0 || w.hub.labels != 0 {
		t.Errorf("%d changes at the registry, %d at GitHub", n, w.hub.labels)
	}
}

// TestFindingsSayWhere checks that findings name what was refused, and where.
func TestFindingsSayWhere(t *testing.T) {
	w := newWard()
	w.target.ReadOnly = true
	for _, f := range w.examine(t) {
		if f.Kind != doctor.MayNotPush {
			continue
		}
		if f.Target != host+"/ns" || f.Repository.String() != host+"/ns/"+doctor.Scratch || f.Failure == nil || f.Failure.Code != failure.TargetLogin {
			t.Errorf("got %+v", f)
		}
		return
	}
	t.Error("nothing was refused")
}

// TestFaultySettingsAreNotPraised checks that a faulty setting has no other
// finding.
func TestFaultySettingsAreNotPraised(t *testing.T) {
	for _, name := range []string{"requests", "FERRY_REQUESTS"} {
		w := newWard()
		w.faults = config.Faults{{Name: name, Reason: "is \"everyone\""}}
		for _, f := range w.examine(t) {
			if f.Kind == doctor.OpenToAll || f.Kind == doctor.OpenToSome {
				t.Errorf("%s is faulty, and yet: %s", name, f.Kind)
			}
		}
	}
	w := newWard()
	w.faults = config.Faults{{Name: "targets[0].profile", Reason: "is \"flt\""}}
	for _, f := range w.examine(t) {
		if f.Kind == doctor.Names {
			t.Error("the profile is faulty, and yet a name is shown")
		}
	}
}

func TestWatch(t *testing.T) {
	w := newWard()
	var places []string
	w.patient.Watch = func(place string) { places = append(places, place) }
	w.examine(t)
	if want := []string{"GitHub", host + "/ns"}; !cmp.Equal(places, want) {
		t.Errorf("watched %q, want %q", places, want)
	}
}

// TestQuota compares what a target holds with the owner's limit, also when nothing may be
// changed.
func TestQuota(t *testing.T) {
	for held, want := range map[int]doctor.Kind{-1: doctor.QuotaUnknown, 0: doctor.QuotaLeft, 239: doctor.QuotaLeft, 240: doctor.QuotaScarce, 301: doctor.QuotaScarce} {
		for _, readOnly := range []bool{false, true} {
			w := newWard()
			w.patient.ReadOnly = readOnly
			w.cfg.Targets[0].Quota.Repositories = 300
			w.patient.Count = func(_ context.Context, target string) (plan.Stock, bool) {
				s := plan.Stock{Target: target, Repositories: 300, Held: map[string]int{}}
				for i := range held {
					s.Held[strconv.Itoa(i)] = 1
				}
				return s, held >= 0
			}
			var got []doctor.Kind
			for _, f := range w.examine(t) {
				if strings.HasPrefix(string(f.Kind), "quota-") {
					got = append(got, f.Kind)
				}
			}
			if !slices.Equal(got, []doctor.Kind{want}) {
				t.Errorf("%d, read-only %v: got %v, want %v", held, readOnly, got, want)
			}
		}
	}
}
