package request

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestEachRule applies one rule to the evidence of a text. The wanted lines are
// the candidates that it changes, with the results.
func TestEachRule(t *testing.T) {
	tested := map[string]bool{}
	for _, test := range []struct {
		rule, title, body string
		want              []string
		notes             int
	}{
		{rule: "heading", body: "# quay.io/a/b:1\n\nquay.io/a/c:2", want: []string{"quay.io/a/b:1 dropped"}},
		{rule: "heading", body: "# quay.io/a/b:1\n\nplease"},
		{rule: "heading", body: "please copy\nquay.io/a/c:2\n// quay.io/a/b:1", want: []string{"quay.io/a/b:1 dropped"}},
		{rule: "excluded", body: "image: quay.io/a/b:1\n\nquay.io/a/b:1 is not needed", want: []string{"quay.io/a/b:1 dropped"}},
		{rule: "excluded", body: "image: quay.io/a/b:1\n\nquay.io/a/b:2 is not needed"},
		{rule: "excluded", body: "Please copy\nquay.io/a/b:1\ngrafana/grafana:2\n\nThe grafana is already there, the other one I need.", want: []string{"docker.io/grafana/grafana:2 dropped"}},
		{rule: "excluded", body: "求同步\nquay.io/a/b:1\ngrafana/grafana:2\n\ngrafana 那个已经有了，其他的求同步", want: []string{"docker.io/grafana/grafana:2 dropped"}},
		{rule: "again", body: "You mirrored quay.io/a/b:1 last week. Can you copy it again with all platforms?", want: []string{"quay.io/a/b:1 taken"}},
		{rule: "again", body: "You mirrored quay.io/a/b:1 last week. Can you copy quay.io/a/c:1 again?"},
		{rule: "again", title: "Mirror", body: "You mirrored quay.io/a/b:1 last week. Can you sync it again?", want: []string{"quay.io/a/b:1 taken"}},
		{rule: "again", body: "You mirrored quay.io/a/b:1 last week. It is broken again."},
		{rule: "again", body: "We already have quay.io/a/b:1. Please refresh the list on your page."},
		{rule: "lone-name", title: "nginx", body: "After the last update the whole cluster answers with timeouts in the evening", want: []string{"docker.io/library/nginx:latest asked"}},
		{rule: "lone-name", title: "nginx", body: "please mirror it"},
		{rule: "correction", body: "please mirror quay.io/a/b:1.2, sorry, I meant quay.io/a/b:1.3", want: []string{"quay.io/a/b:1.2 dropped"}},
		{rule: "correction", body: "please mirror quay.io/a/b:1.2\n\nSorry, I meant 1.3.", want: []string{"quay.io/a/b:1.3 taken"}},
		{rule: "correction", body: "please mirror quay.io/a/b:1.2\n\n1.2 ではなく 1.3 です", want: []string{"quay.io/a/b:1.3 taken"}},
		{rule: "correction", body: "please mirror quay.io/a/b:1.2\n\nSorry, the cluster runs 1.30"},
		{rule: "correction", body: "please mirror quay.io/a/b:1.2, and I mean quay.io/a/c:1.3"},
		{rule: "log-done", body: "Unable to find image 'quay.io/a/b:1' locally\nStatus: Downloaded newer image for quay.io/a/b:1", want: []string{"quay.io/a/b:1 dropped"}},
		{rule: "log-done", body: "Successfully pulled image \"quay.io/a/b:1\"\nFailed to pull image \"quay.io/a/c:2\": timeout", want: []string{"quay.io/a/b:1 dropped"}},
		{rule: "log-done", body: "Successfully pulled image \"quay.io/a/b:1\""},
		{rule: "log-done", body: "please mirror:\n\ndocker pull quay.io/a/b:1\ndocker pull quay.io/a/c:1\n\nIt works:\nStatus: Downloaded newer image for quay.io/a/b:1", want: []string{"quay.io/a/b:1 dropped"}},
		{rule: "tried", body: "podman pull me/x:1\nTrying to pull docker.io/me/x:1...\nTrying to pull quay.io/me/x:1...", want: []string{"quay.io/me/x:1 dropped"}},
		{rule: "tried", body: "podman pull docker.io/me/x:1\nTrying to pull quay.io/me/x:1..."},
		{rule: "log-done", body: "docker pull me/x\nUsing default tag: latest\nStatus: Downloaded newer image for me/x:latest\n\ndocker pull quay.io/a/c:2", want: []string{"docker.io/me/x:latest dropped", "docker.io/me/x:latest dropped"}},
		{rule: "listed-release", body: "kubeadm v1.29.9\n\nkube-proxy:v1.29.8\nkube-scheduler:v1.29.8"},
		{rule: "listed-release", body: "kubeadm config images list --kubernetes-version v1.29.9\nregistry.k8s.io/kube-proxy:v1.29.9\nregistry.k8s.io/kube-scheduler:v1.29.9", want: []string{"registry.k8s.io/coredns/coredns:v1.11.1 dropped", "registry.k8s.io/etcd:3.5.12-0 dropped", "registry.k8s.io/kube-apiserver:v1.29.9 dropped", "registry.k8s.io/kube-controller-manager:v1.29.9 dropped", "registry.k8s.io/kube-proxy:v1.29.9 dropped", "registry.k8s.io/kube-scheduler:v1.29.9 dropped", "registry.k8s.io/pause:3.9 dropped"}},
		{rule: "mention", title: "Upgrade of the dashboard", body: "It fails, we use quay.io/a/b:1 there", want: []string{"quay.io/a/b:1 dropped"}},
		{rule: "mention", title: "empty dashboard", body: "We run quay.io/a/b:1 and since the last change every panel of the dashboard is empty, although nothing else was changed", want: []string{"quay.io/a/b:1 dropped"}},
		{rule: "mention", title: "no access", body: "We run quay.io/a/b:1 and our nodes in the new cluster cannot reach quay.io"},
		{rule: "mention", title: "dashboard", body: "We run quay.io/a/b:1"},
		{rule: "aside", body: "In the lab we had quay.io/a/b:1. Please mirror quay.io/a/c:2.", want: []string{"quay.io/a/b:1 dropped"}},
		{rule: "aside", body: "quay.io/a/b:1 is for us. Please mirror quay.io/a/c:2."},
		{rule: "aside", body: "We run quay.io/a/b:1 which is gone.\n\nPlease mirror quay.io/a/c:2.", want: []string{"quay.io/a/b:1 dropped"}},
		{rule: "aside", body: "Please mirror quay.io/a/b:1 which is gone."},
		{rule: "copy", body: "Please mirror quay.io/a/b:1, we pull it as hub.lan/a/b:1 on all nodes", want: []string{"hub.lan/a/b:1 dropped"}},
		{rule: "copy", body: "Please mirror this image for us: hub.lan/a/b:1"},
		{rule: "copy", body: "ERROR: manifest for mirror.uni.nl/a/b:1 not found\n\nPlease mirror a/b:1.", want: []string{"mirror.uni.nl/a/b:1 dropped"}},
		{rule: "copy", body: "Please mirror images.uni.nl/a/b:1 and a/b:1."},
		{rule: "copy", title: "grafana/loki", body: "ERROR: manifest for images.uni.nl/mirror/grafana/loki:1 not found", want: []string{"docker.io/grafana/loki:1 taken", "docker.io/grafana/loki:1 taken"}},
		{rule: "copy", body: "quay.io/a/c:1\nhub.lan/a/b:1"},
		{rule: "copy", body: "image:\n  repository: hub.lan/a/b\n  tag: v1\n\nThe source is quay.io/a/b.", want: []string{"hub.lan/a/b:v1 dropped", "quay.io/a/b:v1 taken"}},
		{rule: "later-tag", body: "Please mirror quay.io/a/b and quay.io/a/c:1, I tell you the version later.", want: []string{"quay.io/a/b:latest asked"}},
		{rule: "later-tag", body: "Please mirror quay.io/a/b and quay.io/a/c:1."},
		{rule: "faulty", body: "quay.io/a/b:1.2 crashes since yesterday.\n\nPlease mirror quay.io/a/b:1.3.", want: []string{"quay.io/a/b:1.2 dropped"}},
		{rule: "faulty", body: "quay.io/a/b:1.2 crashes since yesterday. Please mirror quay.io/a/c:1.3."},
		{rule: "faulty", body: "quay.io/a/b:1.2 cannot be pulled, it fails. Please mirror quay.io/a/b:1.3."},
		{rule: "sample", body: "docker pull quay.io/a/img:tag\n\nquay.io/a/b:1", want: []string{"quay.io/a/img:tag dropped"}},
		{rule: "sample", body: "docker pull quay.io/a/img:tag"},
		{rule: "range", body: "quay.io/a/b:1.2.x", want: []string{"quay.io/a/b:1.2.x dropped"}},
		{rule: "range", body: "quay.io/a/b:1.2.3-x"},
		{rule: "title-versions", title: "mysql", body: "8.0 and 8.4, thanks in advance", want: []string{"docker.io/library/mysql:8.0 taken", "docker.io/library/mysql:8.4 taken", "docker.io/library/mysql:latest dropped"}},
		{rule: "title-versions", title: "mysql", body: "8.0-Debian please", want: []string{"docker.io/library/mysql:8.0-Debian taken", "docker.io/library/mysql:latest dropped"}},
		{rule: "title-versions", title: "mysql", body: "8 apps need it"},
		{rule: "only-mention", title: "About node 21 y node 22", body: "Please mirror them, thanks", want: []string{"docker.io/library/node:21 taken", "docker.io/library/node:22 taken"}},
		{rule: "stated-registry", title: "keycloak from quay", body: "keycloak/keycloak\n24.0.2", want: []string{"quay.io/keycloak/keycloak:latest taken"}},
		{rule: "stated-registry", title: "keycloak for quay", body: "keycloak/keycloak\n24.0.2"},
		{rule: "stated-registry", body: "acme/gate:1\nall from quay", want: []string{"quay.io/acme/gate:1 taken"}},
		{rule: "stated-registry", body: "acme/gate:1\nall to quay"},
		{rule: "stated-registry", title: "missing from quay", body: "acme/gate:1\nboth missing from quay"},
		{rule: "names-in-space", title: "from quay.io/acme", body: "acme-relay v1.2, acme-proxy v1.3", want: []string{"quay.io/acme/acme-proxy:v1.3 taken", "quay.io/acme/acme-relay:v1.2 taken"}},
		{rule: "names-in-space", title: "from quay.io/acme", body: "acme-relay, b/acme-proxy:v1.3"},
		{rule: "arrow", body: "quay.io/a/b:1\n↓\nme.io/c/b:2", want: []string{"me.io/c/b:2 dropped"}},
		{rule: "destination", body: "Please copy quay.io/acme/gate to ghcr.io/other/gate, tag 1.0", want: []string{"ghcr.io/other/gate:1.0 dropped", "quay.io/acme/gate:1.0 taken"}},
		{rule: "destination", body: "Please copy quay.io/acme/gate to ghcr.io/other/door:1.0"},
		{rule: "destination", body: "We moved from quay.io/acme/gate to ghcr.io/other/gate:1.0, please mirror it"},
		{rule: "only-mention", body: "Somebody in the other team uses grafana/loki for the logs of it.\n\nPlease put it on the mirror.", want: []string{"docker.io/grafana/loki:latest taken"}},
		{rule: "bid", title: "traefik", body: "What would it take to have quay.io/a/b:1 mirrored to our cluster? Thanks for this mirror.", want: []string{"quay.io/a/b:1 taken"}},
		{rule: "bid", title: "traefik", body: "Why does quay.io/a/b:1 restart every night on my machine?"},
		{rule: "item", body: "grafana/tempo:2.5\ngrafana/loki - for the logs\n\ngrafana/agent - not here", want: []string{"docker.io/grafana/loki:latest taken"}},
		{rule: "lone-tag", title: "quay.io/a/b", body: "3.6.1", want: []string{"quay.io/a/b:3.6.1 taken", "quay.io/a/b:latest dropped"}},
		{rule: "lone-tag", title: "quay.io/a/b:1", body: "3.6.1"},
		{rule: "listed-tags", body: "Please mirror quay.io/a/b:\n\n- v1.2\n- v1.3 (already there)\n- v1.4", want: []string{"quay.io/a/b:v1.2 taken", "quay.io/a/b:v1.4 taken"}},
		{rule: "listed-tags", title: "Mirror quay.io/a/b", body: "These tags:\n- edge\n- jammy", want: []string{"quay.io/a/b:edge taken", "quay.io/a/b:jammy taken"}},
		{rule: "listed-tags", body: "Please mirror quay.io/a/b.\n\nThe others are later.\n- v1.2\n- v1.3", want: []string{"quay.io/a/b:v1.2 taken", "quay.io/a/b:v1.3 taken"}},
		{rule: "listed-tags", body: "Please mirror quay.io/a/b.\n\nDid you use the latest version?\nno"},
		{rule: "listed-tags", body: "The newest version of quay.io/a/b has a fault, the tag below is better.\n\nThanks\nMark"},
		{rule: "listed-tags", body: "Please mirror quay.io/a/b. It has the new tags:\nthanks\nplease"},
		{rule: "listed-tags", body: "Please mirror quay.io/a/b and quay.io/a/c:\n- v1.2\n- v1.3"},
		{rule: "listed-tags", body: "Please mirror quay.io/a/b:1.0:\n- v1.2\n- v1.3"},
		{rule: "shared-tag", body: "all at v1.2:\n\nquay.io/a/b\nquay.io/a/c:2", want: []string{"quay.io/a/b:v1.2 taken"}},
		{rule: "body-gets-tag", title: "quay.io/a/b:1.2", body: "https://quay.io/repository/a/b", want: []string{"quay.io/a/b:1.2 taken"}},
		{rule: "body-gets-tag", title: "quay.io/a/c:1.2", body: "https://quay.io/repository/a/b"},
		{rule: "title-or-body", title: "quay.io/a/b:1", body: "quay.io/a/c:2", want: []string{"quay.io/a/b:1 dropped"}, notes: 1},
		{rule: "title-or-body", title: "Error with docker.io/a/b and a/c 7.2", body: "also a/c:7.2 please", want: []string{"docker.io/a/b:latest dropped", "docker.io/a/c:7.2 dropped"}},
		{rule: "title-or-body", title: "quay.io/a/b:1", body: "it is built like quay.io/a/c:2 is", want: []string{"quay.io/a/c:2 dropped"}},
		{rule: "apart-tag", body: "Please mirror quay.io/a/b and quay.io/a/c.\n\nThe tag 1.2.3 is the one that works.", want: []string{"quay.io/a/b:1.2.3 asked", "quay.io/a/c:1.2.3 asked"}},
		{rule: "apart-tag", body: "Please mirror quay.io/a/b:1.2.3 and quay.io/a/c.\n\nThe tag 1.2.3 is the one that works."},
		{rule: "more-tags", body: "quay.io/a/b:1.2\n\nEDIT: also 1.3 please", want: []string{"quay.io/a/b:1.3 taken"}},
		{rule: "more-tags", body: "quay.io/a/b:1.2\n1.3", want: []string{"quay.io/a/b:1.3 taken"}},
		{rule: "more-tags", body: "quay.io/a/b:1.2\nquay.io/a/c:2\n\nand c 1.3, too", want: []string{"quay.io/a/c:1.3 taken"}},
		{rule: "more-tags", body: "quay.io/a/b:1.2\n\nWe also run Kubernetes v1.30"},
		{rule: "longer-tag", body: "quay.io/a/b:1.2 and the debug one (1.2-debug)", want: []string{"quay.io/a/b:1.2 taken", "quay.io/a/b:1.2-debug taken"}},
		{rule: "longer-tag", body: "quay.io/a/b:1.2, with debug, that is 1.2-debug", want: []string{"quay.io/a/b:1.2-debug taken"}},
		{rule: "longer-tag", title: "golang 1.23", body: "only 1.23-alpine3.20 and 1.23-alpine3.19, please", want: []string{"docker.io/library/golang:1.23-alpine3.19 taken", "docker.io/library/golang:1.23-alpine3.20 taken"}},
		{rule: "longer-tag", body: "quay.io/a/b:1.2\nquay.io/a/c:1.2\n\nThe smaller one is 1.2-debug."},
		{rule: "letter", body: "quay.io/a/b 1.2, mind the v in front", want: []string{"quay.io/a/b:v1.2 taken"}},
		{rule: "letter", body: "quay.io/a/b 1.2, without the v"},
		{rule: "longer-tag", body: "quay.io/a/b:1.2, not the 1.2-debug"},
		{rule: "title-names", title: "Mirror redis and postgres", body: "Standard stuff: redis 7.4, postgres 17-alpine, plus memcached 1.6.34.",
			want: []string{"docker.io/library/memcached:1.6.34 taken", "docker.io/library/postgres:17-alpine taken", "docker.io/library/postgres:latest dropped", "docker.io/library/redis:7.4 taken", "docker.io/library/redis:latest dropped"}},
		{rule: "title-names", title: "Mirror quay.io/a/b", body: "Our machines run centos 7.9 there."},
		{rule: "untagged", body: "Somebody mentioned a/gate, what we need here is the smaller a/gate-lite:3.6.4. Please add it.", want: []string{"docker.io/a/gate:latest dropped"}},
		{rule: "untagged", body: "Please mirror a/b and quay.io/a/c:1"},
		{rule: "untagged", body: "We need quay.io/a/c:1. The latest a/b is needed, too."},
		{rule: "title-tags", title: "rabbitmq 带管理界面的", body: "要 3.12.14-management 这个 tag", want: []string{"docker.io/library/rabbitmq:3.12.14-management taken"}},
		{rule: "title-tags", title: "rabbitmq and redis", body: "the exact tag is 3.12-alpine, please mirror"},
		{rule: "stated-namespace", body: "Please mirror from rancher/:\n- shell:v1\n\nand from longhornio/:\n- longhorn-ui:v1", want: []string{"docker.io/longhornio/longhorn-ui:v1 taken", "docker.io/rancher/shell:v1 taken"}},
		{rule: "stated-namespace", body: "They come from docker.io/a and quay.io/b.\n\n- c-d:v1", want: []string{"quay.io/b/c-d:v1 asked"}, notes: 1},
		{rule: "stated-namespace", body: "Please mirror under bitnami/:\n- redis:7.2\n- redis-exporter:3.7", want: []string{"docker.io/bitnami/redis-exporter:3.7 taken", "docker.io/bitnami/redis:7.2 asked"}, notes: 1},
		{rule: "stated-namespace", body: "Please mirror harbor-core:v2.14.0 from harbor"},
		{rule: "stated-namespace", body: "These are below the openebs namespace:\n- node-disk-exporter:2.1", want: []string{"docker.io/openebs/node-disk-exporter:2.1 asked"}, notes: 1},
		{rule: "stated-namespace", body: "Hello from berlin,\nplease mirror\n- oauth2-proxy:v7"},
		{rule: "stated-namespace", body: "Please mirror these from our-team:\n\n- nginx:1.25\n- my-app:1.0"},
		{rule: "stated-namespace", body: "Please mirror my-tool:1.0, which we get from production today"},
		{rule: "own-name", body: "imageferry/ferry", want: []string{"docker.io/imageferry/ferry:latest dropped"}},
		{rule: "says-less", body: "Please mirror grafana/loki:2 for us, it is at quay.io/grafana/loki:2", want: []string{"docker.io/grafana/loki:2 dropped"}},
		{rule: "says-less", body: "quay.io/a/b:1\n\nhttps://quay.io/repository/a/b", want: []string{"quay.io/a/b:latest dropped"}},
		{rule: "says-less", body: "quay.io/a/b:1\n\nhttps://quay.io/repository/a/c"},
		{rule: "only-tag", title: "grafana/loki", body: "kubectl logs grafana/loki:2", want: []string{"docker.io/grafana/loki:2 taken"}},
		{rule: "only-tag", body: "please mirror\n\nimage: quay.io/a/b\n\nThat is quay.io/a/b:1, please.", want: []string{"quay.io/a/b:latest dropped"}},
		{rule: "only-tag", body: "please mirror\n\nimage: quay.io/a/b\n\nThat is quay.io/a/b:1 or quay.io/a/b:2, please."},
		{rule: "only-tag", body: "please mirror the latest one\n\nimage: quay.io/a/b\n\nThat is quay.io/a/b:1, please."},
		{rule: "only-tag", body: "please mirror\n\nimage: quay.io/a/b\n\nWe have quay.io/a/b:1 already."},
		{rule: "only-tag", body: "quay.io/a/b\nquay.io/a/b:1"},
		{rule: "says-less", body: "Error response from daemon: pull access denied for me/server, repository does not exist or may require 'docker login'\n\nPlease copy me/server:1", want: []string{"docker.io/me/server:latest dropped"}},
		{rule: "beside", title: "Please mirror", body: "quay.io/a/b:1 came over last spring, quay.io/a/c:2 never made it.", want: []string{"quay.io/a/b:1 dropped"}},
		{rule: "beside", title: "Please mirror", body: "- quay.io/a/b:1 (copied in March)\n- quay.io/a/c:2 (nobody has it)", want: []string{"quay.io/a/b:1 dropped"}},
		{rule: "beside", title: "Please mirror", body: "quay.io/a/b:1 (used by the ingress)\nquay.io/a/c:2"},
		{rule: "beside", title: "Please mirror", body: "quay.io/a/b:1 and quay.io/a/c:2 never made it."},
		{rule: "beside", body: "quay.io/a/b:1 came over last spring."},
		{rule: "list-item", body: "nginx:1.27\nimmich", want: []string{"docker.io/library/immich:latest dropped"}, notes: 1},
		{rule: "guess", title: "immich", want: []string{"docker.io/library/immich:latest taken"}},
		{rule: "guess", title: "immich", body: "ollama run llama3", want: []string{"docker.io/library/immich:latest dropped"}},
	} {
		tested[test.rule] = true
		t.Run(fmt.Sprintf("%s/%.20s", test.rule, test.title+test.body), func(t *testing.T) {
			e := read(t, test.title, test.body)
			i := slices.IndexFunc(rules, func(r rule) bool { return r.name == test.rule })
			after := e.clone()
			rules[i].apply(&after)
			var got []string
			for _, text := range after.texts() {
				for _, c := range text.candidates {
					if slices.Contains(c.reasons, test.rule) {
						got = append(got, c.image.Reference.String()+" "+verdicts[c.verdict])
					}
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, test.want) || len(after.notes) != test.notes {
				t.Errorf("it touches %q with %d notes, want %q with %d", got, len(after.notes), test.want, test.notes)
			}
		})
	}
	for _, r := range rules {
		if !tested[r.name] {
			t.Errorf("the rule %q has no test", r.name)
		}
	}
}

// read returns the evidence of a text before any rule.
func read(t *testing.T, title, body string) evidence {
	t.Helper()
	all := rules
	rules = nil
	defer func() { rules = all }()
	e, _ := understand(Input{Title: title, Body: body, Repository: "imageferry/ferry"})
	return e
}

// TestOrderOfDialects checks that the order of dialects does not matter for
// texts that only one dialect recognises.
func TestOrderOfDialects(t *testing.T) {
	original := slices.Clone(dialects)
	defer func() { dialects = original }()
	tested := 0
	for _, d := range original {
		body, _, _ := strings.Cut(exampleOf(d), " => ")
		var claim []dialect // those that offer candidates if they are alone
		for _, other := range original {
			dialects = []dialect{other}
			if len(scanOf(body)) > 0 && other.name != "text" {
				claim = append(claim, other)
			}
		}
		if len(claim) != 1 {
			continue
		}
		tested++
		dialects = original
		want := scanOf(body)
		for range len(original) - 2 { // the last one accepts the remaining lines
			first := dialects[0]
			dialects = append(slices.Concat(dialects[1:len(dialects)-1], []dialect{first}), original[len(original)-1])
			if got := scanOf(body); !slices.Equal(got, want) {
				t.Errorf("%s: after %s it is %q, want %q", d.name, first.name, got, want)
			}
		}
	}
	if tested < 3 {
		t.Errorf("only %d dialects have an example of their own", tested)
	}
}

// scanOf returns what the dialects offer for a text.
func scanOf(body string) []string {
	lines, _ := splitLines(normalise(body))
	var all []string
	for _, c := range scanText(lines).candidates {
		all = append(all, fmt.Sprint(c.line, c.image.Reference, c.place.name))
	}
	return all
}
