package send

import (
	"embed"
	"fmt"
	"io"
	"strconv"
	"strings"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/payout"
)

// examples holds the bodies of the providers' documentation, byte for byte.
//
//go:embed examples/*.json
var examples embed.FS

// ReadExample returns a documented body.
func ReadExample(name string) ([]byte, error) { return examples.ReadFile("examples/" + name) }

// Example says how to make a callback of a documented body.
type Example struct {
	Provider string
	Kind     payout.Type
	File     string
	Account  string                   // the path of the field that names it
	Generate func() ([]Change, error) // what a provider makes anew for each request
	Fields   []Assignment             // what flags say
	Overrides
}

// assignment gives a flag's value to a field; an empty one leaves it alone.
type Assignment [2]string

// body is the documented one with the changes: first what is fresh, then what
// flags say, then --set and --unset, so that anything can be overridden.
func (e Example) Body() ([]byte, error) {
	text, err := ReadExample(e.File)
	if err != nil {
		return nil, fmt.Errorf("read example: %w", err)
	}
	var changes []Change
	if e.Generate != nil {
		if changes, err = e.Generate(); err != nil {
			return nil, err
		}
	}
	for _, a := range e.Fields {
		if a[1] != "" {
			changes = append(changes, assign(a[0], a[1]))
		}
	}
	more, err := e.changes()
	if err != nil {
		return nil, err
	}
	body, err := Edit(text, append(changes, more...)...)
	if err != nil {
		return nil, cli.Usagef("", "%w", err)
	}
	return body, nil
}

const nonceLetters = "abcdefghijklmnopqrstuvwxyz0123456789"

// nonce makes six characters, as Cregis has them.
func NewNonce(random io.Reader) (string, error) {
	bytes := make([]byte, 6)
	if _, err := io.ReadFull(random, bytes); err != nil {
		return "", fmt.Errorf("make nonce: %w", err)
	}
	var text strings.Builder
	for _, b := range bytes {
		text.WriteByte(nonceLetters[int(b)%len(nonceLetters)])
	}
	return text.String(), nil
}

func CregisNonce(s *cli.Session) ([]Change, error) {
	fresh, err := NewNonce(s.Random)
	if err != nil {
		return nil, err
	}
	now := strconv.FormatInt(s.Now().UnixMilli(), 10)
	return []Change{assign("nonce", fresh), assign("timestamp", now)}, nil
}
