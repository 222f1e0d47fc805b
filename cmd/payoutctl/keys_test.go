package main_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	payoutctl "payout-callbacks/cmd/payoutctl"
	"payout-callbacks/pkg/callback"
)

func TestRotateKeepsTheKeySoFarUnlessReplaced(t *testing.T) {
	for name, test := range map[string]struct {
		before  callback.AccountKeys
		key     callback.Key
		replace bool
		want    callback.AccountKeys
		changed bool
	}{
		"first key":              {key: "a", want: callback.AccountKeys{Current: "a"}, changed: true},
		"new key":                {callback.AccountKeys{Current: "a"}, "b", false, callback.AccountKeys{Current: "b", Previous: "a"}, true},
		"next key":               {callback.AccountKeys{Current: "b", Previous: "a"}, "c", false, callback.AccountKeys{Current: "c", Previous: "b"}, true},
		"same key again":         {callback.AccountKeys{Current: "b", Previous: "a"}, "b", false, callback.AccountKeys{Current: "b", Previous: "a"}, false},
		"back to the one before": {callback.AccountKeys{Current: "b", Previous: "a"}, "a", false, callback.AccountKeys{Current: "a", Previous: "b"}, true},
		"leaked":                 {callback.AccountKeys{Current: "b", Previous: "a"}, "c", true, callback.AccountKeys{Current: "c"}, true},
		"rotation is over":       {callback.AccountKeys{Current: "b", Previous: "a"}, "b", true, callback.AccountKeys{Current: "b"}, true},
		"is over already":        {callback.AccountKeys{Current: "b"}, "b", true, callback.AccountKeys{Current: "b"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			other := callback.AccountKeys{Current: "x", Previous: "y"}
			before := callback.Keys{"8": other}
			if test.before != (callback.AccountKeys{}) {
				before["7"] = test.before
			}
			got, changed := payoutctl.Rotate(before, "7", test.key, test.replace)
			if got["7"] != test.want || changed != test.changed {
				t.Errorf("another result: current %s, previous %s, changed %t", got["7"].Current.ID(), got["7"].Previous.ID(), changed)
			}
			if diff := cmp.Diff(other, got["8"]); diff != "" {
				t.Error("another account's keys were changed")
			}
			if before["7"] != test.before {
				t.Error("the keys before were written to")
			}
		})
	}
}
