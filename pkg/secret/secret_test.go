package secret_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/secret"
)

// vault is a Secrets Manager of one secret.
type vault struct {
	value, version string
	err            error
	reads          int
}

func (v *vault) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	v.reads++
	return &secretsmanager.GetSecretValueOutput{SecretString: aws.String(v.value), VersionId: aws.String(v.version)}, v.err
}

type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

func newKeys() (*secret.Keys, *vault, *clock) {
	v := &vault{value: `{"1": {"current": "new", "previous": "old"}}`, version: "v1"}
	c := &clock{time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)}
	return secret.NewKeys(v, "stack/keys/cregis", c.now), v, c
}

func TestKeysAreReadOnceInFiveMinutes(t *testing.T) {
	keys, vault, clock := newKeys()
	for range 3 {
		got, err := keys.Keys(t.Context())
		if err != nil || got["1"] != (callback.AccountKeys{Current: "new", Previous: "old"}) {
			t.Fatalf("got %v, %v", len(got), err)
		}
	}
	if vault.reads != 1 {
		t.Errorf("read %d times, want once", vault.reads)
	}
	clock.Time = clock.Add(5 * time.Minute)
	if _, err := keys.Keys(t.Context()); err != nil || vault.reads != 2 {
		t.Errorf("after five minutes: read %d times, %v, want twice", vault.reads, err)
	}
}

func TestStaleKeysServeWhileTheServiceIsDown(t *testing.T) {
	keys, vault, clock := newKeys()
	if _, err := keys.Keys(t.Context()); err != nil {
		t.Fatal(err)
	}
	vault.err = errors.New("down")
	clock.Time = clock.Add(time.Hour)
	for range 5 {
		if got, err := keys.Keys(t.Context()); err != nil || len(got) != 1 {
			t.Errorf("got %d accounts, %v, want those at hand", len(got), err)
		}
	}
	if vault.reads != 2 {
		t.Errorf("the service that is down was asked %d times at once, want once", vault.reads-1)
	}
}

// A key that leaked is retired, and was the last one: an answer of the service
// is no outage, and what it does not list is believed no longer.
func TestKeysThatWereTakenAwayAreGoodNoLonger(t *testing.T) {
	for value, wantErr := range map[string]error{`{}`: nil, ``: secret.ErrNoKeys} {
		keys, vault, clock := newKeys()
		if _, err := keys.Keys(t.Context()); err != nil {
			t.Fatal(err)
		}
		vault.value = value
		clock.Time = clock.Add(5 * time.Minute)
		for range 2 {
			if got, err := keys.Keys(t.Context()); len(got) != 0 || !errors.Is(err, wantErr) {
				t.Errorf("%q: %d accounts are believed, %v, want none and %v", value, len(got), err, wantErr)
			}
			clock.Time = clock.Add(time.Second)
		}
	}
}

func TestRefreshPicksUpARotationAtOnce(t *testing.T) {
	keys, vault, clock := newKeys()
	if _, err := keys.Keys(t.Context()); err != nil {
		t.Fatal(err)
	}
	vault.value, vault.version = `{"1": {"current": "newer"}}`, "v2"
	clock.Time = clock.Add(time.Second)
	got, changed, err := keys.Refresh(t.Context())
	if err != nil || !changed || got["1"].Current != "newer" {
		t.Errorf("got %d accounts, changed %t, %v", len(got), changed, err)
	}
	clock.Time = clock.Add(time.Second)
	if _, changed, err := keys.Refresh(t.Context()); err != nil || changed {
		t.Errorf("nothing changed since: changed %t, %v", changed, err)
	}
}

func TestAFloodCausesOneReadASecond(t *testing.T) {
	keys, vault, clock := newKeys()
	if _, err := keys.Keys(t.Context()); err != nil {
		t.Fatal(err)
	}
	clock.Time = clock.Add(time.Minute)
	for range 100 {
		if _, _, err := keys.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if vault.reads != 1+5 {
		t.Errorf("read %d times in a flood of one instant, want a burst of five", vault.reads-1)
	}
	for second := range 10 {
		clock.Time = clock.Add(time.Second)
		for range 100 {
			if _, _, err := keys.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if want := 1 + 5 + second + 1; vault.reads != want {
			t.Errorf("after %d s: read %d times, want %d", second+1, vault.reads, want)
		}
	}
}

func TestAKeyStoredRightAfterARefusalIsSeen(t *testing.T) {
	keys, vault, _ := newKeys()
	if _, err := keys.Keys(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, changed, err := keys.Refresh(t.Context()); err != nil || changed {
		t.Fatalf("changed %t, %v", changed, err)
	}
	vault.value, vault.version = `{"1": {"current": "newer"}}`, "v2"
	got, changed, err := keys.Refresh(t.Context())
	if err != nil || !changed || got["1"].Current != "newer" {
		t.Errorf("in the same second: got %d accounts, changed %t, %v", len(got), changed, err)
	}
}

func TestRefreshThatFailsSaysSoUntilItIsTriedAgain(t *testing.T) {
	keys, vault, clock := newKeys()
	if _, err := keys.Keys(t.Context()); err != nil {
		t.Fatal(err)
	}
	vault.err = errors.New("down")
	clock.Time = clock.Add(time.Minute)
	for range 20 {
		if _, _, err := keys.Refresh(t.Context()); err == nil {
			t.Error("nobody can tell whether the keys changed, and it does not say so")
		}
	}
	if vault.reads != 1+5 {
		t.Errorf("read %d times, want a burst of five more", vault.reads-1)
	}
}

func TestASecretWithoutAValueNamesTheCommandToRun(t *testing.T) {
	for _, empty := range []vault{{err: &types.ResourceNotFoundException{}}, {value: ""}} {
		wantNoKeys(t, secret.NewKeys(&empty, "stack/keys/cregis", time.Now))
	}
}

func wantNoKeys(t *testing.T, keys *secret.Keys) {
	t.Helper()
	_, err := keys.Keys(t.Context())
	if !errors.Is(err, secret.ErrNoKeys) || !strings.Contains(err.Error(), "payoutctl keys add") ||
		!strings.Contains(err.Error(), "aws secretsmanager put-secret-value --secret-id stack/keys/cregis") {
		t.Errorf("got %v", err)
	}
}

func TestAValueOfAnotherFormIsRefusedWithoutShowingIt(t *testing.T) {
	for _, value := range []string{
		"", "canary", `"canary"`, `["canary"]`, `{"1": "canary"}`, `{"1": {"key": "canary"}}`, `{"1": {"current": ""}}`,
		`{"1": {"current": " ", "previous": "canary"}}`, `null`, `{"1": {"current": "canary"}} canary`,
	} {
		got, err := secret.Parse(value)
		if err == nil {
			t.Errorf("%s: got %d accounts, want it refused", value, len(got))
			continue
		}
		if strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: the error tells the value: %v", value, err)
		}
	}
}
