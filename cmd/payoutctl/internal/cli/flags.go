package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"payout-callbacks/pkg/aws/secrets"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/lambda/providers"
	"payout-callbacks/pkg/ops/keyring"
	"payout-callbacks/pkg/provider"
)

// GlobalFlags are the flags of every command.
type GlobalFlags struct {
	Local   bool   `help:"The local stack: .local/stack.json in this directory or a parent, or the file that PAYOUT_CALLBACKS_STACK names." xor:"stack"`
	Stack   string `help:"A deployed stack, by its CloudFormation name, through the usual AWS configuration." placeholder:"NAME" xor:"stack"`
	Region  string `help:"AWS region of --stack, instead of the configured one." placeholder:"REGION"`
	Profile string `help:"AWS profile for --stack, instead of the configured one." placeholder:"PROFILE"`
	JSON    bool   `name:"json" help:"Print JSON, one object a line, nothing shortened."`
	Full    bool   `help:"Do not shorten addresses and long texts."`
}

// ChangeFlags are the flags of every command that changes a stack.
type ChangeFlags struct {
	Reason string `help:"Reason, recorded with the change." placeholder:"TEXT"`
	Yes    bool   `help:"Skip the confirmation on a deployed stack."`
}

// Check returns an error if the reason is missing.
func (f ChangeFlags) Check() error {
	if strings.TrimSpace(f.Reason) == "" {
		return Usagef("it is recorded with the change: --reason 'ticket 4711: the provider confirmed it'", "--reason is missing")
	}
	return nil
}

// PlannedChangeFlags are ChangeFlags of a command that can print the change first.
type PlannedChangeFlags struct {
	DryRun bool `help:"Print what would be changed, and change nothing."`
	ChangeFlags
}

// Check returns an error if the reason of a change is missing. A dry run needs none.
func (f PlannedChangeFlags) Check() error {
	if f.DryRun {
		return nil
	}
	return f.ChangeFlags.Check()
}

// ListFlags are the flags of every command that lists payouts or receipts.
type ListFlags struct {
	Provider Provider `help:"Only this provider." placeholder:"NAME"`
	Account  string   `help:"Only this account." placeholder:"ID"`
	Limit    Limit    `help:"Maximum number of results." default:"50" placeholder:"N"`
}

// Limit is the value of a flag: a number of 1 or more.
type Limit int

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *Limit) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 {
		return errors.New("the number must be 1 or more")
	}
	*l = Limit(n)
	return nil
}

// Provider is the value of a flag: the name of a provider.
type Provider string

const providerNouns = "provider; the providers"

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Provider) UnmarshalText(text []byte) error {
	*p = Provider(text)
	return CheckName(*p, providerNouns, ProviderNames())
}

// HeldReason is the value of a flag: a reason why callbacks are held.
type HeldReason callback.Reason

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *HeldReason) UnmarshalText(text []byte) error {
	*r = HeldReason(text)
	return CheckName(callback.Reason(*r), "held reason; the reasons", callback.Reasons())
}

// CheckName rejects an unknown name: the empty list that it leads to would read as
// good news.
func CheckName[T ~string](name T, nouns string, names []T) error {
	if slices.Contains(names, name) {
		return nil
	}
	return fmt.Errorf("%q is not a %s are: %s", name, nouns, JoinNames(names))
}

// JoinNames lists names for help texts and messages.
func JoinNames[T ~string](names []T) string {
	texts := make([]string, len(names))
	for n, name := range names {
		texts[n] = string(name)
	}
	return strings.Join(texts, ", ")
}

// TimeHelp lists the forms of a Time.
const TimeHelp = "2026-11-21, 2026-11-21T09:00:00Z, or how long ago: 30m, 2h, 3d"

// Time is the value of a flag: a time in UTC, or how long ago. Without the flag it is
// the zero time.
type Time struct{ time.Time }

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *Time) UnmarshalText(text []byte) (err error) {
	t.Time, err = parseTime(string(text), time.Now())
	return err
}

func parseTime(text string, now time.Time) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04", time.RFC3339} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	var age Age
	if err := age.UnmarshalText([]byte(text)); err != nil {
		return time.Time{}, fmt.Errorf("%q is not a time; give %s", text, TimeHelp)
	}
	return now.UTC().Add(-time.Duration(age)), nil
}

// Age is the value of a flag: a duration, also in days.
type Age time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *Age) UnmarshalText(text []byte) error {
	span, err := time.ParseDuration(string(text))
	if days, ok := strings.CutSuffix(string(text), "d"); ok {
		var n uint64
		n, err = strconv.ParseUint(days, 10, 16)
		span = time.Duration(n) * 24 * time.Hour
	}
	if err != nil || span < 0 {
		return fmt.Errorf("%q is not a duration; give 10m, 2h or 3d", text)
	}
	*a = Age(span)
	return nil
}

// FindProvider returns the provider with a name.
func FindProvider(name Provider) (provider.Description, error) {
	if err := CheckName(name, providerNouns, ProviderNames()); err != nil {
		return provider.Description{}, Usagef("", "%w", err)
	}
	return providers.All()[slices.Index(ProviderNames(), name)], nil
}

// ProviderNames lists the names of the providers.
func ProviderNames() []Provider {
	var names []Provider
	for _, provider := range providers.All() {
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

// CheckAccount rejects an id that no callback can contain: its key would never be
// used.
func CheckAccount(name Provider, account string) error {
	if d, err := FindProvider(name); err == nil && !d.Account.Matches(account) {
		return Usagef("", "%q is not an account of %s; it is %s", account, name, AccountForm(name))
	}
	return nil
}

// AccountForm describes the form of a provider's account ids.
func AccountForm(name Provider) string {
	d, _ := FindProvider(name) // a name without a provider has no form
	return "like the " + d.Account.Noun + " " + d.Account.Example
}

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
