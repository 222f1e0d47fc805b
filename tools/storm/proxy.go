package main

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
)

// weather is how a proxy treats its connections.
type faultPlan int32

const (
	fair faultPlan = iota
	cut            // no connection lives, and none comes about
	mute           // requests pass, answers do not: what was asked for is done, and nobody learns of it
)

// proxy stands between the SDK and a service of AWS, as a cable that can be cut.
type proxy struct {
	listener net.Listener
	target   string
	faults   atomic.Int32

	mu     sync.Mutex
	open   map[net.Conn]bool
	broken int
}

// newProxy listens on this machine alone, until ctx ends.
func newProxy(ctx context.Context, target string) (*proxy, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: listener, target: target, open: map[net.Conn]bool{}}
	context.AfterFunc(ctx, func() {
		_ = listener.Close()
		p.snap()
	})
	go p.serve()
	return p, nil
}

func (p *proxy) url() string { return "http://" + p.listener.Addr().String() }

// set changes the weather. What a muted connection owes is never delivered.
func (p *proxy) set(to faultPlan) {
	before := faultPlan(p.faults.Swap(int32(to)))
	if to == cut || before == mute {
		p.snap()
	}
}

// snap breaks every connection that is open now.
func (p *proxy) snap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.open {
		reset(conn)
	}
	p.broken += len(p.open) / 2 // each has two ends here
	clear(p.open)
}

func (p *proxy) serve() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return // closed: the storm is over
		}
		if faultPlan(p.faults.Load()) == cut {
			reset(conn)
			continue
		}
		go p.connect(conn)
	}
}

func (p *proxy) connect(from net.Conn) {
	to, err := net.Dial("tcp", p.target) //nolint:noctx // to a neighbour on this machine
	if err != nil {
		reset(from)
		return
	}
	if !p.admit(from, to) {
		return
	}
	var running sync.WaitGroup
	running.Go(func() { p.pass(to, from, false) })
	running.Go(func() { p.pass(from, to, true) })
	running.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, from)
	delete(p.open, to)
}

// admit notes a connection, unless the cable was cut while it came about.
func (p *proxy) admit(from, to net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if faultPlan(p.faults.Load()) == cut {
		reset(from)
		reset(to)
		return false
	}
	p.open[from], p.open[to] = true, true
	return true
}

// pass copies one direction and closes both ends after it.
func (p *proxy) pass(to, from net.Conn, answers bool) {
	defer func() { _, _ = to.Close(), from.Close() }()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if answers && faultPlan(p.faults.Load()) == mute {
			n = 0
		}
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// reset closes a connection as a broken cable would: with what is on its way lost.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
