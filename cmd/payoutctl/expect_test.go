package main_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A refusal that concerns every line ends the file; a fault of the stack concerns its line.
func TestExpect_AnswersToAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "orders.csv")
	lines := "provider,type,account,id\ncregis,payout,7,1\ncregis,payout,7,2\ncregis,payout,7,3\n"
	if err := os.WriteFile(file, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	for status, want := range map[int]struct {
		sent, code int
		problem    string
	}{
		http.StatusForbidden:          {1, 3, "the API refuses your identity: 403"},
		http.StatusNotFound:           {1, 3, "the API has no route for expected payouts: 404"},
		http.StatusServiceUnavailable: {3, 1, "3 failed"},
		http.StatusBadRequest:         {3, 1, "3 failed"},
		http.StatusFound:              {3, 1, "3 failed"},
		http.StatusOK:                 {3, 1, "3 failed"}, // an answer without a payout
	} {
		sent := 0
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			sent++
			w.Header().Set("Location", r.URL.Path)
			w.WriteHeader(status)
		}))
		code, out, problems := runOnTables(t, newTables(t), api.URL, "expect", "--file", file)
		api.Close()
		if code != want.code || sent != want.sent || !strings.Contains(problems, want.problem) {
			t.Errorf("HTTP %d: exit code %d, %d sent\n%s%s", status, code, sent, out, problems)
		}
	}
}
