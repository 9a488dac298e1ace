package report

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/doctor"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
)

// about is a finding about a target.
func about(t *testing.T, level doctor.Level, kind doctor.Kind, host, namespace string) *doctor.Finding {
	t.Helper()
	repository, err := reference.NewRepository(host, namespace+"/"+doctor.Scratch)
	if err != nil {
		t.Fatal(err)
	}
	return &doctor.Finding{Level: level, Kind: kind, Target: host + "/" + namespace, Host: host, Repository: repository}
}

// stocked returns a target with repositories, of which the first has most of 900 tags.
func stocked(target string, repositories, limit int) plan.Stock {
	s := plan.Stock{Target: target, Repositories: limit, Tags: 5000, Held: map[string]int{}}
	for i := range repositories {
		s.Held[fmt.Sprintf("%s/%d", target, i)] = 1
	}
	s.Held[target+"/0"] = 901 - repositories
	return s
}

// checkups are what the doctor can find, by occasion.
func checkups(t *testing.T) map[string][]*doctor.Finding {
	hub := func(level doctor.Level, kind doctor.Kind) *doctor.Finding {
		return about(t, level, kind, "docker.io", "user")
	}
	acr := func(level doctor.Level, kind doctor.Kind) *doctor.Finding {
		return about(t, level, kind, "registry.cn-hangzhou.aliyuncs.com", "user")
	}
	names := hub(doctor.OK, doctor.Names)
	names.Source, names.Mirror = ref(t, "registry.k8s.io/pause:3.10"), ref(t, "docker.io/user/"+"google-containers.pause:3.10")
	pulls := &doctor.Finding{Kind: doctor.PullsLeft, Host: "docker.io", Allowance: registry.Allowance{Limit: 100, Remaining: 76, Window: 6 * time.Hour}}
	scarce := &doctor.Finding{Level: doctor.Warning, Kind: doctor.PullsScarce, Host: pulls.Host, Allowance: registry.Allowance{Limit: 100, Remaining: 3}}
	denied := hub(doctor.Fault, doctor.MayNotPush)
	denied.Failure = &failure.Error{Code: failure.TargetLogin, Side: failure.Target, Detail: "denied: requested access to the resource is denied\n::error::@octocat <!-- ferry:v1 --> `x`"}
	undeleted := hub(doctor.Note, doctor.NotDeleted)
	undeleted.Failure = &failure.Error{Code: failure.TargetRefused, Side: failure.Target, Detail: "the operation is unsupported"}
	every := []*doctor.Finding{}
	for _, kind := range constants(t, "doctor", "Kind") {
		f := about(t, doctor.Warning, doctor.Kind(kind), "harbor.example.com", "team/mirror")
		f.Who, f.Workflow, f.Source, f.Mirror = config.Owner, ".github/workflows/mirror.yml", names.Source, names.Mirror
		f.Failure = &failure.Error{Code: failure.TokenServer, Side: failure.Target, Hints: []string{"auth.example.net"}}
		f.Setting = config.Fault{Name: "FERRY_TARGET", Place: config.Variables, Reason: `is "x"`}
		f.Said = "the organization has an IP allow list enabled"
		f.Stock = stocked("harbor.example.com/team/mirror", 274, 300)
		every = append(every, f)
	}
	unreachable := about(t, doctor.Fault, doctor.Unreachable, "regsitry.example.com", "user")
	unreachable.Failure = &failure.Error{Code: failure.Network, Side: failure.Target, Err: errors.New("dial tcp: lookup regsitry.example.com: no such host")}
	var brands []*doctor.Finding
	for _, host := range []string{
		"docker.io", "ghcr.io", "quay.io", "crpi-1.cn-hangzhou.personal.cr.aliyuncs.com", "ccr.ccs.tencentyun.com",
		"swr.cn-north-4.myhuaweicloud.com", "harbor.example.com",
	} {
		brands = append(brands, about(t, doctor.Fault, doctor.Hidden, host, "user"))
	}
	return map[string][]*doctor.Finding{
		"fine": {
			{Kind: doctor.Configured}, names, {Kind: doctor.OpenToAll},
			{Kind: doctor.IssuesOn}, {Kind: doctor.WorkflowsOn}, {Kind: doctor.MayAnswer},
			hub(doctor.OK, doctor.LoginValid), hub(doctor.OK, doctor.Pushed), hub(doctor.OK, doctor.Public), hub(doctor.OK, doctor.Deleted),
			hub(doctor.Note, doctor.QuotaUnknown), pulls,
		},
		"fresh-fork": {
			{Level: doctor.Fault, Kind: doctor.Misconfigured, Setting: config.Fault{Kind: config.Missing, Name: "FERRY_PASSWORD", Place: config.Secrets,
				Reason: "is empty", Cure: "add the secret FERRY_PASSWORD at https://github.com/someone/ferry/settings/secrets/actions"}},
			{Level: doctor.Fault, Kind: doctor.Misconfigured, Setting: config.Fault{Name: "targets[0].profile", Place: config.File,
				Path: ".github/ferry.yaml", Line: 7, Reason: `is "flatt"`, Cure: `write "flat"`}},
			{Level: doctor.Note, Kind: doctor.OpenToSome, Who: config.Collaborators},
			{Level: doctor.Fault, Kind: doctor.IssuesOff},
			{Level: doctor.Warning, Kind: doctor.SweepOff, Workflow: ".github/workflows/sweep.yml"},
			{Level: doctor.Fault, Kind: doctor.MayNotAnswer},
			denied, undeleted, scarce,
		},
		"one-warning": {{Kind: doctor.Configured}, acr(doctor.Warning, doctor.Hidden)},
		"unreachable": {{Kind: doctor.Configured}, unreachable},
		"brands":      brands,
		"every-kind":  every,
	}
}

func TestExamine(t *testing.T) {
	consoles := strings.NewReplacer("https://hub.docker.com/", "https://github.com/", "https://app.docker.com/", "https://github.com/",
		"https://quay.io/", "https://github.com/", "https://cr.console.aliyun.com/", "https://github.com/",
		"https://console.cloud.tencent.com/", "https://github.com/", "https://console.huaweicloud.com/", "https://github.com/",
		"https://harbor.example.com/", "https://github.com/")
	for name, findings := range checkups(t) {
		for _, language := range []string{"en", "zh"} {
			e := Examine(Checkup{Language: language, Repository: "https://github.com/someone/ferry", Findings: findings})
			golden(t, "doctor/"+name+"."+language+".md", e.Summary)
			for _, complaint := range inspect("<!-- ferry:v1 -->\n" + consoles.Replace(e.Summary)) {
				t.Errorf("%s.%s: %s", name, language, complaint)
			}
			if language == "en" {
				golden(t, "doctor/"+name+".txt", e.Terminal)
			}
			for _, text := range []string{e.Summary, e.Terminal} {
				if left := placeholder.FindString(text); left != "" {
					t.Errorf("%s.%s: %s was not filled in", name, language, left)
				}
			}
		}
	}
}

// Every warning and fault has an annotation, and nothing else has.
func TestExamineAnnotates(t *testing.T) {
	var got []string
	for _, a := range Examine(Checkup{Findings: checkups(t)["fresh-fork"]}).Annotations {
		got = append(got, fmt.Sprintf("%v", a.Error))
		if strings.ContainsAny(a.Message, "\n\r") {
			t.Errorf("an annotation has lines: %q", a.Message)
		}
	}
	if want := "true true true true true false false"; strings.Join(got, " ") != want {
		t.Errorf("errors %v, want %s", got, want)
	}
}

// Without a repository there are no links into it, and no halves of links.
func TestExamineWithoutARepository(t *testing.T) {
	e := Examine(Checkup{Findings: checkups(t)["every-kind"]})
	for _, text := range []string{e.Summary, e.Terminal} {
		if strings.Contains(text, "(/") || strings.Contains(text, " /settings") {
			t.Errorf("it has a link to nowhere:\n%s", text)
		}
	}
}
