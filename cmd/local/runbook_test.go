package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/aws/sqsqueue"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/templatetest"
)

// repairs matches the blocks of the runbook that repair a fault.
var repairs = regexp.MustCompile("(?s)<!-- make test repairs: ([a-z-]+) -->\n```sh\n(.*?)```")

// Each repair of the runbook runs on a stack with that fault. The test deploys its
// own stack, because the audit would report what other tests leave.
func TestRunbook_Repairs(t *testing.T) {
	d := newDeployed(t)
	text, err := os.ReadFile(filepath.Join(d.workspace.root, "docs", "OPERATIONS.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string]string{}
	for _, match := range repairs.FindAllSubmatch(text, -1) {
		blocks[string(match[1])] = string(match[2])
	}
	separate := d.deploySeparate(t)
	faults := map[string]func(*faulty, *testing.T){
		"conflict": (*faulty).conflict, "held": (*faulty).held, "wrong-key": (*faulty).wrongKey,
		"dead-letters": (*faulty).deadLetters, "lost-message": (*faulty).lostMessage,
		"stopped-sweeper": (*faulty).stoppedSweeper, "damaged-payout": (*faulty).damagedPayout,
		"overdue-payout": (*faulty).overduePayout, "wrong-credentials": (*faulty).wrongCredentials, "stopped-reconciler": (*faulty).stoppedReconciler,
	}
	for name := range blocks {
		if faults[name] == nil {
			t.Errorf("no fault for the repair %q", name)
		}
	}
	for name, cause := range faults {
		t.Run(name, func(t *testing.T) {
			if blocks[name] == "" {
				t.Fatal("the runbook has no such repair")
			}
			b := &faulty{deployed: separate, cli: d.buildPayoutctl(t), values: map[string]string{"STACK": ""}}
			cause(b, t)
			b.repair(t, blocks[name])
		})
	}
}

// deploySeparate deploys the template as a second stack.
func (d *deployed) deploySeparate(t *testing.T) *deployed {
	t.Helper()
	name := "runbook-" + d.run
	built := d.running()
	log := filepath.Join(t.TempDir(), "deploy.log")
	if err := runLogged(t.Context(), deployCommand(built, name), log); err != nil {
		t.Fatal(err)
	}
	outputs, err := readOutputs(t.Context(), built, name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := newStack(built, outputs)
	if err != nil {
		t.Fatal(err)
	}
	s.Name = name
	if err := prepare(t.Context(), built, s); err != nil {
		t.Fatal(err)
	}
	st := newStage(s)
	return &deployed{stage: st, workspace: d.workspace, dynamodb: st.reader.Client, sqs: d.sqs, run: d.run}
}

func (d *deployed) buildPayoutctl(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", folder, "./cmd/payoutctl")
	build.Dir = templatetest.Root(t)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return folder
}

// faulty is a stack with a fault, and what its operator knows.
type faulty struct {
	*deployed
	cli      string            // folder of payoutctl
	values   map[string]string // variables of the lines
	repaired func(*testing.T)  // checks the result, in addition to the audit
}

// run runs a line of shell, as an operator does.
func (b *faulty) run(ctx context.Context, t *testing.T, line string) ([]byte, error) {
	t.Helper()
	path := filepath.Join(b.cli, "stack.json")
	if err := b.stack.write(path); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(ctx, "sh", "-c", line)
	command.Env = append(os.Environ(), "PATH="+b.cli+":"+os.Getenv("PATH"), "PAYOUT_CALLBACKS_STACK="+path)
	for name, value := range b.values {
		command.Env = append(command.Env, name+"="+value)
	}
	return command.CombinedOutput()
}

// mustRun runs a line that must succeed.
func (b *faulty) mustRun(t *testing.T, line string) []byte {
	t.Helper()
	out, err := b.run(t.Context(), t, line)
	if err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
	return out
}

// repair runs a block. Its last line is an audit without findings.
func (b *faulty) repair(t *testing.T, block string) {
	t.Helper()
	if !strings.HasSuffix(block, "payoutctl $STACK audit\n") {
		t.Error("the repair does not end with an audit")
	}
	for line := range strings.Lines(block) {
		var out []byte
		// The consumer may have to apply a callback first.
		if strings.HasPrefix(line, "#") {
			continue
		}
		b.eventually(t, line, func(ctx context.Context) bool {
			var err error
			out, err = b.run(ctx, t, line)
			if err != nil {
				t.Logf("%s%s", line, out)
			}
			return err == nil
		})
		t.Logf("%s%s", line, out)
	}
	if out := b.mustRun(t, "payoutctl dlq list --json 2>/dev/null"); len(out) > 0 {
		t.Errorf("dead letters are left: %s", out)
	}
	if b.repaired != nil {
		b.repaired(t)
	}
}

// send sends a callback until it is acknowledged.
func (b *faulty) send(t *testing.T, line string) []byte {
	t.Helper()
	var out []byte
	b.eventually(t, line+" is acknowledged", func(ctx context.Context) bool {
		var err error
		out, err = b.run(ctx, t, "payoutctl send cregis payout "+line)
		return err == nil
	})
	return out
}

func (b *faulty) want(t *testing.T, id string, status payout.Status) {
	t.Helper()
	b.eventually(t, id+" is "+string(status), func(ctx context.Context) bool {
		record, _, err := b.reader.Record(ctx, payout.ID(id))
		return err == nil && record.Status() == status
	})
}

func (b *faulty) payoutID(cid string) string {
	return string(payout.NewID("cregis", payout.TypePayout, demoProject, cid, ""))
}

func (b *faulty) conflict(t *testing.T) {
	b.values["PAYOUT"] = b.payoutID("1001")
	b.send(t, "--cid 1001 --status 6")
	b.send(t, "--cid 1001 --status 7")
	b.want(t, b.values["PAYOUT"], payout.Conflicted)
	for receipt, err := range b.reader.ReceiptsOf(t.Context(), payout.ID(b.values["PAYOUT"])) {
		if err != nil {
			t.Fatal(err)
		}
		if receipt.Event.Status == payout.Failed {
			b.values["RECEIPT"] = receipt.Key.Receipt
		}
	}
	b.repaired = func(t *testing.T) { b.want(t, b.values["PAYOUT"], payout.Failed) }
}

func (b *faulty) held(t *testing.T) {
	out := b.send(t, "--json --cid 1002 --status 9")
	var answer struct{ Payout string }
	if err := json.Unmarshal(out, &answer); err != nil || !strings.HasPrefix(answer.Payout, "held/") {
		t.Fatalf("%v\n%s", err, out)
	}
	b.values["HELD"] = answer.Payout
}

func (b *faulty) wrongKey(t *testing.T) {
	folder := t.TempDir()
	right, wrong := filepath.Join(folder, "right"), filepath.Join(folder, "wrong")
	const rightKey = "5e884898da28047151d0e56f8dc62927"
	for path, key := range map[string]string{right: rightKey, wrong: "5e884898da28047151d0e56f8dc62928"} {
		if err := os.WriteFile(path, []byte(key+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b.values["ACCOUNT"], b.values["KEY_FILE"], b.values["WRONG"] = "1382528827416577", right, wrong
	b.values["CID"], b.values["REFUSED"] = "1003", filepath.Join(folder, "refused.json")
	b.mustRun(t, `payoutctl keys add cregis $ACCOUNT --key-file $WRONG --reason "first key"`)
	if out, err := b.run(t.Context(), t, "payoutctl send cregis payout --pid $ACCOUNT --cid $CID --status 6 --key-file $KEY_FILE"); err == nil {
		t.Fatalf("a callback was accepted with a key that is not stored: %s", out)
	}
	vector, err := loadExample(b.workspace.root, "cregis/payout-example")
	if err != nil {
		t.Fatal(err)
	}
	body, _, err := b.providers["cregis"].Sign(vector(demoProject, b.values["ACCOUNT"], `"status": 0`, `"status": 6`), rightKey, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.values["REFUSED"], body, 0o600); err != nil {
		t.Fatal(err)
	}
}

// deadLetters leaves dead letters: two that are unreadable, one of a receipt that
// is applied, and one of a receipt that is not.
func (b *faulty) deadLetters(t *testing.T) {
	b.values["FILE"] = filepath.Join(t.TempDir(), "dropped.jsonl")
	applied := b.storeReceipt(t, "1004", time.Now())
	b.sendMessage(t, b.stack.EventsQueueURL, applied)
	b.want(t, b.payoutID("1004"), payout.Succeeded)
	send := func(text string) string {
		out, err := b.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &b.stack.DeadLetterQueueURL, MessageBody: &text})
		if err != nil {
			t.Fatal(err)
		}
		return *out.MessageId
	}
	send(applied)
	send(b.storeReceipt(t, "1005", time.Now()))
	b.values["UNREADABLE"] = send(`{"order":"of another application"}`)
	b.values["BROKEN"] = send(strings.Replace(applied, `"v":1`, `"v":0`, 1))
}

func (b *faulty) store() *dynamostore.Store {
	return &dynamostore.Store{Client: b.dynamodb, Receipts: b.stack.ReceiptsTable, Payouts: b.stack.PayoutsTable}
}

// storeReceipt stores a receipt without sending its message, and returns the message.
func (b *faulty) storeReceipt(t *testing.T, cid string, at time.Time) string {
	t.Helper()
	receipt := inbox.NewReceipt(payout.Event{ID: payout.ID(b.payoutID(cid)), Status: payout.Succeeded, Amount: "1.1", Currency: "TRX"},
		[]byte(`{"a":"body"}`), "0a1b2c", at)
	text, err := sqsqueue.Encode(receipt)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.store().Create(t.Context(), receipt); err != nil {
		t.Fatal(err)
	}
	return text
}

func (b *faulty) lostMessage(t *testing.T) {
	b.values["PAYOUT"] = b.payoutID("1006")
	b.storeReceipt(t, "1006", time.Now().Add(-20*time.Minute))
	b.repaired = func(t *testing.T) { b.want(t, b.values["PAYOUT"], payout.Succeeded) }
}

func (b *faulty) stoppedSweeper(t *testing.T) {
	b.mustRun(t, `payoutctl pause sweeper --reason "a test" --yes`)
	b.storeReceipt(t, "1007", time.Now().Add(-20*time.Minute))
	if out, err := b.run(t.Context(), t, "payoutctl audit"); err == nil {
		t.Fatalf("the audit does not report an unapplied receipt: %s", out)
	}
}

func (b *faulty) damagedPayout(t *testing.T) {
	b.values["PAYOUT"] = b.payoutID("1008")
	b.send(t, "--cid 1008 --status 6")
	b.want(t, b.values["PAYOUT"], payout.Succeeded)
	claim := &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberS{Value: "failed"}}}
	if _, err := b.dynamodb.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName:                &b.stack.PayoutsTable,
		Key:                      map[string]types.AttributeValue{"payout": &types.AttributeValueMemberS{Value: b.values["PAYOUT"]}},
		UpdateExpression:         aws.String("SET claims.#status = :failed, #status = :shown"),
		ExpressionAttributeNames: map[string]string{"#status": "status"},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":failed": claim, ":shown": &types.AttributeValueMemberS{Value: "failed"},
		},
	}); err != nil {
		t.Fatal(err)
	}
	if out, err := b.run(t.Context(), t, "payoutctl audit"); err == nil {
		t.Fatalf("the audit does not report an edited payout: %s", out)
	}
	b.repaired = func(t *testing.T) { b.want(t, b.values["PAYOUT"], payout.Succeeded) }
}
