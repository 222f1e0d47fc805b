package cli

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"payout-callbacks/pkg/aws/secrets"
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/ops/keyring"
)

// FindProvider returns the provider with a name.
func FindProvider(name string) (functions.SigningProvider, error) {
	providers := functions.Providers()
	at := slices.IndexFunc(providers, func(p functions.SigningProvider) bool { return p.Name() == name })
	if at < 0 {
		return nil, Usagef("", "%q is not a provider; the providers are: %s", name, strings.Join(ProviderNames(), ", "))
	}
	return providers[at], nil
}

// ProviderNames lists the names of the providers.
func ProviderNames() []string {
	var names []string
	for _, provider := range functions.Providers() {
		names = append(names, provider.Name())
	}
	return names
}

// KeysError adds the repair to an error about an unreadable secret.
func KeysError(store keyring.Store, err error) error {
	if errors.Is(err, keyring.ErrUnreadable) {
		return Failuref("repair it with: aws secretsmanager put-secret-value --secret-id "+store.Name, "secret %s: %w", store.Name, err)
	}
	return err
}

// accountForms are the forms of account ids in the documentation and examples of
// the providers.
var accountForms = map[string]struct {
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
func CheckAccount(provider, account string) error {
	if _, err := FindProvider(provider); err != nil {
		return err
	}
	if known, ok := accountForms[provider]; ok && !known.form.MatchString(account) {
		return Usagef("", "%q is not an account of %s; it is %s", account, provider, known.description)
	}
	return nil
}

// FlawRepair returns the command that repairs an entry of a secret.
func (s *Session) FlawRepair(provider string, flaw secrets.Flaw) string {
	if CheckAccount(provider, flaw.Account) == nil {
		return s.Program() + " keys add " + provider + " " + flaw.Account + " --replace --key-file FILE --reason TEXT"
	}
	return "aws secretsmanager put-secret-value"
}

// AccountForm describes the form of a provider's account ids.
func AccountForm(provider string) string { return accountForms[provider].description }
