package console

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"slices"
)

// policy allows what the console itself serves, and no inline script or style.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// secure admits requests of the console's own pages in a browser that has the token. A
// name that resolves to 127.0.0.1 has another Host, and a page elsewhere another Origin.
func (c *Console) secure(next http.Handler) http.Handler {
	hosts := []string{fmt.Sprintf("127.0.0.1:%d", c.Port), fmt.Sprintf("localhost:%d", c.Port), fmt.Sprintf("[::1]:%d", c.Port)}
	next = http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		// With no-referrer the browser would send the forms of this page with "Origin: null".
		header.Set("Referrer-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
		origin, query := r.Header.Get("Origin"), r.URL.Query()
		token := query.Get("token")
		if cookie, err := r.Cookie(c.cookie()); err == nil && !query.Has("token") {
			token = cookie.Value
		}
		switch {
		case !slices.Contains(hosts, r.Host):
			http.Error(w, "Forbidden: the console answers to "+hosts[0]+" only.", http.StatusForbidden)
		case origin != "" && origin != "http://"+r.Host:
			http.Error(w, "Forbidden: the request comes from another site.", http.StatusForbidden)
		case !c.isToken(token), query.Has("token") && r.Method != http.MethodGet:
			c.fail(w, r, http.StatusForbidden, "Open the console by its address",
				"The address with the token is printed when the console starts, and is valid until it ends; of the local stack it is also consoleUrl in "+
					".local/stack.json. If you have just opened it from another page, follow the link to the overview.")
		case query.Has("token"):
			c.exchangeToken(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// cookie returns the name of the cookie. Cookies do not distinguish ports, so the name does.
func (c *Console) cookie() string { return fmt.Sprintf("payout-console-%d", c.Port) }

func (c *Console) isToken(text string) bool {
	return subtle.ConstantTimeCompare([]byte(text), []byte(c.Token)) == 1
}

// exchangeToken stores the token in a cookie and redirects to the same address without
// the token, so that it does not stay in the browser's history.
func (c *Console) exchangeToken(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	query.Del("token")
	http.SetCookie(w, &http.Cookie{
		Name: c.cookie(), Value: c.Token, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: false, // loopback has no TLS
	})
	http.Redirect(w, r, localPath(r.URL.EscapedPath(), query), http.StatusSeeOther)
}
