package faultproxy

import (
	"encoding/json"
	"net/http"
)

// maxRequest is the size in bytes of the largest request that is read.
const maxRequest = 1 << 10

func (p *Proxy) serveFaults(w http.ResponseWriter, _ *http.Request) {
	faults := map[string]Fault{}
	p.mutex.Lock()
	for service, state := range p.states {
		faults[service] = state.fault
	}
	p.mutex.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(faults) // fails if the client has left
}

// serveSet answers 204, or 400 with the cause.
func (p *Proxy) serveSet(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Service string `json:"service"`
		Fault   Fault  `json:"fault"`
	}
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&request)
	if err == nil {
		err = p.Set(request.Service, request.Fault)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
