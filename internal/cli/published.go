package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
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
	text, err := publishedFile(ctx, env, site, catalog.FilePath(source.Repository()))
	if err != nil || text == nil {
		return nil, err
	}
	return catalog.Mirrors(text, source)
}

// publishedFile returns a file of the catalog at an address, or nil if there is none.
func publishedFile(ctx context.Context, env wiring.Env, site, path string) ([]byte, error) {
	u, err := url.Parse(strings.TrimSuffix(site, "/") + "/" + path)
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
	return io.ReadAll(io.LimitReader(answer.Body, maxPublished))
}

// seenImages is the file with the images of the catalog that was read last, for the
// completion of shells.
func seenImages(env wiring.Env) string {
	dir := env.Getenv("XDG_CACHE_HOME")
	if dir == "" {
		dir, _ = os.UserCacheDir() // without one, the file is in the current folder
	}
	return filepath.Join(dir, "ferry", "images")
}

// seeImages reads the names of the images in a catalog for the completion.
func seeImages(ctx context.Context, env wiring.Env, site string) (int, error) {
	index, err := publishedFile(ctx, env, site, catalog.IndexPath)
	if err != nil {
		return 0, err
	}
	tags, err := publishedFile(ctx, env, site, catalog.TagsPath)
	if err != nil {
		return 0, err
	}
	names, err := catalog.Names(index, tags)
	if err != nil {
		return 0, err
	}
	file := seenImages(env)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return 0, err
	}
	if err := os.WriteFile(file+".new", []byte(strings.Join(names, "\n")+"\n"), 0o600); err != nil {
		return 0, err
	}
	return len(names), os.Rename(file+".new", file)
}

// printSeen prints the images that begin with a text, which may leave out what names
// on Docker Hub do.
func printSeen(env wiring.Env, prefix string) error {
	const most = 200
	text, err := os.ReadFile(seenImages(env))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	n := 0
	for _, name := range strings.Fields(string(text)) {
		for _, short := range []string{"", "docker.io/", "docker.io/library/"} {
			if spelled, ok := strings.CutPrefix(name, short); ok && strings.HasPrefix(spelled, prefix) && n < most {
				fmt.Fprintln(env.Stdout, spelled)
				n++
				break
			}
		}
	}
	return err
}
