package upstream

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const gitHub = "https://github.com/"

// errTags means that the answer about the tags of a repository has another form.
var errTags = errors.New("the answer of GitHub about tags cannot be read")

// tags lists the tags of a repository on GitHub by version 2 of Git's protocol
// (gitprotocol-v2(5), ls-refs): one request, which does not count against the
// limits of GitHub's API, which runners share.
func tags(ctx context.Context, web *Web, repository string) ([]string, error) {
	text, err := web.Read(ctx, gitHub+repository+".git/git-upload-pack",
		packet("command=ls-refs\n")+"0001"+packet("ref-prefix refs/tags/\n")+"0000")
	if err != nil {
		return nil, err
	}
	var tags []string
	for len(text) >= 4 {
		length, err := strconv.ParseUint(string(text[:4]), 16, 16)
		if length == 0 && err == nil {
			return tags, nil
		}
		if err != nil || length < 4 || int(length) > len(text) {
			return nil, errTags
		}
		if _, tag, ok := strings.Cut(strings.TrimSpace(string(text[4:length])), " refs/tags/"); ok {
			tags = append(tags, tag)
		}
		text = text[length:]
	}
	return nil, errTags // without its end
}

// packet is a line of Git's protocol (gitprotocol-common(5)).
func packet(line string) string { return fmt.Sprintf("%04x%s", len(line)+4, line) }
