package secrets_test

import (
	"strings"
	"testing"

	"payout-callbacks/pkg/aws/secrets"
	"payout-callbacks/pkg/callback"
)

func TestParse_NotAnObject(t *testing.T) {
	for _, value := range []string{
		"", "canary", `"canary"`, `["canary"]`, `null`, `{"1": {"current": "canary"}} canary`, `{"1": {"current": "canary"}`, `{"1": canary}`,
	} {
		got, err := secrets.Parse(value)
		if err == nil {
			t.Errorf("%s: got %d accounts, want an error", value, len(got.Keys))
			continue
		}
		if strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: the error holds the value: %v", value, err)
		}
	}
}

// An invalid entry affects its own account only, and its flaw holds no key.
func TestParse_InvalidEntry(t *testing.T) {
	const good = `"7": {"current": "good-key-of-7", "previous": "old-key-of-7"}`
	for name, test := range map[string]struct {
		entry   string
		problem string
		left    callback.AccountKeys
	}{
		"no object":             {`"1": "canary"`, "not of the form", callback.AccountKeys{}},
		"null":                  {`"1": null`, "not of the form", callback.AccountKeys{}},
		"a list":                {`"1": ["canary"]`, "not of the form", callback.AccountKeys{}},
		"another name":          {`"1": {"current": "canary-canary", "prevoius": "canary"}`, "other than current and previous", callback.AccountKeys{}},
		"another case":          {`"1": {"Current": "canary-canary"}`, "other than current and previous", callback.AccountKeys{}},
		"a name twice":          {`"1": {"current": "canary-1", "current": "canary-2"}`, "same name twice", callback.AccountKeys{}},
		"a number":              {`"1": {"current": 123456789}`, "not text", callback.AccountKeys{}},
		"no current key":        {`"1": {"previous": "usable-key"}`, "the current key is empty", callback.AccountKeys{Previous: "usable-key"}},
		"an empty key":          {`"1": {"current": ""}`, "is empty", callback.AccountKeys{}},
		"a key of one letter":   {`"1": {"current": "c"}`, "shorter than", callback.AccountKeys{}},
		"a blank key":           {`"1": {"current": "      "}`, "is empty", callback.AccountKeys{}},
		"a space before":        {`"1": {"current": " canary"}`, "white space", callback.AccountKeys{}},
		"a line end behind":     {`"1": {"current": "canary\n"}`, "white space", callback.AccountKeys{}},
		"a no-break space":      {`"1": {"current": "canary\u00a0"}`, "white space", callback.AccountKeys{}},
		"a byte-order mark":     {`"1": {"current": "\ufeffcanary"}`, "not printable ASCII", callback.AccountKeys{}},
		"a zero byte":           {`"1": {"current": "can\u0000ary"}`, "not printable ASCII", callback.AccountKeys{}},
		"half a surrogate pair": {`"1": {"current": "canary\ud800"}`, "not printable ASCII", callback.AccountKeys{}},
		"invalid UTF-8":         {"\"1\": {\"current\": \"canary\xff\"}", "not printable ASCII", callback.AccountKeys{}},
		"quotes":                {`"1": {"current": "\"canary\""}`, "in quotes", callback.AccountKeys{}},
		"a bad previous key":    {`"1": {"current": "usable-key", "previous": "canary "}`, "the previous key has", callback.AccountKeys{Current: "usable-key"}},
		"a blank previous key":  {`"1": {"current": "usable-key", "previous": " "}`, "the previous key is empty", callback.AccountKeys{Current: "usable-key"}},
		"listed twice":          {`"1": {"current": "canary-1"}, "1": {"current": "canary-1"}`, "more than once", callback.AccountKeys{}},
		"listed by an escape":   {`"1": {"current": "canary-1"}, "\u0031": {"current": "canary-2"}`, "more than once", callback.AccountKeys{}},
		"two spellings":         {`"1": {"current": "canary-1"}, "1 ": {"current": "canary-2"}`, "more than once", callback.AccountKeys{}},
		"a spelling with space": {`" 1": {"current": "canary-1"}`, "name of the account has white space", callback.AccountKeys{}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, value := range []string{"{" + good + "," + test.entry + "}", "{" + test.entry + ", " + good + "}"} {
				content, err := secrets.Parse(value)
				if err != nil {
					t.Fatal(err)
				}
				if want := (callback.AccountKeys{Current: "good-key-of-7", Previous: "old-key-of-7"}); content.Keys["7"] != want {
					t.Error("the other account is affected")
				}
				test.left.Flawed = true
				if content.Keys["1"] != test.left {
					t.Errorf("other keys are left: flawed %t", content.Keys["1"].Flawed)
				}
				if len(content.Flaws) == 0 || !strings.Contains(content.Flaws[0].Error(), test.problem) || !strings.Contains(content.Flaws[0].Error(), "account 1:") {
					t.Errorf("got the flaws %v, want %q", content.Flaws, test.problem)
				}
				for _, flaw := range content.Flaws {
					if strings.Contains(flaw.Error(), "canary") {
						t.Errorf("the flaw holds the key: %v", flaw)
					}
				}
			}
		})
	}
}

func TestParse_AccountInAnotherCase(t *testing.T) {
	content, err := secrets.Parse(`{"ab-c": {"current": "canary-1"}, "AB-C": {"current": "canary-2"}}`)
	if err != nil || len(content.Flaws) != 2 || !content.Keys["ab-c"].Flawed || !content.Keys["AB-C"].Flawed {
		t.Errorf("%d flaws, %v", len(content.Flaws), err)
	}
}

// Somebody may confuse keys and accounts.
func TestFlaw_HoldsNoKey(t *testing.T) {
	for _, name := range []string{"canary-canary", "f502a9ac9ca54327986f29c03b271491", "", " ", "two words"} {
		content, err := secrets.Parse(`{"` + name + `": "1382528827416576"}`)
		if err != nil || len(content.Flaws) != 1 {
			t.Fatalf("%q: %d flaws, %v", name, len(content.Flaws), err)
		}
		text := content.Flaws[0].Error()
		if strings.TrimSpace(name) != "" && strings.Contains(text, name) || !strings.HasPrefix(text, "entry 1: ") {
			t.Errorf("%q: %s", name, text)
		}
		if _, ok := content.Keys[""]; ok {
			t.Errorf("%q: keys of an account without a name", name)
		}
	}
}

func TestParse_UsableKeys(t *testing.T) {
	for _, value := range []string{
		`{}`, "\ufeff" + `{"1": {"current": "usable"}}`, ` {"1": {"current": "usable", "previous": ""}} `,
		`{"922e39ab-7565-49f6-b84f-fb56122821ae": {"previous": "old-key", "current": "new-key"}}`,
	} {
		content, err := secrets.Parse(value)
		if err != nil || len(content.Flaws) > 0 {
			t.Errorf("%s: %v, %v", value, content.Flaws, err)
		}
	}
}
