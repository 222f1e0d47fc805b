package explain

import "fmt"

func (r *Report) foundf(cause, format string, args ...any) {
	r.Findings = append(r.Findings, Finding{Cause: cause, Text: fmt.Sprintf(format, args...)})
}

// shownProof is how much of a proof is shown: enough to compare by eye, far too
// little to send.
const displayedSignature = 8

func beginning(proof string) string {
	if len(proof) <= displayedSignature {
		return proof
	}
	return proof[:displayedSignature] + "…"
}
