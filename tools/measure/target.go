package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/lambda/config"
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/ops/localstack"
	provider "payout-callbacks/pkg/provider/cregis"
)

const (
	account              = "1382528827416576"
	key     callback.Key = "f502a9ac9ca54327986f29c03b271491"
)

// target is the local stack that the measured functions write to.
type target struct {
	environment []string
	secrets     *secretsmanager.Client
	secret      string
	body        []byte
	count       int
}

// newTarget reads the description of the local stack and stores a key for the
// measured functions.
func newTarget(ctx context.Context) (*target, error) {
	endpoint := os.Getenv("AWS_ENDPOINT_URL_DYNAMODB")
	if endpoint == "" {
		return nil, errors.New("AWS_ENDPOINT_URL_DYNAMODB is not set; make bench sets it to the local stack")
	}
	stack, err := localstack.Read(os.Getenv("PAYOUT_CALLBACKS_STACK"))
	if err != nil {
		return nil, fmt.Errorf("read local stack: %w", err)
	}
	keys, err := json.Marshal(map[string]map[string]callback.Key{account: {"current": key}})
	if err != nil {
		return nil, err
	}
	settings := config.AWS{Region: stack.Region, Endpoint: endpoint, AccessKeyID: "test", SecretKey: "test"}
	t := &target{
		secrets: secretsmanager.NewFromConfig(functions.NewAWSConfig(settings)), secret: "measure/keys/cregis",
		body: []byte(`{"pid":1382528827416576,"cid":1391751691788288,"chain_id":"195","token_id":"195","currency":"TRX","amount":"1.1",` +
			`"address":"TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS","third_party_id":"c9231e604ebd486b","status":6,"nonce":"hwlkk6","timestamp":1687850659000}`),
		environment: []string{
			"RECEIPTS_TABLE=" + stack.ReceiptsTable, "PAYOUTS_TABLE=" + stack.PayoutsTable,
			"EVENTS_QUEUE_URL=" + stack.EventsQueueURL, "DEAD_LETTER_QUEUE_URL=" + stack.DeadLetterQueueURL,
			"KEYS_SECRET_PREFIX=measure/keys/", "METRICS_NAMESPACE=measure", "SWEEP_LIMIT=1000", "PAYOUT_BUS_NAME=measure",
			"AWS_REGION=" + stack.Region, "AWS_ENDPOINT_URL=" + endpoint, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
			"AWS_NEW_RETRIES_2026=true", "AWS_LAMBDA_FUNCTION_NAME=measure", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256",
		},
	}
	_, err = t.secrets.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: &t.secret, SecretString: aws.String(string(keys))})
	return t, err
}

func (t *target) remove(ctx context.Context) {
	_, _ = t.secrets.DeleteSecret(context.WithoutCancel(ctx), &secretsmanager.DeleteSecretInput{
		SecretId: &t.secret, ForceDeleteWithoutRecovery: aws.Bool(true),
	})
}

var cid = regexp.MustCompile(`"cid":\d+`)

// callback returns the event of a signed callback for a new payout.
func (t *target) callback() ([]byte, error) {
	t.count++
	body := cid.ReplaceAll(t.body, fmt.Appendf(nil, `"cid":%d`, 1_000_000_000_000_000+os.Getpid()*1_000_000+t.count))
	signed, header, err := provider.Provider{}.Sign(body, key)
	if err != nil {
		return nil, err
	}
	const path = "/callbacks/cregis/payout"
	return json.Marshal(events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: "POST " + path, RawPath: path, Body: string(signed),
		Headers: map[string]string{"content-type": header.Get("Content-Type"), "x-forwarded-for": "203.0.113.7"},
	})
}
