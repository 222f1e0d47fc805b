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
	"payout-callbacks/pkg/testkit/traffic"
)

// secretStore holds the keys that the providers use, and those that are stored
// in Secrets Manager, which lag behind after a rotation.
type secretStore struct {
	w       *world
	used    map[string]map[string]callback.Key // provider, account
	stored  map[string]callback.Keys           // provider
	text    map[string]string                  // stored, as the value of the secret
	version int
}

func newSecrets(w *world) *secretStore {
	s := &secretStore{
		w: w, used: map[string]map[string]callback.Key{}, stored: map[string]callback.Keys{}, text: map[string]string{},
	}
	for _, provider := range traffic.ProviderNames() {
		s.used[provider], s.stored[provider] = map[string]callback.Key{}, callback.Keys{}
		for _, account := range traffic.Accounts(provider) {
			s.used[provider][account] = s.newKey()
			s.store(provider, account)
		}
	}
	return s
}

func (s *secretStore) newKey() callback.Key {
	s.version++
	return callback.Key(fmt.Sprintf("key-%026d", s.version))
}

// store writes the key that the provider uses into the secret, with the key
// that was current as the previous one.
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
	s.version++
	s.text[provider] = string(text)
}

// isValid reports whether the key that signed a delivery is stored, as the
// current key or as the previous one.
func (s *secretStore) isValid(d *delivery) bool {
	stored := s.stored[d.Provider][d.Account()]
	return d.key == stored.Current || d.key == stored.Previous
}

// rotate changes the key of an account; the secret follows minutes later.
func (s *secretStore) rotate(provider, account string) {
	s.w.notef("%s rotates the key of account %s", provider, account)
	s.used[provider][account] = s.newKey()
	s.w.after(s.w.between(time.Second, 10*time.Minute), func() {
		s.w.notef("the new key of %s is stored", account)
		s.store(provider, account)
	})
}

// client is the Secrets Manager client of one provider's functions.
type client struct {
	secrets  *secretStore
	provider string
}

var _ secrets.Client = client{}

func (c client) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	w := c.secrets.w
	if w.isDown("secrets.GetSecretValue") {
		w.notef("%s: get secret fails", c.provider)
		return nil, errors.New("outage of Secrets Manager")
	}
	return &secretsmanager.GetSecretValueOutput{
		SecretString: aws.String(c.secrets.text[c.provider]),
		VersionId:    aws.String(strconv.Itoa(len(c.secrets.text[c.provider])) + "-" + strconv.Itoa(c.secrets.version)),
	}, nil
}
