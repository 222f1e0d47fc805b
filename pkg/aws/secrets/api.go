package secrets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"payout-callbacks/pkg/reconcile"
)

// APICredentials reads the credentials for the APIs of providers. It keeps nothing:
// each call reads the secret, so the caller decides when a new value is used. It is
// safe for concurrent use.
type APICredentials struct {
	Client Client
	Prefix string // a provider's secret is the prefix and the provider's name
}

var _ reconcile.Credentials = (*APICredentials)(nil)

// Credentials implements reconcile.Credentials. An account that the value lists twice
// has no entry: which of the two is right cannot be known. An error never holds a part
// of the value.
func (a *APICredentials) Credentials(ctx context.Context, provider string) (map[string]json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	name := a.Prefix + provider
	out, err := a.Client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name})
	var absent *types.ResourceNotFoundException
	switch {
	case errors.As(err, &absent), err == nil && aws.ToString(out.SecretString) == "":
		return map[string]json.RawMessage{}, nil
	case err != nil:
		return nil, fmt.Errorf("read secret %s: %w", name, err)
	}
	entries, _, err := ParseCredentials(*out.SecretString)
	if err != nil {
		return nil, fmt.Errorf("read secret %s: %w", name, err)
	}
	return entries, nil
}

// ParseCredentials returns the entries of a secret's value by account, without those of
// an account that the value lists more than once, and the number of entries that the
// value lists. The error does not hold any part of the value.
func ParseCredentials(value string) (entries map[string]json.RawMessage, listed int, err error) {
	members, ok := readMembers(strings.TrimPrefix(value, byteOrderMark))
	if !ok {
		return nil, 0, reconcile.ErrMalformedSecret
	}
	spellings := map[string]int{}
	for _, m := range members {
		spellings[spelling(m.name)]++
	}
	entries = map[string]json.RawMessage{}
	for _, m := range members {
		if spellings[spelling(m.name)] == 1 {
			entries[m.name] = json.RawMessage(m.value)
		}
	}
	return entries, len(members), nil
}
