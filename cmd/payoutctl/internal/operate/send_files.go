package operate

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/send"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/testkit/providertest"
)

// sendFiles sends test vectors and compares the answers with what they expect.
type sendFiles struct {
	Provider cli.Provider `help:"Provider, if the path is not .../<provider>/testdata/<case>.txtar." placeholder:"NAME"`
	Paths    []string     `arg:"" name:"case.txtar" help:"Test vectors."`
}

// Run sends the vectors in order.
func (c *sendFiles) Run(ctx context.Context, s *cli.Session, flags *Send) error {
	var vectors []send.Callback
	for _, path := range c.Paths {
		if filepath.Base(path) == "replies.txtar" {
			continue // not a vector, but in the same directory
		}
		o, err := c.outgoing(path)
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

func (c *sendFiles) outgoing(path string) (send.Callback, error) {
	if filepath.Ext(path) != ".txtar" {
		return send.Callback{}, cli.Usagef("see: payoutctl send --help", "%q is neither a .txtar file nor a provider; the providers are: %s",
			path, cli.JoinNames(cli.ProviderNames()))
	}
	vector, err := loadVector(path)
	if err != nil {
		return send.Callback{}, err
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return send.Callback{}, err
	}
	provider, err := cli.FindProvider(cmp.Or(c.Provider, cli.Provider(filepath.Base(filepath.Dir(filepath.Dir(absolute))))))
	if err != nil {
		return send.Callback{}, err
	}
	return send.Callback{
		Provider: provider,
		Kind:     vector.Type,
		Account:  vector.Account,
		Unsigned: vector.Account == "",
		Header:   vector.Header,
		Want:     expectedVerdict(vector),
		Body:     func() ([]byte, error) { return vector.Body, nil },
	}, nil
}

// loadVector reads one vector and ignores errors in the others of its directory.
func loadVector(path string) (providertest.Vector, error) {
	if _, err := os.Stat(path); err != nil {
		return providertest.Vector{}, cli.Usagef("", "read vector: %w", err)
	}
	vectors, err := providertest.Load(os.DirFS(filepath.Dir(path)))
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
