package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"payout-callbacks/pkg/app"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/config"
	"payout-callbacks/pkg/payout"
)

// emulatorOfLambda is the runtime interface emulator that AWS ships inside the SAM CLI.
func (w *world) emulatorOfLambda() (string, error) {
	arch := map[string]string{"amd64": "x86_64"}[runtime.GOARCH]
	if arch == "" {
		arch = runtime.GOARCH
	}
	found, err := filepath.Glob(w.file(".local", "venv", "lib", "python*", "site-packages", "samcli", "local", "rapid", "aws-lambda-rie-"+arch))
	if err == nil && len(found) == 0 {
		err = errors.New("no runtime interface emulator in .local/venv; make tools installs it")
	}
	if err != nil {
		return "", err
	}
	return found[0], nil
}

// cold compares the time from the start of a function's process to its first
// answer with that of hello world, and with a function that does as much.
func cold(ctx context.Context, w *world) ([]row, error) {
	emulator, err := w.emulatorOfLambda()
	if err != nil {
		return nil, err
	}
	env, err := w.environment(ctx)
	if err != nil {
		return nil, err
	}
	binaries := map[string]string{}
	for _, program := range []string{helloProgram, bareProgram, "./functions/cregis"} {
		if binaries[program], err = w.compileForHere(ctx, program); err != nil {
			return nil, err
		}
	}
	start := func(program string, fresh func() ([]byte, error)) side {
		return func() (times, error) {
			event, err := fresh()
			if err != nil {
				return nil, err
			}
			took, err := firstAnswer(ctx, emulator, binaries[program], env, event)
			return times{took}, err
		}
	}
	genuine := func() ([]byte, error) {
		events, err := w.events(1)
		return events[0], err
	}
	malformed := func() ([]byte, error) { return eventOf(callback.NewRequest(payout.TypePayout, nil, []byte("{"))) }
	var rows []row
	for _, one := range []struct {
		what, against, floor string
		event                func() ([]byte, error)
		bound                float64
		note                 string
	}{
		{"cold start, first refusal", "hello world", helloProgram, malformed, 1.3, "the keys are read as it starts, from Secrets Manager, which hello world does not do"},
		{"cold start, first acceptance", "hello world", helloProgram, genuine, 0, "three requests to AWS, which hello world does not make"},
		{"cold start, first acceptance", "the same requests, by the SDK", bareProgram, genuine, 1.3, ""},
	} {
		ours, floor, err := turns(w.few(41, 1), start("./functions/cregis", one.event), start(one.floor, one.event))
		if err != nil {
			return nil, err
		}
		ratio, a, b := ratioAt(0.5, ours, floor)
		made := newRow(one.what, one.against, ratio, one.bound).of(a.Round(10*time.Microsecond), b.Round(10*time.Microsecond))
		if one.note != "" {
			made = made.noting("%s", one.note)
		}
		rows = append(rows, made)
	}
	return rows, nil
}

// environment is what a function is told, with keys in the emulator's Secrets Manager.
func (w *world) environment(ctx context.Context) ([]string, error) {
	prefix := "bench-" + rand.Text()[:10] + "/keys/"
	keys, err := json.Marshal(accountKeys["cregis"])
	if err != nil {
		return nil, err
	}
	sdk := app.NewAWSConfig(config.AWS{Region: "us-east-1", Endpoint: w.endpoint, AccessKeyID: "test", SecretKey: "test"})
	_, err = secretsmanager.NewFromConfig(sdk).CreateSecret(ctx, &secretsmanager.CreateSecretInput{
		Name: aws.String(prefix + "cregis"), SecretString: aws.String(string(keys)),
	})
	return []string{
		"RECEIPTS_TABLE=" + w.settings.ReceiptsTable, "PAYOUTS_TABLE=" + w.settings.PayoutsTable,
		"EVENTS_QUEUE_URL=" + w.settings.EventsQueueURL, "DEAD_LETTER_QUEUE_URL=" + w.settings.DeadLetterQueueURL,
		"KEYS_SECRET_PREFIX=" + prefix, "METRICS_NAMESPACE=bench", "SWEEP_LIMIT=1000",
		"PAYOUT_BUS_NAME=bench",
		"AWS_REGION=us-east-1", "AWS_ENDPOINT_URL=" + w.endpoint, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"AWS_NEW_RETRIES_2026=true", "AWS_LAMBDA_FUNCTION_NAME=bench", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256",
	}, err
}

// firstAnswer starts the emulator, which starts the function with the first
// invocation, and returns how long that takes.
func firstAnswer(ctx context.Context, emulator, binary string, env []string, event []byte) (time.Duration, error) {
	front, back, err := twoAddresses(ctx)
	if err != nil {
		return 0, err
	}
	process := exec.CommandContext(ctx, emulator, "--runtime-interface-emulator-address", front, "--runtime-api-address", back, binary)
	process.Env = append(os.Environ(), env...)
	if err := process.Start(); err != nil {
		return 0, err
	}
	defer func() {
		_ = process.Process.Signal(os.Interrupt)
		_ = process.Wait()
	}()
	if err := listening(ctx, front); err != nil {
		return 0, err
	}
	begun := time.Now()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+front+"/2015-03-31/functions/function/invocations", bytes.NewReader(event))
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = answer.Body.Close() }()
	said, err := io.ReadAll(answer.Body)
	took := time.Since(begun)
	if err == nil && (answer.StatusCode != http.StatusOK || bytes.Contains(said, []byte(`"errorType"`)) || bytes.Contains(said, []byte(`"statusCode":5`))) {
		err = fmt.Errorf("%s answered %d %s", filepath.Base(binary), answer.StatusCode, said)
	}
	return took, err
}

func twoAddresses(ctx context.Context) (front, back string, err error) {
	var addresses [2]string
	for i := range addresses {
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return "", "", err
		}
		defer func() { _ = listener.Close() }()
		addresses[i] = listener.Addr().String()
	}
	return addresses[0], addresses[1], nil
}

// listening waits until somebody does.
func listening(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for {
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err == nil {
			return connection.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("nobody listens at %s: %w", address, err)
		case <-ticker.C:
		}
	}
}
