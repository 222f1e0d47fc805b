package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"payout-callbacks/pkg/ops/localstack"
	"payout-callbacks/pkg/testkit/providersim"
)

// demoMerchantSecret is the API credential of demoMerchant at the simulated Pivot.
const demoMerchantSecret = "pivot-demo-merchant-secret"

// simulatorSpeed divides the waits between two attempts of a callback: Pivot's twelve hours are twelve minutes.
const simulatorSpeed = 60

// simulators are the simulated providers of a running stack. They send callbacks for what is ordered, and nothing else.
type simulators struct {
	cregis  *providersim.Cregis
	pivot   *providersim.Pivot
	servers []*http.Server
	cancel  context.CancelFunc
}

// startSimulators serves both providers on free ports and adds them to the description of the stack.
func startSimulators(ctx context.Context, s *stack) (simulators, error) {
	urls := map[string]string{}
	for _, kind := range []string{"payout", "sub-address-payout"} {
		urls[kind] = s.APIURL + "/callbacks/cregis/" + kind
	}
	options := providersim.Options{Client: directHTTP(), CallbackURLs: urls}
	key := s.DemoKeys["cregis"][demoProject]
	sims := simulators{cregis: providersim.NewCregis(options, map[string]string{demoProject: string(key)})}
	options.CallbackURLs = map[string]string{"payout": s.APIURL + "/callbacks/pivot/payout"}
	sims.pivot = providersim.NewPivot(options, providersim.Merchant{
		ID: demoMerchant, Secret: demoMerchantSecret, CallbackKey: string(s.DemoKeys["pivot"][demoMerchant]),
	})
	cregisURL, err := sims.serve(sims.cregis)
	if err != nil {
		return sims, err
	}
	pivotURL, err := sims.serve(sims.pivot)
	if err != nil {
		return sims, err
	}
	s.Providers = map[string]localstack.Provider{
		"cregis": {Account: demoProject, BaseURL: cregisURL, Key: key, APISecret: s.Name + "/api/cregis"},
		"pivot":  {Account: demoMerchant, BaseURL: pivotURL, MerchantID: demoMerchant, MerchantSecret: demoMerchantSecret, APISecret: s.Name + "/api/pivot"},
	}
	ctx, sims.cancel = context.WithCancel(ctx)
	go sims.cregis.Run(ctx, simulatorSpeed)
	go sims.pivot.Run(ctx, simulatorSpeed)
	return sims, nil
}

func (s *simulators) serve(handler http.Handler) (url string, err error) {
	server, url, err := serve(handler)
	if err != nil {
		return "", fmt.Errorf("serve simulated provider: %w", err)
	}
	s.servers = append(s.servers, server)
	return url, nil
}

// serve serves a handler on a free port of this machine until the server is closed.
func serve(handler http.Handler) (server *http.Server, url string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	server = &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	return server, "http://" + listener.Addr().String(), nil
}

// orderVariables are the variables with which README.md orders at the simulated Cregis.
func (s stack) orderVariables() []string {
	return []string{
		"CREGIS=" + s.Providers["cregis"].BaseURL,
		"CREGIS_API_KEY=" + string(s.Providers["cregis"].Key),
		"EXPECTED_PAYOUTS=" + s.APIURL + "/expected-payouts",
		"AWS_REGION=" + region,
		"AWS_ACCESS_KEY_ID=" + accessKeyID,
		"AWS_SECRET_ACCESS_KEY=" + secretKey,
	}
}

func (s *simulators) stop() {
	if s.cancel != nil {
		s.cancel()
	}
	for _, server := range s.servers {
		_ = server.Close()
	}
}

// storeCredentials stores the API credentials of the simulated providers.
func storeCredentials(ctx context.Context, w workspace, s stack) error {
	client := secretsmanager.NewFromConfig(emulatorConfig(w.endpoint()))
	for name, provider := range s.Providers {
		entry := map[string]string{"baseUrl": provider.BaseURL, "key": string(provider.Key)}
		if provider.MerchantID != "" {
			entry = map[string]string{"baseUrl": provider.BaseURL, "merchantId": provider.MerchantID, "merchantSecret": provider.MerchantSecret}
		}
		text, err := json.Marshal(map[string]map[string]string{provider.Account: entry})
		if err != nil {
			return err
		}
		input := &secretsmanager.PutSecretValueInput{SecretId: aws.String(provider.APISecret), SecretString: aws.String(string(text))}
		if _, err := client.PutSecretValue(ctx, input); err != nil {
			return fmt.Errorf("store API credentials of %s: %w", name, err)
		}
	}
	return nil
}
