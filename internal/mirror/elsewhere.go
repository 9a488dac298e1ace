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
			f.Hints = nearest(ref.Tag(), tags)
			return err
		}
	}
	f.Hints = img.elsewhere(ctx)
	return err
}

// elsewhere are the references under which other registries have the image, by
// one HEAD to each.
func (img *image) elsewhere(ctx context.Context) []string {
	found := make([]string, len(img.m.opts.Elsewhere))
	var wg sync.WaitGroup
	for i, host := range img.m.opts.Elsewhere {
		client, ok := img.m.opts.Sources.ForHost(host)
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
	there, err := reference.Parse(host + "/" + path + suffix)
	return there, err == nil
}
