package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"payout-callbacks/pkg/aws/secrets"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/lambda/functions"
)

// functionTimeout is that of the functions behind the gateway, in template.yaml.
const functionTimeout = 10 * time.Second

// newGateway does what an HTTP API and Lambda do: it makes an event of each
// request, and hands it to an instance of the function that the route names. An
// instance has clients of its own and one request at a time; there are as many
// as requests are under way.
func newGateway(newStack func() functions.Stack) (http.Handler, error) {
	mux := http.NewServeMux()
	for _, provider := range functions.Providers() {
		value, err := secretValue(accountKeys[provider.Name()])
		if err != nil {
			return nil, err
		}
		pool := &instances{start: func() function {
			return newStack().HandleCallbacks(provider, secrets.NewKeys(fixedSecret(value), provider.Name(), time.Now))
		}}
		for _, kind := range provider.Types() {
			route := "POST /callbacks/" + provider.Name() + "/" + string(kind)
			mux.HandleFunc(route, func(w http.ResponseWriter, r *http.Request) {
				handle := pool.take()
				defer pool.release(handle)
				serve(w, r, route, handle)
			})
		}
	}
	return mux, nil
}

// instances are those of one function that wait for a request.
type instances struct {
	start func() function

	mu   sync.Mutex
	free []function
}

func (i *instances) take() function {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.free) == 0 {
		return i.start()
	}
	last := len(i.free) - 1
	handle := i.free[last]
	i.free = i.free[:last]
	return handle
}

func (i *instances) release(handle function) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.free = append(i.free, handle)
}

type function = func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error)

func serve(w http.ResponseWriter, r *http.Request, route string, handle function) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "", http.StatusBadRequest)
		return
	}
	event := events.APIGatewayV2HTTPRequest{RouteKey: route, Headers: map[string]string{}, Body: string(body)}
	for name, values := range r.Header {
		event.Headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	if r.Header.Get("Content-Type") != "application/json" {
		event.Body, event.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	// Not the request's own context: a caller that hangs up does not stop a function.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), functionTimeout)
	defer cancel()
	response, err := handle(ctx, event)
	if err != nil {
		response = events.APIGatewayV2HTTPResponse{StatusCode: http.StatusInternalServerError}
	}
	for name, value := range response.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(response.StatusCode)
	_, _ = io.WriteString(w, response.Body)
}

// fixedSecret is a Secrets Manager whose secret never changes, and which never
// fails: the storm is over the tables and the queues.
type fixedSecret string

// GetSecretValue implements secret.Client.
func (s fixedSecret) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options),
) (*secretsmanager.GetSecretValueOutput, error) {
	return &secretsmanager.GetSecretValueOutput{SecretString: aws.String(string(s)), VersionId: aws.String("1")}, nil
}

// secretValue words keys as they are stored.
func secretValue(keys callback.Keys) (string, error) {
	stored := map[string]map[string]string{}
	for account, pair := range keys {
		stored[account] = map[string]string{"current": string(pair.Current)}
	}
	text, err := json.Marshal(stored)
	return string(text), err
}
