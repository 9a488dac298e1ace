package setup

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// example reads a file of examples/setup with exactly the keys of a type.
func example(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile("../../examples/setup/" + name)
	if err != nil {
		t.Fatal(err)
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

// The shapes are those of the documentation: kyverno.io/v1 ClusterPolicy,
// kind.x-k8s.io/v1alpha4 Cluster.
type (
	condition struct {
		Key, Operator string
		Value         any
	}
	conditions struct{ All []condition }
	container  struct{ Name, Image string }
	policy     struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   struct {
			Name        string
			Annotations map[string]string
		}
		Spec struct {
			Background bool
			Rules      []struct {
				Name  string
				Match struct {
					Any []struct {
						Resources struct{ Kinds, Operations []string }
					}
				}
				Preconditions conditions
				Mutate        struct {
					Foreach []struct {
						List                string
						Preconditions       conditions
						PatchStrategicMerge struct {
							Spec map[string][]container
						} `yaml:"patchStrategicMerge"`
					}
				}
			}
		}
	}
	cluster struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Nodes      []struct {
			Role        string
			ExtraMounts []struct {
				HostPath      string `yaml:"hostPath"`
				ContainerPath string `yaml:"containerPath"`
			} `yaml:"extraMounts"`
		}
		Patches []string `yaml:"containerdConfigPatches"`
	}
)

// TestKyvernoPolicy checks the shape of the policy, and that it rewrites the name
// of an image to one that a front understands.
func TestKyvernoPolicy(t *testing.T) {
	var p policy
	example(t, "kyverno.yaml", &p)
	if p.APIVersion != "kyverno.io/v1" || p.Kind != "ClusterPolicy" || len(p.Spec.Rules) != 2 {
		t.Fatalf("read %+v", p)
	}
	for _, rule := range p.Spec.Rules {
		if r := rule.Match.Any[0].Resources; strings.Join(r.Kinds, " ") != "Pod" || strings.Join(r.Operations, " ") != "CREATE" {
			t.Errorf("%s matches %+v", rule.Name, r)
		}
		each := rule.Mutate.Foreach[0]
		field := strings.TrimPrefix(each.List, "request.object.spec.")
		of := `{{ images.` + field + `."{{element.name}}".`
		only := each.Preconditions.All[0]
		if only.Key != of+"registry }}" || only.Operator != "AnyIn" {
			t.Errorf("%s: the condition is %+v", rule.Name, only)
		}
		hosts, _ := only.Value.([]any)
		for _, host := range hosts {
			if name, ok := host.(string); !ok || known.Of(name).Label == "" {
				t.Errorf("%s: %s is no well-known registry", rule.Name, host)
			}
		}
		c := each.PatchStrategicMerge.Spec[field][0]
		image := strings.Replace(c.Image, of+"reference }}", "docker.io/library/nginx:1.27", 1)
		ref, err := reference.Parse(image)
		if err != nil || c.Name != "{{ element.name }}" || ref.Repository().Path() != "docker.io/library/nginx" || ref.Tag() != "1.27" {
			t.Errorf("%s: %q becomes %q, %v", rule.Name, c.Image, image, err)
		}
	}
}

// TestKindCluster checks that the nodes mount what "ferry setup" writes.
func TestKindCluster(t *testing.T) {
	var c cluster
	example(t, "kind.yaml", &c)
	if c.APIVersion != "kind.x-k8s.io/v1alpha4" || c.Kind != "Cluster" {
		t.Fatalf("read %+v", c)
	}
	d := Disk{Root: t.TempDir() + "/node"}
	if err := os.MkdirAll(d.path("etc/containerd"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := d.Apply(planOf(d, local(t), "containerd")); err != nil {
		t.Fatal(err)
	}
	mount := c.Nodes[0].ExtraMounts[0]
	if _, err := os.Stat(d.path(strings.TrimPrefix(mount.HostPath, "node/") + "/gcr.io/hosts.toml")); err != nil || mount.ContainerPath != certsDir {
		t.Errorf("%+v: %v", mount, err)
	}
	all, err := readTOML([]byte(c.Patches[0]))
	if err != nil || lookUp(all, "plugins", "io.containerd.grpc.v1.cri", "registry", "config_path") != certsDir {
		t.Errorf("the patch is %v, %v", all, err)
	}
}
