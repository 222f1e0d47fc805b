package templatetest_test

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"payout-callbacks/pkg/lambda/providers"
)

const (
	firstToken  = "0123456789abcdef0123456789abcdef"
	secondToken = "Fedcba9876543210_-Fedcb"
)

// urlSettings lists path tokens of a stack, with the expected prefixes of routes and
// of the URLs in the outputs.
var urlSettings = map[string]struct {
	token, next string
	accepted    []string
	shown       []string
}{
	"no token":                        {"", "", []string{""}, []string{""}},
	"the first token is introduced":   {firstToken, "", []string{"", "/" + firstToken}, []string{"/" + firstToken}},
	"the second token is introduced":  {"", secondToken, []string{"", "/" + secondToken}, []string{"", "/" + secondToken}},
	"both tokens":                     {firstToken, secondToken, []string{"/" + firstToken, "/" + secondToken}, []string{"/" + firstToken, "/" + secondToken}},
	"the same token twice, one route": {firstToken, firstToken, []string{"/" + firstToken}, []string{"/" + firstToken}},
}

func TestRoutes_AcceptedTokensOnly(t *testing.T) {
	template := loadDocument(t)
	for name, test := range urlSettings {
		t.Run(name, func(t *testing.T) {
			want := []string{"POST /expected-payouts"}
			for _, token := range test.accepted {
				for _, path := range callbackPaths() {
					want = append(want, "POST "+token+path)
				}
			}
			slices.Sort(want)
			if got := routeKeys(template, template.parameterValues(map[string]any{"CallbackPathToken": test.token, "CallbackPathTokenNext": test.next})); !slices.Equal(got, want) {
				t.Errorf("routes:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// Every URL in the outputs has a route, so that any of them can be given to a
// provider. No two outputs have the same URL.
func TestOutputs_URLsHaveRoutes(t *testing.T) {
	template := loadDocument(t)
	for name, test := range urlSettings {
		for domain, host := range map[string]string{"": "${CallbackApi.ApiEndpoint}", "payments.example.com": "https://payments.example.com"} {
			t.Run(name+", domain "+domain, func(t *testing.T) {
				parameters := template.parameterValues(map[string]any{"CallbackDomain": domain, "CallbackPathToken": test.token, "CallbackPathTokenNext": test.next})
				routes := routeKeys(template, parameters)
				want := []string{host + "/expected-payouts"}
				for _, token := range test.shown {
					want = append(want, host+token)
					for _, path := range callbackPaths() {
						want = append(want, host+token+path)
						if !slices.Contains(routes, "POST "+token+path) {
							t.Errorf("no route for %s%s", token, path)
						}
					}
				}
				slices.Sort(want)
				if got := callbackURLs(template, parameters); !slices.Equal(got, want) {
					t.Errorf("URLs:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
			})
		}
	}
}

// The API may invoke a function for each route of its provider, with and without a
// token, and for no route of another provider.
func TestPermissions_RoutesOfProviderOnly(t *testing.T) {
	template := loadDocument(t)
	permissions := template.resources("AWS::Lambda::Permission", nil)
	for _, provider := range providers.All() {
		id := strings.ToUpper(provider.Name()[:1]) + provider.Name()[1:] + "Permission"
		pattern, ok := permissions[id]["SourceArn"].(string)
		if !ok {
			t.Fatalf("no %s", id)
		}
		expression := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$")
		prefix, _, _ := strings.Cut(pattern, "/*/")
		for _, token := range []string{"", "/" + firstToken, "/" + secondToken} {
			for _, path := range callbackPaths() {
				isOwn := strings.Contains(path, "/"+provider.Name()+"/")
				if expression.MatchString(prefix+"/$default/POST"+token+path) != isOwn {
					t.Errorf("%s matches the route %s%s: want %v", pattern, token, path, isOwn)
				}
			}
		}
	}
}

// A token is a path segment without escaping that is too long to guess.
func TestPathTokens_Pattern(t *testing.T) {
	parameters := loadDocument(t)["Parameters"].(map[string]any)
	for _, name := range []string{"CallbackPathToken", "CallbackPathTokenNext"} {
		pattern := regexp.MustCompile("^(?:" + parameters[name].(map[string]any)["AllowedPattern"].(string) + ")$")
		for _, token := range []string{"", firstToken, secondToken, strings.Repeat("a", 22), strings.Repeat("Z", 64)} {
			if !pattern.MatchString(token) || url.PathEscape(token) != token {
				t.Errorf("%s does not match %q, or the token needs escaping", name, token)
			}
		}
		for _, token := range []string{"a", strings.Repeat("a", 21), strings.Repeat("a", 65), firstToken + "/x", firstToken + "+", firstToken + " ", "{proxy+}0123456789abcdef0", "..", firstToken + "\n"} {
			if pattern.MatchString(token) {
				t.Errorf("%s matches %q", name, token)
			}
		}
	}
}

// callbackPaths returns the path of each type of callback.
func callbackPaths() []string {
	var paths []string
	for _, provider := range providers.All() {
		for _, kind := range provider.Types() {
			paths = append(paths, fmt.Sprintf("/callbacks/%s/%s", provider.Name(), kind))
		}
	}
	return paths
}

// isCreated evaluates the condition of a resource or an output.
func isCreated(template document, element any, parameters map[string]any) bool {
	condition, ok := element.(map[string]any)["Condition"].(string)
	return !ok || template.isTrue(condition, parameters)
}

func routeKeys(template document, parameters map[string]any) []string {
	var keys []string
	for id, properties := range template.resources("AWS::ApiGatewayV2::Route", parameters) {
		if isCreated(template, template["Resources"].(map[string]any)[id], parameters) {
			keys = append(keys, properties["RouteKey"].(string))
		}
	}
	slices.Sort(keys)
	return keys
}

// callbackURLs returns the values of outputs that are URLs of the API.
func callbackURLs(template document, parameters map[string]any) []string {
	var urls []string
	for _, output := range template["Outputs"].(map[string]any) {
		if !isCreated(template, output, parameters) {
			continue
		}
		value := fmt.Sprint(template.resolve(output.(map[string]any)["Value"], parameters))
		if strings.HasPrefix(value, "https://") || strings.HasPrefix(value, "${CallbackApi.ApiEndpoint}") {
			urls = append(urls, value)
		}
	}
	slices.Sort(urls)
	return urls
}
