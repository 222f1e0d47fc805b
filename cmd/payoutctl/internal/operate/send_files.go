package operate

import (
	"cmp"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing/fstest"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/send"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/provider"
	"payout-callbacks/pkg/testkit/providertest"
)

// sendFiles sends test vectors and compares the answers with what they expect.
type sendFiles struct {
	Provider cli.Provider `help:"Provider, if the path is not .../<provider>/testdata/<case>.txtar." placeholder:"NAME"`
	Paths    []string     `arg:"" optional:"" name:"case.txtar" help:"Test vectors."`
	sendHelp
}

// Check returns an error if there is nothing to send.
func (c *sendFiles) Check() error {
	if len(c.Paths) == 0 {
		return cli.Usagef("see: payoutctl send --help", "nothing to send: name a documented example, such as cregis payout or pivot single, "+
			"or test vectors of any provider: pkg/provider/<provider>/testdata/<case>.txtar")
	}
	return nil
}

// Run sends the vectors in order.
func (c *sendFiles) Run(ctx context.Context, s *cli.Session, flags *Send) error {
	var vectors []send.Callback
	for _, path := range c.Paths {
		if filepath.Base(path) == "replies.txtar" {
			continue // not a vector, but in the same directory
		}
		o, err := c.outgoing(s, path)
		if err != nil {
			return err
		}
		vectors = append(vectors, o)
	}
	for _, vector := range vectors {
		if err := sendCallback(ctx, s, flags, vector); err != nil {
			return err
		}
	}
	return nil
}

func (c *sendFiles) outgoing(s *cli.Session, path string) (send.Callback, error) {
	switch {
	case path == "-" && c.Provider == "":
		return send.Callback{}, cli.Usagef("add --provider", "a vector on standard input names no provider")
	case slices.Contains(cli.ProviderNames(), cli.Provider(path)):
		return send.Callback{}, cli.Usagef("send its test vectors: "+s.Program()+" send pkg/provider/"+path+"/testdata/<case>.txtar",
			"%q is a provider, and not a test vector", path)
	case path != "-" && filepath.Ext(path) != ".txtar":
		return send.Callback{}, cli.Usagef("see: payoutctl send --help", "%q is neither a .txtar file nor a provider; the providers are: %s",
			path, cli.JoinNames(cli.ProviderNames()))
	}
	vector, err := loadVector(s, path)
	if err != nil {
		return send.Callback{}, err
	}
	provider, err := c.providerOf(path)
	if err != nil {
		return send.Callback{}, err
	}
	return send.Callback{
		Provider: provider,
		Kind:     vector.Type,
		Account:  vector.Account,
		Previous: vector.Previous,
		Unsigned: vector.Account == "",
		Header:   vector.Header,
		Want:     expectedVerdict(vector),
		Body:     func() ([]byte, error) { return vector.Body, nil },
	}, nil
}

// providerOf returns the provider of a vector: that of the flag, or else of the path.
func (c *sendFiles) providerOf(path string) (provider.Description, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return provider.Description{}, err
	}
	name := cmp.Or(c.Provider, cli.Provider(filepath.Base(filepath.Dir(filepath.Dir(absolute)))))
	if !slices.Contains(cli.ProviderNames(), name) {
		return provider.Description{}, cli.Usagef("add --provider NAME", "%s: the path is not .../<provider>/testdata/<case>.txtar; the providers are: %s",
			path, cli.JoinNames(cli.ProviderNames()))
	}
	return cli.FindProvider(name)
}

// maxVector bounds a vector on standard input.
const maxVector = 1 << 20

// loadVector reads one vector and ignores errors in the others of its directory.
func loadVector(s *cli.Session, path string) (providertest.Vector, error) {
	dir := os.DirFS(filepath.Dir(path))
	if path == "-" {
		text, err := io.ReadAll(io.LimitReader(s.Stdin, maxVector))
		if err != nil {
			return providertest.Vector{}, cli.Usagef("", "read vector: %w", err)
		}
		dir = fstest.MapFS{"-.txtar": {Data: text}}
	} else if _, err := os.Stat(path); err != nil {
		return providertest.Vector{}, cli.Usagef("", "read vector: %w", err)
	}
	vectors, err := providertest.Load(dir)
	name := strings.TrimSuffix(filepath.Base(path), ".txtar")
	at := slices.IndexFunc(vectors, func(v providertest.Vector) bool { return v.Name == name })
	switch {
	case at >= 0:
		return vectors[at], nil
	case err != nil:
		return providertest.Vector{}, cli.Usagef("", "read vector: %w", err)
	}
	return providertest.Vector{}, cli.Usagef("", "read vector: %s is not a callback", path)
}

// expectedVerdict returns the verdict that a vector expects.
func expectedVerdict(vector providertest.Vector) callback.Verdict {
	switch vector.Expect {
	case providertest.Unauthentic:
		return callback.Unauthenticated
	case providertest.Malformed:
		return callback.Malformed
	case providertest.TooLarge:
		return callback.TooLarge
	}
	return callback.Acknowledged // accepted, or held for a reason
}
