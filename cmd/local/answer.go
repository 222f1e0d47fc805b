package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// checkAnswer returns the failure that a function's answer states, with the cause that its log states.
func checkAnswer(answer, log []byte) error {
	var stated struct {
		StatusCode        int               `json:"statusCode"`
		BatchItemFailures []json.RawMessage `json:"batchItemFailures"`
		ErrorType         string            `json:"errorType"`
		ErrorMessage      string            `json:"errorMessage"`
	}
	answer = bytes.TrimSpace(answer)
	if len(answer) == 0 {
		return fmt.Errorf("does not answer: %s", causeIn(log))
	}
	if err := json.Unmarshal(answer, &stated); err != nil && !json.Valid(answer) {
		return fmt.Errorf("answers what is not JSON: %s", causeIn(log))
	}
	switch {
	case stated.ErrorType != "" || stated.ErrorMessage != "":
		return fmt.Errorf("fails: %s: %s", stated.ErrorType, stated.ErrorMessage)
	case stated.StatusCode >= http.StatusInternalServerError:
		return fmt.Errorf("answers %d: %s", stated.StatusCode, causeIn(log))
	case len(stated.BatchItemFailures) > 0:
		return fmt.Errorf("reports %d failed items: %s", len(stated.BatchItemFailures), causeIn(log))
	}
	return nil
}

// logged is what the lines of a function's log say beside numbers.
type logged struct {
	Err    string `json:"err"`
	Payout string `json:"payout"`
}

// causeIn returns the last error of the function's log, or else the log's last line, which is then SAM's.
func causeIn(log []byte) string {
	cause, last := "", ""
	for line := range bytes.Lines(log) {
		last = cmp.Or(string(bytes.TrimSpace(line)), last)
		var entry logged
		if json.Unmarshal(line, &entry) == nil {
			cause = cmp.Or(entry.Err, cause)
		}
	}
	return cmp.Or(cause, last, "its log is empty")
}

// payoutIn returns the first payout that the function's log names, as a word of a shell's line; empty where it names none.
func payoutIn(log []byte) string {
	for line := range bytes.Lines(log) {
		var entry logged
		if json.Unmarshal(line, &entry) != nil || entry.Payout == "" {
			continue
		}
		if strings.ContainsAny(entry.Payout, "$&") { // a payout's other characters mean nothing to a shell
			return "'" + entry.Payout + "'"
		}
		return entry.Payout
	}
	return ""
}
