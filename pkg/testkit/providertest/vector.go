package providertest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/tools/txtar"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
)

// Words of the expect line. A reason follows held, as in "held unknown-status".
const (
	Accepted    = "accepted"
	Held        = "held"
	Unauthentic = "unauthentic"
	Malformed   = "malformed"
	TooLarge    = "too-large"
)

// repliesFile is the only archive that is not a vector, see [Replies].
const repliesFile = "replies.txtar"

// signedAt is when vectors are signed, and received.
var signedAt = time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC)

// Vector is a callback and the verdict that it must get.
type Vector struct {
	Name     string // the file's name, without .txtar
	Why      string // what it shows; may be empty
	Source   string // the source of its body
	Expect   string // one of the words above; "held <reason>"
	Type     payout.Type
	Account  string      // whose key signs it; "" sends it as it is
	Previous bool        // whether to sign with the previous key
	Header   http.Header // replaces the headers that signing sets
	Body     []byte      // before it is signed
	Event    string      // the wanted event of an accepted callback, as event.json

	archive *txtar.Archive
}

// Load reads the vectors in the top folder of fsys, sorted by name. It reports the
// errors of all vectors at once.
func Load(fsys fs.FS) ([]Vector, error) {
	names, err := fs.Glob(fsys, "*.txtar")
	if err != nil {
		return nil, err
	}
	var vectors []Vector
	var faults []error
	for _, name := range names {
		if name == repliesFile {
			continue
		}
		vector, err := load(fsys, name)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
			continue
		}
		vectors = append(vectors, vector)
	}
	return vectors, errors.Join(faults...)
}

// Authentic reports whether the vector must be verified.
func (v Vector) Authentic() bool {
	return v.Expect == Accepted || strings.HasPrefix(v.Expect, Held+" ")
}

// Signed returns the body and the headers to send, signed with the key that the vector
// names.
func (v Vector) Signed(signer callback.Signer, keys callback.Keys) ([]byte, http.Header, error) {
	if v.Account == "" {
		return bytes.Clone(v.Body), v.Header.Clone(), nil
	}
	key := keys[v.Account].Current
	if v.Previous {
		key = keys[v.Account].Previous
	}
	if key == "" {
		return nil, nil, fmt.Errorf("%s: no such key of account %s", v.Name, v.Account)
	}
	return v.SignedWith(signer, key)
}

// SignedWith is like Signed, with another key.
func (v Vector) SignedWith(signer callback.Signer, key callback.Key) ([]byte, http.Header, error) {
	body, header, err := signer.Sign(bytes.Clone(v.Body), key, signedAt)
	if err != nil {
		return nil, nil, fmt.Errorf("sign %s: %w", v.Name, err)
	}
	if header == nil {
		header = http.Header{}
	}
	maps.Copy(header, v.Header)
	return body, header, nil
}

// Request returns the request that the application gets.
func (v Vector) Request(signer callback.Signer, keys callback.Keys) (callback.Request, error) {
	body, header, err := v.Signed(signer, keys)
	if err != nil {
		return callback.Request{}, err
	}
	return callback.NewRequest(v.Type, header, body).WithReceivedAt(signedAt), nil
}

func load(fsys fs.FS, name string) (Vector, error) {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return Vector{}, err
	}
	vector := Vector{
		Name:    strings.TrimSuffix(path.Base(name), ".txtar"),
		Header:  http.Header{},
		archive: txtar.Parse(data),
	}
	err = cmp.Or(vector.readComment(), vector.readFiles(), vector.complete())
	return vector, err
}

func (v *Vector) readComment() error {
	for line := range strings.Lines(string(v.archive.Comment)) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		if err := v.readLine(name, strings.TrimSpace(value)); err != nil {
			return err
		}
	}
	return nil
}

func (v *Vector) readLine(name, value string) error {
	switch name {
	case "expect":
		v.Expect = value
	case "type":
		v.Type = payout.Type(value)
	case "source":
		v.Source = value
	case "why":
		v.Why = value
	case "sign":
		account, which, _ := strings.Cut(value, " ")
		v.Account, v.Previous = account, which == "previous"
		if which != "" && !v.Previous {
			return fmt.Errorf("sign: %q is not a key of an account", which)
		}
	default:
		return fmt.Errorf("unknown header line %q", name)
	}
	return nil
}

func (v *Vector) readFiles() error {
	bodies := 0
	for _, file := range v.archive.Files {
		var err error
		switch file.Name {
		case "headers":
			err = v.readHeaders(file.Data)
		case "body":
			bodies++
			v.Body = bytes.TrimSuffix(file.Data, []byte("\n"))
		case "body.quoted":
			bodies++
			v.Body, err = unquote(file.Data)
		case eventFile:
			v.Event = string(file.Data)
		default:
			err = fmt.Errorf("unknown file %q", file.Name)
		}
		if err != nil {
			return err
		}
	}
	if bodies != 1 {
		return fmt.Errorf("%d bodies, want one of body, body.quoted", bodies)
	}
	return nil
}

func (v *Vector) readHeaders(data []byte) error {
	for line := range strings.Lines(string(data)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			return fmt.Errorf("headers: %q is not a header", line)
		}
		v.Header.Add(name, strings.TrimSpace(value))
	}
	return nil
}

// complete reports what a vector lacks, so that no check passes without a case.
func (v *Vector) complete() error {
	expect, reason, _ := strings.Cut(v.Expect, " ")
	switch {
	case !slices.Contains([]string{Accepted, Held, Unauthentic, Malformed, TooLarge}, expect):
		return fmt.Errorf("expect: %q is not a verdict", v.Expect)
	case (expect == Held) != (reason != ""):
		return fmt.Errorf("expect: %q: only held has a reason", v.Expect)
	case v.Type == "":
		return errors.New("no type line")
	case v.Source == "":
		return errors.New("no source line")
	case v.Event != "" && v.Expect != Accepted:
		return fmt.Errorf("%s: only an accepted callback has an event", eventFile)
	}
	return nil
}

// Format returns the vector as Load reads it, without headers and event. Its name is
// that of the file.
func (v Vector) Format() []byte {
	archive := txtar.Archive{Files: []txtar.File{{Name: "body", Data: append(bytes.Clone(v.Body), '\n')}}}
	for _, line := range [][2]string{{"why", v.Why}, {"expect", v.Expect}, {"type", string(v.Type)}, {"source", v.Source}, {"sign", v.Account}} {
		if line[1] != "" {
			archive.Comment = fmt.Appendf(archive.Comment, "%s: %s\n", line[0], line[1])
		}
	}
	isPlain := func(r rune) bool { return r == '\n' || r != utf8.RuneError && unicode.IsPrint(r) }
	text := string(v.Body)
	if strings.HasPrefix(text, "-- ") || strings.Contains(text, "\n-- ") || strings.ContainsFunc(text, func(r rune) bool { return !isPlain(r) }) {
		archive.Files[0] = txtar.File{Name: "body.quoted", Data: []byte(strconv.QuoteToASCII(text) + "\n")}
	}
	return txtar.Format(&archive)
}

// unquote reads lines of Go strings, each followed by x<times> if it is repeated.
func unquote(data []byte) ([]byte, error) {
	var body []byte
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		quoted, err := strconv.QuotedPrefix(line)
		if err != nil {
			return nil, fmt.Errorf("body.quoted: %q: %w", line, err)
		}
		text, err := strconv.Unquote(quoted)
		if err != nil {
			return nil, fmt.Errorf("body.quoted: %q: %w", line, err)
		}
		times := 1
		if repeat := strings.TrimSpace(line[len(quoted):]); repeat != "" {
			times, err = strconv.Atoi(strings.TrimPrefix(repeat, "x"))
		}
		if err != nil || times < 1 {
			return nil, fmt.Errorf("body.quoted: %q: want a string, then x and a count", line)
		}
		body = append(body, strings.Repeat(text, times)...)
	}
	return body, nil
}
