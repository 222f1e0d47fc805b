package console

import (
	"net/http"
)

func (c *Console) overview(*http.Request) (view, error) {
	return view{template: "overview.html", Title: "Overview", Live: true}, nil
}

func (c *Console) payouts(*http.Request) (view, error) {
	return view{template: "overview.html", Title: "Payouts", Live: true}, nil
}

func (c *Console) payout(*http.Request) (view, error) { return view{}, errNotFound }
