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

// inputs are the alarms that input sets off, with what that is. Each returns
// what it sent, or nothing where it had nothing to send it with. Those that
// input could set off within days only (a silence, a previous key) are not here.
var inputs = map[string]func(context.Context, *drill) (string, error){
	"held":           func(ctx context.Context, d *drill) (string, error) { return d.unknownStatus(ctx) },
	"conflicted":     func(ctx context.Context, d *drill) (string, error) { return d.twoFinals(ctx) },
	"cregis-refused": func(ctx context.Context, d *drill) (string, error) { return d.forge(ctx, "cregis") },
	"pivot-refused":  func(ctx context.Context, d *drill) (string, error) { return d.forge(ctx, "pivot") },
	"dead-letters":   func(ctx context.Context, d *drill) (string, error) { return d.poison(ctx) },
}

// forgeries are enough for the ratio on a stack that has little else to do.
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

func (d *drill) unknownStatus(ctx context.Context) (string, error) {
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

func (d *drill) twoFinals(ctx context.Context) (string, error) {
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

// poison puts a message into the events queue that nobody can read. It is in
// the dead-letter queue within seconds, and taken out of it at the end.
func (d *drill) poison(ctx context.Context) (string, error) {
	sent, err := sqs.NewFromConfig(d.stack.AWS).SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: &d.stack.EventsQueueURL, MessageBody: aws.String("payoutctl drill"),
	})
	if err != nil {
		return "", err
	}
	d.others = append(d.others, aws.ToString(sent.MessageId))
	return "a message that is not ours", nil
}

// removeForeign takes the drill's own messages out of the dead-letter queue. A
// few seconds may pass until they are there.
func (d *drill) removeOthers(ctx context.Context) error {
	if len(d.others) == 0 {
		return nil
	}
	r, err := d.stack.Redriver()
	if err != nil {
		return err
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	order := redrive.Options{Filter: redrive.Filter{IDs: d.others, Causes: []redrive.Cause{redrive.Unreadable}}, Limit: 10_000}
	removed := 0
	for {
		done, err := r.Remove(ctx, order, func(redrive.Diagnosis) error { return nil }) // it holds nothing but our own words
		if removed += done.Moved; removed >= len(d.others) || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			d.left = append(d.left, "message "+d.others[0]+"; "+d.Program()+" dlq export --delete --message-id "+d.others[0]+" --to FILE --reason drill")
			return nil
		}
	}
}

// signer returns an account of Cregis with its key, or nothing where none is
// stored.
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

func (d *drill) payout(ctx context.Context, account, status string, key callback.Key) (send.Answer, error) {
	return d.payoutOf(ctx, account, strconv.FormatInt(d.Now().UnixMilli(), 10), status, key)
}

// payoutOf sends a callback about the drill's payout, signed.
func (d *drill) payoutOf(ctx context.Context, account, id, status string, key callback.Key) (send.Answer, error) {
	return d.deliver(ctx, send.Example{
		Provider: "cregis", Kind: payout.TypePayout, File: "cregis-payout.json", Generate: func() ([]send.Change, error) { return send.CregisNonce(d.Session) },
		Fields: []send.Assignment{
			{"pid", account}, {"cid", id}, {"status", status}, {"amount", "0.01"},
			{"third_party_id", "drill-" + id}, {"remark", "payoutctl drill"},
		},
	}, account, key, callback.Acknowledged)
}

// forgery sends a callback that has to be refused.
func (d *drill) forgery(ctx context.Context, provider string, key callback.Key) (send.Answer, error) {
	from := send.Example{Provider: "cregis", Kind: payout.TypePayout, File: "cregis-payout.json", Generate: func() ([]send.Change, error) { return send.CregisNonce(d.Session) }}
	if provider == "pivot" {
		from = send.Example{Provider: "pivot", Kind: payout.TypePayout, File: "pivot-single.json"}
	}
	return d.deliver(ctx, from, "", key, callback.Unauthenticated)
}

func (d *drill) deliver(ctx context.Context, from send.Example, account string, key callback.Key, want callback.Verdict) (send.Answer, error) {
	provider, err := cli.FindProvider(from.Provider)
	if err != nil {
		return send.Answer{}, err
	}
	out := send.Callback{Provider: provider, Kind: from.Kind, Account: account, Want: want, Body: from.Body}
	got, err := send.Sender{Client: send.NewClient(d.stack), URL: out.URL(d.stack.APIURL), Callback: out, Key: key}.Send(ctx)
	if err == nil && !got.AsExpected {
		err = cli.Negativef("", "a drill callback was answered %d, not as it should be (%s)", got.Code, want)
	}
	return got, err
}
