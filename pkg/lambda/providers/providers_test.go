package providers_test

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/lambda/providers"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/testkit/templatetest"
)

// Tools parse callbacks as the functions of the stack do: with its known fields
// and its pattern of references.
func TestWithOutputs_ParametersOfTheStack(t *testing.T) {
	body := `{"pid":1382528827416576,"cid":1391751691788288,"address":"TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS","chain_id":"195","token_id":"195",
		"currency":"TRX","amount":"1.1","third_party_id":"PAY-1","status":6,"nonce":"ubqso3","timestamp":1687850657960,"sub_status":"done"}`
	for name, test := range map[string]struct {
		outputs map[string]string
		want    callback.Reason
	}{
		"none":                          {nil, callback.ReasonUnknownField},
		"known fields":                  {map[string]string{"CregisKnownFields": "fee,sub_status"}, ""},
		"a pattern that does not match": {map[string]string{"CregisKnownFields": "sub_status", "ReferencePattern": "[0-9]+"}, callback.ReasonField},
		"a matching pattern":            {map[string]string{"CregisKnownFields": "sub_status", "ReferencePattern": "PAY-[0-9]+"}, ""},
		"an invalid value":              {map[string]string{"ReferencePattern": "("}, "error"},
	} {
		configured, err := cregis.Description().WithOutputs(test.outputs)
		if err != nil {
			if test.want != "error" {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		var got callback.Reason
		if _, held := configured.Restore(callback.NewRequest(payout.TypePayout, http.Header{}, []byte(body)), callback.Sender{}).Event(); held != nil {
			got = held.Reason
		}
		if got != test.want {
			t.Errorf("%s: held for %q, want %q", name, got, test.want)
		}
	}
}

// All that is done for each provider follows from its description.
func TestAll_CompleteDescriptions(t *testing.T) {
	names := map[string]bool{}
	for _, d := range providers.All() {
		name := d.Name()
		if !regexp.MustCompile(`^[a-z][a-z0-9]*$`).MatchString(name) || names[name] {
			t.Errorf("the name %q is not unique lower-case letters and digits", name)
		}
		names[name] = true
		for problem, isProblem := range map[string]bool{
			"no title, account noun, or key noun":                   d.Title == "" || d.Account.Noun == "" || d.KeyNoun == "",
			"the example does not have the form of an account":      !d.Account.Matches(d.Account.Example),
			"the demo account does not have the form of an account": !d.Account.Matches(d.DemoAccount),
			"no demo key":                            d.Demo[d.DemoAccount].Current == "",
			"queries without credentials":            (d.Queries == nil) != (len(d.Credentials) == 0),
			"settings without a function":            (d.Configure == nil) != (len(d.Settings) == 0),
			"waits without retried answers":          (len(d.Retries.Waits) == 0) != (len(d.Retries.Codes) == 0),
			"queries that have another name":         d.Queries != nil && d.Queries.Name() != name,
			"expectations that have another name":    d.Expectations != nil && d.Expectations.Name() != name,
			"a header that does not depend on a key": isSameProof(t, d),
		} {
			if isProblem {
				t.Errorf("%s: %s", name, problem)
			}
		}
	}
}

// isSameProof reports whether the described header, or the body without one, is the same
// under two keys.
func isSameProof(t *testing.T, d provider.Description) bool {
	t.Helper()
	body, header, err := d.Sign([]byte("{}"), "one", time.Time{})
	otherBody, otherHeader, otherErr := d.Sign([]byte("{}"), "other", time.Time{})
	if err != nil || otherErr != nil {
		t.Fatal(err, otherErr)
	}
	if d.ProofHeader == "" {
		return bytes.Equal(body, otherBody)
	}
	return header.Get(d.ProofHeader) == otherHeader.Get(d.ProofHeader)
}

// Each package of a provider is listed, and has a function and a page.
func TestAll_Files(t *testing.T) {
	root := templatetest.Root(t)
	packages, err := filepath.Glob(filepath.Join(root, "pkg", "provider", "*", "provider.go"))
	if err != nil || len(packages) == 0 {
		t.Fatal(packages, err)
	}
	listed := map[string]bool{}
	for _, d := range providers.All() {
		listed[d.Name()] = true
	}
	for _, file := range packages {
		name := filepath.Base(filepath.Dir(file))
		if !listed[name] {
			t.Errorf("pkg/lambda/providers/providers.go does not list %s.Description()", name)
		}
		for path, part := range map[string]string{"functions/" + name + "/main.go": "functions.RunIngress(" + name + ".Description())", "docs/providers/" + name + ".md": "# "} {
			text, err := os.ReadFile(filepath.Join(root, path))
			if err != nil || !strings.Contains(string(text), part) {
				t.Errorf("%s does not have %q, %v", path, part, err)
			}
		}
	}
}

// A provider makes no other function larger, and no other start slower.
func TestIngress_OwnProviderOnly(t *testing.T) {
	for _, d := range providers.All() {
		list := exec.Command("go", "list", "-deps", "./functions/"+d.Name())
		list.Dir = templatetest.Root(t)
		linked, err := list.Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, other := range providers.All() {
			isLinked := strings.Contains(string(linked), "/pkg/provider/"+other.Name()+"\n")
			if isOwn := other.Name() == d.Name(); isLinked != isOwn {
				t.Errorf("functions/%s links pkg/provider/%s: %v, want %v", d.Name(), other.Name(), isLinked, isOwn)
			}
		}
	}
}
