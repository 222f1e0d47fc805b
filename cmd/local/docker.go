package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// daemon is the Docker daemon that `sam local` starts its containers with.
type daemon struct {
	host   string // value of DOCKER_HOST
	listen string // address of this machine that the containers reach
	dial   string // name under which they reach it
}

// findDaemon asks the docker command for the daemon, which need not be at the default socket.
func findDaemon(ctx context.Context) (daemon, error) {
	if _, err := exec.LookPath("docker"); err != nil {
		return daemon{}, errors.New("sam local needs Docker, and docker is not on the PATH")
	}
	system, err := docker(ctx, "info", "--format", "{{.OperatingSystem}}")
	if err != nil {
		return daemon{}, fmt.Errorf("sam local needs Docker, and its daemon does not respond: %w", err)
	}
	host := os.Getenv("DOCKER_HOST")
	if host == "" {
		if host, err = docker(ctx, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"); err != nil {
			return daemon{}, err
		}
	}
	// If the containers run in a virtual machine, its bridge is no interface of this machine.
	if runtime.GOOS != "linux" || strings.Contains(system, "Docker Desktop") {
		return daemon{host: host, listen: "127.0.0.1", dial: "host.docker.internal"}, nil
	}
	configuration, err := docker(ctx, "network", "inspect", "bridge", "--format", "{{json .IPAM.Config}}")
	if err != nil {
		return daemon{}, err
	}
	address, err := bridgeAddress([]byte(configuration))
	return daemon{host: host, listen: address, dial: address}, err
}

// docker runs a docker command with the developer's configuration, and returns its output.
func docker(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "docker", args...)
	cmd.Env = keep(os.Environ(), func(name string) bool {
		return name == "PATH" || name == "HOME" || strings.HasPrefix(name, "DOCKER_")
	})
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("docker %s: %w: %s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(string(out)), nil
}

// bridgeAddress returns the address of this machine on Docker's default network. SAM puts its containers there, even with
// --docker-network.
func bridgeAddress(configuration []byte) (string, error) {
	var networks []struct {
		Subnet  string `json:"Subnet"`
		Gateway string `json:"Gateway"`
	}
	if err := json.Unmarshal(configuration, &networks); err != nil {
		return "", fmt.Errorf("docker network inspect: %w", err)
	}
	for _, network := range networks {
		if gateway, err := netip.ParseAddr(network.Gateway); err == nil && gateway.Is4() && !gateway.IsUnspecified() {
			return gateway.String(), nil
		}
		// Some versions omit the gateway: it is the first address.
		if subnet, err := netip.ParsePrefix(network.Subnet); err == nil && subnet.Addr().Is4() {
			return subnet.Masked().Addr().Next().String(), nil
		}
	}
	return "", fmt.Errorf("the Docker network bridge has no IPv4 address: %s", configuration)
}

// forwarder lets containers reach the emulator, which listens on 127.0.0.1 only.
type forwarder struct {
	endpoint string // the URL that a container calls
	server   *http.Server
}

// credential matches the part of a signature that names the signer.
var credential = regexp.MustCompile(`Credential=[^/]*/`)

// forward listens on the address that the containers of d reach, not on all interfaces. It uses the emulator's port if
// that is free.
func forward(d daemon, w workspace) (forwarder, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(d.listen, strconv.Itoa(w.port)))
	if err != nil {
		listener, err = net.Listen("tcp", net.JoinHostPort(d.listen, "0"))
	}
	if err != nil {
		return forwarder{}, fmt.Errorf("containers reach this machine at %s, where it cannot listen "+
			"(does the daemon %s run on another machine, or without root?): %w", d.listen, d.host, err)
	}
	target := &url.URL{Scheme: "http", Host: w.address()}
	server := &http.Server{
		ReadHeaderTimeout: time.Minute,
		Handler: &httputil.ReverseProxy{
			Transport: &http.Transport{},
			Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(target)
				signAsRoot(r.Out.Header)
			},
		},
	}
	go func() { _ = server.Serve(listener) }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return forwarder{endpoint: "http://" + net.JoinHostPort(d.dial, port), server: server}, err
}

// signAsRoot names the emulator's root user as the signer. SAM passes the developer's credentials, or dummies, to a
// container, and the emulator rejects both. It does not check the signature of its root user.
func signAsRoot(header http.Header) {
	header.Del("X-Amz-Security-Token")
	if signature := header.Get("Authorization"); signature != "" {
		header.Set("Authorization", credential.ReplaceAllString(signature, "Credential="+accessKeyID+"/"))
	}
}

func (f forwarder) close() error {
	if f.server == nil {
		return nil // not open
	}
	return f.server.Close()
}
