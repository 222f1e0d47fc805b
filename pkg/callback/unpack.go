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

// Unpack decompresses a body in gzip format, once, and removes a byte-order mark. It
// returns any other body as it is. The bytes decide, because no JSON begins like
// either: a proxy's headers can be wrong, and a held callback keeps only the body.
//
// Unpack fails with ErrTooLarge for a text of more than MaxBody bytes, and with
// ErrMalformed for a body that cannot be decompressed.
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

// gunzip reads at most one byte more than is allowed, whatever the text would be.
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

var errNotGzip = fmt.Errorf("%w: gzip that cannot be decompressed", ErrMalformed)
