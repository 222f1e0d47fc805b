package providersim

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// answer is the answer to a request of a provider's API.
type answer struct {
	code       int
	body       any
	fault      Fault // of the whole answer
	retryAfter time.Duration
}

// maxRequest is the number of bytes of the largest request that is read.
const maxRequest = 4 << 20

// handle returns the handler of a path of the provider's API. It reads the body,
// has the answer computed with the mutex locked, and writes it.
func (s *simulator) handle(compute func(r *http.Request, body []byte) answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
		if err != nil {
			http.Error(w, "body too large or incomplete", http.StatusRequestEntityTooLarge)
			return
		}
		s.mutex.Lock()
		result, isRefused := s.refuseAll()
		if !isRefused {
			result = compute(r, body)
		}
		result = s.replaceRefused(result)
		s.mutex.Unlock()
		result.write(w, r)
	}
}

// refuseAll returns the answer of the fault of all requests, if it has not ended.
func (s *simulator) refuseAll() (answer, bool) {
	if s.fault == "" || s.faults == 0 {
		return answer{}, false
	}
	if s.faults > 0 {
		s.faults--
	}
	return answer{code: http.StatusOK, fault: s.fault, retryAfter: s.pause}, true
}

// replaceRefused writes the provider's own answer for a fault that has one.
func (s *simulator) replaceRefused(result answer) answer {
	if refused, ok := s.provider.refuse(result.fault); ok {
		refused.retryAfter = result.retryAfter
		return refused
	}
	return result
}

func (a answer) write(w http.ResponseWriter, r *http.Request) {
	if a.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(a.retryAfter.Round(time.Second)/time.Second)))
	}
	switch a.fault {
	case Hanging:
		<-r.Context().Done()
		return
	case Limited:
		a.code, a.body = http.StatusTooManyRequests, struct{}{}
	case NotJSON:
		a.body = page("<html><body>Welcome</body></html>")
	}
	if text, ok := a.body.(page); ok {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(a.code)
		_, _ = io.WriteString(w, string(text))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.code)
	if a.fault == Huge { // a right answer after 2 MiB of white space
		_, _ = io.WriteString(w, strings.Repeat(" ", 2<<20))
	}
	_ = json.NewEncoder(w).Encode(a.body) // fails if the client has left
}

// page is a body that is not JSON.
type page string
