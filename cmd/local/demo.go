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

// patience is how long a callback may take to its acknowledgement, and from there to its payout. It ends as soon as it is
// there; the bound is for a machine that is busy with other things.
const timeout = 3 * time.Minute

// demonstrate sends the scenes through the deployed application and says of each what was answered and what became of
// it. It fails unless every one of them went as it should.
func demonstrate(ctx context.Context, show progress, root string, s stack) error {
	scenes, err := scenes(root)
	if err != nil {
		return err
	}
	stage := newStage(s)
	show.printf("\n%-62s %-14s %s", "CALLBACK", "ANSWER", "WHAT BECAME OF IT")
	surprises := 0
	for _, scene := range scenes {
		answer, text, err := stage.play(ctx, scene)
		if err != nil {
			return fmt.Errorf("%s: %w", scene.title, err)
		}
		show.printf("%-62s %-14s %s", scene.title, answer, text)
		if answer != scene.answer || text != scene.becomes {
			surprises++
			show.printf("  expected: %s, %s", scene.answer, scene.becomes)
		}
	}
	if surprises > 0 {
		return fmt.Errorf("%d of %d callbacks did not go as they should", surprises, len(scenes))
	}
	show.printf("%d callbacks, each answered and recorded as it should be.", len(scenes))
	return nil
}

// stage is what the scenes are played on: a running stack, and a look into its tables.
type stage struct {
	stack     stack
	http      *http.Client
	reader    *dynamostore.Reader
	providers map[string]functions.SigningProvider
}

func newStage(s stack) stage {
	of := stage{stack: s, http: directHTTP(), providers: map[string]functions.SigningProvider{}}
	for _, provider := range functions.Providers() {
		of.providers[provider.Name()] = provider
	}
	of.reader = &dynamostore.Reader{
		Client: dynamodb.New(dynamodb.Options{
			BaseEndpoint: aws.String(s.EndpointURL),
			Region:       s.Region,
			Credentials:  emulatorCredentials(),
			HTTPClient:   of.http,
		}),
		Receipts: s.ReceiptsTable,
		Payouts:  s.PayoutsTable,
	}
	return of
}

// play sends a scene's callback, forged or proven, and returns the answer and what became of what it tells.
func (s stage) play(ctx context.Context, scene scene) (answer, item string, err error) {
	genuine, header, err := s.sign(scene, s.stack.DemoKeys[scene.provider][scene.account])
	if err != nil {
		return "", "", err
	}
	sent, sentHeader := genuine, header
	if scene.forged {
		if sent, sentHeader, err = s.sign(scene, "not the key of this account"); err != nil {
			return "", "", err
		}
	}
	code, text, err := s.deliver(ctx, scene.provider, scene.kind, sentHeader, sent)
	if err != nil {
		return "", "", err
	}
	answer = strconv.Itoa(code)
	if scene.provider == "cregis" && code == http.StatusOK {
		answer += " " + text // Cregis reads the body and nothing else
	}
	item, err = s.result(ctx, scene, s.receiptKey(scene, genuine, header))
	return answer, item, err
}

func (s stage) sign(scene scene, key string) ([]byte, http.Header, error) {
	return s.providers[scene.provider].Sign(scene.body, callback.Key(key))
}

// deliver posts a callback as its provider does: again where the answer is a fault of the server's, as on a busy machine,
// where a function's requests run into their deadlines.
func (s stage) deliver(ctx context.Context, provider string, kind payout.Type, header http.Header, body []byte) (int, string, error) {
	patient, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		code, text, err := s.post(ctx, provider, kind, header, body)
		if err != nil || code < http.StatusInternalServerError {
			return code, text, err
		}
		select {
		case <-patient.Done():
			return code, text, nil
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// post sends a callback to the route of its type, and returns the answer's code and body.
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

// receiptKey is the key under which the callback must be found, if it is found at all.
func (s stage) receiptKey(scene scene, body []byte, header http.Header) inbox.Key {
	keys := callback.Keys{scene.account: {Current: callback.Key(s.stack.DemoKeys[scene.provider][scene.account])}}
	provider := s.providers[scene.provider]
	request := callback.NewRequest(scene.kind, header, body)
	verified, err := provider.Verify(request, keys)
	if err != nil {
		return inbox.Key{}
	}
	return callback.NewReceipt(provider, verified, time.Time{}).Key
}

// became waits until the receipt is applied or held, and says what it is then. Of a forged callback there is none, and
// nothing to wait for: it was answered after the last thing that could have written one.
func (s stage) result(ctx context.Context, scene scene, key inbox.Key) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		receipt, ok, err := s.reader.Receipt(ctx, key)
		switch {
		case err != nil:
			return "", err
		case !ok && scene.forged:
			return "nothing is left of it", nil
		case receipt.State == inbox.Held:
			return "held: " + receipt.Reason, nil
		case receipt.State == inbox.Applied:
			return s.describe(ctx, payout.ID(key.Payout))
		}
		select {
		case <-ctx.Done():
			return "accepted, and not applied in time", nil
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// describe says what the payout shows, and of how many facts.
func (s stage) describe(ctx context.Context, id payout.ID) (string, error) {
	stored, _, err := s.reader.Record(ctx, id)
	if err != nil {
		return "", err
	}
	kind := "payout"
	if id.Type() == payout.TypeBatch {
		kind = "batch"
	}
	facts := fmt.Sprintf("%d facts", stored.Version)
	if stored.Version == 1 {
		facts = "1 fact"
	}
	return fmt.Sprintf("%s %s, %s", kind, stored.Status(), facts), nil
}
