package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/providers"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider"
	"payout-callbacks/pkg/testkit/providertest"
)

// timeout bounds how long a callback may take to be acknowledged, and then to be applied. It is for busy machines.
const timeout = 3 * time.Minute

// demonstrate sends each scene to the deployed application and prints the response and the result. It fails unless all
// of them are as expected.
func demonstrate(ctx context.Context, show progress, root string, s stack) error {
	scenes, err := scenes(root)
	if err != nil {
		return err
	}
	stage := newStage(s)
	show.printf("\n%-62s %-14s %s", "CALLBACK", "RESPONSE", "RESULT")
	failures := 0
	for _, scene := range scenes {
		response, result, err := stage.play(ctx, scene)
		if err != nil {
			return fmt.Errorf("%s: %w", scene.title, err)
		}
		show.printf("%-62s %-14s %s", scene.title, response, result)
		if response != scene.response || result != scene.result {
			failures++
			show.printf("  expected: %s, %s", scene.response, scene.result)
		}
	}
	if failures > 0 {
		return fmt.Errorf("%d of %d callbacks have an unexpected response or result", failures, len(scenes))
	}
	show.printf("%d callbacks: all responses and results are as expected.", len(scenes))
	return nil
}

// stage plays scenes on a running stack and reads its tables.
type stage struct {
	stack     stack
	http      *http.Client
	reader    *dynamostore.Reader
	providers map[string]provider.Description
}

func newStage(s stack) stage {
	st := stage{stack: s, http: directHTTP(), providers: map[string]provider.Description{}}
	for _, provider := range providers.All() {
		st.providers[provider.Name()] = provider
	}
	client := dynamodb.NewFromConfig(emulatorConfig(s.EndpointURL))
	st.reader = &dynamostore.Reader{Client: client, Receipts: s.ReceiptsTable, Payouts: s.PayoutsTable}
	return st
}

// play sends the callback of a scene and returns the response and the result.
func (s stage) play(ctx context.Context, scene scene) (response, result string, err error) {
	authentic, header, err := s.sign(scene, s.stack.DemoKeys[scene.provider][scene.account])
	if err != nil {
		return "", "", err
	}
	key := s.receiptKey(scene, authentic, header)
	sent := authentic
	if scene.forged {
		if sent, header, err = s.sign(scene, "not the key of this account"); err != nil {
			return "", "", err
		}
	}
	code, text, err := s.deliver(ctx, scene.provider, scene.kind, header, sent)
	if err != nil {
		return "", "", err
	}
	response = strconv.Itoa(code)
	if scene.provider == "cregis" && code == http.StatusOK {
		response += " " + text // Cregis reads only the body
	}
	result, err = s.awaitResult(ctx, scene, key)
	return response, result, err
}

func (s stage) sign(scene scene, key callback.Key) ([]byte, http.Header, error) {
	return s.providers[scene.provider].Sign(scene.body, key, time.Now())
}

// deliver posts a callback, and again after a server error: on a busy machine the requests of a function time out.
func (s stage) deliver(ctx context.Context, provider string, kind payout.Type, header http.Header, body []byte) (int, string, error) {
	retrying, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		code, text, err := s.post(ctx, provider, kind, header, body)
		if err != nil || code < http.StatusInternalServerError {
			return code, text, err
		}
		select {
		case <-retrying.Done():
			return code, text, nil
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// post sends a callback to the route of its type, and returns the status code and body of the response.
func (s stage) post(ctx context.Context, provider string, kind payout.Type, header http.Header, body []byte) (int, string, error) {
	url := fmt.Sprintf("%s/callbacks/%s/%s", s.stack.APIURL, provider, kind)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	request.Header = header
	response, err := s.http.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// receiptKey returns the key of the receipt that the callback leaves if it is accepted.
func (s stage) receiptKey(scene scene, body []byte, header http.Header) inbox.Key {
	keys := callback.Keys{scene.account: {Current: s.stack.DemoKeys[scene.provider][scene.account]}}
	provider := s.providers[scene.provider]
	request := callback.NewRequest(scene.kind, header, body)
	verified, err := provider.Verify(request, keys)
	if err != nil {
		return inbox.Key{}
	}
	return callback.NewReceipt(provider, verified, time.Time{}).Key
}

// awaitResult waits until the receipt is applied or held, and describes it. It does not wait for a forged callback: its
// response is sent after the last write.
func (s stage) awaitResult(ctx context.Context, scene scene, key inbox.Key) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		receipt, ok, err := s.reader.Receipt(ctx, key)
		switch {
		case err != nil:
			return "", err
		case !ok && scene.forged:
			return "not stored", nil
		case receipt.State == inbox.Held:
			return "held: " + receipt.Reason, nil
		case receipt.State == inbox.Applied:
			return s.describe(ctx, payout.ID(key.Payout))
		}
		select {
		case <-ctx.Done():
			return "accepted, not applied in time", nil
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// describe returns the status of a payout and how many events it has.
func (s stage) describe(ctx context.Context, id payout.ID) (string, error) {
	stored, _, err := s.reader.Record(ctx, id)
	if err != nil {
		return "", err
	}
	events := fmt.Sprintf("%d events", stored.Version)
	if stored.Version == 1 {
		events = "1 event"
	}
	kind := map[bool]string{true: "batch", false: "payout"}[id.Type() == payout.TypeBatch]
	return fmt.Sprintf("%s %s, %s", kind, stored.Status(), events), nil
}

// scene is one callback of the demonstration with its expected response and result.
type scene struct {
	title    string
	provider string
	kind     payout.Type
	account  string
	body     []byte // before it is signed
	forged   bool   // signed with a wrong key
	response string
	result   string
}

// example returns a documented example with texts replaced: old, new, old, new and so on.
type example func(replace ...string) []byte

// scenes returns the scenes in the order of the demonstration: later ones use the payouts of earlier ones.
func scenes(root string) ([]scene, error) {
	examples := map[string]example{}
	for _, name := range []string{"cregis/payout-example", "cregis/sub-address-example", "pivot/bulk-done", "pivot/single-success"} {
		e, err := loadExample(root, name)
		if err != nil {
			return nil, err
		}
		examples[filepath.Base(name)] = e
	}
	return append(
		cregisScenes(examples["payout-example"], examples["sub-address-example"]),
		pivotScenes(examples["bulk-done"], examples["single-success"])...,
	), nil
}

func cregisScenes(paid, subAddress example) []scene {
	const succeeded, failed = `"status": 6`, `"status": 7`
	repeated := []string{`"status": 0`, succeeded, `"ubqso3"`, `"k7w2pq"`, "1687850657960", "1687854257960"}
	contradicted := []string{"1391751691788288", "1391751691788289", `"status": 0`}
	scenes := []scene{
		{title: "Cregis payout, the documented example (status 0)", body: paid(), result: "held: unknown-status"},
		{title: "  with status 6", body: paid(`"status": 0`, succeeded), result: "payout succeeded, 1 event"},
		{title: "  with the memo field of the other published form", body: paid(`"status": 0`, succeeded, `"remark"`, `"memo": "", "remark"`), result: "payout succeeded, 1 event"},
		{title: "  sent again with a new nonce, timestamp and signature", body: paid(repeated...), result: "payout succeeded, 1 event"},
		{title: "  forged: another amount, signed with a wrong key", body: paid(`"status": 0`, succeeded, `"1.1"`, `"9000"`), forged: true, response: "401", result: "not stored"},
		{title: "Cregis payout, a second one, status 6", body: paid(append(contradicted, succeeded)...), result: "payout succeeded, 1 event"},
		{title: "  then status 7: a conflict", body: paid(append(contradicted, failed)...), result: "payout conflicted, 2 events"},
		{title: "Cregis payout from a sub-address, the documented example", kind: payout.TypeSubAddressPayout, body: subAddress(), result: "payout succeeded, 1 event"},
	}
	return fill(scenes, "cregis", demoProject, "200 success")
}

func pivotScenes(bulk, single example) []scene {
	const request, second = "d6a46a2c-1b26-40c5-9ca3-e063e69635a0", "0b7c9a54-6c1d-4a0e-9a52-3f1f6f0d7a11"
	pending := []string{
		request, second, "PAYOUT.DONE", "PAYOUT.PENDING", `"status": "DONE"`, `"status": "PENDING"`,
		`"totalPendingCount": 0`, `"totalPendingCount": 1`, `"totalPendingAmount": 0`, `"totalPendingAmount": 100000`,
		`"totalSuccessCount": 1`, `"totalSuccessCount": 0`, `"totalSuccessAmount": 100000`, `"totalSuccessAmount": 0`,
	}
	scenes := []scene{
		{title: "Pivot bulk payout, the documented example", body: bulk(), result: "batch done, 1 event"},
		{title: "Pivot bulk payout, a second one, pending", body: bulk(pending...), result: "batch pending, 1 event"},
		{title: "  then done", body: bulk(request, second), result: "batch done, 2 events"},
		{title: "Pivot single payout, the documented example", body: single(), result: "payout succeeded, 1 event"},
		{title: "  forged: another amount, with a wrong key", body: single(`"100000"`, `"900000000"`), forged: true, response: "401", result: "not stored"},
		{title: "Pivot, an event of an unsupported family", body: []byte(`{"event": "PAYMENT.PAID", "data": {"id": "1"}}`), result: "held: unknown-event"},
	}
	return fill(scenes, "pivot", demoMerchant, "200")
}

// fill sets what most scenes of a provider share.
func fill(scenes []scene, provider, account, response string) []scene {
	for n := range scenes {
		s := &scenes[n]
		s.provider, s.account = provider, account
		s.kind, s.response = cmp.Or(s.kind, payout.TypePayout), cmp.Or(s.response, response)
	}
	return scenes
}

func loadExample(root, name string) (example, error) {
	provider, file := filepath.Split(name)
	vectors, err := providertest.Load(os.DirFS(filepath.Join(root, "pkg", "provider", provider, "testdata")))
	if err != nil {
		return nil, fmt.Errorf("read the documented examples: %w", err)
	}
	for _, vector := range vectors {
		if vector.Name == file {
			return func(replace ...string) []byte {
				return []byte(strings.NewReplacer(replace...).Replace(string(vector.Body)))
			}, nil
		}
	}
	return nil, fmt.Errorf("read documented example %s: no such vector", name)
}
