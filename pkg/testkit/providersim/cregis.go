package providersim

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Cregis simulates Cregis: payouts from a project's wallet and from its
// sub-addresses, their queries, and their callbacks
// (docs/api-reference/request-apis).
type Cregis struct {
	*simulator

	keys                map[string]string // by pid
	mux                 *http.ServeMux
	hasNumericBlockTime bool
}

// The types of Cregis payouts.
const (
	CregisPayout           = "payout"
	CregisSubAddressPayout = "sub-address-payout"
)

// NewCregis returns a simulator for projects, given as API keys by pid. A pid is
// an int64; NewCregis panics otherwise.
func NewCregis(options Options, projects map[string]string) *Cregis {
	for pid := range projects {
		if _, err := strconv.ParseInt(pid, 10, 64); err != nil {
			panic("providersim: pid " + pid + " is not an integer")
		}
	}
	c := &Cregis{keys: projects, mux: http.NewServeMux(), hasNumericBlockTime: options.NumericBlockTime, simulator: newSimulator(options, support{
		statuses:    []Status{Succeeded, Failed, Rejected, RejectedBySig, Cancelled, Approved, Processing, Pending},
		alterations: []Alteration{AlteredAmount, AlteredRecipient, AlteredCurrency},
		faults: []Fault{Limited, Unavailable, Hanging, NotJSON, Huge, CredentialsRefused, AddressRefused,
			OtherAccount, OtherReference, UnknownStatus, AmountForm, CurrencyForm},
	})}
	c.provider = c
	c.mux.Handle("POST /api/v1/payout", c.handle(c.serveOrder(CregisPayout, "address")))
	c.mux.Handle("POST /api/v2/payout", c.handle(c.serveOrder(CregisPayout, "to_address")))
	c.mux.Handle("POST /api/v1/sub_address_withdrawal", c.handle(c.serveOrder(CregisSubAddressPayout, "to_address")))
	c.mux.Handle("POST /api/v1/payout/query", c.handle(c.serveQuery(CregisPayout)))
	c.mux.Handle("POST /api/v1/sub_address_withdrawal/info", c.handle(c.serveQuery(CregisSubAddressPayout)))
	c.serveControl(c.mux, func(account, reference, amount string) error {
		_, err := c.Order(account, CregisOrder{Currency: "195@195", Amount: amount, To: "TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS", Reference: reference})
		return err
	})
	return c
}

// ServeHTTP serves the API of Cregis, and the simulator's own.
func (c *Cregis) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.mux.ServeHTTP(w, r) }

// CregisOrder is a payout to order.
type CregisOrder struct {
	Type        string // CregisPayout by default
	Currency    string // chain@token, of the currencies in cregis_chain.go
	Amount      string // a decimal greater than 0
	From        string // an address; required for a sub-address payout
	To          string // an address
	Reference   string // third_party_id, unique in the project
	CallbackURL string // by default that of the simulator's options
	Remark      string // at most 256 characters
	Memo        string
}

// Order places an order as a request to the API does, without the request. It
// returns the cid; an error is an [*APIError].
func (c *Cregis) Order(account string, order CregisOrder) (cid string, err error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	cid, refused := c.order(account, order)
	if refused != nil {
		return "", refused
	}
	return cid, nil
}

// APIError is the refusal of a request: the code and the message of the answer.
type APIError struct{ Code, Message string }

func (e *APIError) Error() string { return e.Code + ": " + e.Message }

// cregisEnvelope is the form of each answer; only the code 00000 is a success
// (docs/api-reference/return-codes). Refusals come with HTTP 200 too [guess].
type cregisEnvelope struct {
	Code string `json:"code"`
	Msg  string `json:"msg"`
	Data any    `json:"data"`
}

func cregisAnswer(data any) answer {
	return answer{code: http.StatusOK, body: cregisEnvelope{"00000", "ok", data}}
}

func (e *APIError) cregisAnswer() answer {
	return answer{code: http.StatusOK, body: cregisEnvelope{Code: e.Code, Msg: e.Message}}
}

// serveOrder returns the function that serves orders of a type, whose recipient
// is in the named field.
func (c *Cregis) serveOrder(kind, recipient string) func(*http.Request, []byte) answer {
	return func(_ *http.Request, body []byte) answer {
		fields, refused := c.authenticate(body)
		if refused != nil {
			return refused.cregisAnswer()
		}
		cid, refused := c.order(fields["pid"], CregisOrder{
			Type: kind, Currency: fields["currency"], Amount: fields["amount"],
			From: fields["from_address"], To: fields[recipient], Reference: fields["third_party_id"],
			CallbackURL: fields["callback_url"], Remark: fields["remark"], Memo: fields["memo"],
		})
		if refused != nil {
			return refused.cregisAnswer()
		}
		return cregisAnswer(map[string]int64{"cid": parseID(cid)})
	}
}

var (
	isNonce     = regexp.MustCompile(`^[A-Za-z0-9]{6}$`).MatchString
	isTimestamp = regexp.MustCompile(`^[0-9]{13}$`).MatchString
	isDecimal   = regexp.MustCompile(`^(0|[1-9][0-9]*)(\.[0-9]+)?$`).MatchString
)

// authenticate reads a signed request. The numbers of the codes Axxxx are a
// [guess].
func (c *Cregis) authenticate(body []byte) (map[string]string, *APIError) {
	fields, err := readFlat(body)
	if err != nil {
		return nil, &APIError{"A0001", err.Error()}
	}
	key, ok := c.keys[fields["pid"]]
	switch {
	case !ok:
		return nil, &APIError{"E0003", "project does not exist"}
	case !isNonce(fields["nonce"]):
		return nil, &APIError{"A0001", "nonce: must have 6 characters"}
	case !isTimestamp(fields["timestamp"]):
		return nil, &APIError{"A0001", "timestamp: must be in milliseconds"}
	case fields["sign"] != cregisSign(key, fields):
		return nil, &APIError{"B0001", "signature error"}
	}
	return fields, nil
}

// order checks and takes an order. The mutex is locked.
func (c *Cregis) order(account string, order CregisOrder) (cid string, refused *APIError) {
	if order.Type == "" {
		order.Type = CregisPayout
	}
	facts, isSupported := cregisChains[order.Currency]
	for _, field := range []struct{ name, value string }{
		{"currency", order.Currency}, {"amount", order.Amount}, {"recipient", order.To}, {"third_party_id", order.Reference},
	} {
		if field.value == "" {
			return "", &APIError{"A0001", field.name + ": is required"}
		}
	}
	_, fraction, _ := strings.Cut(order.Amount, ".")
	switch {
	case c.keys[account] == "":
		return "", &APIError{"E0003", "project does not exist"}
	case !isSupported:
		return "", &APIError{"E0005", "currency is not supported"}
	case !isDecimal(order.Amount) || strings.Trim(order.Amount, "0.") == "":
		return "", &APIError{"E0006", "amount must be greater than 0"}
	case len(fraction) > facts.decimals:
		return "", &APIError{"E0007", "amount has too many decimals"}
	case !facts.isAddress(order.To), order.Type == CregisSubAddressPayout && !facts.isAddress(order.From):
		return "", &APIError{"E0008", "address is not valid"}
	case len([]rune(order.Remark)) > 256:
		return "", &APIError{"A0001", "remark: more than 256 characters"}
	}
	for _, p := range c.payouts {
		if p.account == account && p.transfer.Reference == order.Reference {
			return "", &APIError{"E0009", "third_party_id exists"}
		}
	}
	if order.Type == CregisPayout {
		order.From = facts.wallet
	}
	p := &payout{id: c.newID(), account: account, kind: order.Type, url: order.CallbackURL, transfer: order, chain: facts}
	p.txid, p.height = facts.txidPrefix+c.text("0123456789abcdef", 64), strconv.Itoa(34_000_000+c.rand.IntN(1_000_000))
	c.add(p, order.Reference)
	return p.id, nil
}

func (c *Cregis) newID() string {
	for {
		id := strconv.FormatInt(1_300_000_000_000_000+c.rand.Int64N(100_000_000_000_000), 10)
		if _, ok := c.find(id); !ok {
			return id
		}
	}
}

// parseID returns a pid or cid as the number that Cregis writes.
func parseID(text string) int64 {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		panic(fmt.Sprintf("providersim: id %s: %v", text, err)) // ids are checked or our own
	}
	return id
}

// judge implements provider. A callback is received if the answer has the body
// "success" (docs/faqs/Callback), and the code 200 [guess]; nothing is repeated.
func (c *Cregis) judge(attempt Attempt, _ int) (isAcknowledged bool, wait time.Duration, isRetried bool) {
	return attempt.Code == http.StatusOK && attempt.Body == "success", 0, false
}

// refuse implements provider.
func (c *Cregis) refuse(fault Fault) (answer, bool) {
	switch fault {
	case CredentialsRefused:
		return (&APIError{"B0001", "signature error"}).cregisAnswer(), true
	case AddressRefused:
		return (&APIError{"E0001", "the IP address is not in the whitelist"}).cregisAnswer(), true
	case Unavailable:
		return answer{code: http.StatusBadGateway, body: page("<html><body>502 Bad Gateway</body></html>")}, true
	}
	return answer{}, false
}
