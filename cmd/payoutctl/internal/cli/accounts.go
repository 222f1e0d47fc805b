package cli

import (
	"context"
	"errors"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"payout-callbacks/pkg/aws/secrets"
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/ops/keyring"
)

// FindProvider returns the provider with a name.
func FindProvider(name Provider) (functions.SigningProvider, error) {
	if err := CheckName(name, providerNouns, ProviderNames()); err != nil {
		return nil, Usagef("", "%w", err)
	}
	return functions.Providers()[slices.Index(ProviderNames(), name)], nil
}

// ProviderNames lists the names of the providers.
func ProviderNames() []Provider {
	var names []Provider
	for _, provider := range functions.Providers() {
		names = append(names, Provider(provider.Name()))
	}
	return names
}

// ReadKeys reads the secret with the keys of a provider.
func (s Stack) ReadKeys(ctx context.Context, provider Provider) (keyring.Store, keyring.Version, error) {
	store := keyring.Store{Client: secretsmanager.NewFromConfig(s.AWS), Name: s.Secrets[string(provider)]}
	if store.Name == "" {
		return store, keyring.Version{}, Failuref("deploy the template of this version", "stack %s has no secret for the keys of %s", s.Name, provider)
	}
	read, err := store.Read(ctx)
	if errors.Is(err, keyring.ErrUnreadable) {
		err = Failuref("repair it with: aws secretsmanager put-secret-value --secret-id "+store.Name, "secret %s: %w", store.Name, err)
	}
	return store, read, err
}

// accountForms are the forms of account ids in the documentation and examples of
// the providers.
var accountForms = map[Provider]struct {
	form        *regexp.Regexp
	description string
}{
	"cregis": {regexp.MustCompile(`^[1-9][0-9]{0,18}$`), "a project id: digits, like 1382528827416576"},
	"pivot": {
		regexp.MustCompile(`^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$`),
		"a merchant id, like 922e39ab-7565-49f6-b84f-fb56122821ae",
	},
}

// CheckAccount rejects an id that no callback can contain: its key would never be
// used.
func CheckAccount(provider Provider, account string) error {
	if known, ok := accountForms[provider]; ok && !known.form.MatchString(account) {
		return Usagef("", "%q is not an account of %s; it is %s", account, provider, known.description)
	}
	return nil
}

// AccountForm describes the form of a provider's account ids.
func AccountForm(provider Provider) string { return accountForms[provider].description }

// FlawRepair returns the command that repairs an entry of a secret.
func (s *Session) FlawRepair(provider Provider, flaw secrets.Flaw) string {
	if CheckAccount(provider, flaw.Account) == nil {
		return s.Program() + " keys add " + string(provider) + " " + flaw.Account + " --replace --key-file FILE --reason TEXT"
	}
	return "aws secretsmanager put-secret-value"
}
