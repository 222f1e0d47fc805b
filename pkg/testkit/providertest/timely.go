package providertest

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"time"

	"payout-callbacks/pkg/callback"
)

const (
	clockSkew = 10 * time.Second // between the provider and the time of receipt
	copyAge   = 24 * time.Hour   // since the provider's last attempt
)

// timely checks how the verdict depends on the time of receipt. Clocks differ, so seconds
// never change it. A proof with the time of signing limits how long a copy of the callback
// is verified; the limit may cover the provider's own retries, which some sign only once.
// Without that time, a later receipt is verified, too: the provider could not prove that
// it sent the callback then.
func (s suite) timely(v Vector) error {
	return s.ifAuthentic(v, func(request callback.Request, got result) error {
		for _, skew := range []time.Duration{-clockSkew, clockSkew} {
			again, err := s.checkAt(request, s.Keys, signedAt.Add(skew))
			if err != nil || again.identity() != got.identity() {
				return fmt.Errorf("received %s after it was signed, so clocks may not differ: %w", skew, different(got, again, err))
			}
		}
		late := copyAge
		for _, wait := range s.Description.Retries.Waits {
			late += wait
		}
		again, err := s.checkAt(request, s.Keys, signedAt.Add(late))
		if err != nil {
			return err
		}
		isDated, err := s.signsTime(v, s.Keys[got.sender.Account].Current, signedAt.Add(late))
		switch {
		case err != nil:
			return err
		case isDated && again.expect != Unauthentic:
			return fmt.Errorf("received %s after it was signed: got %s, want %s: a copy of it is verified without a limit of time", late, again.expect, Unauthentic)
		case !isDated && again.identity() != got.identity():
			return fmt.Errorf("received %s after it was signed, and Sign does not use the time: %w", late, different(got, again, nil))
		}
		return nil
	})
}

// signsTime reports whether the provider signs a vector at another time with another proof.
func (s suite) signsTime(v Vector, key callback.Key, at time.Time) (bool, error) {
	body, header, err := s.Sign(bytes.Clone(v.Body), key, signedAt)
	otherBody, otherHeader, otherErr := s.Sign(bytes.Clone(v.Body), key, at)
	return !bytes.Equal(body, otherBody) || !reflect.DeepEqual(header, otherHeader), errors.Join(err, otherErr)
}
