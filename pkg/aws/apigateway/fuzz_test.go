package apigateway_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"payout-callbacks/pkg/aws/apigateway"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/provider/pivot"
	"payout-callbacks/pkg/testkit/providertest"
)

// FuzzBody compares the requests of a body as text and in base64, and checks sizes,
// hashes, and that invalid base64 is kept as it is.
func FuzzBody(f *testing.F) {
	for _, folder := range []string{"../../provider/cregis/testdata", "../../provider/pivot/testdata"} {
		for _, vector := range providertest.Vectors(f, folder) {
			if len(vector.Body) < 4<<10 {
				f.Add(vector.Body)
			}
		}
	}
	for _, text := range []string{"", "e30=", "e30", "e3 0=", "e30=\n", "e30\r\n=", "e31=", "ew==", "ew=\n=", "e===", "e30=e30=", "====", "e-_=", "\xff"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		plain := apigateway.Request(events.APIGatewayV2HTTPRequest{Body: string(body)})
		encoded := apigateway.Request(events.APIGatewayV2HTTPRequest{Body: base64.StdEncoding.EncodeToString(body), IsBase64Encoded: true})
		if diff := cmp.Diff(plain, encoded, cmpopts.IgnoreUnexported(callback.Request{})); diff != "" {
			t.Errorf("requests (-text +base64):\n%s", diff)
		}
		if plain.BodySize != len(body) || plain.BodySHA256() != sha256.Sum256(body) || !bytes.HasPrefix(body, plain.Body) ||
			len(plain.Body) != min(len(body), callback.MaxBody) {
			t.Errorf("%d bytes measured of %d, %d kept", plain.BodySize, len(body), len(plain.Body))
		}
		want := naiveBase64(string(body))
		if want == nil {
			want = body
		}
		if got := apigateway.Request(events.APIGatewayV2HTTPRequest{Body: string(body), IsBase64Encoded: true}); got.BodySHA256() != sha256.Sum256(want) {
			t.Errorf("%q as base64: got %q, want %q", body, got.Body, want)
		}
	})
}

// naiveBase64 decodes bit by bit, or returns nil if the text is not base64. It
// ignores line ends and the bits after the last byte.
func naiveBase64(text string) []byte {
	text = strings.NewReplacer("\r", "", "\n", "").Replace(text)
	digits := strings.TrimSuffix(strings.TrimSuffix(text, "="), "=")
	if len(text)%4 != 0 || len(digits)%4 == 1 || len(digits)+3 < len(text) {
		return nil
	}
	bits := ""
	for _, char := range []byte(digits) {
		value := strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", char)
		if value < 0 {
			return nil
		}
		bits += fmt.Sprintf("%06b", value)
	}
	decoded := []byte{}
	for ; len(bits) >= 8; bits = bits[8:] {
		value, _ := strconv.ParseUint(bits[:8], 2, 8) // eight digits of two
		decoded = append(decoded, byte(value))
	}
	return decoded
}

// FuzzHeader checks that a header with any spelling of its name is found under the
// canonical one, and that providers return no other error than they document.
func FuzzHeader(f *testing.F) {
	for _, folder := range []string{"../../provider/cregis/testdata", "../../provider/pivot/testdata"} {
		for _, vector := range providertest.Vectors(f, folder) {
			for name, values := range vector.Header {
				f.Add(name, values[0], "POST /callbacks/pivot/payout")
			}
		}
	}
	for _, name := range []string{"x-api-key", "X-API-KEY", "x-Api-key", "", "a b", "x-api-key ", "é", "-", "a--b", "x_api_key"} {
		f.Add(name, "pivot-demo-key-current", "POST /callbacks/cregis/sub-address-payout")
	}
	f.Fuzz(func(t *testing.T, name, value, route string) {
		request := apigateway.Request(events.APIGatewayV2HTTPRequest{
			RouteKey: route, Headers: map[string]string{name: value}, Body: "{}",
		})
		if len(request.Header) != 1 || request.Header.Get(name) != value {
			t.Errorf("%q: %q became %v", name, value, request.Header)
		}
		if isToken(name) && len(request.Header[canonical(name)]) != 1 {
			t.Errorf("%q is not found as %q: %v", name, canonical(name), request.Header)
		}
		parts := strings.Split(route, "/")
		if want := payout.Type(parts[len(parts)-1]); request.Type != want {
			t.Errorf("%q: type %q, want %q", route, request.Type, want)
		}
		keys := callback.Keys{"1": {Current: "pivot-demo-key-current"}}
		for _, provider := range []callback.Provider{cregis.Provider{}, pivot.Provider{}} {
			verified, err := provider.Verify(request, keys)
			isKey := strings.EqualFold(name, "X-API-Key") && isCopies(value, "pivot-demo-key-current") && provider.Name() == "pivot"
			if (err == nil) != isKey || err == nil && verified.Sender.Account != "1" || err != nil && !errors.Is(err, callback.ErrUnauthenticated) {
				t.Errorf("%s: %q: %q gives %+v, %v", provider.Name(), name, value, verified.Sender, err)
			}
		}
	})
}

// isCopies reports whether the value is one key or copies of it between commas.
func isCopies(value, key string) bool {
	for part := range strings.SplitSeq(value, ",") {
		if strings.Trim(part, " \t") != key {
			return false
		}
	}
	return value == key || strings.Contains(value, ",")
}

const tokenMarks = "!#$%&'*+-.^_`|~"

// isToken reports whether RFC 9110 allows the name for a header.
func isToken(name string) bool {
	for _, char := range []byte(name) {
		if ok := char|0x20 >= 'a' && char|0x20 <= 'z'; !ok && (char < '0' || char > '9') && strings.IndexByte(tokenMarks, char) < 0 {
			return false
		}
	}
	return name != ""
}

// canonical returns the canonical name of a header, by a naive implementation: upper
// case at the beginning and after each hyphen, else lower case.
func canonical(name string) string {
	parts := strings.Split(strings.ToLower(name), "-")
	for n, part := range parts {
		if part != "" {
			parts[n] = strings.ToUpper(part[:1]) + part[1:]
		}
	}
	return strings.Join(parts, "-")
}
