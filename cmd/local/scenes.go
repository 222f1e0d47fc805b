package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/providertest"
)

// scene is one callback of the demonstration and what must come of it.
type scene struct {
	title    string
	provider string
	kind     payout.Type
	account  string
	body     []byte // before it is signed
	forged   bool   // signed with a key that is not the account's
	answer   string
	becomes  string
}

// example reads a documented example from a provider's vectors, and replaces texts in it: old, new, old, new and so on.
type example func(replace ...string) []byte

// scenes tells the story in the order in which it is played: later ones build on what earlier ones left.
func scenes(root string) ([]scene, error) {
	examples := map[string]example{}
	for _, name := range []string{"cregis/payout-example", "cregis/sub-address-example", "pivot/bulk-done", "pivot/single-success"} {
		e, err := loadExample(root, name)
		if err != nil {
			return nil, err
		}
		examples[filepath.Base(name)] = e
	}
	return append(
		cregisScenes(examples["payout-example"], examples["sub-address-example"]),
		pivotScenes(examples["bulk-done"], examples["single-success"])...,
	), nil
}

func cregisScenes(paid, subAddress example) []scene {
	const succeeded, failed = `"status": 6`, `"status": 7`
	again := []string{`"status": 0`, succeeded, `"ubqso3"`, `"k7w2pq"`, "1687850657960", "1687854257960"}
	contradicted := []string{"1391751691788288", "1391751691788289", `"status": 0`}
	scenes := []scene{
		{title: "Cregis payout, the documented example (status 0)", body: paid(), becomes: "held: unknown-status"},
		{title: "  with status 6", body: paid(`"status": 0`, succeeded), becomes: "payout succeeded, 1 fact"},
		{title: "  in the other published form, with a memo", body: paid(`"status": 0`, succeeded, `"remark"`, `"memo": "", "remark"`), becomes: "payout succeeded, 1 fact"},
		{title: "  pushed again: fresh nonce, timestamp and signature", body: paid(again...), becomes: "payout succeeded, 1 fact"},
		{title: "  forged: another amount, signed with another key", body: paid(`"status": 0`, succeeded, `"1.1"`, `"9000"`), forged: true, answer: "401", becomes: "nothing is left of it"},
		{title: "Cregis payout, another one, status 6", body: paid(append(contradicted, succeeded)...), becomes: "payout succeeded, 1 fact"},
		{title: "  and status 7 after it: a contradiction", body: paid(append(contradicted, failed)...), becomes: "payout conflicted, 2 facts"},
		{title: "Cregis payout from a sub-address, the documented example", kind: payout.TypeSubAddressPayout, body: subAddress(), becomes: "payout succeeded, 1 fact"},
	}
	for n := range scenes {
		fill(&scenes[n], "cregis", demoProject, "200 success")
	}
	return scenes
}

func pivotScenes(bulk, single example) []scene {
	const request, another = "d6a46a2c-1b26-40c5-9ca3-e063e69635a0", "0b7c9a54-6c1d-4a0e-9a52-3f1f6f0d7a11"
	pending := []string{
		request, another, "PAYOUT.DONE", "PAYOUT.PENDING", `"status": "DONE"`, `"status": "PENDING"`,
		`"totalPendingCount": 0`, `"totalPendingCount": 1`, `"totalPendingAmount": 0`, `"totalPendingAmount": 100000`,
		`"totalSuccessCount": 1`, `"totalSuccessCount": 0`, `"totalSuccessAmount": 100000`, `"totalSuccessAmount": 0`,
	}
	scenes := []scene{
		{title: "Pivot bulk payout, the documented example", body: bulk(), becomes: "batch done, 1 fact"},
		{title: "Pivot bulk payout, another one, pending", body: bulk(pending...), becomes: "batch pending, 1 fact"},
		{title: "  and done after it", body: bulk(request, another), becomes: "batch done, 2 facts"},
		{title: "Pivot single payout, the documented example", body: single(), becomes: "payout succeeded, 1 fact"},
		{title: "  forged: another amount, under another key", body: single(`"100000"`, `"900000000"`), forged: true, answer: "401", becomes: "nothing is left of it"},
		{title: "Pivot, an event of another family", body: []byte(`{"event": "PAYMENT.PAID", "data": {"id": "1"}}`), becomes: "held: unknown-event"},
	}
	for n := range scenes {
		fill(&scenes[n], "pivot", demoMerchant, "200")
	}
	return scenes
}

func fill(s *scene, provider, account, answer string) {
	s.provider, s.account = provider, account
	if s.kind == "" {
		s.kind = payout.TypePayout
	}
	if s.answer == "" {
		s.answer = answer
	}
}

func loadExample(root, name string) (example, error) {
	provider, file := filepath.Split(name)
	vectors, err := providertest.Load(os.DirFS(filepath.Join(root, "pkg", "provider", provider, "testdata")))
	if err != nil {
		return nil, fmt.Errorf("read the documented examples: %w", err)
	}
	for _, vector := range vectors {
		if vector.Name == file {
			return func(replace ...string) []byte { return edited(vector.Body, replace) }, nil
		}
	}
	return nil, fmt.Errorf("read the documented examples: there is no %s", name)
}

func edited(body []byte, replace []string) []byte {
	for n := 0; n+1 < len(replace); n += 2 {
		body = bytes.ReplaceAll(body, []byte(replace[n]), []byte(replace[n+1]))
	}
	return body
}
