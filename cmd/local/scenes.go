package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/providertest"
)

// scene is one callback of the demonstration with its expected response and result.
type scene struct {
	title    string
	provider string
	kind     payout.Type
	account  string
	body     []byte // before it is signed
	forged   bool   // signed with a wrong key
	response string
	result   string
}

// example returns a documented example with texts replaced: old, new, old, new and so on.
type example func(replace ...string) []byte

// scenes returns the scenes in the order of the demonstration: later ones use the payouts of earlier ones.
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
	repeated := []string{`"status": 0`, succeeded, `"ubqso3"`, `"k7w2pq"`, "1687850657960", "1687854257960"}
	contradicted := []string{"1391751691788288", "1391751691788289", `"status": 0`}
	scenes := []scene{
		{title: "Cregis payout, the documented example (status 0)", body: paid(), result: "held: unknown-status"},
		{title: "  with status 6", body: paid(`"status": 0`, succeeded), result: "payout succeeded, 1 event"},
		{title: "  with the memo field of the other published form", body: paid(`"status": 0`, succeeded, `"remark"`, `"memo": "", "remark"`), result: "payout succeeded, 1 event"},
		{title: "  sent again with a new nonce, timestamp and signature", body: paid(repeated...), result: "payout succeeded, 1 event"},
		{title: "  forged: another amount, signed with a wrong key", body: paid(`"status": 0`, succeeded, `"1.1"`, `"9000"`), forged: true, response: "401", result: "not stored"},
		{title: "Cregis payout, a second one, status 6", body: paid(append(contradicted, succeeded)...), result: "payout succeeded, 1 event"},
		{title: "  then status 7: a conflict", body: paid(append(contradicted, failed)...), result: "payout conflicted, 2 events"},
		{title: "Cregis payout from a sub-address, the documented example", kind: payout.TypeSubAddressPayout, body: subAddress(), result: "payout succeeded, 1 event"},
	}
	for n := range scenes {
		fill(&scenes[n], "cregis", demoProject, "200 success")
	}
	return scenes
}

func pivotScenes(bulk, single example) []scene {
	const request, second = "d6a46a2c-1b26-40c5-9ca3-e063e69635a0", "0b7c9a54-6c1d-4a0e-9a52-3f1f6f0d7a11"
	pending := []string{
		request, second, "PAYOUT.DONE", "PAYOUT.PENDING", `"status": "DONE"`, `"status": "PENDING"`,
		`"totalPendingCount": 0`, `"totalPendingCount": 1`, `"totalPendingAmount": 0`, `"totalPendingAmount": 100000`,
		`"totalSuccessCount": 1`, `"totalSuccessCount": 0`, `"totalSuccessAmount": 100000`, `"totalSuccessAmount": 0`,
	}
	scenes := []scene{
		{title: "Pivot bulk payout, the documented example", body: bulk(), result: "batch done, 1 event"},
		{title: "Pivot bulk payout, a second one, pending", body: bulk(pending...), result: "batch pending, 1 event"},
		{title: "  then done", body: bulk(request, second), result: "batch done, 2 events"},
		{title: "Pivot single payout, the documented example", body: single(), result: "payout succeeded, 1 event"},
		{title: "  forged: another amount, with a wrong key", body: single(`"100000"`, `"900000000"`), forged: true, response: "401", result: "not stored"},
		{title: "Pivot, an event of an unsupported family", body: []byte(`{"event": "PAYMENT.PAID", "data": {"id": "1"}}`), result: "held: unknown-event"},
	}
	for n := range scenes {
		fill(&scenes[n], "pivot", demoMerchant, "200")
	}
	return scenes
}

func fill(s *scene, provider, account, response string) {
	s.provider, s.account = provider, account
	if s.kind == "" {
		s.kind = payout.TypePayout
	}
	if s.response == "" {
		s.response = response
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
			return func(replace ...string) []byte { return replaceAll(vector.Body, replace) }, nil
		}
	}
	return nil, fmt.Errorf("read documented example %s: no such vector", name)
}

func replaceAll(body []byte, replace []string) []byte {
	for n := 0; n+1 < len(replace); n += 2 {
		body = bytes.ReplaceAll(body, []byte(replace[n]), []byte(replace[n+1]))
	}
	return body
}
