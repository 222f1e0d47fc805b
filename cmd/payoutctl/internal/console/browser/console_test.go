package browser_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"payout-callbacks/pkg/ops/localstack"
)

// console is a running payoutctl console.
type console struct {
	base  string // http://127.0.0.1:port
	token string
	pid   int
	stop  func() error
}

var isShared = flag.Bool("shared", false, "use the stack that PAYOUT_CALLBACKS_STACK names, in which nobody else may work; otherwise the tests start their own")

// build returns the path of a command of this module.
func build(name string) (string, error) {
	folder, err := os.MkdirTemp("", name)
	if err != nil {
		return "", err
	}
	cleanUp = append(cleanUp, func() { _ = os.RemoveAll(folder) })
	path := filepath.Join(folder, name)
	if out, err := exec.Command("go", "build", "-o", path, "payout-callbacks/cmd/"+name).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", name, err, out)
	}
	return path, nil
}

// program returns the path of payoutctl.
var program = sync.OnceValues(func() (string, error) { return build("payoutctl") })

// stackFile returns the description of the local stack. The tests break connections, and change everything with a cause.
var stackFile = sync.OnceValues(func() (string, error) {
	if *isShared {
		return filepath.Abs(os.Getenv("PAYOUT_CALLBACKS_STACK"))
	}
	path, err := build("local")
	if err != nil {
		return "", err
	}
	// The stack runs until somebody opens the named pipe to write, and removes its files then.
	pipe := filepath.Join(filepath.Dir(path), "stop")
	if err := exec.Command("mkfifo", pipe).Run(); err != nil {
		return "", fmt.Errorf("make a named pipe: %w", err)
	}
	cmd := exec.Command(path, "exec", "--", "sh", "-c", `echo "$PAYOUT_CALLBACKS_STACK"; cat "$0"`, pipe)
	cmd.Dir = filepath.Join("..", "..", "..", "..", "..") // the root of the repository
	line, _, err := startChild(cmd)
	if err != nil {
		return "", err
	}
	cleanUp = append(cleanUp, func() {
		if opened, err := os.OpenFile(pipe, os.O_RDWR, 0); err == nil {
			_ = opened.Close()
		}
		_ = cmd.Wait()
	})
	return strings.TrimSpace(line), nil
})

// startChild starts a program, and returns its first line of standard output and a function that stops it.
func startChild(cmd *exec.Cmd) (line string, stop func() error, err error) {
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return "", nil, err
	}
	stop = func() error { return errors.Join(cmd.Process.Signal(os.Interrupt), cmd.Wait()) }
	if line, err = bufio.NewReader(out).ReadString('\n'); err != nil {
		return "", nil, fmt.Errorf("start %s: %w\n%s", cmd, errors.Join(err, stop()), problems.String())
	}
	return line, stop, nil
}

// localConsole is the console of the local stack that the tests share.
var localConsole = sync.OnceValues(func() (*console, error) {
	c, err := start("--local")
	if err == nil {
		cleanUp = append(cleanUp, func() { _ = c.stop() })
	}
	return c, err
})

// deployedConsole is a console of the same stack, opened as a deployed one.
var deployedConsole = sync.OnceValues(func() (*console, error) {
	stack, err := readStack()
	if err != nil {
		return nil, err
	}
	c, err := start("--stack", stack.Name, "--region", stack.Region)
	if err == nil {
		cleanUp = append(cleanUp, func() { _ = c.stop() })
	}
	return c, err
})

// readStack reads the description of the local stack.
func readStack() (localstack.Stack, error) {
	path, err := stackFile()
	if err != nil {
		return localstack.Stack{}, err
	}
	return localstack.Read(path)
}

// newConsole returns the console of the local stack.
func newConsole(t *testing.T) *console {
	t.Helper()
	needStack(t)
	c, err := localConsole()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// needStack skips the test without a local stack.
func needStack(t *testing.T) {
	t.Helper()
	if os.Getenv("PAYOUT_CALLBACKS_STACK") == "" {
		t.Skip("PAYOUT_CALLBACKS_STACK is not set; make test sets it")
	}
}

// start starts payoutctl with flags and the command console, and waits for its address.
func start(flags ...string) (*console, error) { return startWith(nil, append(flags, "console")...) }

// startWith starts payoutctl with variables and arguments, and waits for the address of the console.
func startWith(variables []string, args ...string) (*console, error) {
	path, err := program()
	if err != nil {
		return nil, err
	}
	stack, err := stackFile()
	if err != nil {
		return nil, err
	}
	description, err := localstack.Read(stack)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, append([]string{"--json"}, args...)...)
	cmd.Env = append(os.Environ(), "PAYOUT_CALLBACKS_STACK="+stack,
		// For a stack that counts as deployed.
		"AWS_ENDPOINT_URL="+description.EndpointURL, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test")
	cmd.Env = append(cmd.Env, variables...)
	line, stop, err := startChild(cmd)
	if err != nil {
		return nil, err
	}
	var printed struct{ ConsoleURL string }
	if err := json.Unmarshal([]byte(line), &printed); err != nil {
		return nil, fmt.Errorf("start the console: %w\n%s", errors.Join(err, stop()), line)
	}
	address, err := url.Parse(printed.ConsoleURL)
	if err != nil {
		return nil, err
	}
	return &console{base: "http://" + address.Host, token: address.Query().Get("token"), pid: cmd.Process.Pid, stop: stop}, nil
}

// address returns the address of a path with the token, as it is printed.
func (c *console) address(path string) string {
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	return c.base + path + separator + "token=" + c.token
}

// visitor sends requests to a console without a browser. It follows no redirect.
type visitor struct {
	t       testing.TB
	console *console
	http    *http.Client
}

// stranger returns a visitor without the token.
func (c *console) stranger(t testing.TB) visitor {
	t.Helper()
	return visitor{t, c, &http.Client{Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// visitor returns a visitor with the token in a cookie.
func (c *console) visitor(t testing.TB) visitor {
	t.Helper()
	v := c.stranger(t)
	var err error
	if v.http.Jar, err = cookiejar.New(nil); err != nil {
		t.Fatal(err)
	}
	if got := v.get("/?token=" + c.token); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("the printed address is answered with %d", got.StatusCode)
	}
	return v
}

// answer is a response whose body is read.
type answer struct {
	*http.Response

	text string
}

func (v visitor) get(path string) answer {
	v.t.Helper()
	return v.send(http.MethodGet, path, "", nil)
}

// post sends a form.
func (v visitor) post(path, form string) answer {
	v.t.Helper()
	return v.send(http.MethodPost, path, form, func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") })
}

// send sends a request as changed by edit, and reads the answer.
func (v visitor) send(method, path, body string, edit func(*http.Request)) answer {
	v.t.Helper()
	request, err := http.NewRequestWithContext(v.t.Context(), method, v.console.base+path, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	if edit != nil {
		edit(request)
	}
	response, err := v.http.Do(request)
	if err != nil {
		v.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return answer{response, string(text)}
}

// payoutctl runs a command on the local stack and returns what it prints on standard output.
func payoutctl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := tryPayoutctl(t, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func tryPayoutctl(t *testing.T, args ...string) (string, error) {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	stack, err := stackFile()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, path, append([]string{"--local"}, args...)...)
	cmd.Env = append(os.Environ(), "PAYOUT_CALLBACKS_STACK="+stack)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("payoutctl %s: %w\n%s%s", strings.Join(args, " "), err, out.String(), problems.String())
	}
	return out.String(), nil
}

// awaitPayout waits until payoutctl show prints a text about a payout or a held callback.
func awaitPayout(t *testing.T, id, text string) {
	t.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		out, err := tryPayoutctl(t, "show", id)
		if err == nil && strings.Contains(out, text) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s shows %q (%v)\n%s", patience, id, text, err, out)
		}
	}
}

var started, lastID = time.Now().UnixMicro(), atomic.Int64{}

// newID returns digits that no other payout of the stack has.
func newID() string { return fmt.Sprint(started + lastID.Add(1)) }
