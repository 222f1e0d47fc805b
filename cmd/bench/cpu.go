package main

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
)

// cpu compares verifying and parsing with what reading strict JSON costs,
// whatever is done with it, and for Cregis one MD5 over the same bytes.
func cpu(_ context.Context, w *world) ([]row, error) {
	var rows []row
	for _, one := range []struct {
		provider, vector, against string
		bound                     float64
	}{
		{"cregis", "payout-status-6", "token pass and MD5", 2},
		{"cregis", "sub-address-example", "token pass and MD5", 2},
		{"cregis", "payout-unknown-field", "token pass and MD5", 0},
		{"pivot", "single-success", "token pass", 2},
		{"pivot", "bulk-done", "token pass", 2},
	} {
		body, header, kind, err := w.signed(one.provider, one.vector)
		if err != nil {
			return nil, err
		}
		provider, keys := providerNamed(one.provider), accountKeys[one.provider]
		ours := func() error { return verifyAndParse(provider, keys, callback.NewRequest(kind, header, body)) }
		floor := func() error {
			if one.provider == "cregis" {
				_ = md5.Sum(body)
			}
			return tokenPass(body)
		}
		allocations := testing.AllocsPerRun(100, func() { _ = ours() })
		a, b, err := turns(w.few(201, 3), many(ours), many(floor))
		if err != nil {
			return nil, err
		}
		ratio, ourTime, floorTime := ratioAt(0, a, b)
		made := newRow("verify and parse, "+one.provider+", "+one.vector, one.against, ratio, one.bound).of(ourTime, floorTime)
		made.Reached = made.Reached && allocations <= 60
		rows = append(rows, made.noting("%.0f allocations, of 60", allocations))
	}
	return rows, nil
}

// many is so many repetitions as one piece of work: one alone is shorter than
// what the clock can tell.
func many(work func() error) side {
	const repetitions = 200
	return func() ([]time.Duration, error) {
		begun := time.Now()
		for range repetitions {
			if err := work(); err != nil {
				return nil, err
			}
		}
		return []time.Duration{time.Since(begun) / repetitions}, nil
	}
}

// signed returns a vector's body as the provider sends it.
func (w *world) signed(provider, vector string) (body []byte, header http.Header, kind payout.Type, err error) {
	if body, err = w.documented(provider, vector); err != nil {
		return nil, nil, "", err
	}
	for _, keys := range accountKeys[provider] {
		body, header, err = providerNamed(provider).Sign(body, keys.Current)
	}
	kind = payout.TypePayout
	if vector == "sub-address-example" {
		kind = payout.TypeSubAddressPayout
	}
	return body, header, kind, err
}

func verifyAndParse(provider callback.Provider, keys callback.Keys, request callback.Request) error {
	sender, err := provider.Verify(request, keys)
	if err != nil {
		return err
	}
	if _, held := provider.Parse(request, sender); held != nil {
		return errors.New(held.Note)
	}
	return nil
}

func tokenPass(text []byte) error {
	decoder := jsontext.NewDecoder(bytes.NewBuffer(text))
	for {
		_, err := decoder.ReadToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
