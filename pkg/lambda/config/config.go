// Package config reads a function's settings from its environment. No other
// package reads it.
package config

import (
	"errors"
	"fmt"
	"strconv"
)

// Function names a function by the settings that it reads. A function reads no
// other function's settings, so a wrong setting stops nothing but its readers.
type Function string

// The functions.
const (
	Ingress   Function = "ingress" // of each provider
	Consumer  Function = "consumer"
	Sweeper   Function = "sweeper"
	Publisher Function = "publisher"
)

// MaxSweepLimit is the highest SWEEP_LIMIT, and the MaxValue of its parameter.
const MaxSweepLimit = 10_000

// Config is the environment that template.yaml and Lambda give to a function.
// What the function does not use is empty.
type Config struct {
	ReceiptsTable      string // RECEIPTS_TABLE: name of the table of receipts
	PayoutsTable       string // PAYOUTS_TABLE: name of the table of payouts
	EventsQueueURL     string // EVENTS_QUEUE_URL: of the queue to the consumer
	DeadLetterQueueURL string // DEAD_LETTER_QUEUE_URL: of the queue behind it
	PayoutBusName      string // PAYOUT_BUS_NAME: of the bus that notices of payouts are put on
	KeysSecretPrefix   string // KEYS_SECRET_PREFIX: + provider's name = name of the secret with its keys
	MetricsNamespace   string // METRICS_NAMESPACE: CloudWatch namespace of this stack's metrics
	SweepLimit         int    // SWEEP_LIMIT: how many receipts one sweep sends at most, 1 to MaxSweepLimit
	AWS                AWS
}

// AWS is what Lambda itself sets: where the function runs and as whom.
type AWS struct {
	Region       string // AWS_REGION
	Endpoint     string // AWS_ENDPOINT_URL: instead of AWS itself, on a local stack; else empty
	AccessKeyID  string // AWS_ACCESS_KEY_ID, and the two below: of the function's role, for the
	SecretKey    string // AWS_SECRET_ACCESS_KEY  life of the process
	SessionToken string // AWS_SESSION_TOKEN
}

// Load reads the configuration of a function, or returns everything that is
// wrong with it.
func Load(function Function, getenv func(string) string) (Config, error) {
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
		config.ReceiptsTable = environment.required("RECEIPTS_TABLE")
		config.EventsQueueURL = environment.required("EVENTS_QUEUE_URL")
		config.KeysSecretPrefix = environment.required("KEYS_SECRET_PREFIX")
	case Consumer:
		config.ReceiptsTable = environment.required("RECEIPTS_TABLE")
		config.PayoutsTable = environment.required("PAYOUTS_TABLE")
		config.EventsQueueURL = environment.required("EVENTS_QUEUE_URL")
	case Sweeper:
		config.ReceiptsTable = environment.required("RECEIPTS_TABLE")
		config.PayoutsTable = environment.required("PAYOUTS_TABLE")
		config.EventsQueueURL = environment.required("EVENTS_QUEUE_URL")
		config.DeadLetterQueueURL = environment.required("DEAD_LETTER_QUEUE_URL")
		config.SweepLimit = environment.number("SWEEP_LIMIT", MaxSweepLimit)
	case Publisher:
		config.PayoutBusName = environment.required("PAYOUT_BUS_NAME")
	}
	return config, errors.Join(environment.problems...)
}

// environment reads variables and collects what is wrong with them.
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

// number reads a number from 1 to highest. CloudFormation lets a parameter of
// type Number have a fraction or an exponent; a fraction is dropped.
func (e *environment) number(name string, highest int) int {
	value, err := strconv.ParseFloat(e.getenv(name), 64)
	if err != nil || !(value >= 1 && value <= float64(highest)) { // not a number is in no range
		e.problems = append(e.problems, fmt.Errorf("%s is not a number from 1 to %d", name, highest))
		return 0
	}
	return int(value)
}
