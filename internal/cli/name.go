package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/name"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/wiring"
)

var nameCommand = command{
	name:    "name",
	args:    "REF...",
	summary: "print the mirror name of an image, or the image of a mirror name",
	declare: func(env wiring.Env, flags *flagSet) action {
		to := flags.String("to", "", "`target`: registry and namespace, such as docker.io/USER")
		flags.letter("to", "t")
		profile := flags.String("profile", string(name.Flat), "`profile`: "+strings.Join(profiles(), ", "))
		flags.values["profile"] = profiles()
		reverse := flags.Bool("reverse", false, "print the image that has the mirror name")
		asJSON := flags.Bool("json", false, "print JSON")
		site := flags.String("catalog", "", "`address` of a catalog, such as https://alice.github.io/ferry: print the mirrors that it has")
		return func(ctx context.Context, args []string) (int, error) {
			if len(args) == 0 {
				return wiring.StatusUsage, usageError{"no reference is given"}
			}
			if *site != "" {
				return runPublished(ctx, env, *site, *asJSON, args)
			}
			return runName(env, *to, *profile, *reverse, *asJSON, args)
		}
	},
}

// anyTarget is the target if none is set. Names depend little on it; this one
// accepts the names of every profile.
const anyTarget = "ghcr.io/user"

func runName(env wiring.Env, to, profile string, reverse, asJSON bool, texts []string) (int, error) {
	target, prefix := targetOf(env, to), ""
	if target == "" {
		target, prefix = anyTarget, anyTarget+"/"
	}
	at, err := config.ParseTarget(target, env.Getenv("FERRY_USERNAME"))
	if err != nil {
		return wiring.StatusUsage, usageError{fmt.Sprintf("the target %v: write a registry and a namespace, such as docker.io/user", err)}
	}
	scheme, err := name.New(name.Target{Host: at.Host, Namespace: at.Namespace, Profile: name.Profile(profile)}, nil)
	if err != nil {
		return wiring.StatusUsage, err
	}
	in := report.Terminal{Language: language(env)}
	translate := func(text string) (string, error) {
		if reverse {
			if prefix != "" && name.Profile(profile) != name.Path { // whose names have slashes
				text = text[strings.LastIndexByte(text, '/')+1:]
			}
			mirror, err := reference.Parse(prefix + text)
			if err != nil {
				return "", err
			}
			source, err := scheme.Source(mirror)
			if err != nil {
				return "", fmt.Errorf("reading the mirror name %s: %w", text, errors.Unwrap(err))
			}
			return source.String(), nil
		}
		source, err := reference.Parse(text)
		if err != nil {
			return "", err
		}
		if p, ok := lookalike(text); ok {
			return "", errors.New(in.Problem(p))
		}
		mirror, err := scheme.Mirror(source)
		return strings.TrimPrefix(mirror.Reference.String(), prefix), err
	}
	return printNames(env, asJSON, texts, func(text string) ([]namePair, error) {
		out, err := translate(text)
		return []namePair{{Given: text, Name: out}}, err
	})
}

// runPublished prints the mirrors in a catalog.
func runPublished(ctx context.Context, env wiring.Env, site string, asJSON bool, texts []string) (int, error) {
	return printNames(env, asJSON, texts, func(text string) ([]namePair, error) {
		source, err := reference.Parse(text)
		if err != nil {
			return nil, err
		}
		mirrors, err := published(ctx, env, site, source)
		if err == nil && len(mirrors) == 0 {
			err = fmt.Errorf("%s is not in the catalog", source)
		}
		var pairs []namePair
		for _, m := range mirrors {
			pairs = append(pairs, namePair{text, m.Name.String(), m.Digest.String()})
		}
		return pairs, err
	})
}

// printNames prints what find returns for each text. An error concerns that text
// alone.
func printNames(env wiring.Env, asJSON bool, texts []string, find func(text string) ([]namePair, error)) (int, error) {
	var faults []error
	all := []namePair{}
	for _, text := range texts {
		pairs, err := find(text)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		all = append(all, pairs...)
		for _, p := range pairs {
			if !asJSON {
				fmt.Fprintln(env.Stdout, p.Name)
			}
		}
	}
	if asJSON {
		if err := writeJSON(env.Stdout, all); err != nil {
			return wiring.StatusFailed, err
		}
	}
	if len(faults) > 0 {
		return wiring.StatusFailed, errors.Join(faults...)
	}
	return wiring.StatusDone, nil
}

// namePair is an element of the JSON of "ferry name". Its fields are stable;
// docs/outputs.md describes them.
type namePair struct {
	Given string `json:"given"`
	Name  string `json:"name"`
	// Digest is that of a mirror in a catalog.
	Digest string `json:"digest,omitempty"`
}

// declareProfile adds the flag --profile, which meaning describes.
func declareProfile(flags *flagSet, profile *string, meaning string) {
	flags.StringVar(profile, "profile", "", meaning+": "+strings.Join(profiles(), ", "))
	flags.values["profile"] = profiles()
}

func profiles() []string {
	var words []string
	for _, p := range name.Profiles() {
		words = append(words, string(p))
	}
	return words
}

// targetOf returns the target of the command line or the environment, or an
// empty string. A user name alone means that user's namespace on Docker Hub.
func targetOf(env wiring.Env, flag string) string {
	switch {
	case flag != "":
		return flag
	case env.Getenv("FERRY_TARGET") != "":
		return env.Getenv("FERRY_TARGET")
	case env.Getenv("FERRY_USERNAME") != "":
		return reference.DockerHub + "/" + strings.ToLower(env.Getenv("FERRY_USERNAME"))
	}
	return ""
}
