package providertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"payout-callbacks/pkg/callback"
)

// cut checks that the body of an event that is cut, continued, or divided into other
// fields under the same proof states nothing else: it is refused or held, or the same event.
func (s suite) cut(v Vector) error {
	return s.ifAuthentic(v, func(request callback.Request, original result) error {
		if !original.isEvent() {
			return errNoCase
		}
		for _, body := range recut(request.Body) {
			got, err := s.check(callback.NewRequest(request.Type, request.Header, body), s.Keys)
			if err != nil {
				return err
			}
			if s.sendsKey && !bytes.HasPrefix(request.Body, body) {
				continue // a holder of the key can write anything
			}
			if got.isEvent() && got.identity() != original.identity() {
				return fmt.Errorf("another event under the same proof: %.2000s", body)
			}
		}
		return nil
	})
}

// maxCuts bounds the prefixes of a body that are tried.
const maxCuts = 200

// recut returns the body cut at up to 200 places and continued, and with fields whose
// names and values are divided elsewhere, so that their concatenation stays.
func recut(body []byte) [][]byte {
	var bodies [][]byte
	for length := 0; length < len(body); length += 1 + len(body)/maxCuts {
		bodies = append(bodies, body[:length])
	}
	for _, more := range []string{"x", "\x00", "{}", string(body)} {
		bodies = append(bodies, append(bytes.Clone(body), more...))
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return bodies
	}
	names := slices.Sorted(maps.Keys(fields))
	for n := range len(names) - 1 {
		first, second := names[n], names[n+1]
		bodies = append(bodies, divide(fields, first, second)...)
	}
	return bodies
}

// divide returns the fields with all of the second field in the value of the first, and
// with the ends of the first value, or the name of the second, moved across the border.
func divide(fields map[string]json.RawMessage, first, second string) [][]byte {
	value, next := textOf(fields[first]), textOf(fields[second])
	changes := []map[string]string{{first: value + second + next, second: ""}}
	for n := 1; n <= min(3, len(value)); n++ {
		changes = append(changes, map[string]string{first: value[:len(value)-n], value[len(value)-n:] + second: next, second: ""})
	}
	for n := 1; n < min(4, len(second)); n++ {
		changes = append(changes, map[string]string{first: value + second[:n], second[n:]: next, second: ""})
	}
	var bodies [][]byte
	for _, change := range changes {
		divided := maps.Clone(fields)
		for name, text := range change {
			if delete(divided, name); name != second || text != "" {
				divided[name], _ = json.Marshal(text)
			}
		}
		if body, err := json.Marshal(divided); err == nil {
			bodies = append(bodies, body)
		}
	}
	return bodies
}

// textOf returns the text of a JSON string, and other values as they are written.
func textOf(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) != nil {
		return string(value)
	}
	return text
}
