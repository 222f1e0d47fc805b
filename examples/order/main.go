// Command order is an example of a service that orders payouts so that it knows how each
// of them ends, even if a callback is lost: it states what it is about to order, orders
// it at the provider, and states it again with the provider's id.
//
// As a Lambda function behind a rule for PayoutConfirmed and PayoutOverdue it reacts to
// the end of its payouts (react.go). Like a service of your own, it imports nothing of
// payout-callbacks.
//
//	order --expectations URL --provider URL --account ACCOUNT --reference R --currency 195@195 --amount 1.1 --to ADDRESS
//
// The API key of the account is in the environment variable CREGIS_API_KEY.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
)

func main() {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		lambda.Start(react)
		return
	}
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "order:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	sdk, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return fmt.Errorf("load AWS configuration: %w", err)
	}
	client := &http.Client{Timeout: 15 * time.Second}
	expectations := &expectations{client: client, credentials: sdk.Credentials, region: sdk.Region}
	provider := &cregis{client: client, key: os.Getenv("CREGIS_API_KEY")}
	var p payout
	flags := flag.NewFlagSet("order", flag.ContinueOnError)
	flags.StringVar(&expectations.url, "expectations", "", "output ExpectedPayoutsUrl of the stack")
	flags.StringVar(&provider.baseURL, "provider", "", "base URL of the provider's API")
	flags.StringVar(&p.Account, "account", "", "account at the provider (pid)")
	flags.StringVar(&p.Reference, "reference", "", "your reference, stored with the order before it is sent")
	flags.StringVar(&p.Currency, "currency", "", "chain@token")
	flags.StringVar(&p.Amount, "amount", "", "exact decimal")
	flags.StringVar(&p.To, "to", "", "recipient's address")
	due := flags.Duration("due", 10*time.Minute, "how long the payout may take to be final")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if p.Reference == "" || provider.key == "" {
		return errors.New("--reference and CREGIS_API_KEY are required")
	}
	p.Due = time.Now().Add(*due).UTC().Format(time.RFC3339) // one time for both expectations, which are then the same
	ordered, err := order(ctx, expectations, provider, p)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(os.Stdout, ordered)
	return err
}
