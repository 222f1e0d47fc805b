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

// examples holds the bodies in the providers' documentation, byte for byte.
//
//go:embed examples/*.json
var examples embed.FS

// ReadExample returns a documented body.
func ReadExample(name string) ([]byte, error) { return examples.ReadFile("examples/" + name) }

// Example is a documented body with changes to it.
type Example struct {
	Provider string
	Kind     payout.Type
	File     string
	Account  string                   // path of the field that names the account
	Generate func() ([]Change, error) // fields that the provider sets per request
	Fields   []Assignment             // from flags
	Overrides
}

// Assignment is the path of a field and its value. An empty value changes nothing.
type Assignment [2]string

// Body returns the documented body with the generated fields, the flags, and then
// --set and --unset, which override everything else.
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

const nonceAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789"

// NewNonce returns six characters, as in the nonces of Cregis.
func NewNonce(random io.Reader) (string, error) {
	bytes := make([]byte, 6)
	if _, err := io.ReadFull(random, bytes); err != nil {
		return "", fmt.Errorf("generate nonce: %w", err)
	}
	var text strings.Builder
	for _, b := range bytes {
		text.WriteByte(nonceAlphabet[int(b)%len(nonceAlphabet)])
	}
	return text.String(), nil
}

// GenerateCregis returns the fields that Cregis sets per request: nonce and timestamp.
func GenerateCregis(s *cli.Session) ([]Change, error) {
	fresh, err := NewNonce(s.Random)
	if err != nil {
		return nil, err
	}
	now := strconv.FormatInt(s.Now().UnixMilli(), 10)
	return []Change{assign("nonce", fresh), assign("timestamp", now)}, nil
}
