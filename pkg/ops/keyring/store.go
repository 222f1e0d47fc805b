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

// ErrChanged means that the secret is not what was read any more: somebody
// changed it meanwhile. Nothing was written.
var ErrChanged = errors.New("the keys were changed by somebody else meanwhile")

// ErrUnreadable means that the secret's value is not of the form of keys.
var ErrUnreadable = errors.New("the secret cannot be read")

// Store is one provider's secret. It is safe for concurrent use.
type Store struct {
	Client *secretsmanager.Client
	Name   string // name or ARN of the secret
}

// Version is the secret at one moment. Its zero value is a secret without one.
type Version struct {
	ID    string
	Keys  callback.Keys
	Flaws []secrets.Flaw // entries that cannot be used as they are stored
	At    time.Time      // when it was stored
}

// The labels of Secrets Manager: functions read the current version.
const (
	current = "AWSCURRENT"
	pending = "AWSPENDING"
)

// Read returns the secret as it is: the zero Version where it has no value yet.
// It fails with ErrUnreadable, which holds nothing of it, where it holds no keys.
func (s Store) Read(ctx context.Context) (Version, error) {
	return s.version(ctx, &secretsmanager.GetSecretValueInput{SecretId: &s.Name})
}

func (s Store) version(ctx context.Context, input *secretsmanager.GetSecretValueInput) (Version, error) {
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
		return read, nil // no value yet, as the local emulator says it
	}
	content, err := secrets.Parse(aws.ToString(out.SecretString))
	if err != nil {
		return Version{}, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	read.Keys, read.Flaws = content.Keys, content.Flaws
	return read, nil
}

// Write replaces what was read by keys, or fails with ErrChanged where that is
// no longer what the secret holds.
//
// PutSecretValue knows no condition, but moving a label does: it names the
// version that must have it. So the keys are put as a version that no function
// reads, and become the current one only in the place of the one that was read.
// A crash in between leaves a version that nobody reads.
func (s Store) Write(ctx context.Context, read Version, keys callback.Keys) error {
	value, err := encode(keys, read.Flaws)
	if err != nil {
		return fmt.Errorf("encode keys: %w", err)
	}
	put, err := s.Client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId:      &s.Name,
		SecretString:  &value,
		VersionStages: []string{pending},
	})
	if err != nil {
		return err
	}
	if slices.Contains(put.VersionStages, current) {
		return nil // the first version of a secret becomes the current one by itself
	}
	return s.makeCurrent(ctx, read, aws.ToString(put.VersionId))
}

// encode returns the value for the secret. Entries with a flaw stay as they are
// stored, so that a change of one account loses no key of another.
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
		if of, ok := keys[flaw.Account]; flaw.Account == "" || ok && of.Flawed {
			entries = append(entries, flaw.Stored)
		}
	}
	return "{" + strings.Join(entries, ",") + "}", nil
}

func (s Store) makeCurrent(ctx context.Context, read Version, id string) error {
	input := &secretsmanager.UpdateSecretVersionStageInput{
		SecretId:        &s.Name,
		VersionStage:    aws.String(current),
		MoveToVersionId: &id,
	}
	if read.ID != "" {
		input.RemoveFromVersionId = &read.ID
	}
	_, err := s.Client.UpdateSecretVersionStage(ctx, input)
	if err == nil {
		return nil
	}
	// The answer may have been lost after the label moved, and the SDK's next
	// try met its own work: what the secret holds now decides.
	now, readErr := s.Read(ctx)
	switch {
	case readErr != nil:
		return errors.Join(err, readErr)
	case now.ID == id:
		return nil
	case now.ID != read.ID:
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

// Age says when a key was first stored.
type Age struct {
	Since   time.Time
	AtLeast bool // it was there in the oldest version that is kept
}

// Ages returns when each key of a version was first stored for its account, by
// account and id. It reads the versions that Secrets Manager has kept, of which
// there are about a hundred at most, back to where all of the keys are new.
func (s Store) Ages(ctx context.Context, now Version) (map[string]map[string]Age, error) {
	ages := map[string]map[string]Age{}
	for account, of := range now.Keys {
		ages[account] = map[string]Age{}
		for _, id := range ids(of) {
			ages[account][id] = Age{Since: now.At, AtLeast: true}
		}
	}
	versions, err := s.before(ctx, now)
	if err != nil {
		return nil, err
	}
	for _, secretVersionsListEntry := range versions {
		read, err := s.version(ctx, &secretsmanager.GetSecretValueInput{SecretId: &s.Name, VersionId: secretVersionsListEntry.VersionId})
		if errors.Is(err, ErrUnreadable) || err == nil && read.ID == "" {
			continue // damaged once, or deleted just now
		}
		if err != nil {
			return nil, err
		}
		if !push(ages, read) {
			break
		}
	}
	return ages, nil
}

// push moves the ages of keys that an older version has, too. It reports
// whether there is one of them whose beginning is not known yet.
func push(ages map[string]map[string]Age, older Version) bool {
	open := false
	for account, of := range ages {
		had := ids(older.Keys[account])
		for id, age := range of {
			switch {
			case !age.AtLeast:
			case slices.Contains(had, id):
				of[id] = Age{Since: older.At, AtLeast: true}
				open = true
			default:
				of[id] = Age{Since: age.Since}
			}
		}
	}
	return open
}

// before lists the versions older than one, the newest first.
func (s Store) before(ctx context.Context, now Version) ([]types.SecretVersionsListEntry, error) {
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

// ids returns the ids of an account's keys.
func ids(of callback.AccountKeys) []string {
	var ids []string
	for _, key := range []callback.Key{of.Current, of.Previous} {
		if key != "" {
			ids = append(ids, key.ID())
		}
	}
	return ids
}
