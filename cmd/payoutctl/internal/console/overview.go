package console

import "net/http"

func (c *Console) overview(*http.Request) (view, error) {
	return view{template: "overview.html", Title: "Overview", Live: true}, nil
}
