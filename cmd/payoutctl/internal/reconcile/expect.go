// Package reconcile holds the commands that find out how payouts end: state what was
// ordered, and ask providers.
package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/pkg/reconcile"
)

// Expect states what our own services ordered.
type Expect struct {
	Provider  cli.Provider `arg:"" optional:"" help:"Provider."`
	Type      string       `arg:"" optional:"" help:"Type of the payout, such as payout; of Pivot single or batch."`
	Account   string       `help:"Account at the provider. Default: the only one with callback keys." placeholder:"ID"`
	ID        string       `name:"id" help:"The provider's id, once it is known." placeholder:"ID"`
	Reference string       `help:"Our reference; required without --id." placeholder:"TEXT"`
	Amount    string       `help:"Amount; of a batch, the sum of its items." placeholder:"DECIMAL"`
	Currency  string       `help:"Currency." placeholder:"TEXT"`
	To        string       `help:"Address of the recipient." placeholder:"ADDRESS"`
	Memo      string       `help:"Memo of the recipient." placeholder:"TEXT"`
	Items     int64        `help:"Of a batch: the number of its items." placeholder:"N"`
	Due       string       `help:"When the payout should be final: a time of RFC 3339, or a duration from now. Default: 10m." placeholder:"WHEN"`
	File      string       `help:"File with many: CSV or JSON lines; - is standard input." placeholder:"FILE"`
}

// Help gives examples.
func (Expect) Help() string {
	return `States that a payout was ordered, as your own services do (docs/EVENTS.md): the stack compares it with callbacks and
answers, and asks the provider if no final status arrives until the deadline. What you leave out is not compared. The
same again changes nothing; another amount, currency or recipient is a conflict. State it before you order, and again
with --id once the provider has answered.

--file takes many. A CSV file begins with the names of its columns: ` + strings.Join(fields, ", ") + `.
In a file of JSON lines, each line is an object with these names. Each result is printed with its line number; a line
that fails does not stop the others, and the whole file can be sent again.

	payoutctl --local expect cregis payout --id 9001 --reference order-4711 --amount 1.1 --currency TRX --due 10m
	payoutctl --local expect cregis sub-address-payout --reference order-4712 --to ADDRESS
	payoutctl --stack payouts-prod expect pivot single --reference INV-7 --amount 100000 --currency IDR
	payoutctl --stack payouts-prod expect pivot batch --id UUID --items 3 --amount 300000
	payoutctl --stack payouts-prod expect --file orders.csv --json

Needs the permissions execute-api:Invoke on the route of output ExpectedPayoutsArn, secretsmanager:GetSecretValue on the
provider's keys (without --account), and cloudformation:DescribeStacks. Exit code 1 if an expectation is refused or the
payout is in conflict.`
}

// Check returns an error if the flags name neither a payout nor a file.
func (c *Expect) Check(s *cli.Session) error {
	single := *c
	single.File = ""
	switch {
	case c.File != "" && single != (Expect{}):
		return cli.Usagef("the file has the fields", "--file takes no other field")
	case c.File == "" && (c.Provider == "" || c.Type == ""):
		return cli.Usagef("such as: "+s.Program()+" expect cregis payout --reference order-4711, or --file FILE", "no provider and type given")
	}
	return nil
}

// Run sends the expectations.
func (c *Expect) Run(ctx context.Context, s *cli.Session, stack cli.Stack) error {
	route, err := newRoute(s, stack)
	if err != nil {
		return err
	}
	sender := &sender{Session: s, stack: stack, route: route, accounts: map[string][]string{}}
	if c.File != "" {
		return c.sendFile(ctx, sender)
	}
	expectation := reconcile.Expectation{
		Provider: string(c.Provider), Type: c.Type, Account: c.Account, ID: c.ID, Reference: c.Reference, Amount: c.Amount,
		Currency: c.Currency, To: c.To, Memo: c.Memo, Items: c.Items, Due: c.Due,
	}
	result, err := sender.send(ctx, expectation)
	if field, ok := errors.AsType[*reconcile.FieldError](err); ok {
		return cli.Negativef(flagHint(field.Field), "the expectation is refused: %w", field)
	}
	if err != nil {
		return err
	}
	if err := printExpected(s, expected{ExpectResult: result}); err != nil {
		return err
	}
	if result.Result == reconcile.ExpectConflict {
		return cli.Negativef("see: "+s.Program()+" show "+cli.Quote(string(result.Payout)), "the payout is in conflict")
	}
	return nil
}

// flagHint names the flag of a field that is missing or refused. Provider and type have
// no flag.
func flagHint(field string) string {
	if field == "provider" || field == "type" || !slices.Contains(fields, field) {
		return "see: payoutctl expect --help"
	}
	return "give it with --" + field
}

// sender sends expectations to the route of a stack.
type sender struct {
	*cli.Session

	stack    cli.Stack
	route    route
	accounts map[string][]string // with callback keys, by provider
}

// send sends an expectation, with the default of its account. The error is a
// *reconcile.FieldError if the expectation is refused.
func (s *sender) send(ctx context.Context, expectation reconcile.Expectation) (reconcile.ExpectResult, error) {
	if expectation.Account == "" {
		account, err := s.defaultAccount(ctx, expectation.Provider)
		if err != nil {
			return reconcile.ExpectResult{}, err
		}
		expectation.Account = account
	}
	return s.route.post(ctx, expectation)
}

// defaultAccount returns the only account of a provider that has callback keys.
func (s *sender) defaultAccount(ctx context.Context, provider string) (string, error) {
	accounts, ok := s.accounts[provider]
	if !ok {
		if _, err := cli.FindProvider(cli.Provider(provider)); err != nil {
			return "", &reconcile.FieldError{Field: "provider", Problem: "not a provider of this stack whose payouts can be expected"}
		}
		_, read, err := s.stack.ReadKeys(ctx, cli.Provider(provider))
		if err != nil {
			return "", err
		}
		accounts = slices.Sorted(maps.Keys(read.Keys))
		s.accounts[provider] = accounts
	}
	switch len(accounts) {
	case 0:
		return "", &reconcile.FieldError{Field: "account", Problem: "missing, and no account of " + provider + " has callback keys"}
	case 1:
		return accounts[0], nil
	}
	return "", &reconcile.FieldError{Field: "account", Problem: "missing, and several have callback keys: " + strings.Join(accounts, ", ")}
}

// expected is the result of an expectation as --json prints it.
type expected struct {
	Line int `json:"line,omitzero"` // in a file
	reconcile.ExpectResult
	Field   string `json:"field,omitzero"`   // of a refused expectation
	Problem string `json:"problem,omitzero"` // why it failed; the result is failed
}

// resultFailed is the result of an expectation that was refused or not applied.
const resultFailed reconcile.ExpectOutcome = "failed"

// resultColours are the colours of results that need attention.
var resultColours = map[reconcile.ExpectOutcome]string{reconcile.ExpectConflict: cli.Red, resultFailed: cli.Red}

// printExpected prints a result, and the fields in conflict.
func printExpected(s *cli.Session, e expected) error {
	style := s.Style()
	line := style.Paint(resultColours[e.Result], fmt.Sprintf("%-9s", e.Result))
	if e.Line > 0 {
		line = fmt.Sprintf("%5d  ", e.Line) + line
	}
	switch {
	case e.Result != resultFailed:
		line += "  " + cli.Clean(string(e.Payout)) + "  " + string(e.Status)
	case e.Field != "":
		line += "  " + cli.Clean(e.Field) + ": " + cli.Clean(e.Problem)
	default:
		line += "  " + cli.Clean(e.Problem)
	}
	rows := cli.Table{Style: style, Indent: "  ", Header: []string{"FIELD", "EXPECTED", "STATED"}}
	for _, conflict := range e.Conflicts {
		var stated []string
		for _, value := range conflict.Stated {
			stated = append(stated, display.FormatValue(style, conflict.Field, value))
		}
		rows.AddTexts(string(conflict.Field), display.FormatValue(style, conflict.Field, conflict.Expected), strings.Join(stated, " | "))
	}
	text := line + "\n"
	if len(e.Conflicts) > 0 {
		text += rows.String()
	}
	return s.PrintResult(e, text)
}
