package scheme

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"payout-callbacks/pkg/callback"
)

// Limits of the headers. Published schemes send one signature, and two to four during a
// rotation.
const (
	maxHeader   = 4096 // bytes
	maxElements = 16   // timestamps and signatures
)

// Encoding is how a signature is written.
type Encoding int

// The encodings. Hexadecimal digits may have either case; base64 is that of RFC 4648,
// section 4, with padding.
const (
	Hex Encoding = iota
	Base64
)

// HMAC is the scheme of a provider that signs the body with HMAC-SHA256 and sends the
// signature in a header. The header may have several signatures, separated by commas or
// spaces or in several lines; a request is verified if one of them is right.
type HMAC struct {
	Header    string   // with the signatures
	Prefix    string   // of each signature, such as "sha256="; elements without it are ignored
	Encoding  Encoding // of each signature
	Timestamp *Timestamp
}

// Timestamp is the time of signing, as a part of the signed text: seconds since
// 1970-01-01 UTC, in decimal digits.
type Timestamp struct {
	Header string // with the timestamp alone; "": an element of HMAC.Header
	Prefix string // of the timestamp, such as "t="
	// Text is what precedes the body in the signed text, such as "{t}."; {t} is replaced
	// by the timestamp.
	Text string
	// Tolerance is how far the timestamp may be from the time of receipt, such as 5 minutes.
	// Zero refuses nearly every callback, and what it allows is how long a copy is verified.
	Tolerance time.Duration
}

// Verify proves who signed the body as it was sent, with the key of any account. The
// body decides only among accounts that share a key. A request whose timestamp is out of
// tolerance is refused: it may be a copy of an old one. Verify fails with
// ErrUnauthenticated, ErrUnusableKeys, or ErrTooLarge for a body that was cut.
func (s HMAC) Verify(request callback.Request, keys callback.Keys, claim Claim) (callback.Sender, error) {
	if request.TooLarge() {
		return callback.Sender{}, callback.ErrTooLarge
	}
	elements, isBounded := split(request.Header.Values(s.Header))
	prefix, isRecent := s.Timestamp.read(elements, request)
	signatures := s.decode(elements)
	if !isBounded || !isRecent || len(signatures) == 0 {
		return callback.Sender{}, callback.ErrUnauthenticated // by any keys
	}
	owners := findOwners(keys, func(key callback.Key) bool {
		want, isSigned := sum(key, prefix, request.Body), false
		for _, signature := range signatures {
			isSigned = hmac.Equal(signature, want) || isSigned
		}
		return isSigned
	})
	return chooseSender(owners, keys, claim)
}

// Sign returns the headers with the signature of a body, signed at a time that only a
// scheme with a timestamp uses.
func (s HMAC) Sign(body []byte, key callback.Key, at time.Time) http.Header {
	header, prefix, value := http.Header{}, "", ""
	if t := s.Timestamp; t != nil {
		stamp := strconv.FormatInt(at.Unix(), 10)
		prefix = t.signedText(stamp)
		if t.Header == "" {
			value = t.Prefix + stamp + ","
		} else {
			header.Set(t.Header, t.Prefix+stamp)
		}
	}
	header.Set(s.Header, value+s.Prefix+s.Encoding.encode(sum(key, prefix, body)))
	return header
}

// sum returns the HMAC of a prefix and a body.
func sum(key callback.Key, prefix string, body []byte) []byte {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(prefix))
	mac.Write(body)
	return mac.Sum(nil)
}

// split returns the elements of a header. It reports false for more bytes or elements
// than the limits.
func split(values []string) (elements []string, isBounded bool) {
	text := strings.Join(values, ",")
	if len(text) > maxHeader {
		return nil, false
	}
	elements = strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
	return elements, len(elements) <= maxElements
}

// decode returns the signatures among the elements, each of the size of a SHA-256.
func (s HMAC) decode(elements []string) [][]byte {
	var signatures [][]byte
	for _, element := range elements {
		text, ok := strings.CutPrefix(element, s.Prefix)
		if signature, err := s.Encoding.decode(text); ok && err == nil && len(signature) == sha256.Size {
			signatures = append(signatures, signature)
		}
	}
	return signatures
}

func (e Encoding) decode(text string) ([]byte, error) {
	if e == Base64 {
		return base64.StdEncoding.Strict().DecodeString(text)
	}
	return hex.DecodeString(text)
}

func (e Encoding) encode(signature []byte) string {
	if e == Base64 {
		return base64.StdEncoding.EncodeToString(signature)
	}
	return hex.EncodeToString(signature)
}

var stampForm = regexp.MustCompile(`^[0-9]{1,11}$`)

// read returns what precedes the body in the signed text. It reports false unless the
// request has exactly one timestamp, within the tolerance.
func (t *Timestamp) read(elements []string, request callback.Request) (text string, ok bool) {
	if t == nil {
		return "", true
	}
	if t.Header != "" {
		elements, _ = split(request.Header.Values(t.Header))
	}
	var stamps []string
	for _, element := range elements {
		if stamp, ok := strings.CutPrefix(element, t.Prefix); ok && (t.Header != "" || t.Prefix != "") {
			stamps = append(stamps, stamp)
		}
	}
	if len(stamps) != 1 || !stampForm.MatchString(stamps[0]) {
		return "", false
	}
	seconds, err := strconv.ParseInt(stamps[0], 10, 64)
	age := request.ReceivedAt().Sub(time.Unix(seconds, 0))
	return t.signedText(stamps[0]), err == nil && age.Abs() <= t.Tolerance
}

func (t *Timestamp) signedText(stamp string) string { return strings.ReplaceAll(t.Text, "{t}", stamp) }
