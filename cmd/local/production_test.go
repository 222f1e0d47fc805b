package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"
)

// parametersOf reads the parameters that samconfig.toml gives to an environment.
func parametersOf(t *testing.T, root, environment string) []string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "samconfig.toml"))
	if err != nil {
		t.Fatal(err)
	}
	section := regexp.MustCompile(`(?s)\[` + environment + `\.global\.parameters\](.*?)\n\[`).FindSubmatch(content)
	if section == nil {
		t.Fatalf("samconfig.toml has no %s", environment)
	}
	var parameters []string
	for _, match := range regexp.MustCompile(`"([A-Za-z]+=[^"]*)"`).FindAllSubmatch(section[1], -1) {
		parameters = append(parameters, string(match[1]))
	}
	return parameters
}

// The parameters of production deploy, except for canary deployments and the
// resources of OnEmulator=false, which the emulator does not have.
func TestDeploy_ProductionConfiguration(t *testing.T) {
	d := newDeployed(t)
	parameters := parametersOf(t, d.workspace.root, "production")
	if !slices.Contains(parameters, "CanaryDeployment=true") {
		t.Errorf("production is not deployed by canary: %v", parameters)
	}
	parameters = slices.DeleteFunc(parameters, func(text string) bool {
		return strings.HasPrefix(text, "CanaryDeployment=") || strings.HasPrefix(text, "Architecture=")
	})
	if len(parameters) < 3 {
		t.Fatalf("production has only the parameters %v", parameters)
	}
	parameters = append(parameters, "IngressReservedConcurrency=5", "AlarmEmail=oncall@example.com", "CallbackDomain=payments.example.com",
		"CertificateArn=arn:aws:acm:us-east-1:000000000000:certificate/0a1b2c3d-0000-4000-8000-000000000000",
		"CallbackPathToken="+firstToken, "CallbackPathTokenNext="+secondToken,
		"EgressSubnetIds=subnet-0123abcd,subnet-4567abcd", "EgressSecurityGroupIds=sg-0123abcd")
	name := "production-" + d.run
	cmd := deployCommand(d.running(), name, parameters...)
	log := filepath.Join(t.TempDir(), "deploy.log")
	if err := runLogged(t.Context(), cmd, log); err != nil {
		t.Fatal(err)
	}
	// An uncorrected mapping stops the emulator's poller for every stack.
	outputs, err := readOutputs(t.Context(), d.running(), name)
	if err != nil {
		t.Fatal(err)
	}
	if outputs["ApiUrl"] != "https://payments.example.com/"+firstToken {
		t.Errorf("the URL of the API is %s", outputs["ApiUrl"])
	}
	if diff := cmp.Diff(callbackPaths(d.stack.Outputs), callbackPaths(outputs)); diff != "" {
		t.Errorf("at the API's own name the paths are -, at the domain +:\n%s", diff)
	}
	consumer := stack{Outputs: outputs}
	if err := correctMapping(t.Context(), d.workspace, consumer); err != nil {
		t.Fatal(err)
	}
	checkTokens(t, d, name)
	tables := d.tables(t, name)
	for _, table := range tables {
		_, err := d.dynamodb.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String(table)})
		if err == nil {
			t.Errorf("%s can be deleted", table)
		}
	}
	if len(tables) != 3 {
		t.Errorf("the stack has %d tables: %v", len(tables), tables)
	}
}

// tables lists the tables of a stack. Other tests leave more than one page of tables.
func (d *deployed) tables(t *testing.T, stackName string) []string {
	t.Helper()
	var tables []string
	pages := dynamodb.NewListTablesPaginator(d.dynamodb, &dynamodb.ListTablesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range page.TableNames {
			if strings.HasPrefix(table, stackName) {
				tables = append(tables, table)
			}
		}
	}
	return tables
}

const (
	firstToken  = "0123456789abcdef0123456789abcdef"
	secondToken = "fedcba9876543210fedcba9876543210"
)

// checkTokens sends a callback to each URL. With a token the function answers,
// which has no keys yet; without a token the gateway answers 404.
func checkTokens(t *testing.T, d *deployed, name string) {
	t.Helper()
	var apis struct {
		Items []struct{ APIID, Name string }
	}
	answer, err := callSigned(t.Context(), d.workspace, apiCall{service: "apigateway", method: http.MethodGet, path: "/v2/apis"})
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(answer, &apis); err != nil {
		t.Fatal(err)
	}
	sent := 0
	for _, api := range apis.Items {
		if api.Name != name {
			continue
		}
		for token, want := range map[string]int{
			"/" + firstToken: http.StatusServiceUnavailable, "/" + secondToken: http.StatusServiceUnavailable,
			"": http.StatusNotFound, "/" + strings.ToUpper(firstToken): http.StatusNotFound,
		} {
			url := d.workspace.endpoint() + "/_aws/execute-api/" + api.APIID + token + "/callbacks/pivot/payout"
			response, err := d.http.Post(url, "application/json", strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if response.StatusCode != want {
				t.Errorf("POST %s/callbacks/pivot/payout: got %d, want %d", token, response.StatusCode, want)
			}
			sent++
		}
	}
	if sent != 4 {
		t.Errorf("%d callbacks sent; the emulator has the APIs %+v", sent, apis.Items)
	}
}

// running returns the workspace of the running stack, which has its build.
func (d *deployed) running() workspace {
	w := d.workspace
	w.dir = filepath.Join(w.root, ".local", strconv.Itoa(w.port))
	return w
}
