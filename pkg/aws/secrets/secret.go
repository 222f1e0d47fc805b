// Package secrets reads a provider's callback keys from AWS Secrets Manager and
// keeps them in the process.
//
// A secret's value is JSON, an object from account to its keys:
//
//	{"1382528827416576": {"current": "…", "previous": "…"}}
//
// Keys reads the secret again after five minutes, and at once if a callback cannot
// be verified, so that warm functions see a rotation. While the service is down,
// the keys that were read before stay in use. With a value that has no accounts,
// every callback is refused; without a value, which is our fault, callbacks get 503.
// The number of reads is limited in each of these states.
//
// An entry that cannot be used (white space around a key, a key of one character,
// an account that is listed twice) does not affect the other accounts. What can be
// used of it is used, and a callback of that account that cannot be verified gets
// 503: the fault is ours.
package secrets

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"payout-callbacks/pkg/callback"
)

// ErrNoKeys means that the secret has no value yet.
var ErrNoKeys = errors.New("no keys are stored")

const (
	freshFor = 5 * time.Minute
	// Many forged callbacks cause at most one read a second in each process. A few do
	// not delay the reading of a new key.
	refreshEvery = time.Second
	refreshBurst = 5
	readTimeout  = time.Second
)

// Client has the operation of Secrets Manager that Keys uses.
type Client interface {
	GetSecretValue(ctx context.Context, input *secretsmanager.GetSecretValueInput,
		options ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
}

// Keys returns the keys of one provider. It is safe for concurrent use.
type Keys struct {
	// OnFlaw is called for each entry that cannot be used, once for each version
	// of the secret. It is set before the first read, or stays nil.
	OnFlaw func(ctx context.Context, flaw error)

	client Client
	name   string
	now    func() time.Time

	mu      sync.Mutex
	keys    callback.Keys
	version string    // the secret's version that keys were read from
	readAt  time.Time // of keys
	triedAt time.Time // the last read, successful or not
	tryErr  error     // its error
	spent   int       // reads in a row that came sooner than refreshEvery allows
}

var _ callback.KeySource = (*Keys)(nil)

// NewKeys returns the keys of the secret with a name. It does not read it yet.
func NewKeys(client Client, name string, now func() time.Time) *Keys {
	return &Keys{client: client, name: name, now: now}
}

// Keys implements callback.KeySource.
func (k *Keys) Keys(ctx context.Context) (callback.Keys, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.keys != nil && k.now().Sub(k.readAt) < freshFor {
		return k.keys, nil
	}
	if k.keys != nil && k.tryErr != nil && k.sinceTry() < refreshEvery {
		return k.keys, nil
	}
	if k.keys == nil && !k.mayRead() {
		return nil, k.tryErr
	}
	if err := k.read(ctx); err != nil && k.keys == nil {
		return nil, err
	}
	return k.keys, nil
}

// Refresh implements callback.KeySource.
func (k *Keys) Refresh(ctx context.Context) (callback.Keys, bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.mayRead() {
		return k.keys, false, k.tryErr
	}
	before := k.version
	if err := k.read(ctx); err != nil {
		return nil, false, err
	}
	return k.keys, k.version != before, nil
}

// mayRead allows refreshBurst reads, then one in each refreshEvery. Without reads,
// the burst recovers at the same rate.
func (k *Keys) mayRead() bool {
	k.spent = max(0, k.spent-int(k.sinceTry()/refreshEvery))
	if k.spent >= refreshBurst {
		return false
	}
	k.spent++
	return true
}

func (k *Keys) sinceTry() time.Duration { return k.now().Sub(k.triedAt) }

// read replaces the keys. On an error it keeps them, except if the secret has no
// value any more.
func (k *Keys) read(ctx context.Context) error {
	keys, version, err := k.fetch(ctx)
	k.triedAt, k.tryErr = k.now(), err
	if errors.Is(err, ErrNoKeys) {
		// The service answered: somebody removed the keys, so they must not be used.
		k.keys, k.version = nil, ""
	}
	if err != nil {
		return err
	}
	k.keys, k.version, k.readAt = keys, version, k.triedAt
	return nil
}

func (k *Keys) fetch(ctx context.Context) (callback.Keys, string, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	out, err := k.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(k.name)})
	var absent *types.ResourceNotFoundException
	switch {
	case errors.As(err, &absent), err == nil && aws.ToString(out.SecretString) == "":
		return nil, "", fmt.Errorf("read secret %s: %w; store them with: payoutctl keys add, or: "+
			`aws secretsmanager put-secret-value --secret-id %s --secret-string '{"ACCOUNT":{"current":"KEY"}}'`, k.name, ErrNoKeys, k.name)
	case err != nil:
		return nil, "", fmt.Errorf("read secret %s: %w", k.name, err)
	}
	content, err := Parse(aws.ToString(out.SecretString))
	if err != nil {
		return nil, "", fmt.Errorf("read secret %s: %w", k.name, err)
	}
	version := aws.ToString(out.VersionId)
	if k.OnFlaw != nil && version != k.version {
		for _, flaw := range content.Flaws {
			k.OnFlaw(ctx, fmt.Errorf("secret %s: %w", k.name, flaw))
		}
	}
	return content.Keys, version, nil
}
