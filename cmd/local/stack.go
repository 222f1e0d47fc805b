package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"syscall"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/lambda/providers"
	"payout-callbacks/pkg/ops/localstack"
	"payout-callbacks/pkg/provider"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/provider/pivot"
)

// stack is a running stack, as stack.json describes it.
type stack localstack.Stack

// The accounts of the demonstration.
const (
	demoProject  = cregis.DemoProject
	demoMerchant = pivot.DemoMerchant
)

// demoKeys returns the current key of the demo account of each provider.
func demoKeys() map[string]map[string]callback.Key {
	keys := map[string]map[string]callback.Key{}
	for _, d := range providers.All() {
		keys[d.Name()] = map[string]callback.Key{d.DemoAccount: d.Demo[d.DemoAccount].Current}
	}
	return keys
}

func newStack(w workspace, outputs map[string]string) (stack, error) {
	// <id>.execute-api.localhost does not resolve everywhere; the emulator also serves the API under a path.
	id := regexp.MustCompile(`^https?://([0-9a-z]+)\.execute-api\.[^/]+(/[\w-]+)?$`).FindStringSubmatch(outputs["ApiUrl"])
	if id == nil {
		return stack{}, fmt.Errorf("output ApiUrl has an unexpected form: %q", outputs["ApiUrl"])
	}
	s := stack{
		Name:               stackName,
		APIURL:             w.endpoint() + "/_aws/execute-api/" + id[1] + id[2], // with the path token, if any
		EndpointURL:        w.endpoint(),
		Region:             region,
		ReceiptsTable:      outputs["ReceiptsTableName"],
		PayoutsTable:       outputs["PayoutsTableName"],
		EventsQueueURL:     outputs["EventsQueueUrl"],
		DeadLetterQueueURL: outputs["DeadLetterQueueUrl"],
		KeySecrets:         map[string]string{},
		DemoKeys:           demoKeys(),
		Outputs:            outputs,
		PID:                os.Getpid(),
	}
	for _, d := range providers.All() {
		s.KeySecrets[d.Name()] = outputs[d.KeysOutput()]
	}
	for _, function := range functionFolders() {
		s.Functions = append(s.Functions, s.function(function))
	}
	return s, nil
}

// function returns the deployed name of the function of a folder of functions/.
func (s stack) function(folder string) string { return s.Outputs[logicalID(folder)+"Name"] }

// write replaces the file atomically.
func (s stack) write(path string) error {
	content, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	temporary := fmt.Sprintf("%s.%d", path, s.PID)
	if err := os.WriteFile(temporary, append(content, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// announce makes payoutctl and `sam local` use this stack.
func (s stack) announce(root string) error {
	if err := s.write(newestStackFile(root)); err != nil {
		return err
	}
	if s.ContainerURL == "" {
		return removeFile(newestVariablesFile(root))
	}
	return s.writeVariables(newestVariablesFile(root), s.ContainerURL)
}

// withdraw removes the files of announce, or restores those of the older stack if that is still running.
func (s stack) withdraw(root string, older stack) error {
	current, err := readStack(newestStackFile(root))
	if err != nil || current.PID != s.PID {
		return err // the files are those of a newer stack
	}
	if older.PID != 0 && syscall.Kill(older.PID, 0) == nil {
		return older.announce(root)
	}
	return errors.Join(removeFile(newestStackFile(root)), removeFile(newestVariablesFile(root)))
}

func removeFile(path string) error {
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func readStack(path string) (stack, error) {
	s, err := localstack.Read(path)
	return stack(s), err
}

// writeVariables writes the file for --env-vars, which points the functions of `sam local` at the tables, queues and keys
// of a running stack. SAM passes only variables that template.yaml names.
func (s stack) writeVariables(path, endpoint string) error {
	variables := map[string]string{
		"AWS_ENDPOINT_URL":      endpoint,
		"RECEIPTS_TABLE":        s.ReceiptsTable,
		"PAYOUTS_TABLE":         s.PayoutsTable,
		"EVENTS_QUEUE_URL":      s.EventsQueueURL,
		"DEAD_LETTER_QUEUE_URL": s.DeadLetterQueueURL,
		"PAYOUT_BUS_NAME":       s.Outputs["PayoutBusName"],
		"KEYS_SECRET_PREFIX":    s.Name + "/keys/",
		"ACCOUNTS_TABLE":        s.Outputs["AccountsTableName"],
		"API_SECRET_PREFIX":     s.Name + "/api/",
	}
	for _, d := range providers.All() {
		if d.Queries != nil {
			variables[provider.Variable(d.QueriesParameter())] = s.Outputs[d.QueriesParameter()]
		}
	}
	content, err := json.MarshalIndent(map[string]any{"Parameters": variables}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(content, '\n'), 0o600)
}

// newestVariablesFile returns the path that samconfig.toml names.
func newestVariablesFile(root string) string { return filepath.Join(root, ".local", "env.json") }
