package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"payout-callbacks/pkg/app"
	"payout-callbacks/pkg/awsclient"
	"payout-callbacks/pkg/config"
	"payout-callbacks/pkg/templatetest"
)

// world is where it is measured: tables and queues of its own, like the
// template's, on the endpoint of this machine.
type world struct {
	quick    bool
	root     string // of the module
	endpoint string
	clients  app.Clients // of both sides: the functions' own, but patient
	settings config.Config
	stack    app.Stack
	counter  atomic.Int64 // of payouts
	bodies   sync.Map     // documented ones, by provider and vector
	cleanUp  []func(context.Context)
}

// few is so many, or a few of them in a quick run.
func (w *world) few(many, few int) int {
	if w.quick {
		return few
	}
	return many
}

func build(ctx context.Context, quick bool) (*world, error) {
	root, err := templatetest.FindRoot()
	if err != nil {
		return nil, err
	}
	w := &world{quick: quick, root: root, endpoint: os.Getenv("AWS_ENDPOINT_URL_DYNAMODB")}
	for _, variable := range []string{"AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SQS"} {
		at, err := url.Parse(os.Getenv(variable))
		if err != nil || at.Scheme != "http" || at.Hostname() != "127.0.0.1" && at.Hostname() != "localhost" {
			return nil, fmt.Errorf("%s is not of the form http://127.0.0.1:PORT; make bench runs this on the local stack", variable)
		}
		if at.String() != w.endpoint {
			return nil, errors.New("the two endpoints are not one: the functions know one only")
		}
	}
	// The functions' own, in template.yaml: the SDK's newer retries.
	if err := os.Setenv("AWS_NEW_RETRIES_2026", "true"); err != nil {
		return nil, err
	}
	sdk := app.NewAWSConfig(config.AWS{Region: "us-east-1", Endpoint: w.endpoint, AccessKeyID: "test", SecretKey: "test"})
	sdk.HTTPClient = awsclient.New(30 * time.Second) // a busy emulator is slow, and nothing here is to be tried twice
	w.clients = app.Clients{DynamoDB: dynamodb.NewFromConfig(sdk), SQS: sqs.NewFromConfig(sdk)}
	w.settings, err = w.newStores(ctx)
	if err != nil {
		w.demolish(context.WithoutCancel(ctx))
		return nil, err
	}
	w.stack = app.NewStack(w.settings, w.clients, io.Discard)
	return w, nil
}

// newStores makes tables and a queue that nobody else uses.
func (w *world) newStores(ctx context.Context) (config.Config, error) {
	suffix := rand.Text()[:10]
	made := config.Config{
		ReceiptsTable: "bench-receipts-" + suffix, PayoutsTable: "bench-payouts-" + suffix,
		MetricsNamespace: "bench", SweepLimit: 1000,
	}
	template, err := templatetest.Read(w.root)
	if err != nil {
		return made, err
	}
	for resource, name := range map[string]string{"ReceiptsTable": made.ReceiptsTable, "PayoutsTable": made.PayoutsTable} {
		input, err := template.Table(resource, name)
		if err != nil {
			return made, err
		}
		if _, err := w.clients.DynamoDB.CreateTable(ctx, input); err != nil {
			return made, fmt.Errorf("create table like %s: %w", resource, err)
		}
		w.cleanUp = append(w.cleanUp, func(ctx context.Context) {
			_, _ = w.clients.DynamoDB.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name})
		})
	}
	for url, name := range map[*string]string{&made.EventsQueueURL: "bench-events-" + suffix, &made.DeadLetterQueueURL: "bench-dead-letters-" + suffix} {
		queue, err := w.clients.SQS.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(name)})
		if err != nil {
			return made, fmt.Errorf("create queue: %w", err)
		}
		*url = *queue.QueueUrl
		w.cleanUp = append(w.cleanUp, func(ctx context.Context) {
			_, _ = w.clients.SQS.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: queue.QueueUrl})
		})
	}
	return made, nil
}

// demolish removes what was made, as far as it can: the emulator is thrown away
// after most runs.
func (w *world) demolish(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for _, remove := range w.cleanUp {
		remove(ctx)
	}
}

func (w *world) file(parts ...string) string {
	return filepath.Join(append([]string{w.root}, parts...)...)
}
