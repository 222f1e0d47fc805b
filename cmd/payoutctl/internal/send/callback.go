package send

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/payout"
)

// Overrides are the flags that change any field of an example.
type Overrides struct {
	Set   []string `help:"Change a field: NAME=VALUE keeps the kind of the value, NAME:=JSON sets any value. Dots separate nested names: data.uuid=1." placeholder:"FIELD" sep:"none"`
	Unset []string `help:"Remove a field." placeholder:"NAME" sep:"none"`
}

func (o Overrides) changes() ([]Change, error) {
	var changes []Change
	for _, argument := range o.Set {
		c, err := ParseChange(argument)
		if err != nil {
			return nil, cli.Usagef("", "--set %w", err)
		}
		changes = append(changes, c)
	}
	for _, path := range o.Unset {
		changes = append(changes, Change{path: strings.Split(path, "."), remove: true})
	}
	return changes, nil
}

// Callback is a callback to send.
type Callback struct {
	Provider functions.SigningProvider
	Kind     payout.Type
	Account  string // whose key signs it
	Unsigned bool   // send it without a signature
	Header   http.Header
	Want     callback.Verdict
	Body     func() ([]byte, error) // body before signing, generated for each attempt
}

// URL returns the address of the callback at an API.
func (o Callback) URL(base string) string {
	return strings.TrimRight(base, "/") + "/callbacks/" + o.Provider.Name() + "/" + string(o.Kind)
}

// RandomKey returns a key that no account has.
func RandomKey(s *cli.Session) (callback.Key, error) {
	data := make([]byte, 16)
	if _, err := io.ReadFull(s.Random, data); err != nil {
		return "", fmt.Errorf("generate key: %w", err)
	}
	return callback.Key(fmt.Sprintf("%x", data)), nil
}
