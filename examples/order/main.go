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
// The API key of the account is in the environment variable CREGIS_API_KEY. --help describes
// the flags.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
)

func main() {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		lambda.Start(react)
		return
	}
	err := run(context.Background(), os.Args[1:], os.Stdout)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "order:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	client := &http.Client{Timeout: 15 * time.Second}
	expectations, provider := &expectations{client: client}, &cregis{client: client, key: os.Getenv(keyVariable)}
	p, err := parse(args, stdout, expectations, provider)
	if err != nil {
		return err
	}
	sdk, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return fmt.Errorf("load AWS configuration: %w", err)
	}
	expectations.credentials, expectations.region = sdk.Credentials, sdk.Region
	ordered, err := order(ctx, expectations, provider, p)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, ordered)
	return err
}

// keyVariable is the environment variable with the API key of the account.
const keyVariable = "CREGIS_API_KEY"

// parse reads the flags. Each but --due is required. The help, which it prints to out, is
// the error flag.ErrHelp.
func parse(args []string, out io.Writer, expectations *expectations, provider *cregis) (payout, error) {
	var p payout
	flags := flag.NewFlagSet("order", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // main prints errors
	flags.StringVar(&expectations.url, "expectations", "", "output ExpectedPayoutsUrl of the stack")
	flags.StringVar(&provider.baseURL, "provider", "", "base URL of the provider's API")
	flags.StringVar(&p.Account, "account", "", "account at the provider (pid)")
	flags.StringVar(&p.Reference, "reference", "", "your reference, stored with the order before it is sent")
	flags.StringVar(&p.Currency, "currency", "", "chain@token")
	flags.StringVar(&p.Amount, "amount", "", "exact decimal")
	flags.StringVar(&p.To, "to", "", "recipient's address")
	due := flags.Duration("due", 10*time.Minute, "how long the payout may take to be final")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(out, "order orders a payout and prints its id. The API key of the account is in the environment variable %s.\n", keyVariable)
		flags.SetOutput(out)
		flags.PrintDefaults()
		return p, err
	case err != nil:
		return p, err
	}
	var missing []string
	flags.VisitAll(func(f *flag.Flag) {
		if f.Value.String() == "" {
			missing = append(missing, "--"+f.Name)
		}
	})
	if provider.key == "" {
		missing = append(missing, keyVariable)
	}
	if len(missing) > 0 {
		return p, fmt.Errorf("%s: required; see order --help", strings.Join(missing, ", "))
	}
	p.Due = time.Now().Add(*due).UTC().Format(time.RFC3339) // one time for both expectations, which are then the same
	return p, nil
}
