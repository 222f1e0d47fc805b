package callback

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
)

const (
	byteOrderMark = "\xef\xbb\xbf"
	gzipMagic     = "\x1f\x8b"
)

// Unpack returns the text of a body that was compressed with gzip, once, or
// begins with a byte-order mark; of any other body, the body itself. No JSON
// begins like either, so the bytes decide and no header does: what a proxy says
// about a body may not be so, and of a held callback the body alone is kept.
//
// At most MaxBody bytes are unpacked: a larger text fails with ErrTooLarge, and
// what cannot be unpacked with ErrMalformed.
func Unpack(body []byte) ([]byte, error) {
	if bytes.HasPrefix(body, []byte(gzipMagic)) {
		text, err := gunzip(body)
		if err != nil {
			return nil, err
		}
		body = text
	}
	return bytes.TrimPrefix(body, []byte(byteOrderMark)), nil
}

// gunzip reads one byte more than is allowed, and never the rest of a bomb.
func gunzip(body []byte) ([]byte, error) {
	reader, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, errNotGzip
	}
	text, err := io.ReadAll(io.LimitReader(reader, MaxBody+1))
	switch {
	case len(text) > MaxBody:
		return nil, ErrTooLarge
	case err != nil:
		return nil, errNotGzip
	}
	return text, nil
}

var errNotGzip = fmt.Errorf("%w: gzip that cannot be unpacked", ErrMalformed)
