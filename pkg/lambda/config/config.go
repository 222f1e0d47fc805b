// Package config reads the settings of the functions from their environment. No
// other package of a function reads it.
package config

import (
	"errors"
	"fmt"
	"strconv"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/provider"
)

// Function is a kind of function. Each reads its own settings only, so an invalid
// setting stops no other function.
type Function string

// The functions.
const (
	Ingress    Function = "ingress" // answers the callbacks of a provider
	Consumer   Function = "consumer"
	Sweeper    Function = "sweeper"
	Publisher  Function = "publisher"
	Expected   Function = "expected"   // accepts what our own services ordered
	Reconciler Function = "reconciler" // asks providers about payouts
)

// MaxSweepLimit is the maximum of SWEEP_LIMIT and of its parameter, and of
// RECONCILE_LIMIT.
const MaxSweepLimit = 10_000

// Config has the settings that template.yaml and Lambda set. Those that a function
// does not use are empty.
type Config struct {
	ReceiptsTable      string // RECEIPTS_TABLE: name of the receipts table
	PayoutsTable       string // PAYOUTS_TABLE: name of the payouts table
	EventsQueueURL     string // EVENTS_QUEUE_URL: URL of the queue between accept and apply
	DeadLetterQueueURL string // DEAD_LETTER_QUEUE_URL: URL of its dead-letter queue
	PayoutBusName      string // PAYOUT_BUS_NAME: name of the bus for notifications
	KeysSecretPrefix   string // KEYS_SECRET_PREFIX: a provider's secret is this prefix and the provider's name
	MetricsNamespace   string // METRICS_NAMESPACE: CloudWatch namespace of the stack
	SweepLimit         int    // SWEEP_LIMIT: the most receipts that a sweep sends, 1 to MaxSweepLimit
	AccountsTable      string // ACCOUNTS_TABLE: name of the table of what runs of the reconciler share
	APISecretPrefix    string // API_SECRET_PREFIX: the secret of a provider's API is this prefix and the provider's name
	ReconcileLimit     int    // RECONCILE_LIMIT: see reconcile.Store: payouts of each account in a run, and held callbacks
	// Queries has the mode of each provider that can be asked, from <NAME>_QUERIES: off,
	// open or all.
	Queries map[string]inbox.QueryMode
	AWS     AWS
}

// AWS has the settings that Lambda sets.
type AWS struct {
	Region       string // AWS_REGION
	Endpoint     string // AWS_ENDPOINT_URL: only on a local stack
	AccessKeyID  string // AWS_ACCESS_KEY_ID: with the two below, credentials of the function's
	SecretKey    string // AWS_SECRET_ACCESS_KEY  role
	SessionToken string // AWS_SESSION_TOKEN
}

// Load returns the settings of a function, or an error with all problems. A function that
// writes payouts needs all providers; others need none.
func Load(function Function, providers []provider.Description, getenv func(string) string) (Config, error) {
	environment := environment{getenv: getenv}
	config := Config{
		MetricsNamespace: environment.required("METRICS_NAMESPACE"),
		AWS: AWS{
			Region:       environment.required("AWS_REGION"),
			Endpoint:     getenv("AWS_ENDPOINT_URL"),
			AccessKeyID:  environment.required("AWS_ACCESS_KEY_ID"),
			SecretKey:    environment.required("AWS_SECRET_ACCESS_KEY"),
			SessionToken: getenv("AWS_SESSION_TOKEN"),
		},
	}
	switch function {
	case Ingress:
		environment.readStores(&config)
		config.KeysSecretPrefix = environment.required("KEYS_SECRET_PREFIX")
	case Consumer:
		environment.readStores(&config)
		environment.readPayouts(&config, providers)
	case Sweeper:
		environment.readStores(&config)
		environment.readPayouts(&config, providers)
		config.DeadLetterQueueURL = environment.required("DEAD_LETTER_QUEUE_URL")
		config.SweepLimit = environment.number("SWEEP_LIMIT", MaxSweepLimit)
	case Publisher:
		config.PayoutBusName = environment.required("PAYOUT_BUS_NAME")
	case Expected:
		config.ReceiptsTable = environment.required("RECEIPTS_TABLE")
		environment.readPayouts(&config, providers)
	case Reconciler:
		environment.readStores(&config)
		environment.readPayouts(&config, providers)
		config.AccountsTable = environment.required("ACCOUNTS_TABLE")
		config.APISecretPrefix = environment.required("API_SECRET_PREFIX")
		config.ReconcileLimit = environment.number("RECONCILE_LIMIT", MaxSweepLimit)
	}
	return config, errors.Join(environment.problems...)
}

// LoadProvider returns a provider with the values of its settings, or an error with all
// problems. Of a function for expectations it reads only the settings that those need.
func LoadProvider(function Function, d provider.Description, getenv func(string) string) (provider.Description, error) {
	return d.WithSettings(func(s provider.Setting) string {
		if function == Expected && !s.IsExpected {
			return s.Default
		}
		return getenv(provider.Variable(s.Parameter))
	})
}

// environment reads variables and collects their problems.
type environment struct {
	getenv   func(string) string
	problems []error
}

func (e *environment) required(name string) string {
	value := e.getenv(name)
	if value == "" {
		e.problems = append(e.problems, fmt.Errorf("%s is not set", name))
	}
	return value
}

// readStores reads the settings of a function that accepts receipts.
func (e *environment) readStores(config *Config) {
	config.ReceiptsTable = e.required("RECEIPTS_TABLE")
	config.EventsQueueURL = e.required("EVENTS_QUEUE_URL")
}

// readPayouts reads the settings of a function that writes payouts.
func (e *environment) readPayouts(config *Config, providers []provider.Description) {
	config.PayoutsTable = e.required("PAYOUTS_TABLE")
	config.Queries = map[string]inbox.QueryMode{}
	for _, p := range providers {
		if p.Queries != nil {
			config.Queries[p.Name()] = e.queryMode(provider.Variable(p.QueriesParameter()))
		}
	}
}

func (e *environment) queryMode(name string) inbox.QueryMode {
	mode := inbox.QueryMode(e.getenv(name))
	switch mode {
	case inbox.QueriesOff, inbox.QueriesOpen, inbox.QueriesAll:
	default:
		e.problems = append(e.problems, fmt.Errorf("%s is not off, open or all", name))
	}
	return mode
}

// number reads a number from 1 to highest. A parameter of type Number may have a
// fraction, which is dropped, or an exponent.
func (e *environment) number(name string, highest int) int {
	value, err := strconv.ParseFloat(e.getenv(name), 64)
	if err != nil || !(value >= 1 && value <= float64(highest)) { // NaN fails both
		e.problems = append(e.problems, fmt.Errorf("%s is not a number from 1 to %d", name, highest))
		return 0
	}
	return int(value)
}
