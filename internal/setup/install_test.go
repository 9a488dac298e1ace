package setup

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

const sampleDigest = "sha256:aaaa"

// installer returns an Installer that notes the commands it runs. answer
// returns the output of a command.
func installer(d Disk, answer func(command string) (string, error)) (*Installer, *[]string) {
	var ran []string
	return &Installer{
		Disk:   d,
		Sample: Sample{Image: func(host string) string { return host + "/sample:1" }, Digests: []string{sampleDigest}},
		Run: func(_ context.Context, args []string) (string, error) {
			command := strings.Join(args, " ")
			ran = append(ran, command)
			return answer(command)
		},
	}, &ran
}

// planOf returns the part of one client.
func planOf(d Disk, f Front, client string) Part {
	return Plan(Machine{Files: os.DirFS(d.Root)}, f, []string{client})[0]
}

func TestInstall(t *testing.T) {
	failed := errors.New("it failed")
	for _, test := range []struct {
		name, client string
		restart      bool
		answer       func(command string) (string, error)
		want         Installed
		err          string
		ran          []string // without pulls and what follows them
	}{
		{
			name: "a reload", client: "docker",
			want: Installed{Written: true, Tested: []string{"docker: docker.io/sample:1"}},
			ran:  []string{"systemctl is-active --quiet docker", "systemctl reload docker"},
		},
		{
			name: "a service that does not run", client: "docker",
			answer: func(command string) (string, error) { return "", failed },
			want:   Installed{Written: true, Pending: "the service docker is not running under systemd: it reads the change when it starts"},
			ran:    []string{"systemctl is-active --quiet docker"},
		},
		{
			name: "a restart that is not allowed", client: "containerd",
			want: Installed{Written: true, Pending: "\"systemctl restart containerd\" was not run because it stops " + nodeStops + ": run it, and then this command again to test the client"},
			ran:  []string{"systemctl is-active --quiet containerd"},
		},
		{
			name: "a restart", client: "containerd", restart: true,
			want: Installed{Written: true, Tested: []string{"ctr: docker.io/sample:1"}},
			ran:  []string{"systemctl is-active --quiet containerd", "systemctl restart containerd"},
		},
		{
			name: "a daemon that does not start with its new file", client: "containerd", restart: true,
			answer: func() func(string) (string, error) {
				tries := 0
				return func(command string) (string, error) {
					if strings.HasPrefix(command, "systemctl restart") {
						if tries++; tries == 1 {
							return "", failed
						}
					}
					return "", nil
				}
			}(),
			err: "the service does not accept the change: it failed; the changes were undone",
			ran: []string{"systemctl is-active --quiet containerd", "systemctl restart containerd", "systemctl restart containerd"},
		},
		{
			name: "a daemon that does not start with its old file either", client: "containerd", restart: true,
			answer: func(command string) (string, error) {
				if strings.HasPrefix(command, "systemctl restart") {
					return "", failed
				}
				return "", nil
			},
			err: "with its old files the service does not start either",
			ran: []string{"systemctl is-active --quiet containerd", "systemctl restart containerd", "systemctl restart containerd"},
		},
		{
			name: "a pull that fails", client: "docker",
			answer: func(command string) (string, error) {
				if strings.Contains(command, " pull ") {
					return "", failed
				}
				return "", nil
			},
			err: "it failed; the changes were undone",
			ran: []string{"systemctl is-active --quiet docker", "systemctl reload docker", "systemctl reload docker"},
		},
		{
			name: "another image", client: "k3s", restart: true,
			answer: func(string) (string, error) { return "sha256:bbbb", nil },
			err:    "k3s pulled another image than the front has: want sha256:aaaa, have sha256:bbbb; the changes were undone",
			ran:    []string{"systemctl is-active --quiet k3s", "systemctl restart k3s", "systemctl restart k3s"},
		},
		{
			name: "no way to test", client: "buildkit", restart: true,
			want: Installed{Written: true, Pending: "not tested: no program was found that can pull an image with it"},
			ran:  []string{"systemctl is-active --quiet buildkit", "systemctl restart buildkit"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, before := machine(t)
			if test.answer == nil {
				test.answer = func(string) (string, error) { return sampleDigest, nil }
			}
			i, ran := installer(d, test.answer)
			i.Restart = test.restart
			got, err := i.Install(t.Context(), planOf(d, local(t), test.client))
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("error %v, want %q", err, test.err)
				}
				if diff := gocmp.Diff(before, tree(t, d.Root)); diff != "" {
					t.Errorf("files changed:\n%s", diff)
				}
			} else if err != nil {
				t.Error(err)
			}
			if diff := gocmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if services := slices.DeleteFunc(*ran, func(c string) bool { return !strings.HasPrefix(c, "systemctl") }); !slices.Equal(services, test.ran) {
				t.Errorf("ran %q, want %q", services, test.ran)
			}
		})
	}
}

// TestInstallAgain tests a client that is set up without changing anything, and
// keeps its files if the test fails.
func TestInstallAgain(t *testing.T) {
	d, _ := machine(t)
	i, _ := installer(d, func(string) (string, error) { return sampleDigest, nil })
	if _, err := i.Install(t.Context(), planOf(d, local(t), "docker")); err != nil {
		t.Fatal(err)
	}
	before := tree(t, d.Root)
	got, err := i.Install(t.Context(), planOf(d, local(t), "docker"))
	if err != nil || got.Written || len(got.Tested) != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
	i, _ = installer(d, func(string) (string, error) { return "", errors.New("it failed") })
	if _, err := i.Install(t.Context(), planOf(d, local(t), "docker")); err == nil {
		t.Error("a failed test is no error")
	}
	if diff := gocmp.Diff(before, tree(t, d.Root)); diff != "" {
		t.Error(diff)
	}
}

// TestUndoAfterACrash undoes a set-up that ended after its entry in the journal
// was written and before its file was, while an earlier one is in place.
func TestUndoAfterACrash(t *testing.T) {
	d, before := machine(t)
	if err := d.Apply(planOf(d, local(t), "docker")); err != nil {
		t.Fatal(err)
	}
	c := planOf(d, front(t, "https://front.example", "docker.io"), "docker").Changes[0]
	err := d.locked(func(journal *[]entry) error {
		return d.save(journal, append(*journal, entry{Path: c.Path, Before: sum(c.Before), Texts: []string{c.Insertions[0].Text}}))
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Undo(); err != nil {
		t.Error(err)
	}
	if diff := gocmp.Diff(before, tree(t, d.Root)); diff != "" {
		t.Error(diff)
	}
}
