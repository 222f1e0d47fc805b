package main

import (
	"context"
	"errors"
	"fmt"
	"os"
)

type upCommand struct {
	Once bool `help:"Leave after the demonstration."`
	Port int  `help:"Port of the emulator on 127.0.0.1." default:"4566"`
}

func (c upCommand) Run(ctx context.Context) error {
	r := &running{show: showOn(os.Stdout)}
	defer r.stop()
	if err := r.bringUp(ctx, c.Port); err != nil {
		return err
	}
	containersErr := r.openToContainers(ctx)
	older, _ := readStack(r.newestStackFile())
	if err := r.stack.announce(r.root); err != nil {
		return err
	}
	defer func() { _ = r.stack.restoreFile(r.root, older) }()

	if err := demonstrate(ctx, r.show, r.root, r.stack); err != nil {
		return fmt.Errorf("demonstration: %w", err)
	}
	if c.Once {
		return nil
	}
	r.printURLs(containersErr)
	return r.untilInterrupted(ctx)
}

// running is a stack on its way up, up, or on its way down: whatever of it exists is stopped by stop.
type running struct {
	workspace

	show      progress
	release   func()
	emulator  *child
	forwarder forwarder
	stack     stack
	discard   bool // of the logs as well
}

func (r *running) bringUp(ctx context.Context, port int) (err error) {
	if r.workspace, err = openWorkspace(port); err != nil {
		return err
	}
	return r.show.runAll(ctx, []step{
		{name: fmt.Sprintf("claim port %d", port), run: func(context.Context) (err error) {
			r.release, err = r.claim()
			return err
		}},
		installTools(r.root),
		{name: "fetch the Go modules", run: func(ctx context.Context) error { return fetchModules(ctx, r.workspace) },
			hint: "check the network (proxy variables and GOPROXY are honoured)"},
		{name: "start the emulator", run: func(ctx context.Context) (err error) {
			r.emulator, err = startEmulator(ctx, r.workspace)
			return err
		}, hint: "read the log; `make clean` removes the installed tools, and the next run installs them afresh"},
		{name: "build the functions (sam build)", run: func(ctx context.Context) error { return build(ctx, r.workspace) },
			hint: "the compiler's complaint is above; `go build ./functions/...` shows it, too"},
		{name: "deploy template.yaml (sam deploy)", run: func(ctx context.Context) error { return deploy(ctx, r.workspace) },
			hint: "`make check` lints the template; the emulator's own log lies beside this one"},
		{name: "store the demo keys", run: r.describe},
	})
}

// describe reads what was deployed, makes it ready to use and writes it down.
func (r *running) describe(ctx context.Context) error {
	outputs, err := readOutputs(ctx, r.workspace, stackName)
	if err != nil {
		return err
	}
	if r.stack, err = newStack(r.workspace, outputs); err != nil {
		return err
	}
	if err := prepare(ctx, r.workspace, r.stack); err != nil {
		return err
	}
	return r.stack.write(r.stackFile())
}

// prepare makes a stack that was just deployed ready to use.
func prepare(ctx context.Context, w workspace, s stack) error {
	for _, do := range []func(context.Context, workspace, stack) error{storeKeys, correctMapping, correctSweeper} {
		if err := do(ctx, w, s); err != nil {
			return err
		}
	}
	return nil
}

// openToContainers lets `sam local` use the stack, where there is a Docker daemon.
func (r *running) openToContainers(ctx context.Context) error {
	daemon, err := findDaemon(ctx)
	if err != nil {
		return err
	}
	r.forwarder, err = forward(daemon, r.workspace)
	r.stack.ContainerURL = r.forwarder.endpoint
	return err
}

func (r *running) printURLs(containersErr error) {
	r.show.printf("\nCallbacks are received at")
	for _, path := range []string{"cregis/payout", "cregis/sub-address-payout", "pivot/payout"} {
		r.show.printf("  %s/callbacks/%s", r.stack.APIURL, path)
	}
	r.show.printf("\nBe a provider yourself, with\n%s", r.curl())
	r.show.printf("or with: go run ./cmd/payoutctl --local send --help")
	if containersErr == nil {
		r.show.printf("or with `sam local`, whose variables are in %s", newestVariablesFile(r.root))
	} else {
		r.show.printf("`sam local` cannot use this stack: %v", containersErr)
	}
	r.show.printf("\nEverything else about the stack is in %s.\nCtrl-C stops it.", r.newestStackFile())
}

// curl is a line that works in any shell: Pivot's proof is a header, and needs no computing.
func (r *running) curl() string {
	body := fmt.Sprintf(`{"event":"PAYOUT.SUCCESS","data":{"uuid":"5b0f3c6e-2f6e-4a39-9d0c-6f1d2a7e4b55","merchantId":"%s",`+
		`"payouts":{"referenceId":"CURL-1","amount":{"currency":"IDR","value":"100000"},"status":"SUCCESS","reason":null}}}`, demoMerchant)
	return fmt.Sprintf("  curl -i -H 'X-API-Key: %s' -H 'Content-Type: application/json' \\\n    -d '%s' \\\n    %s/callbacks/pivot/payout",
		r.stack.DemoKeys["pivot"][demoMerchant], body, r.stack.APIURL)
}

func (r *running) untilInterrupted(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-r.emulator.done:
		return errors.New("the emulator ended by itself\n" + tail(r.log("emulator")))
	}
}

func (r *running) stop() {
	_ = r.forwarder.close()
	if r.emulator != nil {
		r.show.printf("stopping the emulator …")
		r.emulator.stop()
	}
	if r.release == nil {
		return // the workspace was never ours
	}
	for _, path := range []string{r.stackFile(), r.build(), r.state(), r.temporary(), r.home()} {
		_ = os.RemoveAll(path)
	}
	if r.discard {
		_ = os.RemoveAll(r.dir)
		_ = os.Remove(r.dir + ".lock")
	}
	r.release()
}
