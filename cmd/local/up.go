package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"

	"payout-callbacks/pkg/lambda/providers"
	"payout-callbacks/pkg/testkit/faultproxy"
)

type upCommand struct {
	Once bool `help:"Exit after the demonstration."`
	Port int  `help:"Port of the emulator on 127.0.0.1." default:"4566"`
}

func (c upCommand) Run(ctx context.Context) error {
	r := &running{show: progress{out: os.Stdout}}
	defer r.stop()
	if err := r.bringUp(ctx, c.Port); err != nil {
		return err
	}
	containersErr := r.openToContainers(ctx)
	older, _ := readStack(r.newestStackFile())
	if err := r.stack.announce(r.root); err != nil {
		return err
	}
	defer func() { _ = r.stack.withdraw(r.root, older) }()

	if err := demonstrate(ctx, r.show, r.root, r.stack); err != nil {
		return fmt.Errorf("demonstration: %w", err)
	}
	if err := demonstrateOrders(ctx, r.show, r.workspace, r.stack, r.simulators); err != nil {
		return fmt.Errorf("demonstration of orders: %w", err)
	}
	if c.Once {
		return nil
	}
	r.printURLs(containersErr)
	return r.untilInterrupted(ctx)
}

// running is a local stack while it starts, runs and stops.
type running struct {
	workspace

	show       progress
	release    func()
	emulator   *child
	faults     *http.Server // the proxy between the functions and the emulator
	faultsURL  string
	simulators simulators
	console    *child
	forwarder  forwarder
	stack      stack
	discard    bool // delete the logs, too
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
			hint: "check the network (proxy variables and GOPROXY are used)"},
		{name: "start the emulator", run: func(ctx context.Context) (err error) {
			if err := r.startFaultProxy(); err != nil {
				return err
			}
			r.emulator, err = startEmulator(ctx, r.workspace, r.faultsURL)
			return err
		}, hint: "read the log; after `make clean` the next run installs the tools again"},
		{name: "build the functions (sam build)", run: func(ctx context.Context) error { return build(ctx, r.workspace) },
			hint: "the error of the compiler is above; `go build ./functions/...` shows it, too"},
		{name: "deploy template.yaml (sam deploy)", run: func(ctx context.Context) error { return deploy(ctx, r.workspace) },
			hint: "`make check` lints the template; the log of the emulator is in the same folder"},
		{name: "store the demo keys", run: r.finish},
	})
}

// startFaultProxy serves the proxy through which the functions reach the emulator. Its control API breaks their connections.
func (r *running) startFaultProxy() error {
	proxy, err := faultproxy.New(r.endpoint())
	if err != nil {
		return err
	}
	r.faults, r.faultsURL, err = serve(proxy)
	return err
}

// finish reads the outputs of the deployment, makes the stack ready and writes its description.
func (r *running) finish(ctx context.Context) error {
	outputs, err := readOutputs(ctx, r.workspace, stackName)
	if err != nil {
		return err
	}
	if r.stack, err = newStack(r.workspace, outputs); err != nil {
		return err
	}
	r.stack.Faults.URL = r.faultsURL
	if r.simulators, err = startSimulators(ctx, &r.stack); err != nil {
		return err
	}
	if err := prepare(ctx, r.workspace, r.stack); err != nil {
		return err
	}
	port, err := unusedPort()
	if err != nil {
		return err
	}
	token := rand.Text()
	r.stack.ConsoleURL = fmt.Sprintf("http://127.0.0.1:%d/?token=%s", port, token)
	if err := r.stack.write(r.stackFile()); err != nil {
		return err
	}
	r.console, err = startConsole(r.workspace, port, token)
	return err
}

// prepare makes a new stack ready to use.
func prepare(ctx context.Context, w workspace, s stack) error {
	for _, do := range []func(context.Context, workspace, stack) error{storeKeys, storeCredentials, correctMapping, correctSweeper} {
		if err := do(ctx, w, s); err != nil {
			return err
		}
	}
	return nil
}

// openToContainers lets `sam local` use the stack if a Docker daemon responds.
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
	r.show.printf("\nConsole: %s", r.stack.ConsoleURL)
	r.show.printf("\nCallback URLs:")
	for _, d := range providers.All() {
		for _, kind := range d.Types() {
			r.show.printf("  %s/callbacks/%s/%s", r.stack.APIURL, d.Name(), kind)
		}
	}
	r.show.printf("\nSimulated providers, which take orders and send callbacks:")
	for _, name := range slices.Sorted(maps.Keys(r.stack.Providers)) {
		r.show.printf("  %-6s %s (control: /simulator/payouts)", name, r.stack.Providers[name].BaseURL)
	}
	r.show.printf("For the orders of README.md:\n  export %s", strings.Join(r.stack.orderVariables(), " "))
	r.show.printf("\nSend a callback:\n%s", r.curl())
	r.show.printf("  go run ./cmd/payoutctl --local send --help")
	if containersErr == nil {
		r.show.printf("`sam local` can use this stack; its variables are in %s", newestVariablesFile(r.root))
	} else {
		r.show.printf("`sam local` cannot use this stack: %v", containersErr)
	}
	r.show.printf("\n%s describes the stack.\nCtrl-C stops it.", r.newestStackFile())
}

// curl returns a command that sends a Pivot callback, which needs no signature, only a header.
func (r *running) curl() string {
	body := fmt.Sprintf(`{"event":"PAYOUT.SUCCESS","data":{"uuid":"5b0f3c6e-2f6e-4a39-9d0c-6f1d2a7e4b55","merchantId":"%s",`+
		`"payouts":{"referenceId":"CURL-1","amount":{"currency":"IDR","value":"100000"},"status":"SUCCESS","reason":null}}}`, demoMerchant)
	return fmt.Sprintf("  curl -i -H 'X-API-Key: %s' -H 'Content-Type: application/json' \\\n    -d '%s' \\\n    %s/callbacks/pivot/payout",
		string(r.stack.DemoKeys["pivot"][demoMerchant]), body, r.stack.APIURL)
}

func (r *running) untilInterrupted(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-r.emulator.done:
		return errors.New("the emulator exited\n" + tail(r.log("emulator")))
	}
}

func (r *running) stop() {
	_ = r.forwarder.close()
	if r.console != nil {
		r.console.stop()
	}
	r.simulators.stop()
	if r.emulator != nil {
		r.show.printf("stopping the emulator …")
		r.emulator.stop()
	}
	if r.faults != nil {
		_ = r.faults.Close()
	}
	if r.release == nil {
		return // the workspace was not claimed
	}
	for _, path := range []string{r.stackFile(), r.build(), r.payoutctl(), r.state(), r.temporary(), r.home()} {
		_ = os.RemoveAll(path)
	}
	if r.discard {
		_ = os.RemoveAll(r.dir)
		_ = os.Remove(r.dir + ".lock")
	}
	r.release()
}

type execCommand struct {
	Command []string `arg:"" passthrough:"" help:"The command and its arguments, after --."`
}

// Run shows its progress on standard error; standard output is the command's.
func (c execCommand) Run(ctx context.Context) error {
	args := c.Command
	if args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		return errors.New("exec: no command")
	}
	port, err := unusedPort()
	if err != nil {
		return err
	}
	r := &running{show: progress{out: os.Stderr}}
	defer r.stop()
	if err := r.bringUp(ctx, port); err != nil {
		return err
	}
	r.show.printf("running %s", strings.Join(args, " "))
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = commandEnvironment(r.workspace, os.Environ())
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	command, err := start(cmd)
	if err != nil {
		return err
	}
	if err := command.wait(ctx); err != nil {
		r.show.printf("the logs of the stack are in %s", r.dir)
		return err
	}
	r.discard = true
	return nil
}
