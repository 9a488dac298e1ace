package mirror

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
)

// hintTime limits the search for a hint, so that it does not delay the answer.
const hintTime = 10 * time.Second

// hint adds a suggestion to an error about a missing image: similar tags in the
// repository or, if the repository does not exist, the same image at other
// registries.
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

// meant returns the tag to look for: the one in the request, even if it stands
// apart from the image, rather than an assumed one.
func (img *image) meant() string {
	if versions := img.step.Image.Alternatives; len(versions) > 0 {
		return versions[0]
	}
	return img.step.Image.Reference.Tag()
}

// Exist looks up which references exist at the sources, all at once and for at
// most ten seconds. It leaves out references whose state is unknown.
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

// elsewhere returns the references under which other registries have the image.
// It asks all of them at once.
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

// moved returns the reference at another host. It returns false if the host is
// the same, or does not have repositories with that many components. Docker
// Hub's "library" does not count as a component.
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

// AskPublic asks the public mirrors for the images of steps, and returns at once.
// The requests have a budget of their own, and nobody waits for them: what has not
// been answered when Answers is called is left out.
func (m *Mirror) AskPublic(ctx context.Context, steps []plan.Step) *Public {
	ctx, stop := context.WithCancel(ctx)
	p := &Public{mirrors: m.public, sources: &m.sources, stop: stop, said: map[reference.Reference][]*saying{}}
	for i, mirror := range m.public {
		for k := range steps {
			ref := steps[k].Image.Reference
			there, ok := mirror.Of(ref)
			if !ok {
				continue
			}
			m.sources.LoadOrStore(ref, (*resolved)(nil))
			if s, free := mirror.may(&there); free {
				go func() { p.add(ref, i, mirror.ask(ctx, &there)) }()
			} else {
				p.add(ref, i, s)
			}
		}
	}
	return p
}
