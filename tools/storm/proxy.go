package main

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
)

// mode is how a proxy treats its connections.
type mode int32

const (
	pass mode = iota
	cut       // no connection is accepted or kept
	mute      // requests pass, answers do not: the request is served, and its sender never knows
)

// proxy forwards connections to an AWS service and can break them.
type proxy struct {
	listener net.Listener
	target   string
	mode     atomic.Int32

	mu     sync.Mutex
	open   map[net.Conn]bool
	broken int
}

// newProxy listens on this machine until ctx ends.
func newProxy(ctx context.Context, target string) (*proxy, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: listener, target: target, open: map[net.Conn]bool{}}
	context.AfterFunc(ctx, func() {
		_ = listener.Close()
		p.resetAll()
	})
	go p.serve()
	return p, nil
}

func (p *proxy) url() string { return "http://" + p.listener.Addr().String() }

// set changes the mode. Connections that were muted never deliver what they owe.
func (p *proxy) set(to mode) {
	before := mode(p.mode.Swap(int32(to)))
	if to == cut || before == mute {
		p.resetAll()
	}
}

// resetAll breaks every open connection.
func (p *proxy) resetAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.open {
		reset(conn)
	}
	p.broken += len(p.open) / 2 // each connection has two ends here
	clear(p.open)
}

func (p *proxy) serve() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		go p.forward(conn)
	}
}

func (p *proxy) forward(from net.Conn) {
	to, err := net.Dial("tcp", p.target) //nolint:noctx // on this machine
	if err != nil {
		reset(from)
		return
	}
	if !p.add(from, to) {
		return
	}
	var running sync.WaitGroup
	running.Go(func() { p.copy(to, from, false) })
	running.Go(func() { p.copy(from, to, true) })
	running.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, from)
	delete(p.open, to)
}

// add records a connection, unless connections are cut.
func (p *proxy) add(from, to net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if mode(p.mode.Load()) == cut {
		reset(from)
		reset(to)
		return false
	}
	p.open[from], p.open[to] = true, true
	return true
}

// copy copies one direction and closes both ends after it.
func (p *proxy) copy(to, from net.Conn, isAnswer bool) {
	defer func() { _, _ = to.Close(), from.Close() }()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if isAnswer && mode(p.mode.Load()) == mute {
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

// reset closes a connection and drops what it has buffered.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
