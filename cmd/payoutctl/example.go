package main

import (
	"context"
	"embed"
	"fmt"
	"io"
	"strings"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
)

// examples holds the bodies of the providers' documentation, byte for byte.
//
//go:embed examples/*.json
var examples embed.FS

// example says how to make a callback of a documented body.
type example struct {
	provider string
	kind     payout.Type
	file     string
	account  string                   // the path of the field that names it
	fresh    func() ([]change, error) // what a provider makes anew for each request
	fields   []assignment             // what flags say
	overrides
}

// assignment gives a flag's value to a field; an empty one leaves it alone.
type assignment struct{ path, text string }

func (s *session) sendExample(ctx context.Context, flags *sendCommand, from example) error {
	provider, err := providerNamed(from.provider)
	if err != nil {
		return err
	}
	body, err := from.body()
	if err != nil {
		return err
	}
	return s.send(ctx, flags, outgoing{
		provider: provider,
		kind:     from.kind,
		account:  field(body, from.account),
		want:     callback.Acknowledged,
		body:     from.body,
	})
}

// body is the documented one with the changes: first what is fresh, then what
// flags say, then --set and --unset, so that anything can be overridden.
func (e example) body() ([]byte, error) {
	text, err := examples.ReadFile("examples/" + e.file)
	if err != nil {
		return nil, fmt.Errorf("read example: %w", err)
	}
	var changes []change
	if e.fresh != nil {
		if changes, err = e.fresh(); err != nil {
			return nil, err
		}
	}
	for _, a := range e.fields {
		if a.text != "" {
			changes = append(changes, assign(a.path, a.text))
		}
	}
	more, err := e.changes()
	if err != nil {
		return nil, err
	}
	body, err := edit(text, append(changes, more...)...)
	if err != nil {
		return nil, usage("", "%w", err)
	}
	return body, nil
}

const nonceLetters = "abcdefghijklmnopqrstuvwxyz0123456789"

// nonce makes six characters, as Cregis has them.
func nonce(random io.Reader) (string, error) {
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
