package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/payout"
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
	providers map[string]functions.SigningProvider
}

func newStage(s stack) stage {
	st := stage{stack: s, http: directHTTP(), providers: map[string]functions.SigningProvider{}}
	for _, provider := range functions.Providers() {
		st.providers[provider.Name()] = provider
	}
	st.reader = &dynamostore.Reader{
		Client: dynamodb.New(dynamodb.Options{
			BaseEndpoint: aws.String(s.EndpointURL),
			Region:       s.Region,
			Credentials:  emulatorCredentials(),
			HTTPClient:   st.http,
		}),
		Receipts: s.ReceiptsTable,
		Payouts:  s.PayoutsTable,
	}
	return st
}

// play sends the callback of a scene and returns the response and the result.
func (s stage) play(ctx context.Context, scene scene) (response, result string, err error) {
	authentic, header, err := s.sign(scene, s.stack.DemoKeys[scene.provider][scene.account])
	if err != nil {
		return "", "", err
	}
	sent, sentHeader := authentic, header
	if scene.forged {
		if sent, sentHeader, err = s.sign(scene, "not the key of this account"); err != nil {
			return "", "", err
		}
	}
	code, text, err := s.deliver(ctx, scene.provider, scene.kind, sentHeader, sent)
	if err != nil {
		return "", "", err
	}
	response = strconv.Itoa(code)
	if scene.provider == "cregis" && code == http.StatusOK {
		response += " " + text // Cregis reads only the body
	}
	result, err = s.awaitResult(ctx, scene, s.receiptKey(scene, authentic, header))
	return response, result, err
}

func (s stage) sign(scene scene, key callback.Key) ([]byte, http.Header, error) {
	return s.providers[scene.provider].Sign(scene.body, key)
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
	kind := "payout"
	if id.Type() == payout.TypeBatch {
		kind = "batch"
	}
	events := "1 event"
	if stored.Version != 1 {
		events = fmt.Sprintf("%d events", stored.Version)
	}
	return fmt.Sprintf("%s %s, %s", kind, stored.Status(), events), nil
}
