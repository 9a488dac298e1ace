package mirror

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// hintTime bounds the search for a hint: an answer is not to wait for it.
const hintTime = 10 * time.Second

// hint adds to an error about an image that is not there what was probably
// meant: tags that the repository has or, if there is no such repository, the
// same image at other registries.
func (img *image) hint(ctx context.Context, err error) error {
	f, ok := failure.As(err)
	if !ok || f.Code != failure.NotFound && f.Code != failure.Private {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, hintTime)
	defer cancel()
	ref := img.step.Image.Reference
	if f.Code == failure.NotFound && !ref.HasDigest() {
		if tags, listErr := img.client.Tags(ctx, ref.Repository()); listErr == nil {
			f.Hints = nearest(img.meant(), tags)
			return err
		}
	}
	f.Hints = img.elsewhere(ctx)
	return err
}

// meant is the tag that is looked for: what the request names, if only apart from
// the image, rather than what was assumed.
func (img *image) meant() string {
	if versions := img.step.Image.Alternatives; len(versions) > 0 {
		return versions[0]
	}
	return img.step.Image.Reference.Tag()
}

// Exist looks up which references the sources have, all at once and for ten
// seconds at most. It leaves out those of which it cannot be told.
func (m *Mirror) Exist(ctx context.Context, refs []reference.Reference) map[reference.Reference]bool {
	ctx, cancel := context.WithTimeout(ctx, hintTime)
	defer cancel()
	found := make([]error, len(refs))
	var wg sync.WaitGroup
	for i, ref := range refs {
		client, ok := m.source(ref.Repository().Host())
		if !ok {
			found[i] = &failure.Error{Code: failure.HostNotAllowed}
			continue
		}
		wg.Go(func() { _, found[i] = client.Digest(ctx, ref) })
	}
	wg.Wait()
	exist := make(map[reference.Reference]bool, len(refs))
	for i, err := range found {
		switch code := failure.CodeOf(err); {
		case err == nil:
			exist[refs[i]] = true
		case code == failure.NotFound, code == failure.Private:
			exist[refs[i]] = false
		}
	}
	return exist
}

// elsewhere are the references under which other registries have the image, by
// one HEAD to each.
func (img *image) elsewhere(ctx context.Context) []string {
	found := make([]string, len(img.m.opts.Elsewhere))
	var wg sync.WaitGroup
	for i, host := range img.m.opts.Elsewhere {
		client, ok := img.m.source(host)
		ref, there := moved(img.step.Image.Reference, host)
		if !ok || !there {
			continue
		}
		wg.Go(func() {
			if _, err := client.Digest(ctx, ref); err == nil {
				found[i] = ref.String()
			}
		})
	}
	wg.Wait()
	return strings.Fields(strings.Join(found, " "))
}

// moved is the reference at another host. It returns false if the host is the same
// or has no repositories of that many components. Docker Hub's "library" does not
// count as one.
func moved(ref reference.Reference, host string) (reference.Reference, bool) {
	path := ref.Repository().Path()
	if ref.Repository().Host() == reference.DockerHub {
		path = strings.TrimPrefix(path, "library/")
	}
	components, rules := strings.Count(path, "/")+1, known.Of(host).Names
	switch {
	case host == ref.Repository().Host(), components < rules.Least, rules.Most > 0 && components > rules.Most:
		return reference.Reference{}, false
	case host == reference.DockerHub && components == 1:
		path = "library/" + path
	}
	suffix := strings.TrimPrefix(ref.String(), ref.Repository().String())
	if host == known.Kubernetes {
		path, suffix = known.KubernetesPath(path+suffix), ""
	}
	there, err := reference.Parse(host + "/" + path + suffix)
	return there, err == nil
}
