package reconcile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"payout-callbacks/pkg/payout"
)

// concernsAccount reports whether a query failed for a reason that is the same for all
// payouts of the account.
func (o Outcome) concernsAccount() bool {
	return o == Unavailable || o == RateLimited || o == KeyRefused || o == AddressRefused
}

// IsAnswer reports whether the provider answered about the payout.
func (o Outcome) IsAnswer() bool {
	return o == Answered || o == NotFound || o == InProcess || o == ByReference
}

// query asks the provider about payouts of the session's account. If the key is refused,
// the credentials are read again, once.
func (s *session) query(ctx context.Context, payouts []Asked) Answer {
	id := payouts[0].ID
	provider, ok := s.provider(id.Provider())
	if !ok || !s.asks(id.Provider()) {
		return Answer{Outcome: NotAsked}
	}
	if s.isPaused() {
		return Answer{Outcome: s.state.Cause}
	}
	answer := s.askOnce(ctx, provider, payouts)
	s.learn(answer)
	return answer
}

// ask asks about payouts with the credentials as last read, and if the key is refused, with
// the credentials as they are now. It is not an answer if the credentials cannot be read,
// and an answer about something else is not used.
func (r *Reconciler) ask(ctx context.Context, provider Provider, payouts []Asked) Answer {
	answer := r.askWithCredentials(ctx, provider, payouts)
	for _, statement := range answer.Statements {
		if !statement.isAbout(provider, payouts[0].ID) {
			return Answer{Outcome: Unusable, Detail: "the answer is about another payout"}
		}
	}
	return answer
}

// isAbout reports whether a query about a payout may lead to the statement.
func (s Statement) isAbout(provider Provider, asked payout.ID) bool {
	if s.Held != nil {
		return s.Held.Provider == asked.Provider() && s.Held.Account == asked.Account()
	}
	id := s.Event.ID
	return accountName(id) == accountName(asked) && provider.RequestKey(id) == provider.RequestKey(asked)
}

func (r *Reconciler) askWithCredentials(ctx context.Context, provider Provider, payouts []Asked) Answer {
	current, err := r.connections.get(ctx, r, provider, payouts[0].ID.Account(), false)
	switch {
	case err != nil:
		return Answer{Outcome: Unavailable, Detail: "read API credentials: " + err.Error()}
	case current.querier == nil:
		return Answer{Outcome: NoCredentials, Detail: current.problem}
	}
	answer := current.querier.Ask(ctx, payouts)
	if answer.Outcome != KeyRefused {
		return answer
	}
	fresh, err := r.connections.get(ctx, r, provider, payouts[0].ID.Account(), true)
	if err != nil || fresh.querier == nil || bytes.Equal(fresh.credentials, current.credentials) {
		return answer
	}
	return fresh.querier.Ask(ctx, payouts)
}

func (s *session) askOnce(ctx context.Context, provider Provider, payouts []Asked) Answer {
	s.wait(ctx)
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return s.Reconciler.ask(ctx, provider, payouts)
}

// wait keeps the interval between two queries of the account.
func (s *session) wait(ctx context.Context) {
	if rest := s.Interval - time.Since(s.lastQuery); s.Interval > 0 && rest > 0 {
		timer := time.NewTimer(rest)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	s.lastQuery = time.Now()
}

// learn updates the state of the account by the outcome of a query. A wrong or unreadable
// answer concerns its payout alone.
func (s *session) learn(answer Answer) {
	now := s.Now()
	switch {
	case answer.Outcome.IsAnswer():
		s.state = AccountState{AnsweredAt: now}
		return
	case answer.Outcome == NoCredentials:
		s.report(AccountReport{Account: s.name, Cause: answer.Outcome, Detail: answer.Detail})
		return
	case !answer.Outcome.concernsAccount():
		return
	}
	s.state.Failures++
	s.state.Cause = answer.Outcome
	if answer.Outcome == Unavailable && s.state.Failures < maxFailures {
		return
	}
	pause := answer.RetryAfter
	if pause <= 0 {
		pause = minPause << min(s.state.Failures, 10) / 2
	}
	s.state.PausedUntil = now.Add(min(max(pause, minPause), maxPause))
	s.report(AccountReport{Account: s.name, Cause: answer.Outcome, Detail: answer.Detail, Until: s.state.PausedUntil})
}

// connections keeps secrets for a run, and queriers between runs, so that an access token
// is used until it expires. A querier belongs to one value of its account's credentials.
type connections struct {
	mu        sync.Mutex
	secrets   map[string]secret     // by provider
	byAccount map[string]connection // by provider/account
}

// secret is a provider's secret as it was read.
type secret struct {
	entries map[string]json.RawMessage
	problem string // why the secret cannot be used, without a value
	readAt  time.Time
}

type connection struct {
	credentials json.RawMessage
	querier     Querier // nil if the secret has no usable entry of the account
	problem     string  // why the entry cannot be used, without a value
}

const (
	// credentialsAge is how long a secret is used before it is read again: a run reads it
	// once.
	credentialsAge = 50 * time.Second
	// missingAge is how long an account without an entry is taken to have none: an
	// operator may have stored it since.
	missingAge = 2 * time.Second
)

// get returns the connection of an account. It reads the secret again if the last reading
// is not of this run or has no entry of the account, or if fresh is set.
func (c *connections) get(ctx context.Context, r *Reconciler, provider Provider, account string, fresh bool) (connection, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	read, err := c.read(ctx, r, provider.Name(), fresh)
	if err == nil && read.entries[account] == nil && r.Now().Sub(read.readAt) > missingAge {
		read, err = c.read(ctx, r, provider.Name(), true)
	}
	if err != nil {
		return connection{}, err
	}
	name := provider.Name() + "/" + account
	current, ok := c.byAccount[name]
	next := connection{credentials: read.entries[account], problem: read.problem}
	switch {
	case read.problem != "":
	case next.credentials == nil:
		next.problem = "the secret has no entry of the account, or several"
	case ok && bytes.Equal(next.credentials, current.credentials):
		next = current
	default:
		next.querier, next.problem = connect(provider, account, next.credentials, r)
	}
	if c.byAccount == nil {
		c.byAccount = map[string]connection{}
	}
	c.byAccount[name] = next
	return next, nil
}

// secret returns the secret of a provider as a run uses it.
func (c *connections) secret(ctx context.Context, r *Reconciler, provider string) (secret, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.read(ctx, r, provider, false)
}

// read returns the secret of a provider; c.mu is held. A secret that cannot be decoded is a problem of
// its accounts; an error means that nobody knows what the secret holds.
func (c *connections) read(ctx context.Context, r *Reconciler, provider string, fresh bool) (secret, error) {
	if current, ok := c.secrets[provider]; ok && !fresh && r.Now().Sub(current.readAt) < credentialsAge {
		return current, nil
	}
	entries, err := r.Credentials.Credentials(ctx, provider)
	next := secret{entries: entries, readAt: r.Now()}
	switch {
	case errors.Is(err, ErrMalformedSecret):
		next.problem = err.Error()
	case err != nil:
		return secret{}, err
	}
	if c.secrets == nil {
		c.secrets = map[string]secret{}
	}
	c.secrets[provider] = next
	return next, nil
}

// expire has the secrets read again when they are needed.
func (c *connections) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.secrets)
}

func connect(provider Provider, account string, credentials json.RawMessage, r *Reconciler) (Querier, string) {
	querier, err := provider.Connect(account, credentials, r.Client, r.Now)
	if err != nil {
		return nil, err.Error()
	}
	return querier, ""
}
