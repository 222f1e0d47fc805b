package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// checkAnswer returns an error if a function's answer reports a failure, with the cause from its log.
func checkAnswer(answer, log []byte) error {
	var response struct {
		StatusCode        int               `json:"statusCode"`
		BatchItemFailures []json.RawMessage `json:"batchItemFailures"`
		ErrorType         string            `json:"errorType"`
		ErrorMessage      string            `json:"errorMessage"`
	}
	answer = bytes.TrimSpace(answer)
	if len(answer) == 0 {
		return fmt.Errorf("returns no response: %s", causeIn(log))
	}
	if err := json.Unmarshal(answer, &response); err != nil && !json.Valid(answer) {
		return fmt.Errorf("returns a response that is not JSON: %s", causeIn(log))
	}
	switch {
	case response.ErrorType != "" || response.ErrorMessage != "":
		return fmt.Errorf("fails: %s: %s", response.ErrorType, response.ErrorMessage)
	case response.StatusCode >= http.StatusInternalServerError:
		return fmt.Errorf("returns %d: %s", response.StatusCode, causeIn(log))
	case len(response.BatchItemFailures) > 0:
		return fmt.Errorf("reports %d failed items: %s", len(response.BatchItemFailures), causeIn(log))
	}
	return nil
}

// logLine is the part of a log line that is read here.
type logLine struct {
	Err    string `json:"err"`
	Payout string `json:"payout"`
}

// causeIn returns the last error in a function's log, or the last line, which SAM wrote.
func causeIn(log []byte) string {
	cause, last := "", ""
	for line := range bytes.Lines(log) {
		last = cmp.Or(string(bytes.TrimSpace(line)), last)
		var entry logLine
		if json.Unmarshal(line, &entry) == nil {
			cause = cmp.Or(entry.Err, cause)
		}
	}
	return cmp.Or(cause, last, "the log is empty")
}

// payoutIn returns the first payout id in a function's log, quoted for a shell, or "".
func payoutIn(log []byte) string {
	for line := range bytes.Lines(log) {
		var entry logLine
		if json.Unmarshal(line, &entry) != nil || entry.Payout == "" {
			continue
		}
		if strings.ContainsAny(entry.Payout, "$&") { // the other characters of a payout id need no quotes
			return "'" + entry.Payout + "'"
		}
		return entry.Payout
	}
	return ""
}
