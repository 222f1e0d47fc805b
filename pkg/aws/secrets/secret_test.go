package secrets_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"payout-callbacks/pkg/aws/secrets"
	"payout-callbacks/pkg/callback"
)

// vault is a Client with one secret.
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

func newKeys() (*secrets.Keys, *vault, *clock) {
	v := &vault{value: `{"1": {"current": "new-key", "previous": "old-key"}}`, version: "v1"}
	c := &clock{time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)}
	return secrets.NewKeys(v, "stack/keys/cregis", c.now), v, c
}

func TestKeys_ReadEveryFiveMinutes(t *testing.T) {
	keys, vault, clock := newKeys()
	for range 3 {
		got, err := keys.Keys(t.Context())
		if err != nil || got["1"] != (callback.AccountKeys{Current: "new-key", Previous: "old-key"}) {
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

func TestKeys_ServiceDown(t *testing.T) {
	keys, vault, clock := newKeys()
	if _, err := keys.Keys(t.Context()); err != nil {
		t.Fatal(err)
	}
	vault.err = errors.New("down")
	clock.Time = clock.Add(time.Hour)
	for range 5 {
		if got, err := keys.Keys(t.Context()); err != nil || len(got) != 1 {
			t.Errorf("got %d accounts, %v, want 1", len(got), err)
		}
	}
	if vault.reads != 2 {
		t.Errorf("%d reads while the service is down, want 1", vault.reads-1)
	}
}

// After a leak, somebody removes the last key: it must not stay in use.
func TestKeys_Removed(t *testing.T) {
	for value, wantErr := range map[string]error{`{}`: nil, ``: secrets.ErrNoKeys} {
		keys, vault, clock := newKeys()
		if _, err := keys.Keys(t.Context()); err != nil {
			t.Fatal(err)
		}
		vault.value = value
		clock.Time = clock.Add(5 * time.Minute)
		for range 2 {
			if got, err := keys.Keys(t.Context()); len(got) != 0 || !errors.Is(err, wantErr) {
				t.Errorf("%q: got %d accounts, %v, want none and %v", value, len(got), err, wantErr)
			}
			clock.Time = clock.Add(time.Second)
		}
	}
}

func TestRefresh_Rotation(t *testing.T) {
	keys, vault, clock := newKeys()
	if _, err := keys.Keys(t.Context()); err != nil {
		t.Fatal(err)
	}
	vault.value, vault.version = `{"1": {"current": "newer-key"}}`, "v2"
	clock.Time = clock.Add(time.Second)
	got, changed, err := keys.Refresh(t.Context())
	if err != nil || !changed || got["1"].Current != "newer-key" {
		t.Errorf("got %d accounts, changed %t, %v", len(got), changed, err)
	}
	clock.Time = clock.Add(time.Second)
	if _, changed, err := keys.Refresh(t.Context()); err != nil || changed {
		t.Errorf("no new version: changed %t, %v", changed, err)
	}
}

func TestRefresh_RateLimit(t *testing.T) {
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
		t.Errorf("%d reads in one instant, want 5", vault.reads-1)
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

func TestRefresh_KeyStoredAfterRefresh(t *testing.T) {
	keys, vault, _ := newKeys()
	if _, err := keys.Keys(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, changed, err := keys.Refresh(t.Context()); err != nil || changed {
		t.Fatalf("changed %t, %v", changed, err)
	}
	vault.value, vault.version = `{"1": {"current": "newer-key"}}`, "v2"
	got, changed, err := keys.Refresh(t.Context())
	if err != nil || !changed || got["1"].Current != "newer-key" {
		t.Errorf("in the same second: got %d accounts, changed %t, %v", len(got), changed, err)
	}
}

func TestRefresh_ServiceDown(t *testing.T) {
	keys, vault, clock := newKeys()
	if _, err := keys.Keys(t.Context()); err != nil {
		t.Fatal(err)
	}
	vault.err = errors.New("down")
	clock.Time = clock.Add(time.Minute)
	for range 20 {
		if _, _, err := keys.Refresh(t.Context()); err == nil {
			t.Error("got no error, although it is unknown whether the keys changed")
		}
	}
	if vault.reads != 1+5 {
		t.Errorf("%d more reads, want 5", vault.reads-1)
	}
}

func TestKeys_NoValueNamesTheCommand(t *testing.T) {
	for _, empty := range []vault{{err: &types.ResourceNotFoundException{}}, {value: ""}} {
		wantNoKeys(t, secrets.NewKeys(&empty, "stack/keys/cregis", time.Now))
	}
}

func wantNoKeys(t *testing.T, keys *secrets.Keys) {
	t.Helper()
	_, err := keys.Keys(t.Context())
	if !errors.Is(err, secrets.ErrNoKeys) || !strings.Contains(err.Error(), "payoutctl keys add") ||
		!strings.Contains(err.Error(), "aws secretsmanager put-secret-value --secret-id stack/keys/cregis") {
		t.Errorf("got %v", err)
	}
}

func TestKeys_RateLimitWithoutKeys(t *testing.T) {
	for name, v := range map[string]*vault{
		"no value":       {err: &types.ResourceNotFoundException{}},
		"an empty value": {},
		"no keys":        {value: "not JSON"},
		"no account":     {value: "{}"},
		"a service down": {err: errors.New("down")},
		"no usable key":  {value: `{"1": {"current": ""}}`},
		"keys removed":   {value: `{"1": {"current": "new-key"}}`},
		"service fails":  {value: `{"1": {"current": "new-key"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			c := &clock{time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)}
			keys := secrets.NewKeys(v, "s", c.now)
			if _, err := keys.Keys(t.Context()); name == "keys removed" && err == nil {
				v.value = ""
			} else if name == "service fails" {
				v.err = errors.New("down")
			}
			c.Time = c.Add(5 * time.Minute)
			before := v.reads
			// As a forged request does.
			for range 6000 {
				_, _ = keys.Keys(t.Context())
				_, _, _ = keys.Refresh(t.Context())
			}
			if got := v.reads - before; got > 1+5 {
				t.Errorf("%d reads for 6,000 requests in one second, want at most 6", got)
			}
			for range 60 {
				c.Time = c.Add(time.Second)
				for range 100 {
					_, _ = keys.Keys(t.Context())
					_, _, _ = keys.Refresh(t.Context())
				}
			}
			if got := v.reads - before; got > 60+6 {
				t.Errorf("%d reads in a minute of 100 requests a second, want about one a second", got)
			}
		})
	}
}

func TestKeys_StoredAfterRequestsWithoutKeys(t *testing.T) {
	v, c := &vault{}, &clock{time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)}
	keys := secrets.NewKeys(v, "s", c.now)
	for range 100 {
		if _, err := keys.Keys(t.Context()); !errors.Is(err, secrets.ErrNoKeys) {
			t.Fatalf("got %v, want ErrNoKeys", err)
		}
	}
	v.value, v.version = `{"1": {"current": "new-key"}}`, "v1"
	c.Time = c.Add(time.Second)
	if got, err := keys.Keys(t.Context()); err != nil || got["1"].Current != "new-key" {
		t.Errorf("a second later: %d accounts, %v", len(got), err)
	}
}

func TestKeys_FlawsOncePerVersion(t *testing.T) {
	keys, vault, clock := newKeys()
	var flaws []string
	keys.OnFlaw = func(_ context.Context, flaw error) { flaws = append(flaws, flaw.Error()) }
	vault.value = `{"1": {"current": "good-key"}, "2": {"current": " canary"}}`
	for range 3 {
		if got, err := keys.Keys(t.Context()); err != nil || got["1"].Current != "good-key" {
			t.Fatalf("%d accounts, %v", len(got), err)
		}
		clock.Time = clock.Add(5 * time.Minute)
	}
	if want := []string{"secret stack/keys/cregis: entry 2, account 2: the current key has white space around it"}; !slices.Equal(flaws, want) {
		t.Errorf("got %q, want %q", flaws, want)
	}
	vault.version = "v2"
	if _, err := keys.Keys(t.Context()); err != nil || len(flaws) != 2 {
		t.Errorf("a new version: %d flaws, %v, want another", len(flaws), err)
	}
}
