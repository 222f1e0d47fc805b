package main

import (
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"payout-callbacks/pkg/callback"
)

// callbackPaths returns the path behind each output that is a callback URL.
func callbackPaths(outputs map[string]string) map[string]string {
	paths := map[string]string{}
	for name, value := range outputs {
		if path, ok := strings.CutPrefix(value, outputs["ApiUrl"]+"/callbacks/"); ok && outputs["ApiUrl"] != "" {
			paths[name] = "/callbacks/" + path
		}
	}
	return paths
}

// Each callback URL in the outputs is different, and the function of its provider
// rejects a forged callback there.
func TestOutputs_CallbackURLs(t *testing.T) {
	d := newDeployed(t)
	paths := callbackPaths(d.stack.Outputs)
	urls := 0
	for name, provider := range d.providers {
		urls += len(provider.Types())
		for output, path := range paths {
			if !strings.HasPrefix(strings.ToLower(output), name) {
				continue
			}
			code, text := d.postTo(t, path)
			rejections := []callback.Reply{provider.Reply(callback.Unauthenticated), provider.Reply(callback.Malformed)}
			if !slices.ContainsFunc(rejections, func(r callback.Reply) bool { return r.Code == code && r.Body == text }) {
				t.Errorf("%s: POST %s returned %d %q, want one of %v", output, path, code, text, rejections)
			}
		}
	}
	if different := slices.Compact(slices.Sorted(maps.Values(paths))); len(different) != urls || len(paths) != urls {
		t.Errorf("the providers have %d types, the outputs the URLs %v", urls, paths)
	}
}

// postTo posts an unsigned body and returns the response.
func (d *deployed) postTo(t *testing.T, path string) (code int, text string) {
	t.Helper()
	response, err := d.http.Post(d.stack.APIURL+path, "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}
