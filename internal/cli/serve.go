package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/front"
	"github.com/imageferry/ferry/internal/transfer"
	"github.com/imageferry/ferry/internal/wiring"
)

var serveCommand = command{
	name:    "serve",
	summary: "serve mirrored images under their original names",
	declare: func(env wiring.Env, flags *flagSet) action {
		var o serveOptions
		flags.StringVar(&o.target, "target", "", "`target`: registry and namespace of the mirrors, such as docker.io/USER (or FERRY_TARGET)")
		flags.letter("target", "t")
		declareProfile(flags, &o.profile, "naming `profile` of the mirrors")
		flags.StringVar(&o.listen, "listen", "", "`address` and port to listen on (or FERRY_LISTEN) (default 127.0.0.1:5050)")
		flags.letter("listen", "l")
		flags.StringVar(&o.mode, "mode", "", "`mode`: inshore reads from mirrors only, offshore also from the sources (or FERRY_MODE)")
		flags.values["mode"] = []string{"inshore", "offshore"}
		flags.StringVar(&o.config, "config", "", "`file` with all other settings (or FERRY_CONFIG)")
		flags.letter("config", "c")
		return func(ctx context.Context, args []string) (int, error) { return runServe(ctx, env, o, args) }
	},
}

// serveOptions are the flags of "ferry serve".
type serveOptions struct{ target, profile, listen, mode, config string }

// serveMemory limits the bytes in transit. With more of them, clients that fall
// behind others find what they need in memory; 200 clients then take less than
// 96 MiB in all.
const serveMemory = 40 << 20

// serveRest is the memory for everything but blobs and manifests, in bytes, beyond
// which garbage is collected more often.
const serveRest = 16 << 20

// lookEvery is how often the configuration file is checked for changes.
const lookEvery = 2 * time.Second

func runServe(ctx context.Context, env wiring.Env, o serveOptions, args []string) (int, error) {
	if len(args) > 0 {
		return wiring.StatusUsage, usageError{fmt.Sprintf("the command takes no arguments, but got %q: clients name the images", args[0])}
	}
	given := map[string]string{
		"FERRY_TARGET": o.target, "FERRY_PROFILE": o.profile, "FERRY_LISTEN": o.listen, "FERRY_MODE": o.mode, "FERRY_CONFIG": o.config,
	}
	s := &server{env: env, parts: wiring.FrontParts{
		Engine: transfer.New(transfer.Options{Memory: serveMemory}),
		Log:    slog.New(slog.NewJSONHandler(env.Stderr, nil)),
	}}
	defer s.parts.Engine.Close()
	s.options = config.Options{
		Getenv:   func(key string) string { return cmp.Or(given[key], env.Getenv(key)) },
		ReadFile: os.ReadFile,
		Helper:   env.CredentialHelper(true),
	}
	return s.run(ctx)
}

// server is a running front and its parts.
type server struct {
	env     wiring.Env
	options config.Options
	parts   wiring.FrontParts
	front   *wiring.Front
	serves  front.Server
}

func (s *server) run(ctx context.Context) (int, error) {
	before := stamp(s.options.Getenv("FERRY_CONFIG")) // later changes reload the file
	cfg, err := config.LoadServe(s.options)
	if err != nil {
		return wiring.StatusUsage, err
	}
	log := s.parts.Log
	for _, note := range cfg.Notes {
		log.Warn("a setting was not read literally", "note", note.String())
	}
	s.parts.Memories = front.NewMemories(cfg.Memory)
	if s.options.Getenv("GOGC") == "" && s.options.Getenv("GOMEMLIMIT") == "" {
		// The blobs and manifests in memory are bounded, and what is rarely collected
		// beside them costs less than collecting often.
		defer debug.SetGCPercent(debug.SetGCPercent(200))
		defer debug.SetMemoryLimit(debug.SetMemoryLimit(serveMemory + cfg.Memory + serveRest))
	}
	if s.front, err = wiring.NewFront(ctx, cfg, s.env, s.parts); err != nil {
		return wiring.StatusUsage, err
	}
	defer func() { s.front.Close() }()
	s.serves.Log, s.serves.Grace = log, cfg.Grace
	if s.serves.TLS, err = wiring.FrontTLS(cfg, s.env, s.serves.Called, log); err != nil {
		return wiring.StatusUsage, err
	}
	s.serves.Use(s.front.Front)
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP) // before others learn that it runs: otherwise the signal would end it
	defer signal.Stop(hangup)
	listeners, metrics, err := s.listen(ctx, cfg)
	if wrong := (config.Faults)(nil); errors.As(err, &wrong) {
		return wiring.StatusUsage, err
	}
	if err != nil {
		return wiring.StatusFailed, err
	}
	for _, l := range listeners {
		log.Info("serving", "address", l.Addr().String(), "tls", s.serves.TLS != nil)
	}
	for _, place := range s.front.States() {
		log.Info("place", "place", place.Place)
	}
	go s.watch(ctx, before, hangup)
	if err := s.serves.Serve(ctx, listeners, metrics, s.parts.Memories); err != nil {
		return wiring.StatusFailed, err
	}
	return wiring.StatusDone, nil
}

// listen opens the addresses of cfg, unless systemd has opened them.
func (s *server) listen(ctx context.Context, cfg *config.Serve) (listeners, metrics []net.Listener, err error) {
	listeners, err = activated(s.env.Getenv)
	if err != nil {
		return nil, nil, err
	}
	for _, l := range listeners {
		addr, err := netip.ParseAddrPort(l.Addr().String())
		if err != nil {
			continue // a socket file, whose mode says who may use it
		}
		if faults := cfg.Exposes(addr.Addr()); len(faults) > 0 {
			return nil, nil, config.Faults(faults)
		}
	}
	var listen net.ListenConfig
	if len(listeners) == 0 {
		for _, address := range cfg.Listen {
			l, err := listen.Listen(ctx, "tcp", address)
			switch {
			case errors.Is(err, addressInUse):
				return nil, nil, fmt.Errorf("the port of %s is in use: stop the program that uses it, or set another by --listen", address)
			case err != nil:
				return nil, nil, fmt.Errorf("cannot listen: %w", err)
			}
			listeners = append(listeners, l)
		}
	}
	if cfg.Metrics != "" {
		l, err := listen.Listen(ctx, "tcp", cfg.Metrics)
		if err != nil {
			return nil, nil, fmt.Errorf("listening for metrics: %w", err)
		}
		metrics = append(metrics, l)
	}
	return listeners, metrics, nil
}

// activated returns the sockets that systemd has opened (sd_listen_fds(3)).
func activated(getenv func(string) string) ([]net.Listener, error) {
	n, err := strconv.Atoi(getenv("LISTEN_FDS"))
	if err != nil || getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return nil, nil
	}
	var listeners []net.Listener
	for fd := 3; fd < 3+n; fd++ {
		file := os.NewFile(uintptr(fd), "socket")
		l, err := net.FileListener(file)
		file.Close()
		if err != nil {
			return nil, fmt.Errorf("taking over the sockets of systemd: %w", err)
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}

// watch reloads the configuration when its file changes, and on SIGHUP.
func (s *server) watch(ctx context.Context, before string, hangup <-chan os.Signal) {
	file := s.options.Getenv("FERRY_CONFIG")
	tick := time.NewTicker(cmp.Or(s.env.Tick, lookEvery))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
		case <-tick.C:
			if stamp(file) == before {
				continue
			}
		}
		before = stamp(file)
		s.reload(ctx)
	}
}

// reload replaces the front by one with the current configuration. A faulty
// configuration changes nothing.
func (s *server) reload(ctx context.Context) {
	cfg, err := config.LoadServe(s.options)
	var next *wiring.Front
	if err == nil {
		next, err = wiring.NewFront(ctx, cfg, s.env, s.parts)
	}
	if err != nil {
		var faults config.Faults
		if !errors.As(err, &faults) {
			faults = config.Faults{{Reason: err.Error()}}
		}
		for _, fault := range faults {
			s.parts.Log.Error("the configuration was not changed", "fault", fault.String())
		}
		return
	}
	old := s.front
	s.front = next
	s.serves.Use(next.Front)
	go old.Close() // it waits for copies
	s.parts.Log.Info("the configuration was reloaded; addresses, TLS and memory stay as they were at the start")
}

// stamp identifies the state of a file; empty if there is no file.
func stamp(name string) string {
	info, err := os.Stat(name)
	if err != nil {
		return ""
	}
	return fmt.Sprint(info.ModTime().UnixNano(), info.Size())
}
