package keyring_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/ops/keyring"
)

// vault is a Secrets Manager with one secret.
type vault struct {
	mu       sync.Mutex
	versions []*version
	// before and after are called around each operation. Either may fail it, or
	// change the secret as another person would.
	before, after func(operation string) error
}

type version struct {
	id, value string
	stages    []string
	at        time.Time
}

func (v *vault) store() keyring.Store {
	return keyring.Store{Name: "s", Client: secretsmanager.New(secretsmanager.Options{
		Region: "us-east-1", HTTPClient: v, RetryMaxAttempts: 2,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		Retryer:     aws.NopRetryer{},
	})}
}

// Do implements the SDK's HTTPClient.
func (v *vault) Do(request *http.Request) (*http.Response, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, operation, _ := strings.Cut(request.Header.Get("X-Amz-Target"), ".")
	var in input
	if err := json.NewDecoder(request.Body).Decode(&in); err != nil {
		return nil, err
	}
	if v.before != nil {
		if err := v.before(operation); err != nil {
			return nil, err
		}
	}
	code, out := v.do(operation, in)
	if v.after != nil {
		if err := v.after(operation); err != nil {
			return nil, err
		}
	}
	text, err := json.Marshal(out)
	return &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(text)))}, err
}

type input struct {
	SecretString, ClientRequestToken, VersionId, VersionStage, MoveToVersionId, RemoveFromVersionId string

	VersionStages []string
}

func refuse(code string) (int, any) { return 400, map[string]string{"__type": code} }

func (v *vault) do(operation string, in input) (int, any) {
	switch operation {
	case "GetSecretValue":
		n := slices.IndexFunc(v.versions, func(v *version) bool {
			return v.id == in.VersionId || in.VersionId == "" && slices.Contains(v.stages, "AWSCURRENT")
		})
		if n < 0 {
			return refuse("ResourceNotFoundException")
		}
		read := v.versions[n]
		return 200, map[string]any{"SecretString": read.value, "VersionId": read.id, "CreatedDate": read.at.Unix()}
	case "PutSecretValue":
		if len(v.versions) == 0 {
			in.VersionStages = append(in.VersionStages, "AWSCURRENT")
		}
		v.put(in.ClientRequestToken, in.SecretString, in.VersionStages...)
		return 200, map[string]any{"VersionId": in.ClientRequestToken, "VersionStages": in.VersionStages}
	case "UpdateSecretVersionStage":
		return v.move(in)
	case "ListSecretVersionIds":
		var list []map[string]any
		for _, listed := range v.versions {
			list = append(list, map[string]any{"VersionId": listed.id, "CreatedDate": listed.at.Unix()})
		}
		return 200, map[string]any{"Versions": list}
	}
	return refuse("UnknownOperationException")
}

func (v *vault) move(in input) (int, any) {
	for _, labelled := range v.versions {
		if slices.Contains(labelled.stages, in.VersionStage) && labelled.id != in.RemoveFromVersionId {
			return refuse("InvalidParameterException")
		}
	}
	for _, other := range v.versions {
		other.stages = slices.DeleteFunc(other.stages, func(stage string) bool { return stage == in.VersionStage })
		if other.id == in.MoveToVersionId {
			other.stages = append(other.stages, in.VersionStage)
		}
	}
	return 200, map[string]any{}
}

var start = time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)

// put stores a version, a day after the previous version.
func (v *vault) put(id, value string, stages ...string) {
	for _, older := range v.versions {
		older.stages = slices.DeleteFunc(older.stages, func(stage string) bool { return slices.Contains(stages, stage) })
	}
	at := start.AddDate(0, 0, len(v.versions))
	v.versions = append(v.versions, &version{id, value, slices.Clone(stages), at})
}

const stored = `{"7":{"current":"key-aa"}}`

func (v *vault) current(t *testing.T) callback.Keys {
	t.Helper()
	v.before, v.after = nil, nil
	read, err := v.store().Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return read.Keys
}

func keysOf(current, previous callback.Key) callback.Keys {
	return callback.Keys{"7": {Current: current, Previous: previous}}
}

func TestWrite_FirstAndNextVersion(t *testing.T) {
	for name, v := range map[string]*vault{"first": {}, "next": {versions: []*version{{"v0", stored, []string{"AWSCURRENT"}, start}}}} {
		read, err := v.store().Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := v.store().Write(t.Context(), read, keysOf("key-bb", "key-aa")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := v.current(t); got["7"] != keysOf("key-bb", "key-aa")["7"] {
			t.Errorf("%s: the stored keys differ", name)
		}
	}
}

// The second of two concurrent writes fails with ErrChanged, wherever in it the
// first one happens, and the keys of the first remain.
func TestWrite_Concurrent(t *testing.T) {
	for _, during := range []string{"PutSecretValue", "UpdateSecretVersionStage"} {
		for _, before := range []string{"", stored} {
			v := &vault{}
			if before != "" {
				v.put("v0", before, "AWSCURRENT")
			}
			read, err := v.store().Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			v.before = func(operation string) error {
				if operation == during && (before != "" || during == "PutSecretValue") {
					v.put("other", `{"7":{"current":"theirs"}}`, "AWSCURRENT")
				}
				return nil
			}
			err = v.store().Write(t.Context(), read, keysOf("my-key", ""))
			if before == "" && during == "UpdateSecretVersionStage" {
				continue // the first version becomes current in PutSecretValue
			}
			if !errors.Is(err, keyring.ErrChanged) {
				t.Errorf("during %s, before it %q: got %v, want ErrChanged", during, before, err)
			}
			if got := v.current(t); got["7"].Current != "theirs" {
				t.Errorf("during %s: the other person's keys were overwritten", during)
			}
		}
	}
}

// Each request fails once, before and after it takes effect. If Write returns an
// error the old keys remain; otherwise the new keys are stored.
func TestWrite_ConnectionLost(t *testing.T) {
	cut := errors.New("connection cut")
	for _, operation := range []string{"PutSecretValue", "UpdateSecretVersionStage"} {
		for _, done := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s done %t", operation, done), func(t *testing.T) {
				v := &vault{}
				v.put("v0", stored, "AWSCURRENT")
				read, err := v.store().Read(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				fail := func(got string) error {
					if got == operation {
						return cut
					}
					return nil
				}
				if done {
					v.after = fail
				} else {
					v.before = fail
				}
				err = v.store().Write(t.Context(), read, keysOf("key-bb", "key-aa"))
				got := v.current(t)["7"].Current
				if want := callback.Key("key-bb"); err == nil && got != want || err != nil && got != "key-aa" {
					t.Errorf("err %v, but current is %s", err, got.ID())
				}
				if moved := operation == "UpdateSecretVersionStage" && done; moved != (err == nil) {
					t.Errorf("err %v, moved %t", err, moved)
				}
			})
		}
	}
}

func TestAges_SinceOldestUninterruptedVersion(t *testing.T) {
	v := &vault{}
	v.put("v0", `{"7":{"current":"key-aa"}}`)
	v.put("v1", `{"7":{"current":"key-bb"}}`)
	v.put("v2", `damaged`)
	v.put("v3", `{"7":{"current":"key-bb"},"8":{"current":"key-xx"}}`)
	v.put("v4", `{"7":{"current":"key-aa","previous":"key-bb"},"8":{"current":"key-xx"}}`, "AWSCURRENT")
	store := v.store()
	read, err := store.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ages, err := store.Ages(t.Context(), read)
	if err != nil {
		t.Fatal(err)
	}
	day := func(n int) time.Time { return start.AddDate(0, 0, n) }
	for _, test := range []struct {
		account string
		key     callback.Key
		want    keyring.Age
	}{
		{"7", "key-aa", keyring.Age{Since: day(4)}}, // version 1 does not have it
		{"7", "key-bb", keyring.Age{Since: day(1)}},
		{"8", "key-xx", keyring.Age{Since: day(3)}},
	} {
		if got := ages[test.account][test.key.ID()]; !got.Since.Equal(test.want.Since) || got.AtLeast != test.want.AtLeast {
			t.Errorf("account %s: got %+v, want %+v", test.account, got, test.want)
		}
	}
	v.versions = v.versions[4:]
	if ages, err = store.Ages(t.Context(), read); err != nil || !ages["7"][callback.Key("key-bb").ID()].AtLeast {
		t.Errorf("without older versions: got %+v, %v, want AtLeast", ages, err)
	}
}

// A change of one account keeps the entries of the others, even flawed ones.
func TestWrite_KeepsFlawedEntries(t *testing.T) {
	const bad = `"8":{"current":" key-8 "},"9":{"current":"key-99"},"9 ":"canary","":{"current":"key-of-nobody"}`
	v := &vault{}
	v.put("v0", `{`+bad+`,"7":{"current":"key-aa"}}`, "AWSCURRENT")
	read, err := v.store().Read(t.Context())
	if err != nil || len(read.Flaws) != 4 {
		t.Fatalf("%d flaws, %v", len(read.Flaws), err)
	}
	write := func(keys callback.Keys, err error, want string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if err := v.store().Write(t.Context(), read, keys); err != nil {
			t.Fatal(err)
		}
		if got := v.versions[len(v.versions)-1].value; got != want {
			t.Errorf("stored %s, want %s", got, want)
		}
		if read, err = v.store().Read(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	added, err := keyring.Add(read.Keys, "7", "key-bb")
	write(added, err, `{"7":{"current":"key-bb","previous":"key-aa"},`+bad+`}`)
	write(keyring.Replace(read.Keys, "9", "key-9-good"), nil,
		`{"7":{"current":"key-bb","previous":"key-aa"},"9":{"current":"key-9-good"},"8":{"current":" key-8 "},"":{"current":"key-of-nobody"}}`)
	write(keyring.Replace(read.Keys, "8", "key-8-good"), nil,
		`{"7":{"current":"key-bb","previous":"key-aa"},"8":{"current":"key-8-good"},"9":{"current":"key-9-good"},"":{"current":"key-of-nobody"}}`)
}

func TestAdd_FlawedAccount(t *testing.T) {
	keys := callback.Keys{"7": {Current: "key-aa", Flawed: true}}
	if _, err := keyring.Add(keys, "7", "key-bb"); !errors.Is(err, keyring.ErrFlawed) {
		t.Errorf("add: got %v, want ErrFlawed", err)
	}
	if _, err := keyring.Retire(keys, "7", keys["7"].Current.ID(), true); !errors.Is(err, keyring.ErrFlawed) {
		t.Errorf("retire: got %v, want ErrFlawed", err)
	}
	if got := keyring.Replace(keys, "7", "key-bb")["7"]; got.Flawed || got.Current != "key-bb" {
		t.Errorf("replace: flawed %t", got.Flawed)
	}
}

func TestRead_UnreadableSecretNotInError(t *testing.T) {
	v := &vault{}
	v.put("v0", "canary", "AWSCURRENT")
	if _, err := v.store().Read(t.Context()); !errors.Is(err, keyring.ErrUnreadable) || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %v", err)
	}
}
