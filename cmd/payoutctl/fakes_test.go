package main_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/rogpeppe/go-internal/testscript"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/providers"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/reconcile"
	"payout-callbacks/pkg/testkit/memory"
)

// The demo accounts of a script's stack.
const (
	demoProject  = "1382528827416576"
	demoMerchant = "922e39ab-7565-49f6-b84f-fb56122821ae"
	cregisKey    = "f502a9ac9ca54327986f29c03b271491"
	pivotKey     = "pivot-demo-key-current"
)

// fakes replaces a local stack: the real handlers on a store in memory, and an AWS
// whose answers the script contains.
type fakes struct{ api, aws string }

func newFakes(env *testscript.Env) fakes {
	api := httptest.NewServer(application())
	aws := httptest.NewServer(scripted(filepath.Join(env.WorkDir, "aws")))
	env.Defer(api.Close)
	env.Defer(aws.Close)
	return fakes{api: api.URL, aws: aws.URL}
}

// demoKeys returns the key of the demo account of each provider.
func demoKeys() map[string]map[string]callback.Key {
	keys := map[string]map[string]callback.Key{}
	for _, d := range providers.All() {
		keys[d.Name()] = map[string]callback.Key{d.DemoAccount: d.Demo[d.DemoAccount].Current}
	}
	return keys
}

// writeStack writes the description of the stack, as an older version without these fields
// writes it.
func (f fakes) writeStack(dir string, without ...string) error {
	keySecrets := map[string]string{}
	for _, d := range providers.All() {
		keySecrets[d.Name()] = "demo/keys/" + d.Name()
	}
	fields := map[string]any{
		"stackName": "demo", "apiUrl": f.api, "endpointUrl": f.aws, "region": "us-east-1",
		"receiptsTable": "receipts", "payoutsTable": "payouts",
		"outputs":        map[string]string{"PayoutBusName": "demo-payouts", "ReconcilerFunctionName": "demo-reconciler"},
		"eventsQueueUrl": f.aws + "/1/events", "deadLetterQueueUrl": f.aws + "/1/dead-letters",
		"keySecrets": keySecrets, "demoKeys": demoKeys(),
	}
	for _, name := range without {
		delete(fields, name)
	}
	description, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, ".local"), 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, ".local", "stack.json"), description, 0o600)
}

// application is the deployed ingress, on a store in memory.
func application() http.Handler {
	mux := http.NewServeMux()
	for _, provider := range providers.All() {
		handler := &callback.Handler{
			Provider: provider, Keys: fixedKeys(provider.Demo), Now: time.Now,
			Inbox: &inbox.Inbox{Store: new(memory.Store), Queue: &memory.Queue{Now: time.Now}, Now: time.Now},
		}
		for _, kind := range provider.Types() {
			mux.HandleFunc(fmt.Sprintf("POST /callbacks/%s/%s", provider.Name(), kind), serve(handler, kind))
		}
	}
	mux.Handle("POST /expected-payouts", expectedPayouts())
	return mux
}

// expectedPayouts is the route that accepts expectations for Cregis, on a store in
// memory. It refuses a request that is not signed for it with the credentials test.
func expectedPayouts() http.HandlerFunc {
	store := new(memory.Store)
	expecter := &reconcile.Expecter{
		Inbox: &inbox.Inbox{Store: store, Queue: &memory.Queue{Now: time.Now}, Now: time.Now}, Store: store,
		Providers: []reconcile.Expectations{cregis.Provider{}}, Now: time.Now,
	}
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || !isSigned(r, body) {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if bytes.Contains(body, []byte("order-503")) {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		result, err := expecter.Expect(r.Context(), body, "test")
		refused, isRefused := errors.AsType[*reconcile.FieldError](err)
		switch {
		case isRefused:
			w.WriteHeader(http.StatusBadRequest)
			_ = json.NewEncoder(w).Encode(map[string]string{"error": refused.Problem, "field": refused.Field})
			return
		case err != nil:
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		case result.Result == reconcile.ExpectConflict:
			w.WriteHeader(http.StatusConflict)
		}
		_ = json.NewEncoder(w).Encode(result)
	}
}

// isSigned reports whether the request has the signature of the credentials test for
// API Gateway.
func isSigned(r *http.Request, body []byte) bool {
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		return false
	}
	again := r.Clone(r.Context())
	again.URL.Scheme, again.URL.Host = "http", r.Host
	for _, name := range []string{"Authorization", "Accept-Encoding", "User-Agent"} {
		again.Header.Del(name)
	}
	sum := sha256.Sum256(body)
	test := aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}
	err = v4.NewSigner().SignHTTP(r.Context(), test, again, hex.EncodeToString(sum[:]), "execute-api", "us-east-1", at)
	return err == nil && again.Header.Get("Authorization") == r.Header.Get("Authorization")
}

// fixedKeys is a key source that never changes.
type fixedKeys callback.Keys

// Keys implements callback.KeySource.
func (k fixedKeys) Keys(context.Context) (callback.Keys, error) { return callback.Keys(k), nil }

// Refresh implements callback.KeySource.
func (k fixedKeys) Refresh(context.Context) (callback.Keys, bool, error) {
	return callback.Keys(k), false, nil
}

func serve(handler *callback.Handler, kind payout.Type) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		reply := handler.Handle(r.Context(), callback.NewRequest(kind, r.Header, body)).Reply
		w.Header().Set("Content-Type", reply.ContentType)
		w.WriteHeader(reply.Code)
		_, _ = io.WriteString(w, reply.Body)
	}
}

// scripted answers an operation with the file of its name in dir: GetItem.json,
// DescribeStacks.xml, or the error code in GetItem.error. It stores the request in
// GetItem.sent.
func scripted(dir string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, _ := io.ReadAll(r.Body)
		_, operation, isJSON := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		if rest := restOperation(r.Method, r.URL.Path); rest != "" {
			operation, isJSON = rest, true
		} else if !isJSON {
			operation = regexp.MustCompile(`Action=(\w+)`).FindStringSubmatch(string(sent) + "Action=none")[1]
		}
		base := filepath.Join(dir, operation)
		_ = os.WriteFile(base+".sent", sent, 0o600)
		if code, err := os.ReadFile(base + ".error"); err == nil {
			w.Header().Set("X-Amzn-Errortype", strings.TrimSpace(string(code)))
			w.WriteHeader(http.StatusBadRequest)
			writeError(w, strings.TrimSpace(string(code)), isJSON)
			return
		}
		for _, extension := range []string{".json", ".xml"} {
			if answer, err := os.ReadFile(base + extension); err == nil {
				_, _ = w.Write(answer)
				return
			}
		}
		w.WriteHeader(http.StatusBadRequest)
		writeError(w, "NotInTheScript", isJSON)
	})
}

// restOperation returns the operation of a request to a REST service.
func restOperation(method, path string) string {
	for pattern, operation := range map[string]string{
		"GET .*/event-source-mappings/":    "GetEventSourceMapping",
		"PUT .*/event-source-mappings/":    "UpdateEventSourceMapping",
		"POST .*/tags/":                    "TagResource",
		"GET .*/tags/":                     "ListTags",
		"GET /schedules/":                  "GetSchedule",
		"PUT /schedules/":                  "UpdateSchedule",
		"POST .*/functions/.*/invocations": "Invoke",
	} {
		if regexp.MustCompile("^" + pattern).MatchString(method + " " + path) {
			return operation
		}
	}
	return ""
}

func writeError(w io.Writer, code string, isJSON bool) {
	if isJSON {
		fmt.Fprintf(w, `{"__type":"com.amazonaws#%s","message":"as the script says"}`, code)
		return
	}
	fmt.Fprintf(w, `<ErrorResponse><Error><Code>%s</Code><Message>as the script says</Message></Error></ErrorResponse>`, code)
}

func matches(pattern, text string) bool {
	return regexp.MustCompile(`(?m)` + pattern).MatchString(text)
}
