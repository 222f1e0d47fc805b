package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"payout-callbacks/pkg/payout"
)

// expectation is the body for a payout of this run.
func (d *deployed) expectation(cid, amount string) string {
	return fmt.Sprintf(`{"provider":"cregis","type":"payout","account":%q,"id":"%s%s","amount":%q,"currency":"TRX"}`, demoProject, d.run, cid, amount)
}

// expect sends an expectation, signed with credentials or unsigned, and returns the answer.
func (d *deployed) expect(t *testing.T, signer aws.CredentialsProvider, body string) (code int, answer map[string]any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.stack.APIURL+"/expected-payouts", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if signer != nil {
		creds, err := signer.Retrieve(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256([]byte(body))
		if err := v4.NewSigner().SignHTTP(t.Context(), creds, request, hex.EncodeToString(sum[:]), "execute-api", region, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	response, err := d.http.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Fatalf("%d: %s", response.StatusCode, text)
	}
	return response.StatusCode, answer
}

// Our own services state what they ordered. The payout exists when the answer arrives.
func TestExpectedPayouts_Answers(t *testing.T) {
	d := newDeployed(t)
	for _, test := range []struct {
		name, body string
		code       int
		field      string
		want       string
	}{
		{"new", d.expectation("10", "1.1"), http.StatusOK, "result", "new"},
		{"the same again", d.expectation("10", "1.10"), http.StatusOK, "result", "duplicate"},
		{"another amount", d.expectation("10", "2"), http.StatusConflict, "status", "conflicted"},
		{"a malformed amount", d.expectation("11", "1,1"), http.StatusBadRequest, "field", "amount"},
	} {
		code, answer := d.expect(t, emulatorCredentials(), test.body)
		if code != test.code || answer[test.field] != test.want {
			t.Errorf("%s: got %d %v, want %d with %s %s", test.name, code, answer, test.code, test.field, test.want)
		}
	}
	for cid, want := range map[string]payout.Status{"10": payout.Conflicted, "11": ""} {
		id := payout.NewID("cregis", payout.TypePayout, demoProject, d.run+cid, "")
		if record, _, err := d.reader.Record(t.Context(), id); err != nil || record.Status() != want {
			t.Errorf("%s is %q, %v, want %q", id, record.Status(), err, want)
		}
	}
}

// Who is not allowed to call the route changes nothing. The emulator does not verify signatures, so a wrong one cannot be
// shown here: API Gateway refuses it with 403 as well.
func TestExpectedPayouts_OnlyAllowedCallers(t *testing.T) {
	d := newDeployed(t)
	allowed := d.roleThatMay(t, "execute-api:Invoke", d.stack.Outputs["ExpectedPayoutsArn"])
	elsewhere := d.roleThatMay(t, "execute-api:Invoke", strings.Replace(d.stack.Outputs["ExpectedPayoutsArn"], "expected-payouts", "other", 1))
	for name, caller := range map[string]struct {
		signer aws.CredentialsProvider
		want   int
	}{
		"unsigned":                   {nil, http.StatusForbidden},
		"the consumer's role":        {d.assume(t, "consumer").Credentials, http.StatusForbidden},
		"a role for another route":   {elsewhere, http.StatusForbidden},
		"a role for the route's ARN": {allowed, http.StatusOK},
	} {
		cid := map[bool]string{true: "21", false: "20"}[caller.want == http.StatusOK]
		if code, answer := d.expect(t, caller.signer, d.expectation(cid, "1.1")); code != caller.want {
			t.Errorf("%s: got %d %v, want %d", name, code, answer, caller.want)
		}
	}
	refused := payout.NewID("cregis", payout.TypePayout, demoProject, d.run+"20", "")
	if record, _, err := d.reader.Record(t.Context(), refused); err != nil || record.Version != 0 {
		t.Errorf("a refused expectation left version %d, %v", record.Version, err)
	}
	expected := payout.NewID("cregis", payout.TypePayout, demoProject, d.run+"21", "")
	for receipt, err := range d.reader.ReceiptsOf(t.Context(), expected) {
		if err != nil || !strings.Contains(receipt.Note, ":assumed-role/") {
			t.Errorf("the note of the receipt is %q, %v, want the caller", receipt.Note, err)
		}
	}
}

// roleThatMay returns the credentials of a new role with one permission.
func (d *deployed) roleThatMay(t *testing.T, action, resource string) aws.CredentialsProvider {
	t.Helper()
	sum := sha256.Sum256([]byte(action + resource))
	name := fmt.Sprintf("test-%s-%x", d.run, sum[:4])
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*"}}]}`
	policy := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":%q,"Resource":%q}]}`, action, resource)
	if err := callIAM(t.Context(), d.workspace, "CreateRole", url.Values{"RoleName": {name}, "AssumeRolePolicyDocument": {trust}}); err != nil {
		t.Fatal(err)
	}
	if err := callIAM(t.Context(), d.workspace, "PutRolePolicy", url.Values{"RoleName": {name}, "PolicyName": {"p"}, "PolicyDocument": {policy}}); err != nil {
		t.Fatal(err)
	}
	assumed, err := sts.NewFromConfig(aws.Config{
		Region: d.stack.Region, BaseEndpoint: &d.stack.EndpointURL, HTTPClient: d.http, Credentials: emulatorCredentials(),
	}).AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::000000000000:role/" + name), RoleSessionName: aws.String("test"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return credentials.NewStaticCredentialsProvider(
		*assumed.Credentials.AccessKeyId, *assumed.Credentials.SecretAccessKey, *assumed.Credentials.SessionToken)
}

// The function takes the schedule's event and an operator's requests.
func TestReconciler_Events(t *testing.T) {
	d := newDeployed(t)
	if code, answer := d.expect(t, emulatorCredentials(), d.expectation("30", "1.1")); code != http.StatusOK {
		t.Fatal(answer)
	}
	id := payout.NewID("cregis", payout.TypePayout, demoProject, d.run+"30", "")
	path := "/2015-03-31/functions/" + d.stack.function("reconciler") + "/invocations"
	for event, want := range map[string]string{
		"{}": `"outcomes"`, fmt.Sprintf(`{"payouts":[%q],"dryRun":true}`, id): `"outcome":"not-found"`, `{"accounts":true}`: `"account":"cregis/` + demoProject,
	} {
		var answer json.RawMessage
		if err := callLambda(t.Context(), d.workspace, apiCall{method: http.MethodPost, path: path, body: event}, &answer); err != nil {
			t.Fatal(err)
		}
		if text := strings.ReplaceAll(string(answer), `": "`, `":"`); strings.Contains(text, "errorMessage") || !strings.Contains(text, want) {
			t.Errorf("%s: got %s, want %s", event, text, want)
		}
	}
}
