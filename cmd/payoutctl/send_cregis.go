package main

import (
	"context"
	"strconv"

	"payout-callbacks/pkg/payout"
)

type sendCregisCommand struct {
	Payout           cregisPayoutCommand           `cmd:"" help:"A payout. The documented example has status 0, which is none of the four: it is held."`
	SubAddressPayout cregisSubAddressPayoutCommand `cmd:"" help:"A payout out of a sub-address."`
}

// cregisFields are the documented fields that both callbacks have. All are
// text here: digits go into the body as they are typed.
type cregisFields struct {
	PID         string `name:"pid" help:"Project id: the account." placeholder:"ID"`
	CID         string `name:"cid" help:"Cregis's id of the payout." placeholder:"ID"`
	Status      string `help:"2 and 4 rejected, 6 succeeded, 7 failed; anything else is held." placeholder:"N"`
	Amount      string `help:"Amount." placeholder:"DECIMAL"`
	Currency    string `help:"Currency." placeholder:"TEXT"`
	Reference   string `help:"Our reference: third_party_id." placeholder:"TEXT"`
	TxID        string `name:"txid" help:"Transaction hash." placeholder:"TEXT"`
	Remark      string `help:"Remark." placeholder:"TEXT"`
	Memo        string `help:"Memo." placeholder:"TEXT"`
	ChainID     string `help:"Chain." placeholder:"TEXT"`
	TokenID     string `help:"Token." placeholder:"TEXT"`
	BlockHeight string `help:"Height of the block." placeholder:"N"`
	BlockTime   string `help:"Time of the block, in milliseconds." placeholder:"N"`
	Nonce       string `help:"Nonce, instead of a fresh one." placeholder:"TEXT"`
	Timestamp   string `help:"Timestamp, instead of now." placeholder:"N"`
	overrides
}

func (f cregisFields) assignments() []assignment {
	return []assignment{
		{"pid", f.PID}, {"cid", f.CID}, {"status", f.Status}, {"amount", f.Amount}, {"currency", f.Currency},
		{"third_party_id", f.Reference}, {"txid", f.TxID}, {"remark", f.Remark}, {"memo", f.Memo},
		{"chain_id", f.ChainID}, {"token_id", f.TokenID}, {"block_height", f.BlockHeight},
		{"block_time", f.BlockTime}, {"nonce", f.Nonce}, {"timestamp", f.Timestamp},
	}
}

type cregisPayoutCommand struct {
	Address string `help:"Recipient's address." placeholder:"TEXT"`
	cregisFields
}

// Run sends the callback.
func (c *cregisPayoutCommand) Run(ctx context.Context, s *session, flags *sendCommand) error {
	return s.sendExample(ctx, flags, example{
		provider:  "cregis",
		kind:      payout.TypePayout,
		file:      "cregis-payout.json",
		account:   "pid",
		fresh:     s.freshCregis,
		fields:    append(c.assignments(), assignment{"address", c.Address}),
		overrides: c.overrides,
	})
}

type cregisSubAddressPayoutCommand struct {
	FromAddress string `help:"Sender's address." placeholder:"TEXT"`
	ToAddress   string `help:"Recipient's address." placeholder:"TEXT"`
	cregisFields
}

// Run sends the callback.
func (c *cregisSubAddressPayoutCommand) Run(ctx context.Context, s *session, flags *sendCommand) error {
	return s.sendExample(ctx, flags, example{
		provider:  "cregis",
		kind:      payout.TypeSubAddressPayout,
		file:      "cregis-sub-address-payout.json",
		account:   "pid",
		fresh:     s.freshCregis,
		fields:    append(c.assignments(), assignment{"from_address", c.FromAddress}, assignment{"to_address", c.ToAddress}),
		overrides: c.overrides,
	})
}

func (s *session) freshCregis() ([]change, error) {
	fresh, err := nonce(s.random)
	if err != nil {
		return nil, err
	}
	now := strconv.FormatInt(s.now().UnixMilli(), 10)
	return []change{assign("nonce", fresh), assign("timestamp", now)}, nil
}
