package main

import (
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/templatetest"
)

// The local stack builds each folder of functions/, and invoke accepts it.
func TestFunctionFolders_AllFolders(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join(templatetest.Root(t), "functions", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for n, folder := range folders {
		folders[n] = filepath.Base(folder)
	}
	if got := slices.Sorted(slices.Values(functionFolders())); !slices.Equal(got, folders) {
		t.Errorf("got %v, want %v", got, folders)
	}
}

// A function that is built for another processor than its container's does not start.
func TestArchitecture_SameForBuildDeployAndSamLocal(t *testing.T) {
	w := testWorkspace(t)
	for name, cmd := range map[string][]string{
		"build":     buildCommand(w, nil).Args,
		"deploy":    deployCommand(w, "stack").Args,
		"sam local": samLocal(w, daemon{}, "invoke").Args,
	} {
		if n := slices.Index(cmd, "--parameter-overrides"); n < 0 || cmd[n+1] != "Architecture="+hostArchitecture() {
			t.Errorf("%s: %v, want Architecture=%s", name, cmd, hostArchitecture())
		}
	}
	if got := templatetest.Load(t).Globals["Function"].(map[string]any)["Architectures"]; got.([]any)[0] != "Architecture" {
		t.Errorf("the template has the architectures %v", got)
	}
}

// Under global, `sam build`, `sam deploy` and `sam local` take the same architecture. And no environment lets
// `sam local` call an AWS account: SAM stops where the file of variables is missing.
func TestSamconfig(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(templatetest.Root(t), "samconfig.toml"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	environments := regexp.MustCompile(`(?m)^\[(\w+)\.global\.parameters\]$`).FindAllStringSubmatch(text, -1)
	if architectures := strings.Count(text, "Architecture="); len(environments) != 3 || architectures != 3 {
		t.Errorf("%d environments have %d architectures, want 3 of both", len(environments), architectures)
	}
	for _, environment := range environments {
		_, section, _ := strings.Cut(text, environment[0])
		section, _, _ = strings.Cut(section, "\n[")
		if !strings.Contains(section, "Architecture=") {
			t.Errorf("%s has no architecture under global", environment[1])
		}
		for _, command := range []string{"local_invoke", "local_start_api", "local_start_lambda"} {
			want := "[" + environment[1] + "." + command + "]\nparameters = { env_vars = \".local/env.json\", region = \"" + region + "\" }\n"
			if !strings.Contains(text, want) {
				t.Errorf("samconfig.toml lacks\n%s", want)
			}
		}
	}
}

func TestReadEvent(t *testing.T) {
	root := templatetest.Root(t)
	file := filepath.Join(t.TempDir(), "broken.json")
	if err := os.WriteFile(file, []byte(`{"a":`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		event, stdin      string
		wantName, wantErr string
	}{
		"the function's sample": {event: "", wantName: "events/cregis-payout.json"},
		"a file":                {event: filepath.Join(root, "events", "sweeper.json"), wantName: filepath.Join(root, "events", "sweeper.json")},
		"standard input":        {event: "-", stdin: `{"a":1}`, wantName: "standard input"},
		"no such file":          {event: "events/nothing.json", wantErr: "events/nothing.json"},
		"a file that is broken": {event: file, wantErr: "broken.json is not JSON"},
		"empty standard input":  {event: "-", wantErr: "standard input is not JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			got, event, err := invokeCommand{Function: "cregis", Event: c.event}.readEvent(root, strings.NewReader(c.stdin))
			switch {
			case c.wantErr != "":
				if err == nil || !strings.Contains(err.Error(), c.wantErr) {
					t.Errorf("got %v, want %s", err, c.wantErr)
				}
			case err != nil || got != c.wantName || len(event) == 0:
				t.Errorf("got %s, %d bytes, %v, want %s", got, len(event), err, c.wantName)
			}
		})
	}
}

func TestCheckAnswer(t *testing.T) {
	const log = "START RequestId: 1\n{\"level\":\"ERROR\",\"err\":\"get secret: connection refused\"}\nEND RequestId: 1\n"
	for name, c := range map[string]struct {
		answer, log string
		want        string // of the error; empty for none
	}{
		"acknowledged":      {answer: `{"statusCode": 200, "body": "success"}`},
		"refused":           {answer: `{"statusCode": 401}`},
		"a sweep":           {answer: `{"Due": 0, "Damaged": 0}`},
		"nothing to answer": {answer: "null"},
		"a batch":           {answer: `{"batchItemFailures": []}`},
		"unavailable":       {answer: `{"statusCode": 503}`, log: log, want: "returns 503: get secret: connection refused"},
		"a failed item":     {answer: `{"batchItemFailures": [{"itemIdentifier": "1"}]}`, log: log, want: "reports 1 failed items: get secret"},
		"an error":          {answer: `{"errorMessage": "boom", "errorType": "panic"}`, want: "fails: panic: boom"},
		"a time-out":        {answer: "\n", log: "Function 'CregisFunction' timed out after 10 seconds\n", want: "returns no response: Function 'CregisFunction' timed out"},
		"no log either":     {answer: "", want: "returns no response: the log is empty"},
		"not JSON":          {answer: "exec format error", want: "returns a response that is not JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			err := checkAnswer([]byte(c.answer), []byte(c.log))
			if (err == nil) != (c.want == "") || err != nil && !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestPayoutIn(t *testing.T) {
	const plain = "START\n{\"message\":\"sweep\"}\n{\"payout\":\"pivot/payout/m/u/a%20b\"}\n{\"payout\":\"pivot/payout/m/u/c\"}\n"
	id := payout.NewID("pivot", payout.TypePayout, "m", "u", "a&b$(c)'d")
	for log, want := range map[string]string{
		plain:                             "pivot/payout/m/u/a%20b",
		`{"payout":"` + string(id) + `"}`: "'pivot/payout/m/u/a&b$%28c%29%27d'",
		"END\n":                           "",
	} {
		if got := payoutIn([]byte(log)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestBridgeAddress(t *testing.T) {
	for name, c := range map[string]struct{ configuration, want string }{
		"with its gateway":   {`[{"Subnet":"172.17.0.0/16","Gateway":"172.17.0.1"}]`, "172.17.0.1"},
		"without":            {`[{"Subnet":"10.200.0.0/24"}]`, "10.200.0.1"},
		"IPv6 comes first":   {`[{"Subnet":"fd00::/64","Gateway":"fd00::1"},{"Subnet":"172.18.0.0/16","Gateway":"172.18.0.1"}]`, "172.18.0.1"},
		"no network":         {`[]`, ""},
		"no addresses":       {`null`, ""},
		"all interfaces":     {`[{"Gateway":"0.0.0.0"}]`, ""},
		"not JSON":           {`<no value>`, ""},
		"an IPv6 one only":   {`[{"Subnet":"fd00::/64","Gateway":"fd00::1"}]`, ""},
		"an invalid gateway": {`[{"Gateway":"bridge"}]`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := bridgeAddress([]byte(c.configuration))
			if got != c.want || (err == nil) != (c.want != "") {
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			}
		})
	}
}

// SAM passes the credentials that it finds to the container; the emulator rejects those that it did not issue.
func TestForward_SignsAsTheEmulatorsRoot(t *testing.T) {
	var got *http.Request
	var body []byte
	emulator := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
	}))
	defer emulator.Close()
	f := forwarderTo(t, emulator.URL)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.endpoint+"/path?query=1", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261127/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0")
	request.Header.Set("X-Amz-Security-Token", "token")
	request.Header.Set("X-Amz-Target", "AmazonSQS.SendMessage")
	response, err := directHTTP().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if got.RequestURI != "/path?query=1" || string(body) != "body" || got.Header.Get("X-Amz-Target") != "AmazonSQS.SendMessage" {
		t.Errorf("the emulator got %s with %q, %v", got.RequestURI, body, got.Header)
	}
	want := "AWS4-HMAC-SHA256 Credential=test/20261127/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0"
	if signature := got.Header.Get("Authorization"); signature != want || got.Header.Get("X-Amz-Security-Token") != "" {
		t.Errorf("the emulator got the signature %s and the token %q", signature, got.Header.Get("X-Amz-Security-Token"))
	}
}

func TestForward_ListensOnOneAddress(t *testing.T) {
	f := forwarderTo(t, "http://127.0.0.1:1")
	endpoint, err := url.Parse(f.endpoint)
	if err != nil {
		t.Fatal(err)
	}
	if connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", endpoint.Host); err != nil {
		t.Errorf("not on its own address: %v", err)
	} else {
		_ = connection.Close()
	}
	if connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", net.JoinHostPort("127.0.0.2", endpoint.Port())); err == nil {
		_ = connection.Close()
		t.Error("another address of this machine reaches it")
	}
}

func TestForward_NamesTheDaemonOfAnotherMachine(t *testing.T) {
	_, err := forward(daemon{host: "tcp://docker.example:2376", listen: "192.0.2.1"}, testWorkspace(t))
	if err == nil || !strings.Contains(err.Error(), "192.0.2.1") || !strings.Contains(err.Error(), "tcp://docker.example:2376") {
		t.Errorf("got %v, want the address and the daemon", err)
	}
}

func forwarderTo(t *testing.T, emulator string) forwarder {
	t.Helper()
	w := testWorkspace(t)
	w.port = portOf(t, emulator)
	f, err := forward(daemon{listen: "127.0.0.1", dial: "127.0.0.1"}, w)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.close() })
	return f
}

// SAM ignores variables that the template does not name.
func TestVariables_MatchTemplate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "env.json")
	if err := (stack{}).writeVariables(path, "http://192.0.2.1:1"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	template := templatetest.Load(t)
	named := map[string]any{}
	collect := func(properties map[string]any) {
		environment, _ := properties["Environment"].(map[string]any)
		variables, _ := environment["Variables"].(map[string]any)
		maps.Copy(named, variables)
	}
	collect(template.Globals["Function"].(map[string]any))
	for _, resource := range template.Resources {
		if resource.Type == "AWS::Serverless::Function" {
			collect(resource.Properties)
		}
	}
	for _, variable := range regexp.MustCompile(`"([A-Z_]+)":`).FindAllStringSubmatch(string(text), -1) {
		if named[variable[1]] == nil {
			t.Errorf("the template does not name %s", variable[1])
		}
	}
	// SAM resolves a reference to a resource to its logical id.
	for name, value := range named {
		_, isResource := template.Resources[value.(string)]
		if isResource && !strings.Contains(string(text), `"`+name+`"`) {
			t.Errorf("%s is not among the variables of sam local", name)
		}
	}
	if named["AWS_ENDPOINT_URL"] != "AWS::NoValue" {
		t.Errorf("AWS_ENDPOINT_URL is %v, want AWS::NoValue", named["AWS_ENDPOINT_URL"])
	}
}
