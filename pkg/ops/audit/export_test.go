package audit

// LimitRequests has ReadLog refuse a log of more requests than so many.
func (a *Audit) LimitRequests(most int) { a.log = newLog(most) }

// ErrTooMany is what it refuses with.
var ErrTooMany = errTooMany
