package callback_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"strings"
	"testing"

	"payout-callbacks/pkg/callback"
)

func compress(t testing.TB, text []byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	if _, err := writer.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

func TestUnpack(t *testing.T) {
	const mark = "\xef\xbb\xbf"
	text := []byte(`{"a":"é"}`)
	packed := compress(t, text)
	largest := []byte(strings.Repeat(" ", callback.MaxBody))
	broken := append(compress(t, make([]byte, 50<<20)), "broken"...)
	for name, test := range map[string]struct {
		body, want []byte
		err        error
	}{
		"plain":                       {body: text, want: text},
		"empty":                       {body: []byte{}, want: []byte{}},
		"a byte-order mark":           {body: []byte(mark + "{}"), want: []byte("{}")},
		"two byte-order marks":        {body: []byte(mark + mark + "{}"), want: []byte(mark + "{}")},
		"gzip":                        {body: packed, want: text},
		"gzip in two members":         {body: append(compress(t, text[:3]), compress(t, text[3:])...), want: text},
		"gzip of a byte-order mark":   {body: compress(t, []byte(mark+"{}")), want: []byte("{}")},
		"gzip twice":                  {body: compress(t, packed), want: packed},
		"the largest text":            {body: compress(t, largest), want: largest},
		"one byte too many":           {body: compress(t, append(largest, ' ')), err: callback.ErrTooLarge},
		"a bomb":                      {body: compress(t, make([]byte, 50<<20)), err: callback.ErrTooLarge},
		"a bomb with a broken end":    {body: broken, err: callback.ErrTooLarge}, // its end is not read
		"gzip cut short":              {body: packed[:len(packed)-1], err: callback.ErrMalformed},
		"gzip with bytes behind":      {body: append(bytes.Clone(packed), '{'), err: callback.ErrMalformed},
		"gzip with a wrong check sum": {body: append(bytes.Clone(packed[:len(packed)-8]), make([]byte, 8)...), err: callback.ErrMalformed},
		"the beginning of gzip":       {body: []byte("\x1f\x8b"), err: callback.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := callback.Unpack(test.body)
			if !errors.Is(err, test.err) || !bytes.Equal(got, test.want) {
				t.Errorf("got %.100q, %v, want %.100q, %v", got, err, test.want, test.err)
			}
		})
	}
}
