package keyring

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"payout-callbacks/pkg/aws/secrets"
)

// APIVersion is a version of the secret with the credentials for a provider's API.
type APIVersion struct {
	ID      string                     // "" for a secret without a value
	Entries map[string]json.RawMessage // by account
}

var errRepeated = errors.New("it lists an account more than once")

// ReadAPI returns the current version of a secret with API credentials. It fails with
// ErrUnreadable for a value that cannot be written back as a whole.
func (s Store) ReadAPI(ctx context.Context) (APIVersion, error) {
	id, value, err := s.readValue(ctx)
	if err != nil || value == "" {
		return APIVersion{ID: id}, err
	}
	entries, listed, err := secrets.ParseCredentials(value)
	if err == nil && listed != len(entries) {
		err = errRepeated
	}
	if err != nil {
		return APIVersion{}, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return APIVersion{id, entries}, nil
}

// WriteAPI stores the credentials of an account in place of the version that was read.
// It fails with ErrChanged if the secret has another current version.
func (s Store) WriteAPI(ctx context.Context, read APIVersion, account string, credentials json.RawMessage) error {
	entries := maps.Clone(read.Entries)
	if entries == nil {
		entries = map[string]json.RawMessage{}
	}
	entries[account] = credentials
	value, err := json.Marshal(entries)
	if err != nil {
		return fmt.Errorf("encode API credentials: %w", err)
	}
	return s.write(ctx, read.ID, string(value))
}

// readValue returns the id and the value of the current version, "" of a secret without
// a value.
func (s Store) readValue(ctx context.Context) (id, value string, err error) {
	out, err := s.Client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &s.Name})
	var absent *types.ResourceNotFoundException
	switch {
	case errors.As(err, &absent):
		return "", "", nil
	case err != nil:
		return "", "", err
	}
	return aws.ToString(out.VersionId), aws.ToString(out.SecretString), nil
}
