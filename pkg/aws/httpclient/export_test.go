package httpclient

import "github.com/aws/aws-sdk-go-v2/aws"

// PatchedClient wraps a client as New does.
func PatchedClient(inner aws.HTTPClient) aws.HTTPClient { return patchedClient{inner} }
