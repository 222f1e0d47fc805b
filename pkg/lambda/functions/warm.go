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

// sideBySide runs all steps at once and waits for them. It is how a function
// gets ready: while it starts, Lambda gives it full CPU and nobody waits.
func parallel(steps ...func()) {
	var running sync.WaitGroup
	for _, step := range steps {
		running.Go(step)
	}
	running.Wait()
}

// connect opens the connection to an endpoint that the first request will use.
// It asks for nothing, unsigned, which every role may: the answer does not
// matter, only that it is read to its end leaves the connection in the pool.
// An attempt's own timeout bounds it, and what fails here is tried again by
// whoever needs it.
func connect(ctx context.Context, client aws.HTTPClient, endpoint url.URL) {
	// The path by which load balancers ask whether all is well.
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
