package prove

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/send"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/ops/redrive"
	"payout-callbacks/pkg/payout"
)

// inputs triggers alarms by input. Each function returns what it sent, or "" if it has
// no key to sign with. Alarms that need days (silence, previous key) are missing.
var inputs = map[string]func(context.Context, *drill) (string, error){
	"held":           func(ctx context.Context, d *drill) (string, error) { return d.sendUnknownStatus(ctx) },
	"conflicted":     func(ctx context.Context, d *drill) (string, error) { return d.conflictingStatuses(ctx) },
	"cregis-refused": func(ctx context.Context, d *drill) (string, error) { return d.forge(ctx, "cregis") },
	"pivot-refused":  func(ctx context.Context, d *drill) (string, error) { return d.forge(ctx, "pivot") },
	"dead-letters":   func(ctx context.Context, d *drill) (string, error) { return d.sendUnreadable(ctx) },
}

// forgeries is enough for the ratio of refused callbacks on a stack with little
// traffic.
const forgeries = 20

func (d *drill) forge(ctx context.Context, provider string) (string, error) {
	key, err := send.RandomKey(d.Session)
	if err != nil {
		return "", err
	}
	for range forgeries {
		if _, err := d.forgery(ctx, provider, key); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d forged callbacks", forgeries), nil
}

func (d *drill) sendUnknownStatus(ctx context.Context) (string, error) {
	account, key, err := d.signer(ctx)
	if err != nil || account == "" {
		return "", err
	}
	got, err := d.payout(ctx, account, "5", key)
	if err != nil {
		return "", err
	}
	d.left = append(d.left, "held callback "+got.Payout+"; "+d.Program()+" dismiss '"+got.Payout+"' --reason drill")
	return "an unknown status", nil
}

func (d *drill) conflictingStatuses(ctx context.Context) (string, error) {
	account, key, err := d.signer(ctx)
	if err != nil || account == "" {
		return "", err
	}
	id := strconv.FormatInt(d.Now().UnixMilli(), 10)
	var got send.Answer
	for _, status := range []string{"6", "7"} {
		if got, err = d.payoutOf(ctx, account, id, status, key); err != nil {
			return "", err
		}
	}
	d.left = append(d.left, "payout "+got.Payout+"; "+d.Program()+" show '"+got.Payout+"', then resolve")
	return "two final statuses", nil
}

// sendUnreadable sends an unreadable message to the events queue. SQS moves it to the
// dead-letter queue within seconds, and the cleanup deletes it.
func (d *drill) sendUnreadable(ctx context.Context) (string, error) {
	sent, err := sqs.NewFromConfig(d.stack.AWS).SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: &d.stack.EventsQueueURL, MessageBody: aws.String("payoutctl drill"),
	})
	if err != nil {
		return "", err
	}
	d.messages = append(d.messages, aws.ToString(sent.MessageId))
	return "an unreadable message", nil
}

// removeMessages deletes the drill's own messages from the dead-letter queue, where
// they may arrive with a delay of seconds.
func (d *drill) removeMessages(ctx context.Context) error {
	if len(d.messages) == 0 {
		return nil
	}
	r, err := d.stack.Redriver()
	if err != nil {
		return err
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	options := redrive.Options{Filter: redrive.Filter{IDs: d.messages, Causes: []redrive.Cause{redrive.Unreadable}}, Limit: 10_000}
	removed := 0
	for {
		done, err := r.Remove(ctx, options, func(redrive.Diagnosis) error { return nil }) // there is nothing to save
		if removed += done.Moved; removed >= len(d.messages) || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			d.left = append(d.left, "message "+d.messages[0]+"; "+d.Program()+" dlq export --delete --message-id "+d.messages[0]+" --to FILE --reason drill")
			return nil
		}
	}
}

// signer returns an account of Cregis with its key, or "" if no key is stored.
func (d *drill) signer(ctx context.Context) (string, callback.Key, error) {
	store, err := d.stack.Keyring("cregis")
	if err != nil {
		return "", "", err
	}
	read, err := store.Read(ctx)
	if err != nil {
		return "", "", cli.KeysError(store, err)
	}
	accounts := slices.Sorted(maps.Keys(read.Keys))
	if len(accounts) == 0 {
		return "", "", nil
	}
	return accounts[0], read.Keys[accounts[0]].Current, nil
}

// payout sends a signed callback about a new payout.
func (d *drill) payout(ctx context.Context, account, status string, key callback.Key) (send.Answer, error) {
	return d.payoutOf(ctx, account, strconv.FormatInt(d.Now().UnixMilli(), 10), status, key)
}

// payoutOf sends a signed callback about a payout.
func (d *drill) payoutOf(ctx context.Context, account, id, status string, key callback.Key) (send.Answer, error) {
	return d.deliver(ctx, send.Example{
		Provider: "cregis", Kind: payout.TypePayout, File: "cregis-payout.json", Generate: func() ([]send.Change, error) { return send.GenerateCregis(d.Session) },
		Fields: []send.Assignment{
			{"pid", account}, {"cid", id}, {"status", status}, {"amount", "0.01"},
			{"third_party_id", "drill-" + id}, {"remark", "payoutctl drill"},
		},
	}, account, key, callback.Acknowledged)
}

// forgery sends a callback that must be refused.
func (d *drill) forgery(ctx context.Context, provider string, key callback.Key) (send.Answer, error) {
	example := send.Example{Provider: "cregis", Kind: payout.TypePayout, File: "cregis-payout.json", Generate: func() ([]send.Change, error) { return send.GenerateCregis(d.Session) }}
	if provider == "pivot" {
		example = send.Example{Provider: "pivot", Kind: payout.TypePayout, File: "pivot-single.json"}
	}
	return d.deliver(ctx, example, "", key, callback.Unauthenticated)
}

func (d *drill) deliver(ctx context.Context, example send.Example, account string, key callback.Key, want callback.Verdict) (send.Answer, error) {
	provider, err := cli.FindProvider(example.Provider)
	if err != nil {
		return send.Answer{}, err
	}
	out := send.Callback{Provider: provider, Kind: example.Kind, Account: account, Want: want, Body: example.Body}
	got, err := send.Sender{Client: send.NewClient(d.stack), URL: out.URL(d.stack.APIURL), Callback: out, Key: key}.Send(ctx)
	if err == nil && !got.AsExpected {
		err = cli.Negativef("", "a drill callback was answered with %d, want %s", got.Code, want)
	}
	return got, err
}
