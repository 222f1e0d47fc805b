package send

import (
	"crypto/rand"
	"embed"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/payout"
)

// examples holds the bodies in the providers' documentation, byte for byte.
//
//go:embed examples/*.json
var examples embed.FS

// ReadExample returns a documented body.
func ReadExample(name string) ([]byte, error) { return examples.ReadFile("examples/" + name) }

// Example is a documented body with changes to it.
type Example struct {
	Provider cli.Provider
	Kind     payout.Type
	File     string
	Account  string       // path of the field that names the account
	Fields   []Assignment // from flags
	Overrides
}

// CregisPayout is the documented payout of Cregis. Its status 0 is unknown.
func CregisPayout() Example {
	return Example{Provider: "cregis", Kind: payout.TypePayout, File: "cregis-payout.json", Account: "pid"}
}

// CregisSubAddressPayout is the documented payout of Cregis from a sub-address.
func CregisSubAddressPayout() Example {
	return Example{Provider: "cregis", Kind: payout.TypeSubAddressPayout, File: "cregis-sub-address-payout.json", Account: "pid"}
}

// PivotSingle is the documented single payout of Pivot.
func PivotSingle() Example {
	return Example{Provider: "pivot", Kind: payout.TypePayout, File: "pivot-single.json", Account: "data.merchantId"}
}

// PivotBulk is the documented bulk payout of Pivot.
func PivotBulk() Example {
	return Example{Provider: "pivot", Kind: payout.TypePayout, File: "pivot-bulk.json", Account: "data.merchantId"}
}

// Assignment is the path of a field and its value. An empty value changes nothing.
type Assignment [2]string

// Assignments returns the flags of a command whose tag field names a field of the body.
// flags is a struct; its flags are text, so that digits are sent as typed.
func Assignments(flags any) []Assignment {
	var assignments []Assignment
	value := reflect.ValueOf(flags)
	for _, field := range reflect.VisibleFields(value.Type()) {
		if path := field.Tag.Get("field"); path != "" {
			assignments = append(assignments, Assignment{path, value.FieldByIndex(field.Index).String()})
		}
	}
	return assignments
}

// Body returns the documented body with a nonce and a timestamp of its own, if the
// provider sends them, the flags, and then --set and --unset, which override everything
// else.
func (e Example) Body() ([]byte, error) {
	text, err := ReadExample(e.File)
	if err != nil {
		return nil, fmt.Errorf("read example: %w", err)
	}
	var changes []Change
	if e.Provider == "cregis" {
		nonce := strings.ToLower(rand.Text()[:6])
		changes = append(changes, assign("nonce", nonce), assign("timestamp", strconv.FormatInt(time.Now().UnixMilli(), 10)))
	}
	for _, a := range e.Fields {
		if a[1] != "" {
			changes = append(changes, assign(a[0], a[1]))
		}
	}
	more, err := e.changes()
	if err != nil {
		return nil, err
	}
	body, err := Edit(text, append(changes, more...)...)
	if err != nil {
		return nil, cli.Usagef("", "%w", err)
	}
	return body, nil
}

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
