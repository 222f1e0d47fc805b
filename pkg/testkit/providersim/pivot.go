package providersim

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// Pivot simulates Pivot: single and bulk payouts, their queries, and their
// callbacks (docs/api-references/api-lists/payout-local).
type Pivot struct {
	*simulator

	merchants map[string]Merchant // by id
	tokens    map[string]token
	requests  map[string]pastRequest // by merchant and X-REQUEST-ID
	mux       *http.ServeMux
}

// Merchant is an account of Pivot.
type Merchant struct {
	ID          string
	Secret      string // of the API
	CallbackKey string // header X-API-Key of callbacks
}

// NewPivot returns a simulator for merchants.
func NewPivot(options Options, merchants ...Merchant) *Pivot {
	items := []Status{Succeeded, Failed, Rejected, Cancelled, Unfunded, Pending}
	p := &Pivot{
		merchants: map[string]Merchant{}, tokens: map[string]token{}, requests: map[string]pastRequest{}, mux: http.NewServeMux(),
		simulator: newSimulator(options, support{
			statuses: items, items: items,
			alterations: []Alteration{AlteredAmount, AlteredCurrency},
			faults: []Fault{Limited, Unavailable, Hanging, NotJSON, Huge, CredentialsRefused, InProcess,
				OtherAccount, OtherReference, UnknownStatus, AmountForm, Endless, Shifting, Totals},
		}),
	}
	p.provider = p
	for _, merchant := range merchants {
		p.merchants[merchant.ID] = merchant
	}
	p.mux.Handle("POST /v1/access-token", p.handle(p.serveToken))
	p.mux.Handle("POST /v1/payouts", p.handle(p.authenticated(p.serveOrder)))
	p.mux.Handle("GET /v1/payouts/{id}", p.handle(p.authenticated(p.serveQuery)))
	p.serveControl(p.mux, func(account, reference, amount string) error {
		_, err := p.Order(account, PivotItem{
			Reference: reference, Channel: "BRI", Recipient: PivotAccount{"Budi", "999966660001"}, Amount: PivotAmount{"IDR", amount},
		})
		return err
	})
	return p
}

// ServeHTTP serves the API of Pivot, and the simulator's own.
func (p *Pivot) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.mux.ServeHTTP(w, r) }

// PivotItem is a payout of a request.
type PivotItem struct {
	Reference   string       `json:"referenceId"` // 1 to 100 characters, unique for the merchant
	InquiryID   string       `json:"inquiryId"`   // in place of the channel
	Channel     string       `json:"channelCode"`
	Recipient   PivotAccount `json:"channelInformation"`
	Amount      PivotAmount  `json:"amount"`
	Description string       `json:"description"` // at most 20 characters
}

// PivotAccount is the account of a recipient.
type PivotAccount struct {
	Name   string `json:"accountName"`
	Number string `json:"accountNumber"`
}

// PivotAmount is an amount, a decimal greater than 0 in text.
type PivotAmount struct {
	Currency string `json:"currency"`
	Value    string `json:"value"`
}

// Order places an order as a request to the API does, without the request. With
// one item it is a single payout, with more a bulk. It returns the uuid; an error
// is an [*APIError].
func (p *Pivot) Order(account string, items ...PivotItem) (uuid string, err error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if _, ok := p.merchants[account]; !ok {
		return "", &APIError{"credentials_invalid", "no such merchant"}
	}
	ordered, refused := p.order(account, items)
	if refused != nil {
		return "", &APIError{refused.code, refused.field}
	}
	return ordered.id, nil
}

// pastRequest is a request with an X-REQUEST-ID.
type pastRequest struct {
	at     time.Time
	digest [sha256.Size]byte
	answer answer
}

// How long an X-REQUEST-ID is remembered, and the form that it has.
const requestIDLife = 24 * time.Hour

var isRequestID = regexp.MustCompile(`^[A-Za-z0-9]{16,36}$`).MatchString

// serveOrder serves docs/api-references/api-lists/payout-local/create-a-payout.
// Each request has an X-REQUEST-ID; the same with the same body gets the first
// answer again (docs/api-references/api-information/idempotency).
func (p *Pivot) serveOrder(r *http.Request, body []byte, merchant string) answer {
	id := r.Header.Get("X-Request-ID")
	switch {
	case id == "":
		return p.refusal(pivotError{"field_required", "X-REQUEST-ID"})
	case !isRequestID(id):
		return p.refusal(pivotError{"field_format_invalid", "X-REQUEST-ID"})
	}
	digest := sha256.Sum256(body)
	past, ok := p.requests[merchant+"/"+id]
	if ok && p.time().Before(past.at.Add(requestIDLife)) {
		if past.digest != digest {
			return p.refusal(pivotError{"resource_already_exists", ""})
		}
		return past.answer
	}
	result := p.create(merchant, body)
	if result.code == http.StatusOK {
		p.requests[merchant+"/"+id] = pastRequest{p.time(), digest, result}
	}
	return result
}

func (p *Pivot) create(merchant string, body []byte) answer {
	var request struct {
		Payouts []PivotItem `json:"payouts"`
	}
	err := json.Unmarshal(body, &request)
	if wrongType, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return p.refusal(pivotError{"field_format_invalid", wrongType.Field})
	}
	if err != nil {
		return p.refusal(pivotError{"format_invalid", ""})
	}
	ordered, refused := p.order(merchant, request.Payouts)
	if refused != nil {
		return p.refusal(*refused)
	}
	at := pivotTime(ordered.ordered)
	return pivotAnswer(map[string]any{
		"created": at, "merchantId": merchant, "payouts": ordered.items, "status": pivotInProgress, "updated": at, "uuid": ordered.id,
	}, nil)
}

// order checks and takes an order. The mutex is locked.
func (p *Pivot) order(merchant string, items []PivotItem) (*payout, *pivotError) {
	if len(items) == 0 || len(items) > 1000 {
		return nil, &pivotError{"format_invalid", ""}
	}
	known := map[string]bool{}
	for _, other := range p.payouts {
		if other.account == merchant {
			for _, item := range other.items {
				known[item.Reference] = true
			}
		}
	}
	ordered := &payout{id: p.newUUID(), account: merchant, kind: "payout", url: p.urls["payout"]}
	if len(items) > 1 {
		ordered.kind = "batch"
	}
	var references []string
	for _, item := range items {
		if refused := item.check(); refused != nil {
			return nil, refused
		}
		if known[item.Reference] {
			return nil, &pivotError{"resource_already_exists", "referenceId"}
		}
		known[item.Reference] = true
		if item.Channel == "" { // Pivot knows the recipient from the inquiry
			item.Channel, item.Recipient = "BRI", PivotAccount{"Dummy Simulation", "999966660001"}
		}
		ordered.items, references = append(ordered.items, item), append(references, item.Reference)
	}
	p.add(ordered, references...)
	return ordered, nil
}

func (i PivotItem) check() *pivotError {
	length := len([]rune(i.Reference))
	hasChannel := i.Channel != "" && i.Recipient.Name != "" && i.Recipient.Number != ""
	switch {
	case length == 0:
		return &pivotError{"field_required", "referenceId"}
	case length > 100:
		return &pivotError{"field_format_invalid", "referenceId"}
	case i.InquiryID == "" && !hasChannel:
		return &pivotError{"field_required", "channelInformation"}
	case i.Amount.Currency == "" || i.Amount.Value == "":
		return &pivotError{"field_required", "amount"}
	case !isDecimal(i.Amount.Value):
		return &pivotError{"field_format_invalid", "amount.value"}
	case strings.Trim(i.Amount.Value, "0.") == "":
		return &pivotError{"amount_below_limit", "amount.value"}
	case len([]rune(i.Description)) > 20:
		return &pivotError{"field_format_invalid", "description"}
	}
	return nil
}

func (p *Pivot) newUUID() string {
	const digits = "0123456789abcdef"
	return strings.Join([]string{
		p.text(digits, 8), p.text(digits, 4), "4" + p.text(digits, 3), p.text("89ab", 1) + p.text(digits, 3), p.text(digits, 12),
	}, "-")
}
