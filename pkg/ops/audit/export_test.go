package audit

// LimitRequests sets the number of requests that ReadLog accepts.
func (a *Audit) LimitRequests(limit int) { a.log = newLog(limit) }

// ErrTooMany is the error of a log with more requests.
var ErrTooMany = errTooMany
