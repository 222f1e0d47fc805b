package main

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // the provider's signature
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cregis orders payouts at Cregis (developer.cregis.com, api-reference/payout).
type cregis struct {
	client  *http.Client
	baseURL string
	key     string
}

// order orders a payout and returns Cregis's id, the cid. Its error is errUnknown if
// Cregis may have the order.
func (c *cregis) order(ctx context.Context, p payout) (string, error) {
	account, err := strconv.ParseInt(p.Account, 10, 64)
	if err != nil {
		return "", fmt.Errorf("account: %w", err)
	}
	fields := map[string]any{
		"pid": account, "currency": p.Currency, "address": p.To, "amount": p.Amount, "third_party_id": p.Reference,
		"nonce": rand.Text()[:6], "timestamp": time.Now().UnixMilli(),
	}
	fields["sign"] = sign(c.key, fields)
	body, err := json.Marshal(fields)
	if err != nil {
		return "", err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.baseURL+"/api/v1/payout", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := c.client.Do(request)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errUnknown, err)
	}
	defer response.Body.Close()
	var answer struct {
		Code string `json:"code"`
		Msg  string `json:"msg"`
		Data struct {
			CID json.Number `json:"cid"`
		} `json:"data"`
	}
	err = json.NewDecoder(io.LimitReader(response.Body, 64<<10)).Decode(&answer)
	switch {
	case err != nil:
		return "", fmt.Errorf("%w: %w", errUnknown, err)
	case answer.Code == "E0009" || answer.Code == "E0018":
		return "", fmt.Errorf("%w: the reference was used before (%s)", errUnknown, answer.Code)
	case answer.Code != "00000":
		return "", fmt.Errorf("refused: %s %s", answer.Code, answer.Msg)
	}
	return answer.Data.CID.String(), nil
}

// sign returns the signature of a request: MD5 of the key and of all names and values,
// sorted by name (api-reference/signature).
func sign(key string, fields map[string]any) string {
	text := strings.Builder{}
	text.WriteString(key)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		fmt.Fprintf(&text, "%s%v", name, fields[name])
	}
	sum := md5.Sum([]byte(text.String())) //nolint:gosec // the provider's signature
	return hex.EncodeToString(sum[:])
}
