package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// memory compares what a function keeps resident after many callbacks with what
// hello world keeps after as many, and with what it kept itself after fewer.
func memory(ctx context.Context, w *world) ([]row, error) {
	env, err := w.environment(ctx)
	if err != nil {
		return nil, err
	}
	few, many := w.few(2_000, 10), w.few(10_000, 20)
	resident := func(program string) (early, late int64, err error) {
		binary, err := w.compileForHere(ctx, program)
		if err != nil {
			return 0, 0, err
		}
		return w.residentAfter(ctx, binary, env, few, many)
	}
	early, late, err := resident("./functions/cregis")
	if err != nil {
		return nil, err
	}
	_, hello, err := resident(helloProgram)
	if err != nil {
		return nil, err
	}
	_, bare, err := resident(bareProgram)
	if err != nil {
		return nil, err
	}
	exact := func(a, b int64) spread {
		ratio := float64(a) / float64(b)
		return spread{ratio, ratio, ratio}
	}
	return []row{
		newRow(fmt.Sprintf("memory after %d callbacks", many), "hello world, as many invocations", exact(late, hello), 2).
			of(megabytes(late), megabytes(hello)),
		newRow(fmt.Sprintf("memory after %d callbacks", many), "the same requests, by the SDK", exact(late, bare), 0).
			of(megabytes(late), megabytes(bare)),
		newRow(fmt.Sprintf("memory after %d callbacks", many), fmt.Sprintf("after %d", few), exact(late, early), 1.1).
			of(megabytes(late), megabytes(early)),
	}, nil
}

// residentAfter runs a function, hands it callbacks one after the other as
// Lambda's runtime API does, and returns its resident memory after so many.
func (w *world) residentAfter(ctx context.Context, binary string, env []string, few, many int) (early, late int64, err error) {
	api := &runtimeAPI{events: make(chan []byte), answers: make(chan []byte)}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, 0, err
	}
	server := &http.Server{Handler: api.handler(), ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	defer func() { _ = server.Close() }()
	process := exec.CommandContext(ctx, binary)
	process.Env = append(append(os.Environ(), env...), "AWS_LAMBDA_RUNTIME_API="+listener.Addr().String())
	if err := process.Start(); err != nil {
		return 0, 0, err
	}
	defer func() {
		_ = process.Process.Kill()
		_ = process.Wait()
	}()
	for n := range many {
		events, err := w.events(1)
		if err != nil {
			return 0, 0, err
		}
		answer, err := api.invoke(ctx, events[0])
		if err == nil && bytes.Contains(answer, []byte(`"statusCode":5`)) {
			err = fmt.Errorf("answered %s", answer)
		}
		if err == nil && n == few-1 {
			early, err = residentOf(process.Process.Pid)
		}
		if err != nil {
			return 0, 0, err
		}
	}
	late, err = residentOf(process.Process.Pid)
	return early, late, err
}

// runtimeAPI is as much of Lambda's as a function needs to be invoked.
type runtimeAPI struct{ events, answers chan []byte }

func (a *runtimeAPI) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case event := <-a.events:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(10*time.Second).UnixMilli(), 10))
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:bench")
			_, _ = w.Write(event)
		case <-r.Context().Done():
		}
	})
	answered := func(w http.ResponseWriter, r *http.Request) {
		answer, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
		a.answers <- answer
	}
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", answered)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", answered)
	return mux
}

func (a *runtimeAPI) invoke(ctx context.Context, event []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	select {
	case a.events <- event:
	case <-ctx.Done():
		return nil, fmt.Errorf("the function does not ask for work: %w", ctx.Err())
	}
	select {
	case answer := <-a.answers:
		return answer, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("the function does not answer: %w", ctx.Err())
	}
}

// residentOf returns the bytes that a process has in memory.
func residentOf(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmRSS:" {
			kilobytes, err := strconv.ParseInt(fields[1], 10, 64)
			return kilobytes * 1024, err
		}
	}
	return 0, fmt.Errorf("process %d tells no VmRSS", pid)
}
