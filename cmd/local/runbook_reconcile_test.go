package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"payout-callbacks/pkg/payout"
)

func (b *faulty) orders() orderService {
	return orderService{stage: b.stage, workspace: b.workspace}
}

// overduePayout leaves an overdue payout.
func (b *faulty) overduePayout(t *testing.T) {
	o := b.orders()
	id := o.mustExpect(t, "RUNBOOK-1", "2001", "-1m")
	o.awaitRecord(t, id, true, payout.Record.IsOverdue)
	b.values["PAYOUT"] = string(id)
	b.repaired = func(t *testing.T) { b.want(t, string(id), payout.Failed) }
}

// wrongCredentials stores API credentials that the simulated Cregis refuses. The payout that waits is ordered there, and its
// callback is lost.
func (b *faulty) wrongCredentials(t *testing.T) {
	simulated := newOrderService(t)
	cregis := simulated.stack().Providers["cregis"]
	entry := func(key string) string { return fmt.Sprintf(`{"baseUrl":%q,"key":%q}`, cregis.BaseURL, key) }
	value := fmt.Sprintf(`{%q:%s}`, demoProject, entry("mistyped-key"))
	if _, err := secretsmanager.NewFromConfig(emulatorConfig(b.stack.EndpointURL)).PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{
		SecretId: aws.String(b.stack.Outputs["CregisApiSecret"]), SecretString: &value,
	}); err != nil {
		t.Fatal(err)
	}
	reference := "RUNBOOK-" + b.deployed.run
	simulated.control(t, "cregis", "plan", fmt.Sprintf(`{"reference":%q,"plan":{"lost":true}}`, reference))
	id := b.orders().mustExpect(t, reference, simulated.order(t, reference), "1h")
	b.values["PAYOUT"], b.values["ACCOUNT"] = string(id), demoProject
	b.values["CREDENTIALS"] = filepath.Join(t.TempDir(), "cregis.json")
	if err := os.WriteFile(b.values["CREDENTIALS"], []byte(entry(string(cregis.Key))), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := b.run(t.Context(), t, `payoutctl reconcile "$PAYOUT"`); err == nil {
		t.Fatalf("the provider answers to a wrong key: %s", out)
	}
	b.repaired = func(t *testing.T) { b.want(t, string(id), payout.Succeeded) }
}

// stoppedReconciler leaves a payout past its deadline that nobody asks about.
func (b *faulty) stoppedReconciler(t *testing.T) {
	b.mustRun(t, `payoutctl pause reconciler --reason "a test" --yes`)
	o := b.orders()
	id := o.mustExpect(t, "RUNBOOK-3", "2003", "-1m")
	b.repaired = func(t *testing.T) { o.awaitRecord(t, id, false, payout.Record.IsOverdue) }
}
