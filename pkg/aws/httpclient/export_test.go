package httpclient

import "github.com/aws/aws-sdk-go-v2/aws"

// Mended is what New does to the SDK's client.
func PatchedClient(inner aws.HTTPClient) aws.HTTPClient { return patchedClient{inner} }
