package main

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// writeVariables writes the file for --env-vars, which points the functions of `sam local` at the tables, queues and keys
// of a running stack. SAM passes only variables that template.yaml names.
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

// newestVariablesFile returns the path that samconfig.toml names.
func newestVariablesFile(root string) string { return filepath.Join(root, ".local", "env.json") }
