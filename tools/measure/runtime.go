package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"payout-callbacks/pkg/lambda/config"
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/ops/localstack"
	"payout-callbacks/pkg/testkit/traffic"
)

// target is the local stack that the measured functions write to.
type target struct {
	environment []string
	count       int // of callbacks
}

// newTarget reads the description of the local stack, which ends with `make bench`,
// and stores a key for the measured functions.
func newTarget(ctx context.Context) (*target, error) {
	stack, err := localstack.Read(os.Getenv("PAYOUT_CALLBACKS_STACK"))
	if err != nil {
		return nil, fmt.Errorf("read local stack, which make bench starts: %w", err)
	}
	keys, err := json.Marshal(traffic.StreamKeys("cregis"))
	if err != nil {
		return nil, err
	}
	settings := config.AWS{Region: stack.Region, Endpoint: stack.EndpointURL, AccessKeyID: "test", SecretKey: "test"}
	_, err = secretsmanager.NewFromConfig(functions.NewAWSConfig(settings)).CreateSecret(ctx, &secretsmanager.CreateSecretInput{
		Name: aws.String("measure/keys/cregis"), SecretString: aws.String(string(keys)),
	})
	return &target{environment: append(os.Environ(),
		"RECEIPTS_TABLE="+stack.ReceiptsTable, "PAYOUTS_TABLE="+stack.PayoutsTable, "EVENTS_QUEUE_URL="+stack.EventsQueueURL,
		"KEYS_SECRET_PREFIX=measure/keys/", "METRICS_NAMESPACE=measure", "REFERENCE_PATTERN="+stack.Outputs["ReferencePattern"],
		"AWS_REGION="+stack.Region, "AWS_ENDPOINT_URL="+stack.EndpointURL, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"AWS_NEW_RETRIES_2026=true", "AWS_LAMBDA_FUNCTION_NAME=measure", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256",
	)}, err
}

// start runs a function for a number of callbacks. It returns the time from the
// start of the process to the first response, and the resident MB at the end.
func (t *target) start(ctx context.Context, binary string, count int) (first time.Duration, resident float64, err error) {
	events, answers := make(chan []byte), make(chan []byte, 1)
	api := httptest.NewServer(runtimeAPI(events, answers))
	defer api.Close()
	ctx, cancel := context.WithCancel(ctx) // stops the process
	process := exec.CommandContext(ctx, binary)
	process.Env = slices.Concat(t.environment, []string{"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(api.URL, "http://")})
	process.Stderr = os.Stderr
	begun := time.Now()
	if err := process.Start(); err != nil {
		cancel()
		return 0, 0, err
	}
	ended := make(chan struct{})
	go func() { _ = process.Wait(); close(ended) }()
	defer func() { cancel(); <-ended }()
	for n := range count {
		t.count++
		event, err := traffic.CregisEvent(t.count)
		if err != nil {
			return 0, 0, err
		}
		var answer []byte
		select {
		case events <- event:
			select {
			case answer = <-answers:
			case <-ended:
			}
		case <-ended:
		}
		if answer == nil || bytes.Contains(answer, []byte(`"statusCode":5`)) {
			return 0, 0, fmt.Errorf("%s: response %q", binary, answer)
		}
		if n == 0 {
			first = time.Since(begun)
		}
	}
	resident, err = residentMegabytes(process.Process.Pid)
	return first, resident, err
}

func residentMegabytes(pid int) (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	var size, resident int
	_, err = fmt.Sscan(string(status), &size, &resident)
	return float64(resident*os.Getpagesize()) / 1e6, err
}

// runtimeAPI is the part of Lambda's runtime API that invokes a function.
func runtimeAPI(events <-chan []byte, answers chan<- []byte) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case event := <-events:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(10*time.Second).UnixMilli(), 10))
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:measure")
			_, _ = w.Write(event)
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/{result}", func(w http.ResponseWriter, r *http.Request) {
		answer, _ := io.ReadAll(r.Body)
		if r.PathValue("result") == "error" {
			answer = append([]byte(`"statusCode":500 `), answer...)
		}
		w.WriteHeader(http.StatusAccepted)
		answers <- answer
	})
	return mux
}
