package explain

import "strings"

// mostKeys bounds how many keys each way of going wrong is tried with.
const mostKeys = 64

// mostFields bounds the bodies whose fields are altered one by one: documented
// ones have fewer than twenty.
const mostFields = 48

// search looks for what was signed. The order is that of plausibility, and the
// first thing that fits ends it: two of them cannot both be true.
func (r *Report) search(c *cregisCase) {
	if o, ok := c.keyThatFits(canonical(c.fields)); ok {
		r.fittingKey(c, o)
		return
	}
	if r.otherRule(c) || r.otherValues(c) {
		return
	}
	r.foundf(CauseUnknownKey, "nothing that goes wrong in practice explains the sign under the %d keys that were tried. "+
		"Most often then the provider signs with another key: compare its key in Cregis's console with what is stored, by the id that keys add prints. "+
		"Else more than one field was altered", len(c.keys()))
}

// keys are those that are tried: of the named account, or of all where that has
// none.
func (c *cregisCase) keys() []owned { return c.keysOf(c.account) }

func (c *cregisCase) keysOf(account string) []owned {
	if known, ok := c.rings[account]; ok {
		return known
	}
	all := ring(c.in.Keys, account)
	own := 0
	for own < len(all) && all[own].account == account {
		own++
	}
	if own == 0 {
		own = min(len(all), mostKeys)
	}
	c.rings[account] = all[:own]
	return all[:own]
}

// keyThatFits tries every key of every account on one text.
func (c *cregisCase) keyThatFits(text string) (owned, bool) {
	for _, o := range ring(c.in.Keys, c.account) {
		if c.fits(string(o.key) + text) {
			return o, true
		}
	}
	return owned{}, false
}

// fittingKey tells why a proof that fits was refused all the same.
func (r *Report) fittingKey(c *cregisCase, o owned) {
	switch {
	case o.account != c.account:
		r.foundf(CauseOtherAccount, "it is signed with key %s of project %s, but the body names project %s: "+
			"a callback of another project, or pid was altered", o, o.account, c.account)
	case c.sign != strings.TrimSpace(c.sign):
		r.foundf(CauseProofWrapping, "sign is right by key %s, but has space around it", o)
	default:
		r.foundf(CauseProofForm, "sign is right by key %s, but is not a JSON string", o)
	}
}

// otherRule tries the rules by which senders sign that are not Cregis's.
func (r *Report) otherRule(c *cregisCase) bool {
	for _, rule := range signingRules {
		for _, o := range c.keys() {
			if c.fits(rule.text(c, string(o.key))) {
				r.foundf(rule.cause, "sign fits by key %s if %s", o, rule.what)
				return true
			}
		}
	}
	return false
}

// otherValues tries the body with one thing altered back.
func (r *Report) otherValues(c *cregisCase) bool {
	counted := fieldText(c.fields)
	if len(counted) > mostFields {
		return false
	}
	for _, look := range []func(*cregisCase) func(func(attempt) bool){added, altered, swapped} {
		for try := range look(c) {
			text := canonical(try.fields)
			for _, o := range c.keysOf(try.account) {
				if c.fits(string(o.key) + text) {
					finding := try.finding
					finding.Text += " (key " + o.String() + ")"
					r.Findings = append(r.Findings, finding)
					return true
				}
			}
		}
	}
	return false
}

// attempt is the body as it may have been, and what that would mean.
type attempt struct {
	fields  []field
	account string // whose keys it may be signed with
	finding Finding
}
