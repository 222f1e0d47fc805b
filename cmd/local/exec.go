package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
)

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
