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

// overrides change the example in ways that no flag has a name for.
type Overrides struct {
	Set   []string `help:"Change a field: NAME=VALUE keeps its kind, NAME:=JSON sets any. Points lead inwards: data.uuid=1." placeholder:"FIELD" sep:"none"`
	Unset []string `help:"Leave a field out." placeholder:"NAME" sep:"none"`
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

// outgoing is a callback that is about to be sent.
type Callback struct {
	Provider functions.SigningProvider
	Kind     payout.Type
	Account  string // whose key proves it
	Unsigned bool   // it is sent as it stands
	Header   http.Header
	Want     callback.Verdict
	Body     func() ([]byte, error) // before it is signed; anew each time
}

func (o Callback) URL(base string) string {
	return strings.TrimRight(base, "/") + "/callbacks/" + o.Provider.Name() + "/" + string(o.Kind)
}

func RandomKey(s *cli.Session) (callback.Key, error) {
	data := make([]byte, 16)
	if _, err := io.ReadFull(s.Random, data); err != nil {
		return "", fmt.Errorf("make up key: %w", err)
	}
	return callback.Key(fmt.Sprintf("%x", data)), nil
}
