package runner

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"time"
)

// ImageKey is the key of the attribute with the image that a record concerns.
// An image gets at most one annotation; further warnings and errors become
// lines of the log.
const ImageKey = "image"

// Handler returns the handler of the log: a line for each record, without the
// time, which the runner adds, with attributes as key=value. In an Action
// warnings and errors become annotations, and debug records are written if the
// runner was asked for them.
func (r *Runner) Handler() slog.Handler {
	h := &handler{runner: r, attrs: &bytes.Buffer{}}
	h.inner = slog.NewTextHandler(h.attrs, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: dropOwn})
	return h
}

// dropOwn keeps the attributes of the record and removes what the text handler
// adds: the level and the message, which handle writes itself.
func dropOwn(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 {
		if _, ok := a.Value.Any().(slog.Level); ok && a.Key == slog.LevelKey {
			return slog.Attr{}
		}
		if a.Key == slog.MessageKey && a.Value.String() == "" {
			return slog.Attr{}
		}
	}
	return a
}

// handler lets the standard text handler write the attributes, and completes
// the line.
type handler struct {
	runner *Runner
	inner  slog.Handler
	attrs  *bytes.Buffer // what inner writes to; guarded by runner.mu, shared by all handlers of one Handler
	image  string        // from WithAttrs
	group  bool          // inside a group, where keys have other meanings
}

func (h *handler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo || h.runner.debug
}

func (h *handler) Handle(ctx context.Context, record slog.Record) error {
	image := h.image
	if !h.group {
		record.Attrs(func(a slog.Attr) bool {
			if a.Key == ImageKey {
				image = a.Value.Resolve().String()
			}
			return image == ""
		})
	}
	message := record.Message
	record.Message, record.Time = "", time.Time{}

	r := h.runner
	r.mu.Lock()
	defer r.mu.Unlock()
	h.attrs.Reset()
	if err := h.inner.Handle(ctx, record); err != nil {
		return err
	}
	line := strings.TrimRight(message+" "+h.attrs.String(), " \n")
	r.log(record.Level, image, line)
	return nil
}

// log needs r.mu.
func (r *Runner) log(level slog.Level, image, line string) {
	switch {
	case level < slog.LevelInfo && r.action != nil:
		r.action.Debugf("%s", clean(r.redact.Replace(line)))
	case level < slog.LevelWarn, image != "" && r.annotated[image]:
		r.print(prefix(level) + line)
	default:
		if image != "" {
			r.annotated[image] = true
		}
		r.annotate(level, "", line)
	}
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *h
	with.inner = h.inner.WithAttrs(attrs)
	if !h.group {
		for _, a := range attrs {
			if a.Key == ImageKey {
				with.image = a.Value.Resolve().String()
			}
		}
	}
	return &with
}

func (h *handler) WithGroup(name string) slog.Handler {
	with := *h
	with.inner = h.inner.WithGroup(name)
	with.group = with.group || name != ""
	return &with
}
