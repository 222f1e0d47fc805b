package operate

import (
	"context"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/send"
	"payout-callbacks/pkg/payout"
)

type sendCregis struct {
	Payout           cregisPayout           `cmd:"" help:"A payout. The documented example has the unknown status 0, so it is held."`
	SubAddressPayout cregisSubAddressPayout `cmd:"" help:"A payout from a sub-address."`
}

// cregisFields are the documented fields of both callbacks. All flags are text, so
// that digits are sent as typed.
type cregisFields struct {
	PID         string `name:"pid" help:"Project id: the account." placeholder:"ID"`
	CID         string `name:"cid" help:"Cregis's id of the payout." placeholder:"ID"`
	Status      string `help:"2 and 4 rejected, 6 succeeded, 7 failed; other values are held." placeholder:"N"`
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
	Nonce       string `help:"Nonce. Default: random." placeholder:"TEXT"`
	Timestamp   string `help:"Timestamp. Default: now." placeholder:"N"`
	send.Overrides
}

func (f cregisFields) assignments() []send.Assignment {
	return []send.Assignment{
		{"pid", f.PID}, {"cid", f.CID}, {"status", f.Status}, {"amount", f.Amount}, {"currency", f.Currency},
		{"third_party_id", f.Reference}, {"txid", f.TxID}, {"remark", f.Remark}, {"memo", f.Memo},
		{"chain_id", f.ChainID}, {"token_id", f.TokenID}, {"block_height", f.BlockHeight},
		{"block_time", f.BlockTime}, {"nonce", f.Nonce}, {"timestamp", f.Timestamp},
	}
}

type cregisPayout struct {
	Address string `help:"Recipient's address." placeholder:"TEXT"`
	cregisFields
}

// Run sends the callback.
func (c *cregisPayout) Run(ctx context.Context, s *cli.Session, flags *Send) error {
	return sendExample(ctx, s, flags, send.Example{
		Provider:  "cregis",
		Kind:      payout.TypePayout,
		File:      "cregis-payout.json",
		Account:   "pid",
		Generate:  func() ([]send.Change, error) { return send.GenerateCregis(s) },
		Fields:    append(c.assignments(), send.Assignment{"address", c.Address}),
		Overrides: c.Overrides,
	})
}

type cregisSubAddressPayout struct {
	FromAddress string `help:"Sender's address." placeholder:"TEXT"`
	ToAddress   string `help:"Recipient's address." placeholder:"TEXT"`
	cregisFields
}

// Run sends the callback.
func (c *cregisSubAddressPayout) Run(ctx context.Context, s *cli.Session, flags *Send) error {
	return sendExample(ctx, s, flags, send.Example{
		Provider:  "cregis",
		Kind:      payout.TypeSubAddressPayout,
		File:      "cregis-sub-address-payout.json",
		Account:   "pid",
		Generate:  func() ([]send.Change, error) { return send.GenerateCregis(s) },
		Fields:    append(c.assignments(), send.Assignment{"from_address", c.FromAddress}, send.Assignment{"to_address", c.ToAddress}),
		Overrides: c.Overrides,
	})
}
