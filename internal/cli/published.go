package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/catalog"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/wiring"
)

const (
	// maxPublished is the maximum size of a file of a catalog, in bytes.
	maxPublished = 16 << 20
	// publishedTime is the time limit for it.
	publishedTime = 30 * time.Second
)

// published returns the mirrors of an image in the catalog at an address.
func published(ctx context.Context, env wiring.Env, site string, source reference.Reference) ([]catalog.Mirror, error) {
	u, err := url.Parse(strings.TrimSuffix(site, "/") + "/" + catalog.FilePath(source.Repository()))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return nil, usageError{fmt.Sprintf("--catalog is %q; write the address of a catalog, such as https://alice.github.io/ferry", site)}
	}
	ctx, cancel := context.WithTimeout(ctx, publishedTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, err
	}
	answer, err := (&http.Client{Transport: env.Transport()}).Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return nil, nil
	default:
		return nil, fmt.Errorf("%s answers %d", u.Host, answer.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxPublished))
	if err != nil {
		return nil, err
	}
	return catalog.Mirrors(text, source)
}
