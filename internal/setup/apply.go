package setup

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	// stateFolder has the journal and the lock, unless Disk.State is another.
	stateFolder = "var/lib/ferry"
	// journalFile lists the changes for Undo.
	journalFile = "setup.json"
	// lockFile exists while a set-up is running.
	lockFile = "setup.lock"
	// backupSuffix is appended to the name of a file for its backup.
	backupSuffix = ".ferry-backup"
)

// entry is one changed file in the journal.
type entry struct {
	Path   string   `json:"path"`   // from the root, without a slash in front
	New    bool     `json:"new"`    // the file did not exist
	Before string   `json:"before"` // sha256 of its content before
	Texts  []string `json:"texts"`
	Folder []string `json:"folders"` // created for it, the innermost first
	// Reload makes the client read its files; empty if each pull does.
	Reload []string `json:"reload,omitempty"`
	// Logout makes the client forget the token of the front.
	Logout []string `json:"logout,omitempty"`
	// Mode is that of the file before it got a token; zero if it has none.
	Mode fs.FileMode `json:"mode,omitempty"`
}

// Disk is the file system below Root, which is set up.
type Disk struct {
	Root  string
	State string // folder of the journal, from the root; empty for /var/lib/ferry
}

// Apply writes the changes of one client: all of them or, if one fails, none.
// Each file is replaced atomically, so that a crash leaves the old or the new
// one, and the old one is kept as a backup. It is an error if a file has
// changed since the plan was made.
func (d Disk) Apply(p Part) error {
	return d.locked(func(journal *[]entry) error {
		for i, c := range p.Changes {
			if err := d.write(journal, c, p); err != nil {
				return errors.Join(err, d.revert(journal, p.Changes[:i]))
			}
		}
		return nil
	})
}

// Revert removes what Apply has written for one client.
func (d Disk) Revert(p Part) error {
	return d.locked(func(journal *[]entry) error { return d.revert(journal, p.Changes) })
}

func (d Disk) revert(journal *[]entry, changes []Change) error {
	var failed error
	for i := len(changes) - 1; i >= 0; i-- {
		failed = errors.Join(failed, d.undo(journal, changes[i].Path))
	}
	return failed
}

// Restored is what Undo has done.
type Restored struct {
	Files   []string
	Reloads [][]string // commands that make the clients read their files and log out
}

// Undo removes what Apply has inserted. Files that were edited in the inserted
// places since are left unchanged; the error names them.
func (d Disk) Undo() (Restored, error) {
	var restored Restored
	err := d.locked(func(journal *[]entry) error {
		var failed error
		entries := slices.Clone(*journal)
		slices.Reverse(entries)
		for _, e := range entries {
			if err := d.undo(journal, e.Path); err != nil {
				failed = errors.Join(failed, err)
				continue
			}
			restored.Files = append(restored.Files, "/"+e.Path)
			for _, command := range [][]string{e.Reload, e.Logout} {
				if len(command) > 0 && !slices.ContainsFunc(restored.Reloads, func(done []string) bool { return slices.Equal(done, command) }) {
					restored.Reloads = append(restored.Reloads, command)
				}
			}
		}
		return failed
	})
	return restored, err
}

// locked runs f with the journal while no other set-up runs on this machine.
// The journal is read before, and written whenever f changes a file.
func (d Disk) locked(f func(*[]entry) error) (err error) {
	if err := makeFolder(d.state("")); err != nil {
		return err
	}
	lock, err := os.OpenFile(d.state(lockFile), os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("another \"ferry setup\" is running; if none is, remove %s", d.state(lockFile))
	}
	if err != nil {
		return err
	}
	lock.Close()
	defer func() { err = errors.Join(err, os.Remove(d.state(lockFile))) }()
	var journal []entry
	data, err := os.ReadFile(d.state(journalFile))
	if err == nil {
		err = json.Unmarshal(data, &journal)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading %s: %w", d.state(journalFile), err)
	}
	return f(&journal)
}

// write makes one change, after recording it in the journal. If it fails,
// nothing has changed.
func (d Disk) write(journal *[]entry, c Change, p Part) error {
	file, err := d.target(c.Path)
	if err != nil {
		return err
	}
	now, err := read(file)
	if err != nil {
		return err
	}
	if !bytes.Equal(now, c.Before) || (now == nil) != (c.Before == nil) {
		return fmt.Errorf("/%s was changed in the meantime; run the command again", c.Path)
	}
	e := entry{Path: c.Path, New: c.Before == nil, Before: sum(c.Before), Reload: p.Service.Reload, Logout: p.Login.Out}
	if c.Secret {
		e.Mode = modeOf(file)
	}
	for _, i := range c.Insertions {
		e.Texts = append(e.Texts, i.Text)
	}
	for dir := filepath.Dir(file); ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		e.Folder = append(e.Folder, dir)
	}
	if err := d.save(journal, append(slices.Clone(*journal), e)); err != nil {
		return err
	}
	if err := put(file, c); err != nil {
		return errors.Join(err, d.undo(journal, c.Path))
	}
	return nil
}

// put writes the new content of a file beside which the old one is kept. The
// oldest is kept if there are several.
func put(file string, c Change) error {
	if err := makeFolder(filepath.Dir(file)); err != nil {
		return err
	}
	if _, err := os.Stat(file + backupSuffix); c.Before != nil && errors.Is(err, fs.ErrNotExist) {
		if err := replace(file+backupSuffix, c.Before, file, modeOf(file)); err != nil {
			return err
		}
	}
	mode := modeOf(file)
	if c.Secret {
		mode = private
	}
	return replace(file, c.After, file, mode)
}

// undo removes the insertions of the last entry of a file.
func (d Disk) undo(journal *[]entry, path string) error {
	at := -1
	for i, e := range *journal {
		if e.Path == path {
			at = i
		}
	}
	if at < 0 {
		return nil
	}
	e := (*journal)[at]
	file, err := d.target(path)
	if err != nil {
		return err
	}
	now, err := read(file)
	if err != nil {
		return err
	}
	text, err := without(now, e.Texts)
	if err != nil && e.Mode != 0 {
		err = errors.New("the inserted text has been edited since") // it has a token
	}
	backup, _ := os.ReadFile(file + backupSuffix) // a missing backup counts as empty
	switch {
	case err == nil && e.New && len(text) == 0:
		if err := os.Remove(file); err != nil {
			return err
		}
	case err == nil:
		if err := replace(file, text, file, cmp.Or(e.Mode, modeOf(file))); err != nil {
			return err
		}
	case now == nil, sum(now) == e.Before, bytes.Equal(now, backup): // nothing was written, or the file was restored by hand
	default:
		return fmt.Errorf("/%s is left unchanged: %w. The original is in /%s%s", path, err, path, backupSuffix)
	}
	for _, dir := range e.Folder {
		_ = os.Remove(dir) // fails if the folder is not empty
	}
	rest := slices.Delete(slices.Clone(*journal), at, at+1)
	if !slices.ContainsFunc(rest, func(other entry) bool { return other.Path == path }) {
		if err := os.Remove(file + backupSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return d.save(journal, rest)
}

func sum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// without returns data without texts. Each must occur exactly once.
func without(data []byte, texts []string) ([]byte, error) {
	data = slices.Clone(data)
	for _, text := range texts {
		if n := bytes.Count(data, []byte(text)); n != 1 {
			return nil, fmt.Errorf("the inserted text has been edited since: %q appears %d times", strings.TrimSpace(text), n)
		}
		data = bytes.Replace(data, []byte(text), nil, 1)
	}
	return data, nil
}

// save replaces the journal by entries, on disk first.
func (d Disk) save(journal *[]entry, entries []entry) error {
	data, err := json.MarshalIndent(entries, "", "  ")
	if err != nil {
		return err
	}
	if err := replace(d.state(journalFile), append(data, '\n'), d.state(journalFile), private); err != nil {
		return err
	}
	*journal = entries
	return nil
}

// state returns the path of a file of the set-up itself.
func (d Disk) state(name string) string {
	return filepath.Join(d.path(cmp.Or(d.State, stateFolder)), name)
}

func (d Disk) path(name string) string { return filepath.Join(d.Root, filepath.FromSlash(name)) }

// target returns the file that a name refers to, following symbolic links.
// Below another root, links are refused, because they refer to that root.
func (d Disk) target(name string) (string, error) {
	file := d.path(name)
	target, err := filepath.EvalSymlinks(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return file, nil
	case err != nil:
		return "", err
	}
	root, err := filepath.EvalSymlinks(d.Root)
	if err != nil {
		return "", err
	}
	if inside, err := filepath.Rel(root, target); err != nil || strings.HasPrefix(inside, "..") {
		return "", fmt.Errorf("%s is a link to %s, outside of %s", file, target, d.Root)
	}
	return target, nil
}

// read returns the content of a file, or nil if it does not exist.
func read(file string) ([]byte, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && data == nil {
		data = []byte{}
	}
	return data, err
}

// private is the mode of files with tokens: the journal has what was inserted.
const private fs.FileMode = 0o600

// modeOf returns the permissions of a file, or those of a new one.
func modeOf(file string) fs.FileMode {
	if info, err := os.Stat(file); err == nil {
		return info.Mode().Perm()
	}
	return 0o644
}

// makeFolder creates a folder and those above it, with the owner of the folder that
// exists.
func makeFolder(name string) error {
	above := filepath.Dir(name)
	if _, err := os.Stat(name); err == nil || above == name {
		return err
	}
	if err := makeFolder(above); err != nil {
		return err
	}
	if err := os.Mkdir(name, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return own(name, above)
}

// own gives a file the owner of another, or of the folder of that if it does not
// exist: what root creates in a home belongs to the person.
func own(file, like string) error {
	info, err := os.Stat(like)
	if errors.Is(err, fs.ErrNotExist) {
		if os.Geteuid() != 0 {
			return nil
		}
		info, err = os.Stat(filepath.Dir(like))
	}
	if err != nil {
		return err
	}
	return chown(file, info)
}

// replace writes a file atomically: readers see the old or the new content. It
// gets the mode, and the owner of the file like.
func replace(file string, data []byte, like string, mode fs.FileMode) error {
	temporary, err := os.CreateTemp(filepath.Dir(file), ".ferry-*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name()) // no effect after the rename
	_, err = temporary.Write(data)
	if err == nil {
		err = temporary.Sync()
	}
	if err = errors.Join(err, temporary.Close()); err != nil {
		return err
	}
	if err := own(temporary.Name(), like); err != nil {
		return err
	}
	if err := os.Chmod(temporary.Name(), mode); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), file)
}
