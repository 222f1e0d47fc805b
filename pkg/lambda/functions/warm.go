package functions

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// parallel runs all steps at once and waits for them. Functions prepare with it
// while they start, when Lambda gives them a full CPU and nobody waits.
func parallel(steps ...func()) {
	var running sync.WaitGroup
	for _, step := range steps {
		running.Go(step)
	}
	running.Wait()
}

// connect opens the connection that the first request will use, with an unsigned
// request that needs no permission. It reads the response to its end, because
// only then does the connection return to the pool. Errors are ignored: the first
// request opens its own connection then.
func connect(ctx context.Context, client aws.HTTPClient, endpoint url.URL) {
	// ping is the path of AWS's health checks.
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint.JoinPath("ping").String(), http.NoBody)
	if err != nil {
		return
	}
	response, err := client.Do(request)
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
}

func connectDynamoDB(ctx context.Context, sdk aws.Config) func() {
	return func() {
		endpoint, err := dynamodb.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx,
			dynamodb.EndpointParameters{Region: &sdk.Region, Endpoint: sdk.BaseEndpoint})
		if err == nil {
			connect(ctx, sdk.HTTPClient, endpoint.URI)
		}
	}
}

func connectSQS(ctx context.Context, sdk aws.Config) func() {
	return func() {
		endpoint, err := sqs.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx,
			sqs.EndpointParameters{Region: &sdk.Region, Endpoint: sdk.BaseEndpoint})
		if err == nil {
			connect(ctx, sdk.HTTPClient, endpoint.URI)
		}
	}
}
