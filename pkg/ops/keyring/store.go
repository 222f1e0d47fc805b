package keyring

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"payout-callbacks/pkg/aws/secrets"
	"payout-callbacks/pkg/callback"
)

// ErrChanged means that the secret changed after it was read. Write wrote nothing.
var ErrChanged = errors.New("the keys were changed by someone else after they were read")

// ErrUnreadable means that the secret's value does not parse as keys.
var ErrUnreadable = errors.New("the secret's value cannot be parsed")

// Store is the secret of one provider. It is safe for concurrent use.
type Store struct {
	Client *secretsmanager.Client
	Name   string // name or ARN of the secret
}

// Version is a version of the secret. The zero value is a secret without a value.
type Version struct {
	ID    string
	Keys  callback.Keys
	Flaws []secrets.Flaw // entries that are not usable as they are stored
	At    time.Time      // when it was stored
}

// Staging labels of Secrets Manager. The functions read the current version.
const (
	current = "AWSCURRENT"
	pending = "AWSPENDING"
)

// Read returns the current version, or the zero Version of a secret without a
// value. It fails with ErrUnreadable, which does not contain the value, if the
// value does not parse.
func (s Store) Read(ctx context.Context) (Version, error) {
	return s.readVersion(ctx, &secretsmanager.GetSecretValueInput{SecretId: &s.Name})
}

func (s Store) readVersion(ctx context.Context, input *secretsmanager.GetSecretValueInput) (Version, error) {
	out, err := s.Client.GetSecretValue(ctx, input)
	var absent *types.ResourceNotFoundException
	switch {
	case errors.As(err, &absent):
		return Version{}, nil
	case err != nil:
		return Version{}, err
	}
	read := Version{ID: aws.ToString(out.VersionId), At: aws.ToTime(out.CreatedDate)}
	if aws.ToString(out.SecretString) == "" {
		return read, nil // the local emulator's answer for a secret without a value
	}
	content, err := secrets.Parse(aws.ToString(out.SecretString))
	if err != nil {
		return Version{}, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	read.Keys, read.Flaws = content.Keys, content.Flaws
	return read, nil
}

// Write stores keys in place of the version that was read. It fails with
// ErrChanged if the secret has another current version.
func (s Store) Write(ctx context.Context, read Version, keys callback.Keys) error {
	value, err := encode(keys, read.Flaws)
	if err != nil {
		return fmt.Errorf("encode keys: %w", err)
	}
	return s.write(ctx, read.ID, value)
}

// write stores a value in place of the version with an id.
//
// PutSecretValue has no condition, and UpdateSecretVersionStage has one: the
// version that must have the label. So write first puts the value as a pending
// version, which the functions do not read, and then moves the current label
// from the version that was read. A crash in between leaves an unused version.
func (s Store) write(ctx context.Context, readID, value string) error {
	put, err := s.Client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId:      &s.Name,
		SecretString:  &value,
		VersionStages: []string{pending},
	})
	if err != nil {
		return err
	}
	if slices.Contains(put.VersionStages, current) {
		return nil // Secrets Manager makes the first version of a secret current
	}
	return s.makeCurrent(ctx, readID, aws.ToString(put.VersionId))
}

// encode returns the secret's value. It copies entries with a flaw as they are
// stored, so that a change of one account keeps the keys of the others.
func encode(keys callback.Keys, flaws []secrets.Flaw) (string, error) {
	var entries []string
	for _, account := range slices.Sorted(maps.Keys(keys)) {
		if keys[account].Flawed {
			continue
		}
		name, err := json.Marshal(account)
		if err != nil {
			return "", err
		}
		value, err := json.Marshal(keys[account])
		if err != nil {
			return "", err
		}
		entries = append(entries, string(name)+":"+string(value))
	}
	for _, flaw := range flaws {
		if pair, ok := keys[flaw.Account]; flaw.Account == "" || ok && pair.Flawed {
			entries = append(entries, flaw.Stored)
		}
	}
	return "{" + strings.Join(entries, ",") + "}", nil
}

// makeCurrent moves the current label from the version that was read to the
// version with the id.
func (s Store) makeCurrent(ctx context.Context, readID, id string) error {
	input := &secretsmanager.UpdateSecretVersionStageInput{
		SecretId:        &s.Name,
		VersionStage:    aws.String(current),
		MoveToVersionId: &id,
	}
	if readID != "" {
		input.RemoveFromVersionId = &readID
	}
	_, err := s.Client.UpdateSecretVersionStage(ctx, input)
	if err == nil {
		return nil
	}
	// The label may have moved although the call failed: the response was lost,
	// or the SDK's retry found the label moved. The secret itself decides.
	nowID, _, readErr := s.readValue(ctx)
	switch {
	case readErr != nil:
		return errors.Join(err, readErr)
	case nowID == id:
		return nil
	case nowID != readID:
		return ErrChanged
	}
	return err
}

// Tag sets a tag of the secret.
func (s Store) Tag(ctx context.Context, name, value string) error {
	_, err := s.Client.TagResource(ctx, &secretsmanager.TagResourceInput{
		SecretId: &s.Name,
		Tags:     []types.Tag{{Key: &name, Value: &value}},
	})
	return err
}

// Age is the time at which a key was first stored.
type Age struct {
	Since   time.Time
	AtLeast bool // the key is in the oldest kept version, and may be older
}

// Ages returns the age of each key of a version, by account and key id. It reads
// the older versions, of which Secrets Manager keeps about a hundred, until one
// has none of the keys.
func (s Store) Ages(ctx context.Context, now Version) (map[string]map[string]Age, error) {
	ages := map[string]map[string]Age{}
	for account, pair := range now.Keys {
		ages[account] = map[string]Age{}
		for _, id := range keyIDs(pair) {
			ages[account][id] = Age{Since: now.At, AtLeast: true}
		}
	}
	versions, err := s.listOlder(ctx, now)
	if err != nil {
		return nil, err
	}
	for _, entry := range versions {
		older, err := s.readVersion(ctx, &secretsmanager.GetSecretValueInput{SecretId: &s.Name, VersionId: entry.VersionId})
		if errors.Is(err, ErrUnreadable) || err == nil && older.ID == "" {
			continue // the version is corrupt, or was deleted after it was listed
		}
		if err != nil {
			return nil, err
		}
		if !extendAges(ages, older) {
			break
		}
	}
	return ages, nil
}

// extendAges extends the ages of the keys that the older version has, too. It
// reports whether a key may be in a still older version.
func extendAges(ages map[string]map[string]Age, older Version) bool {
	mayExtend := false
	for account, agesByID := range ages {
		olderIDs := keyIDs(older.Keys[account])
		for id, age := range agesByID {
			switch {
			case !age.AtLeast:
			case slices.Contains(olderIDs, id):
				agesByID[id] = Age{Since: older.At, AtLeast: true}
				mayExtend = true
			default:
				agesByID[id] = Age{Since: age.Since}
			}
		}
	}
	return mayExtend
}

// listOlder lists the versions older than now, the newest first.
func (s Store) listOlder(ctx context.Context, now Version) ([]types.SecretVersionsListEntry, error) {
	var versions []types.SecretVersionsListEntry
	pages := secretsmanager.NewListSecretVersionIdsPaginator(s.Client, &secretsmanager.ListSecretVersionIdsInput{
		SecretId: &s.Name, IncludeDeprecated: aws.Bool(true),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		versions = append(versions, page.Versions...)
	}
	versions = slices.DeleteFunc(versions, func(v types.SecretVersionsListEntry) bool {
		return aws.ToString(v.VersionId) == now.ID || aws.ToTime(v.CreatedDate).After(now.At)
	})
	slices.SortFunc(versions, func(a, b types.SecretVersionsListEntry) int {
		return cmp.Or(aws.ToTime(b.CreatedDate).Compare(aws.ToTime(a.CreatedDate)), cmp.Compare(*a.VersionId, *b.VersionId))
	})
	return versions, nil
}

// keyIDs returns the ids of an account's keys.
func keyIDs(pair callback.AccountKeys) []string {
	var ids []string
	for _, key := range []callback.Key{pair.Current, pair.Previous} {
		if key != "" {
			ids = append(ids, key.ID())
		}
	}
	return ids
}
