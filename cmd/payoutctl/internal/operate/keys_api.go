package operate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/lambda/providers"
	"payout-callbacks/pkg/ops/keyring"
	"payout-callbacks/pkg/provider"
	"payout-callbacks/pkg/reconcile"
)

// credentialForms returns the form of the API credentials of each provider that can be
// asked, a line each.
func credentialForms() string {
	var forms strings.Builder
	for _, d := range providers.All() {
		if d.Queries == nil {
			continue
		}
		var fields []string
		for _, field := range d.Credentials {
			fields = append(fields, fmt.Sprintf("%q: %q", field.Name, field.Value))
		}
		fmt.Fprintf(&forms, "\t%s: {%s}\n", d.Name(), strings.Join(fields, ", "))
	}
	return forms.String()
}

// maxCredentials bounds the file with credentials.
const maxCredentials = 16 << 10

// apiStore returns the secret with the API credentials of a provider.
func apiStore(stack cli.Stack, d provider.Description) (keyring.Store, error) {
	name, err := stack.Output(d.APIOutput())
	return keyring.Store{Client: secretsmanager.NewFromConfig(stack.AWS), Name: name}, err
}

func readAPI(ctx context.Context, store keyring.Store) (keyring.APIVersion, error) {
	read, err := store.ReadAPI(ctx)
	if errors.Is(err, keyring.ErrUnreadable) {
		err = cli.Failuref("repair it with: aws secretsmanager put-secret-value --secret-id "+store.Name, "secret %s: %w", store.Name, err)
	}
	return read, err
}

// findQueried returns a provider that can be asked.
func findQueried(name cli.Provider) (provider.Description, error) {
	d, err := cli.FindProvider(name)
	if err == nil && d.Queries == nil {
		err = cli.Usagef("", "%s has no API for queries", name)
	}
	return d, err
}

// connect checks credentials as the reconciler does, without a request.
func connect(s *cli.Session, stack cli.Stack, owner keyOwner, credentials json.RawMessage) (reconcile.Querier, error) {
	d, err := findQueried(owner.Provider)
	if err != nil {
		return nil, err
	}
	return d.Queries.Connect(owner.Account, credentials, reconcile.NewClient(stack.Local), s.Now)
}

// addAPI stores API credentials, and the key of callbacks if that is the same key.
func (c *keysAdd) addAPI(ctx context.Context, s *cli.Session, stack cli.Stack) error {
	d, err := findQueried(c.Provider)
	if err != nil {
		return err
	}
	credentials, querier, err := c.readCredentials(s, stack, d)
	if err != nil {
		return err
	}
	store, err := apiStore(stack, d)
	if err != nil {
		return err
	}
	read, err := readAPI(ctx, store)
	if err != nil {
		return err
	}
	what := "the API credentials"
	if querier.KeyID() != "" {
		s.Notef("the API key of %s is its callback key as well: both secrets are written", c.Provider)
		what += " and the callback key"
	}
	if err := s.Confirm(c.Yes, fmt.Sprintf("store %s of %s account %s in stack %s", what, c.Provider, c.Account, stack.Name)); err != nil {
		return err
	}
	c.Yes = true
	if querier.KeyID() != "" {
		if err := c.add(ctx, s, stack, secretOf(d.Credentials, credentials)); err != nil {
			return err
		}
	}
	if bytes.Equal(read.Entries[c.Account], credentials) {
		s.Notef("no change needed")
		return printAPI(s, stack, c.keyOwner, credentials)
	}
	if err := store.Tag(ctx, cli.ChangeTag, cli.FormatChange(s.Now(), "account "+c.Account+" add API credentials", c.Reason)); err != nil {
		return err
	}
	if err := store.WriteAPI(ctx, read, c.Account, credentials); err != nil {
		return c.explainRefusal(s, callback.AccountKeys{}, err)
	}
	return printAPI(s, stack, c.keyOwner, credentials)
}

// readCredentials reads and checks the credentials. No error contains any part of them.
func (c *keysAdd) readCredentials(s *cli.Session, stack cli.Stack, d provider.Description) (json.RawMessage, reconcile.Querier, error) {
	credentials, err := c.enterCredentials(s, d.Credentials)
	if err != nil {
		return nil, nil, err
	}
	querier, err := connect(s, stack, c.keyOwner, credentials)
	if err != nil {
		return nil, nil, cli.Usagef("", "read credentials: %w", err)
	}
	return credentials, querier, nil
}

// enterCredentials reads the credentials from a file, or asks for each field on a
// terminal.
func (c *keysAdd) enterCredentials(s *cli.Session, fields []provider.Field) (json.RawMessage, error) {
	if c.KeyFile == "-" && s.IsInteractive() {
		entry := map[string]string{}
		for n, field := range fields {
			value, err := s.Prompt(field.Name, n == len(fields)-1)
			if err != nil {
				return nil, err
			}
			entry[field.Name] = value
		}
		return json.Marshal(entry)
	}
	from, err := s.Open(c.KeyFile, "credentials")
	if err != nil {
		return nil, err
	}
	defer from.Close()
	text, err := io.ReadAll(io.LimitReader(from, maxCredentials+1))
	var compact bytes.Buffer
	switch {
	case err != nil:
		return nil, cli.Usagef("", "read credentials: %w", err)
	case len(text) > maxCredentials, json.Compact(&compact, bytes.TrimPrefix(text, []byte("\ufeff"))) != nil:
		return nil, cli.Usagef("see: payoutctl keys add --help", "read credentials: not a JSON object")
	}
	return compact.Bytes(), nil
}

// secretOf returns the secret part of credentials.
func secretOf(fields []provider.Field, credentials json.RawMessage) callback.Key {
	var values map[string]any
	_ = json.Unmarshal(credentials, &values) // no values: Connect has refused what is not an object
	text, _ := values[fields[len(fields)-1].Name].(string)
	return callback.Key(text)
}

// listAPI prints the API credentials of a provider that can be asked, without their
// values. A template of an older version has no secret for them.
func listAPI(ctx context.Context, s *cli.Session, stack cli.Stack, provider cli.Provider) error {
	d, err := findQueried(provider)
	if err != nil || stack.Outputs[d.APIOutput()] == "" {
		return nil //nolint:nilerr // nothing to list
	}
	store, err := apiStore(stack, d)
	if err != nil {
		return err
	}
	read, err := readAPI(ctx, store)
	if err != nil {
		return err
	}
	for _, account := range slices.Sorted(maps.Keys(read.Entries)) {
		if err := printAPI(s, stack, keyOwner{provider, account}, read.Entries[account]); err != nil {
			return err
		}
	}
	return nil
}

// apiView is the public part of API credentials.
type apiView struct {
	Provider cli.Provider `json:"provider"`
	Account  string       `json:"account"`
	API      apiEntry     `json:"api"`
}

type apiEntry struct {
	BaseURL string `json:"baseUrl,omitzero"`
	KeyID   string `json:"keyId,omitzero"`   // of the secret part
	Problem string `json:"problem,omitzero"` // why the reconciler cannot use the entry
}

func printAPI(s *cli.Session, stack cli.Stack, owner keyOwner, credentials json.RawMessage) error {
	view := apiView{Provider: owner.Provider, Account: owner.Account}
	line := string(owner.Provider) + "  " + cli.Clean(owner.Account) + "  API  "
	if _, err := connect(s, stack, owner, credentials); err != nil {
		view.API.Problem = err.Error()
		return s.PrintResult(view, line+"unusable: "+cli.Clean(view.API.Problem)+"\n")
	}
	var known struct {
		BaseURL string `json:"baseUrl"`
	}
	_ = json.Unmarshal(credentials, &known) // Connect has read it
	d, _ := findQueried(owner.Provider)     // connect has found it
	view.API = apiEntry{BaseURL: known.BaseURL, KeyID: secretOf(d.Credentials, credentials).ID()}
	return s.PrintResult(view, line+cli.Clean(view.API.BaseURL)+"  key "+view.API.KeyID+"\n")
}
