package secrets_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"payout-callbacks/pkg/aws/secrets"
)

func TestCredentials_Entries(t *testing.T) {
	for name, test := range map[string]struct {
		value string
		err   error
		want  []string
	}{
		"two accounts":             {`{"1": {"key": "a"}, "2": {"key": "b"}}`, nil, []string{"1", "2"}},
		"an editor's mark":         {"\ufeff" + `{"1": {"key": "a"}}`, nil, []string{"1"}},
		"an entry that is no text": {`{"1": 7, "2": {"key": "b"}}`, nil, []string{"1", "2"}},
		"an account twice":         {`{"1": {"key": "a"}, "2": {"key": "b"}, "1": {"key": "c"}}`, nil, []string{"2"}},
		"two spellings":            {`{"ab": {"key": "a"}, "AB ": {"key": "c"}}`, nil, nil},
		"no accounts":              {`{}`, nil, nil},
		"an empty value":           {``, nil, nil},
		"no value":                 {``, &types.ResourceNotFoundException{}, nil},
	} {
		source := &secrets.APICredentials{Client: &vault{value: test.value, err: test.err}, Prefix: "stack/api/"}
		got, err := source.Credentials(t.Context(), "cregis")
		if accounts := slices.Sorted(maps.Keys(got)); err != nil || !slices.Equal(accounts, test.want) {
			t.Errorf("%s: got %v, %v, want %v", name, accounts, err, test.want)
		}
	}
}

func TestCredentials_EntryAsStored(t *testing.T) {
	source := &secrets.APICredentials{Client: &vault{value: `{"1": {"baseUrl": "https://a", "key": "b"}}`}, Prefix: "stack/api/"}
	got, err := source.Credentials(t.Context(), "cregis")
	var entry struct{ BaseURL, Key string }
	if err := errors.Join(err, json.Unmarshal(got["1"], &entry)); err != nil || entry.BaseURL != "https://a" || entry.Key != "b" {
		t.Errorf("got %+v, %v", entry, err)
	}
}

// The caller decides when a changed secret is read: a refused key is read again.
func TestCredentials_ReadAtEachCall(t *testing.T) {
	v := &vault{value: `{"1": {"key": "old"}}`}
	source := &secrets.APICredentials{Client: v, Prefix: "stack/api/"}
	for _, value := range []string{`{"1":{"key":"old"}}`, `{"1":{"key":"new"}}`} {
		v.value = value
		got, err := source.Credentials(t.Context(), "pivot")
		if err != nil || fmt.Sprintf(`{"1":%s}`, got["1"]) != value {
			t.Errorf("got %s, %v, want %s", got["1"], err, value)
		}
	}
}

// A value in the wrong form is an error that holds no part of it.
func TestCredentials_Malformed(t *testing.T) {
	for _, value := range []string{`canary`, `["canary"]`, `"canary"`, `{"1": {"key": "canary"}`, `{"1": {"key": "canary"}} canary`, `{canary}`} {
		source := &secrets.APICredentials{Client: &vault{value: value}, Prefix: "stack/api/"}
		got, err := source.Credentials(t.Context(), "pivot")
		if err == nil || got != nil || strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), "stack/api/pivot") {
			t.Errorf("%s: got %v, %v", value, got, err)
		}
	}
	source := &secrets.APICredentials{Client: &vault{err: errors.New("down")}, Prefix: "stack/api/"}
	if _, err := source.Credentials(t.Context(), "pivot"); err == nil {
		t.Error("no error while the service is down")
	}
}
