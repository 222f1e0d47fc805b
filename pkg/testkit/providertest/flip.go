package providertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"payout-callbacks/pkg/callback"
)

// flipped checks that no byte that the scheme covers can be altered: those of the header
// with the proof, and of the body unless the header has the key itself. It flips the
// lowest bit of each byte, which never changes upper to lower case.
func (s suite) flipped(v Vector) error {
	return s.ifAuthentic(v, func(request callback.Request, got result) error {
		if s.sendsKey {
			return s.flippedHeader(request)
		}
		if s.Description.ProofHeader != "" && v.Header.Get(s.Description.ProofHeader) == "" {
			if err := s.flippedHeader(request); err != nil {
				return err
			}
		}
		return s.flippedBody(request, got)
	})
}

func (s suite) flippedHeader(request callback.Request) error {
	name := s.Description.ProofHeader
	sent := request.Header.Get(name)
	for at := range len(sent) {
		altered := []byte(sent)
		altered[at] ^= 1
		forged := request
		forged.Header = cloneWith(request.Header, name, string(altered))
		if err := s.refused(forged, s.Keys); err != nil {
			return fmt.Errorf("byte %d of %s: %w", at, name, err)
		}
	}
	return nil
}

// flippedBody alters each byte of the body. A body that is not JSON itself, such as a
// compressed one, may be accepted with the same event.
func (s suite) flippedBody(request callback.Request, original result) error {
	before := covered(request.Body)
	for at := range request.Body {
		altered := bytes.Clone(request.Body)
		altered[at] ^= 1
		got, err := s.check(callback.NewRequest(request.Type, request.Header, altered), s.Keys)
		if err != nil {
			return err
		}
		isAccepted := got.expect == Accepted || got.held != nil
		isSame := before != nil && maps.Equal(before, covered(altered)) || before == nil && got.identity() == original.identity()
		if isAccepted && !isSame {
			return fmt.Errorf("byte %d of the body: got %s, want it refused:\n%.2000s", at, got.expect, altered)
		}
	}
	return nil
}

// covered returns the fields that a signature over a flat JSON object covers: those
// that are set. No signature covers the name of a field that is null or empty, so its
// bytes may change.
func covered(body []byte) map[string]string {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return nil
	}
	texts := map[string]string{}
	for name, value := range fields {
		if !slices.Contains([]string{"null", `""`}, string(value)) {
			texts[name] = string(value)
		}
	}
	return texts
}
