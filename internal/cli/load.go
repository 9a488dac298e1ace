package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/wiring"
)

// given is the value of a flag that replaces a variable of the environment.
type given struct{ variable, flag, value string }

// load reads the configuration of a command at a terminal. Flags take
// precedence over the environment, and faults name the flag if there is one. A
// policy file is read only if FERRY_CONFIG names it: a file in the current
// directory belongs to the workflow of its repository. Notes are printed to
// standard error.
func load(env wiring.Env, copies bool, flags []given, listTargets ...string) (*config.Config, error) {
	cfg, err := config.Load(config.Options{
		Getenv: func(key string) string {
			for _, f := range flags {
				if f.variable == key && f.value != "" {
					return f.value
				}
			}
			return env.Getenv(key)
		},
		Helper: env.CredentialHelper(true),
		ReadFile: func(path string) ([]byte, error) {
			if path == config.DefaultPath && env.Getenv("FERRY_CONFIG") == "" {
				return nil, fs.ErrNotExist
			}
			return os.ReadFile(path)
		},
		ListTargets: listTargets,
		Copies:      copies,
	})
	var faults config.Faults
	errors.As(err, &faults)
	for _, list := range [][]config.Fault{faults, cfg.Notes} {
		for i := range list {
			for _, f := range flags {
				if f.variable == list[i].Name && f.value != "" {
					list[i].Name = f.flag
				}
			}
		}
	}
	if err == nil {
		for _, note := range cfg.Notes {
			say(env, env.Stderr, "warning: %s\n", report.Terminal{Language: language(env)}.Fault(note))
		}
	}
	return cfg, err
}

// platforms reads --platform: nil for all.
func platforms(text string) ([]reference.Platform, error) {
	if text == "all" {
		return nil, nil
	}
	var only []reference.Platform
	for _, name := range strings.Split(text, ",") {
		p, err := reference.ParsePlatform(strings.TrimSpace(name))
		if err != nil {
			return nil, usageError{fmt.Sprintf("--platform is %q; write os/arch or os/arch/variant, such as linux/arm64, or all", name)}
		}
		only = append(only, p)
	}
	return only, nil
}
