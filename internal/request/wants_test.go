package request

import (
	"strings"
	"testing"
)

// TestWants reads texts in which the words around an image decide. want are the
// images with spaces between them; "-" means that the text gets no comment, and
// an empty text that its author is asked.
func TestWants(t *testing.T) {
	tests := []struct{ title, body, want string }{
		// What is there already, or excluded.
		{"mirror buildkit", "We successfully mirrored the `ubuntu:22.04` image, but jobs also pull `moby/buildkit:v0.12.0`. Please mirror it.", "docker.io/moby/buildkit:v0.12.0"},
		{"images", "Please mirror quay.io/a/b:1.0.\nDon't bother with quay.io/a/c:2.0, it is disabled here.", "quay.io/a/b:1.0"},
		{"images", "Please mirror quay.io/a/b:1.0, apart from quay.io/a/c:2.0.", "quay.io/a/b:1.0"},
		{"Bitte spiegeln", "Bitte quay.io/a/b:1.0 spiegeln, ohne quay.io/a/c:2.0.", "quay.io/a/b:1.0"},
		{"Imágenes", "Por favor, añadir quay.io/a/b:1.0 sin quay.io/a/c:2.0.", "quay.io/a/b:1.0"},
		{"Образы", "Пожалуйста, добавьте quay.io/a/b:1.0 без quay.io/a/c:2.0.", "quay.io/a/b:1.0"},
		// Corrections.
		{"ingress-nginx", "quay.io/a/b:v1.11.1\n\n更正：打错了，不是 v1.11.1，应该是 v1.11.2", "quay.io/a/b:v1.11.2"},
		{"ingress-nginx", "quay.io/a/b:v1.11.1\n\ntypo: v1.11.2, not v1.11.1", "quay.io/a/b:v1.11.2"},
		{"images", "quay.io/a/b:v1.11.1\nquay.io/a/c:v1.3.0\n\nSorry, not v1.11.1 but v1.11.2.", "quay.io/a/b:v1.11.2 quay.io/a/c:v1.3.0"},
		{"images", "quay.io/a/b:v1.11.1\nquay.io/a/c:v1.3.0\n\n不要 v1.11.1 ，要 v1.11.2", "quay.io/a/b:v1.11.2 quay.io/a/c:v1.3.0"},
		{"images", "quay.io/a/b:v1.11.1\n\nWe are on Kubernetes 1.28.3, not v1.27.0.", "quay.io/a/b:v1.11.1"},
		// Files and settings.
		{"gitlab", "```yaml\nimage: ruby:3.3\n\nbuild:\n  stage: build\n  image:\n    name: gcr.io/kaniko-project/executor:v1.23.2\n  script:\n    - /kaniko/executor --destination $CI_REGISTRY_IMAGE:latest\n```", "docker.io/library/ruby:3.3 gcr.io/kaniko-project/executor:v1.23.2"},
		{"CI", "image: ruby:3.3\n\nbuild:\n  script:\n    - make", "docker.io/library/ruby:3.3"},
		{"compose", "services:\n  app:\n    image: myapp:1.0\n    build:\n      context: .\n  db:\n    image: postgres:16", "docker.io/library/postgres:16"},
		{"image request", "registry = ghcr.io\nrepository = a/b\ntags = v1.12.5, v1.12.6", "ghcr.io/a/b:v1.12.5 ghcr.io/a/b:v1.12.6"},
		{"image request", "registry=ghcr.io\nrepository=a/b\ntags=v1.12.5,v1.12.6", "ghcr.io/a/b:v1.12.5 ghcr.io/a/b:v1.12.6"},
		// What commands write.
		{"pull fails", "```\n[root@node1 ~]# docker pull quay.io/a/b:1.0\n[root@node1 ~]# cat /etc/redhat-release\nCentOS Linux release 7.9.2009 (Core)\n```", "quay.io/a/b:1.0"},
		{"pull fails", "```\n$ docker pull quay.io/a/b:1.0\n$ cat /etc/debian_version\nDebian 12.6\n$ python3 --version\nPython 3.12.6\n$ mysql --version\nmysql  Ver 8.0.39 for Linux on x86_64\n```", "quay.io/a/b:1.0"},
		{"Please mirror", "```\n$ cat images.txt\nredis 7.2\nquay.io/a/b:1.0\n```", "docker.io/library/redis:7.2 quay.io/a/b:1.0"},
		// The version in the title.
		{"Please mirror KEDA 2.15.1", "ghcr.io/kedacore/keda\nghcr.io/kedacore/keda-metrics-apiserver\nghcr.io/kedacore/keda-admission-webhooks", "ghcr.io/kedacore/keda:2.15.1 ghcr.io/kedacore/keda-metrics-apiserver:2.15.1 ghcr.io/kedacore/keda-admission-webhooks:2.15.1"},
		{"cert-manager v1.15.3", "quay.io/jetstack/cert-manager\nquay.io/jetstack/cert-manager-webhook", "quay.io/jetstack/cert-manager:v1.15.3 quay.io/jetstack/cert-manager-webhook:v1.15.3"},
		{"csv of needed images", "image,tag,arch,owner\nquay.io/a/b,1.24.0,amd64,dba team\nquay.io/a/c,16.4-12,amd64,dba team\nquay.io/a/d,1.60,amd64,obs team", "quay.io/a/b:1.24.0 quay.io/a/c:16.4-12 quay.io/a/d:1.60"},
		// Withdrawn.
		{"[solved] quay.io/a/b:1.0", "Never mind, got it through a proxy, please close.", "-"},
		{"[已解决] 拉取", "不用搬了，quay.io/a/b:1.0 我自己挂代理拉下来了，麻烦关一下这个 issue。", "-"},
		{"求同步", "quay.io/a/c:1.0 已经拉下来了，麻烦同步 quay.io/a/b:1.0", "quay.io/a/b:1.0"},
		// Models.
		{"求同步", "想要 meta-llama/Llama-3.1-8B-Instruct 和 BAAI/bge-m3，hf 上不去\n\nquay.io/a/b:1.0", "quay.io/a/b:1.0"},
		// Wishes.
		{"CI images", "Our runners sit behind a firewall, could the images of this workflow be mirrored?\n\n```yaml\njobs:\n  test:\n    container:\n      image: quay.io/a/b:1.0\n    steps:\n      - uses: actions/checkout@v4\n```", "quay.io/a/b:1.0"},
		{"our sync script", "This is what we run by hand, could the bot take it over?\n\n```bash\ndocker pull quay.io/a/b:1.0\n```", "quay.io/a/b:1.0"},
		// Needs.
		{"ollama", "We only need the container ollama/ollama:0.5.4-rocm on the mirror.", "docker.io/ollama/ollama:0.5.4-rocm"},
		{"base image", "Need this one for the new build chain: quay.io/a/b:1.0", "quay.io/a/b:1.0"},
		{"air-gap install", "We install without internet and are missing these, could they be mirrored?\n```\nquay.io/a/b:1.9.2,\nbusybox:1.28\n```", "quay.io/a/b:1.9.2 docker.io/library/busybox:1.28"},
		{"WDL tasks", "```wdl\nruntime {\n  docker: \"broadinstitute/gatk:4.5.0.0\"\n}\n```\nCan they be put on our registry? Compute nodes cannot reach Docker Hub or GCR.", "docker.io/broadinstitute/gatk:4.5.0.0"},
		{"old host", "Before we shut it down: please put everything from quay.io in this listing on the mirror.\n\n```\nREPOSITORY   TAG   IMAGE ID   CREATED   SIZE\nlocalhost/backend   dev   9f1c0e2b7d11   2 weeks ago   812 MB\nquay.io/buildah/stable   v1.37.3   77a0c3d91f4e   5 weeks ago   402 MB\n```", "quay.io/buildah/stable:v1.37.3"},
		{"Need copies of what is running", "Please mirror all images from here.\n\n```\nCONTAINER ID   IMAGE   COMMAND   CREATED   STATUS   PORTS   NAMES\nf487c6da9f74   jellyfin/jellyfin:10.9.11   \"/jellyfin\"   2 weeks ago   Up   80/tcp   media\n```", "docker.io/jellyfin/jellyfin:10.9.11"},
		// Other values of keys.
		{"custom app", "Repository: jlesage/handbrake\nTag: v24.07.1\nTimezone: America/Los_Angeles\n\nWould be nice to have on the mirror.", "docker.io/jlesage/handbrake:v24.07.1"},
		{"pipeline", "Please mirror these:\n```yaml\npool:\n  vmImage: ubuntu-22.04\nresources:\n  containers:\n  - container: sdk\n    image: quay.io/a/b:1.0\n```", "quay.io/a/b:1.0"},
		{"our nodes", "Please mirror these:\n```yaml\nos_image: debian-12\nbackgroundImage: hero\nimage: quay.io/a/b:1.0\n```", "quay.io/a/b:1.0"},
		{"Mirror rule containers", "```python\nrule plot:\n    input: \"data/{sample}.tsv\"\n    container: \"docker://rocker/tidyverse:4.4.1\"\n```", "docker.io/rocker/tidyverse:4.4.1"},
		{"concourse", "Could we get this in the mirror?\n```yaml\nplatform: linux\nsource: {repository: concourse/oci-build-task, tag: 0.11.1}\n```", "docker.io/concourse/oci-build-task:0.11.1"},
		{"pipeline", "Please cache those:\n```groovy\nwithName:KRAKEN2 {\n  container = 'quay.io/a/kraken2:2.1.3'\n}\n```", "quay.io/a/kraken2:2.1.3"},
		{"stack", "Please mirror the images of our stack\n```ts\nconst kuma = new docker.RemoteImage(\"kuma\", { name: \"louislam/uptime-kuma:1.23.13\" });\nexport const stackName = \"homelab:prod\";\n```", "docker.io/louislam/uptime-kuma:1.23.13"},
		{"stack", "Please mirror the image:\n```\nimage = \"quay.io/a/b:1.0\"\nenvironment = \"app:dev1\"\n```", "quay.io/a/b:1.0"},
		// Versions said apart.
		{"이미지 복사 부탁드립니다", "quay.io/a/b 의 0.30.0 버전과 quay.io/a/c 의 1.2.0 버전을 미러링해 주실 수 있을까요?", "quay.io/a/b:0.30.0 quay.io/a/c:1.2.0"},
		{"images", "Please mirror quay.io/a/b at 0.30.0 and quay.io/a/c at 1.2.0.", "quay.io/a/b:0.30.0 quay.io/a/c:1.2.0"},
		{"Yeni imaj isteği", "Merhaba, ekleyebilir misiniz? Hepsi 4.9.0 sürümü:\n\n- w/d\n- w/c", "docker.io/w/d:4.9.0 docker.io/w/c:4.9.0"},
		{"Imágenes", "¿Podrían añadir estas? Todas 4.9.0:\n\n- w/d\n- w/c", "docker.io/w/d:4.9.0 docker.io/w/c:4.9.0"},
		{"kind", "Please mirror kindest/node for all Kubernetes versions from v1.27 to v1.31.", ""},
		{"kind", "Bitte kindest/node spiegeln, alle Versionen von v1.27 bis v1.31.", ""},
		// Typing errors.
		{"docker pullquay.io/a/b:1.0", "", ""},
		{"gcr.io/a/b/controllerv1.8.1", "", ""},
		// Fields in a table.
		{"Replication rule request", "| Field | Value |\n|---|---|\n| Source registry | quay.io |\n| Source filter: Name | a/clair |\n| Source filter: Tag | 4.7.4 |\n| Destination namespace | mirror/quay |", "quay.io/a/clair:4.7.4"},
		{"Please mirror", "| Key | Value |\n|---|---|\n| 镜像 | a/clair |\n| 标签 | 4.7.4 |\n| Target | mirror/quay |", "docker.io/a/clair:4.7.4"},
		{"Image of our Application", "Please mirror the image this sets:\n```yaml\nkind: Application\nspec:\n  helm:\n    parameters:\n    - name: image.repository\n      value: docker.io/dexidp/dex\n    - name: image.tag\n      value: v2.41.1\n```", "docker.io/dexidp/dex:v2.41.1"},
		// No requests.
		{"Publish stable versions as well", "```console\n$ docker pull rust:1.90.0\nStatus: Downloaded newer image for rust:1.90.0\ndocker.io/library/rust:1.90.0\n```\n\nIt would be good to publish the stable images to ghcr as well, and not just to docker hub.", "-"},
		{"Cannot pull one image", "There are some images, but one of them cannot be pulled:\n```\nPulling wdb (docker.io/yajo/wdb-server:latest)...\nTraceback (most recent call last):\n  File \"docker-compose\", line 9\n```", "-"},
		{"docker pull problem", "When I pull it, there is a problem.", "-"},
		{"from #platform-help", "Filing it here so it does not get lost.", "-"},
		{"Clean-up: these can go", "Nobody pulls `quay.io/a/b:v1.4.0` any more, please delete it from the mirror to free some space.", "-"},
		{"Postmortem: mirror outage", "Pulls of golang:1.23.1 returned 404. Root cause: the shared token had been rotated.", "-"},
		{"re: cheap seo", "Have you lost your ranks?\nWe can recover them back!\n\nhttp://fastseo.example/cheap-seo-packages/", "-"},
	}
	for _, test := range tests {
		r := Parse(Input{Title: test.title, Body: test.body})
		var got []string
		for _, image := range r.Images {
			got = append(got, image.Reference.String())
		}
		if r.NoWish {
			got = []string{"-"}
		}
		if all := strings.Join(got, " "); all != test.want || (test.want == "") != (len(r.Problems) > 0) {
			t.Errorf("%q / %q:\n%s, want %s; problems %v", test.title, test.body, all, test.want, r.Problems)
		}
	}
}

// TestWishWithoutAnswer checks that a text that wishes for something and names
// images is no text without a wish, although the images are only mentioned.
func TestWishWithoutAnswer(t *testing.T) {
	e, _ := understand(Input{Title: "labels", Body: "Please add better labels to the pages of webhook. We are on quay.io/a/webhook:v1.15.0 here."})
	e.wording = 0 // what is learned is not tested here
	if sum := e.score(); sum > mentions || !e.wishes(true) || e.wishes(false) {
		t.Errorf("score %d, a wish beside images %v, without any %v", sum, e.wishes(true), e.wishes(false))
	}
}
