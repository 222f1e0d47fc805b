package simulation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"payout-callbacks/pkg/aws/secrets"
	"payout-callbacks/pkg/callback"
)

// secrets are the providers' keys: those that the providers use, and those
// that are stored in Secrets Manager, which lag or lead when a key changes.
type secretStore struct {
	w      *world
	used   map[string]map[string]callback.Key // provider, account
	stored map[string]callback.Keys           // provider
	text   map[string]string                  // stored, as the secret's value
	count  int
}

// Two accounts each, so that there is somebody else whose key does not fit.
var accounts = map[string][]string{
	"cregis": {"1382528827416576", "1382528827416577"},
	"pivot":  {"922e39ab-7565-49f6-b84f-fb56122821ae", "922e39ab-7565-49f6-b84f-fb56122821af"},
}

func newSecrets(w *world) *secretStore {
	s := &secretStore{
		w: w, used: map[string]map[string]callback.Key{}, stored: map[string]callback.Keys{}, text: map[string]string{},
	}
	for _, provider := range []string{"cregis", "pivot"} {
		s.used[provider], s.stored[provider] = map[string]callback.Key{}, callback.Keys{}
		for _, account := range accounts[provider] {
			s.used[provider][account] = s.newKey()
			s.store(provider, account)
		}
	}
	return s
}

func (s *secretStore) newKey() callback.Key {
	s.count++
	return callback.Key(fmt.Sprintf("key-%026d", s.count))
}

// store writes the key that the provider uses into the secret, and the one
// that was there before beside it.
func (s *secretStore) store(provider, account string) {
	before := s.stored[provider][account].Current
	s.stored[provider][account] = callback.AccountKeys{Current: s.used[provider][account], Previous: before}
	accounts := map[string]map[string]string{}
	for name, keys := range s.stored[provider] {
		accounts[name] = map[string]string{"current": string(keys.Current), "previous": string(keys.Previous)}
	}
	text, err := json.Marshal(accounts)
	if err != nil {
		panic(err)
	}
	s.count++
	s.text[provider] = string(text)
}

// valid reports whether what was signed with the telling's key is to be
// believed: from when the key is stored to when the next but one is.
func (s *secretStore) valid(t *delivery) bool {
	stored := s.stored[t.provider][t.account]
	return t.key == stored.Current || t.key == stored.Previous
}

// rotate gives an account another key; the secret follows some minutes later.
func (s *secretStore) rotate(provider, account string) {
	s.w.notef("%s gives account %s another key", provider, account)
	s.used[provider][account] = s.newKey()
	s.w.after(s.w.between(time.Second, 10*time.Minute), func() {
		s.w.notef("the other key of %s is stored", account)
		s.store(provider, account)
	})
}

// client is Secrets Manager for one provider's functions.
type client struct {
	secrets  *secretStore
	provider string
}

var _ secrets.Client = client{}

func (c client) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	w := c.secrets.w
	if w.down("secrets.GetSecretValue") {
		w.notef("%s: the keys cannot be read", c.provider)
		return nil, errors.New("secrets are down")
	}
	return &secretsmanager.GetSecretValueOutput{
		SecretString: aws.String(c.secrets.text[c.provider]),
		VersionId:    aws.String(strconv.Itoa(len(c.secrets.text[c.provider])) + "-" + strconv.Itoa(c.secrets.count)),
	}, nil
}
