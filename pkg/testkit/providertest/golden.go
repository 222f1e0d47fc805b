package providertest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"payout-callbacks/pkg/payout"
)

const eventFile = "event.json"

// golden is payout.Event as in event.json, with only the fields that are set. If a field
// is added to the event, the conversion below no longer compiles.
type golden struct {
	ID          payout.ID     `json:"id"`
	Source      payout.Source `json:"source,omitzero"`
	Reference   string        `json:"reference,omitzero"`
	Status      payout.Status `json:"status"`
	Reason      string        `json:"reason,omitzero"`
	Amount      payout.Amount `json:"amount,omitzero"`
	Currency    string        `json:"currency,omitzero"`
	Chain       string        `json:"chain,omitzero"`
	Token       string        `json:"token,omitzero"`
	From        string        `json:"from,omitzero"`
	To          string        `json:"to,omitzero"`
	Memo        string        `json:"memo,omitzero"`
	TxID        string        `json:"txid,omitzero"`
	BlockHeight uint64        `json:"blockHeight,omitzero"`
	BlockTime   int64         `json:"blockTime,omitzero"`
	Totals      payout.Totals `json:"totals,omitzero"`
	Deadline    int64         `json:"deadline,omitzero"`
	LinkedTo    payout.ID     `json:"linkedTo,omitzero"`
}

func goldenText(event payout.Event) (string, error) {
	text, err := json.MarshalIndent(golden(event), "", "  ")
	return string(text) + "\n", err
}

// rewrite replaces the wanted event or answer of each vector, in memory and in its file.
func (s *suite) rewrite() error {
	for i := range s.vectors {
		v := &s.vectors[i]
		if v.Expect != Accepted {
			continue
		}
		request, err := v.Request(s, s.Keys)
		if err != nil {
			return err
		}
		got, err := s.check(request, s.Keys)
		if err != nil || !got.isEvent() {
			continue // the test fails
		}
		if v.Event, err = goldenText(got.event); err != nil {
			return err
		}
		if err := rewriteFile(v.Name, v.archive, eventFile, v.Event); err != nil {
			return err
		}
	}
	for i := range s.answers {
		v := &s.answers[i]
		var err error
		if v.Want, err = s.ask(*v); err != nil {
			return err
		}
		if err := rewriteFile(filepath.Join(answersDir, v.Name), v.archive, answerFile, v.Want); err != nil {
			return err
		}
	}
	return nil
}

// rewriteFile replaces a file of the archive of a vector.
func rewriteFile(vector string, archive *txtar.Archive, name, text string) error {
	rewritten := *archive
	rewritten.Files = slices.DeleteFunc(slices.Clone(archive.Files), func(f txtar.File) bool { return f.Name == name })
	rewritten.Files = append(rewritten.Files, txtar.File{Name: name, Data: []byte(text)})
	return os.WriteFile(filepath.Join(testdata, vector+".txtar"), txtar.Format(&rewritten), 0o644)
}

func compareEvent(vector Vector, event payout.Event) error {
	got, err := goldenText(event)
	if err != nil {
		return err
	}
	if diff := cmp.Diff(vector.Event, got); diff != "" {
		return fmt.Errorf("event (-want +got; -update rewrites):\n%s", diff)
	}
	return nil
}
