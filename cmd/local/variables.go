package main

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// writeVariables writes the file of --env-vars: what the functions of `sam local` get, so that they use the tables,
// queues and keys of a stack that is up. It names only variables that template.yaml names, as SAM passes no other.
func (s stack) writeVariables(path, endpoint string) error {
	content, err := json.MarshalIndent(map[string]map[string]string{"Parameters": {
		"AWS_ENDPOINT_URL":      endpoint,
		"RECEIPTS_TABLE":        s.ReceiptsTable,
		"PAYOUTS_TABLE":         s.PayoutsTable,
		"EVENTS_QUEUE_URL":      s.EventsQueueURL,
		"DEAD_LETTER_QUEUE_URL": s.DeadLetterQueueURL,
		"PAYOUT_BUS_NAME":       s.Outputs["PayoutBusName"],
		"KEYS_SECRET_PREFIX":    s.Name + "/keys/",
	}}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(content, '\n'), 0o600)
}

// newestVariablesFile is the file that samconfig.toml names.
func newestVariablesFile(root string) string { return filepath.Join(root, ".local", "env.json") }
