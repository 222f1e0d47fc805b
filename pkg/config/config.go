// Package config is what a deployed function is told by its environment. No
// other package reads it.
package config

import (
	"errors"
	"fmt"
	"strconv"
)

// Config is the environment that template.yaml and Lambda give to every function.
type Config struct {
	ReceiptsTable      string // RECEIPTS_TABLE: name of the table of receipts
	PayoutsTable       string // PAYOUTS_TABLE: name of the table of payouts
	EventsQueueURL     string // EVENTS_QUEUE_URL: of the queue to the consumer
	DeadLetterQueueURL string // DEAD_LETTER_QUEUE_URL: of the queue behind it
	PayoutBusName      string // PAYOUT_BUS_NAME: of the bus that notices of payouts are put on
	KeysSecretPrefix   string // KEYS_SECRET_PREFIX: + provider's name = name of the secret with its keys
	MetricsNamespace   string // METRICS_NAMESPACE: CloudWatch namespace of this stack's metrics
	SweepLimit         int    // SWEEP_LIMIT: how many receipts one sweep sends at most, 1 to 10,000
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

// Load reads the configuration, or says everything that is wrong with it.
func Load(getenv func(string) string) (Config, error) {
	var problems []error
	required := func(name string) string {
		value := getenv(name)
		if value == "" {
			problems = append(problems, fmt.Errorf("%s is not set", name))
		}
		return value
	}
	config := Config{
		ReceiptsTable:      required("RECEIPTS_TABLE"),
		PayoutsTable:       required("PAYOUTS_TABLE"),
		EventsQueueURL:     required("EVENTS_QUEUE_URL"),
		DeadLetterQueueURL: required("DEAD_LETTER_QUEUE_URL"),
		PayoutBusName:      required("PAYOUT_BUS_NAME"),
		KeysSecretPrefix:   required("KEYS_SECRET_PREFIX"),
		MetricsNamespace:   required("METRICS_NAMESPACE"),
		AWS: AWS{
			Region:       required("AWS_REGION"),
			Endpoint:     getenv("AWS_ENDPOINT_URL"),
			AccessKeyID:  required("AWS_ACCESS_KEY_ID"),
			SecretKey:    required("AWS_SECRET_ACCESS_KEY"),
			SessionToken: getenv("AWS_SESSION_TOKEN"),
		},
	}
	limit, err := strconv.Atoi(required("SWEEP_LIMIT"))
	if err != nil || limit < 1 || limit > 10_000 {
		problems = append(problems, errors.New("SWEEP_LIMIT is not a number from 1 to 10000"))
	}
	config.SweepLimit = limit
	return config, errors.Join(problems...)
}
