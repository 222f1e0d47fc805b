package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"payout-callbacks/pkg/aws/secrets"
	"payout-callbacks/pkg/callback"
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
	store := keyring.Store{Client: secretsmanager.NewFromConfig(s.AWS), Name: s.KeySecrets[string(provider)]}
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

// ReadKey reads a key from a file or from standard input, without the white space
// around it. No error contains any part of the key.
func (s *Session) ReadKey(path string) (callback.Key, error) {
	if path == "-" && isTerminal(s.Stdin) {
		return "", Usagef("give it in a file or through a pipe", "read key: standard input is a terminal, which would show the key")
	}
	from, err := s.Open(path, "key")
	if err != nil {
		return "", err
	}
	defer from.Close()
	read, err := io.ReadAll(io.LimitReader(from, maxKey+1))
	if err != nil {
		return "", Usagef("", "read key: %w", err)
	}
	if encoding := detectEncoding(read); encoding != "" {
		return "", Usagef("save it as plain text (ASCII or UTF-8 without a byte-order mark)", "read key: the file is %s", encoding)
	}
	key := callback.Key(strings.TrimSpace(string(read)))
	if key == "" {
		return "", Usagef("it must contain the key, on one line", "read key: %s is empty", cmp.Or(strings.TrimPrefix(path, "-"), "standard input"))
	}
	if len(key) > maxKey || strings.ContainsFunc(string(key), unicode.IsSpace) {
		return "", Usagef("", "read key: not one line of printable characters without spaces")
	}
	if problem := secrets.KeyProblem(key); problem != "" {
		return "", Usagef("the file holds the key alone, as the provider shows it", "read key: the key %s", problem)
	}
	return key, nil
}

// byteOrderMarks are the marks of the encodings, longest first.
var byteOrderMarks = []struct{ mark, encoding string }{
	{"\xff\xfe\x00\x00", "UTF-32 with a byte-order mark"},
	{"\x00\x00\xfe\xff", "UTF-32 with a byte-order mark"},
	{"\xff\xfe", "UTF-16 (little-endian) with a byte-order mark"},
	{"\xfe\xff", "UTF-16 (big-endian) with a byte-order mark"},
	{"\xef\xbb\xbf", "UTF-8 with a byte-order mark"},
}

// detectEncoding names the encoding of a text that is neither ASCII nor plain
// UTF-8, by its byte-order mark or by the zero bytes of UTF-16 and UTF-32.
func detectEncoding(text []byte) string {
	for _, known := range byteOrderMarks {
		if bytes.HasPrefix(text, []byte(known.mark)) {
			return known.encoding
		}
	}
	isZero := func(n int) bool { return n < len(text) && text[n] == 0 }
	switch {
	case isZero(2) && (isZero(1) && isZero(3) || isZero(0) && isZero(1)):
		return "UTF-32 without a byte-order mark"
	case isZero(1):
		return "UTF-16 (little-endian) without a byte-order mark"
	case isZero(0) && len(text) > 1:
		return "UTF-16 (big-endian) without a byte-order mark"
	}
	return ""
}

// maxKey bounds what is read of a key file. Known keys have 32 to 64 bytes.
const maxKey = 4096
