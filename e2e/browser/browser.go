// Package browser drives a headless Chromium.
package browser

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

// browsers are the names that Chromium goes by.
var browsers = []string{"chromium", "chromium-browser", "google-chrome"}

// Browser is a headless Chromium with one page, driven by the DevTools protocol
// over a pair of pipes (--remote-debugging-pipe).
type Browser struct {
	requests *os.File
	answers  *bufio.Reader
	session  string
	last     int
	// Events are what the browser has reported since the test emptied it.
	Events []Event
}

// Event is an event of the DevTools protocol.
type Event struct {
	Method string
	Params json.RawMessage
}

// Start starts a browser, which ends with the test. arguments are further flags.
func Start(t *testing.T, arguments ...string) *Browser {
	t.Helper()
	var program string
	for _, name := range browsers {
		if found, err := exec.LookPath(name); err == nil && program == "" {
			program = found
		}
	}
	if program == "" {
		t.Fatalf("none of %q is here (.ci/run tools installs one)", browsers)
	}
	hears, requests, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	answers, says, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	// Without a sandbox of its own, which root cannot have; it opens nothing
	// but pages of ours.
	command := exec.Command(program, append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
		"--remote-debugging-pipe", "--user-data-dir=" + t.TempDir(), "about:blank"}, arguments...)...)
	command.ExtraFiles = []*os.File{hears, says}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	hears.Close()
	says.Close()
	b := &Browser{requests: requests, answers: bufio.NewReader(answers)}
	t.Cleanup(func() {
		_ = b.Call("Browser.close", nil, nil)
		ended := make(chan struct{})
		go func() {
			_ = command.Wait()
			close(ended)
		}()
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			_ = command.Process.Kill()
		}
		requests.Close()
		answers.Close()
	})
	var target struct{ TargetID string }
	if err := b.Call("Target.createTarget", map[string]any{"url": "about:blank"}, &target); err != nil {
		t.Fatal(err)
	}
	var attached struct{ SessionID string }
	if err := b.Call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached); err != nil {
		t.Fatal(err)
	}
	b.session = attached.SessionID
	return b
}

// Call sends a command and decodes what it returns.
func (b *Browser) Call(method string, params, into any) error {
	b.last++
	message := map[string]any{"id": b.last, "method": method}
	if params != nil {
		message["params"] = params
	}
	if b.session != "" && method != "Browser.close" {
		message["sessionId"] = b.session
	}
	text, err := json.Marshal(message)
	if err != nil {
		return err
	}
	if _, err := b.requests.Write(append(text, 0)); err != nil {
		return err
	}
	for {
		text, err := b.answers.ReadBytes(0)
		if err != nil {
			return fmt.Errorf("%s: %w", method, err)
		}
		var answer struct {
			ID     int
			Result json.RawMessage
			Error  *struct{ Message string }
			Event
		}
		if err := json.Unmarshal(text[:len(text)-1], &answer); err != nil {
			return err
		}
		switch {
		case answer.Method != "":
			b.Events = append(b.Events, answer.Event)
		case answer.ID != b.last:
		case answer.Error != nil:
			return fmt.Errorf("%s: %s", method, answer.Error.Message)
		case into == nil:
			return nil
		default:
			return json.Unmarshal(answer.Result, into)
		}
	}
}

// Look shows a page of the width in pixels and in the colours of a scheme.
func (b *Browser) Look(width int, scheme string) error {
	return errors.Join(
		b.Call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false}, nil),
		b.Call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil),
	)
}

// Evaluate runs an expression in the page and decodes its value.
func (b *Browser) Evaluate(expression string, into any) error {
	var answer struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	err := b.Call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true}, &answer)
	switch {
	case err != nil:
		return err
	case answer.ExceptionDetails != nil:
		return fmt.Errorf("%s %s", answer.ExceptionDetails.Text, answer.ExceptionDetails.Exception.Description)
	case into == nil:
		return nil
	}
	return json.Unmarshal(answer.Result.Value, into)
}

// Picture is the whole page as a PNG.
func (b *Browser) Picture() ([]byte, error) {
	var shot struct{ Data []byte }
	err := b.Call("Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true}, &shot)
	return shot.Data, err
}

// Open loads a page and waits until it and what it loads at first are there.
func (b *Browser) Open(address string) error {
	if err := errors.Join(b.Call("Page.enable", nil, nil), b.Call("Page.navigate", map[string]any{"url": address}, nil)); err != nil {
		return err
	}
	return b.Wait(`document.readyState === "complete" && location.href !== "about:blank"`)
}

// Wait waits until an expression is true, for at most half a minute.
func (b *Browser) Wait(expression string) error {
	var last error
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		var done bool
		if last = b.Evaluate("!!("+expression+")", &done); done {
			return nil
		}
	}
	return errors.Join(fmt.Errorf("never true: %s", expression), last)
}

// Type enters text at the element with the focus, as a whole.
func (b *Browser) Type(text string) error {
	return b.Call("Input.insertText", map[string]any{"text": text}, nil)
}

// keys are the codes of the keys that tests press.
var keys = map[string]int{"Enter": 13, "Tab": 9, "ArrowUp": 38, "ArrowDown": 40, "/": 191}

// Press presses keys, one after the other.
func (b *Browser) Press(names ...string) error {
	for _, name := range names {
		key := map[string]any{"type": "keyDown", "key": name, "code": name, "windowsVirtualKeyCode": keys[name]}
		if text := map[string]string{"Enter": "\r", "/": "/"}[name]; text != "" {
			key["text"] = text
		}
		if err := errors.Join(b.Call("Input.dispatchKeyEvent", key, nil), b.Call("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": name, "code": name}, nil)); err != nil {
			return err
		}
	}
	return nil
}
