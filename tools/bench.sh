#!/usr/bin/env bash
# Runs the paired benchmarks ROUNDS times, interleaved, and prints the ratio of side=ours to side=floor. Then it prints the
# sizes of the binaries, and runs tools/measure. `make bench` sets the endpoints that it needs.
set -euo pipefail
cd "$(dirname "$0")/.."
benchstat=golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da
rounds=${ROUNDS:-10}
folder=.local/bench
rm -rf "$folder" && mkdir -p "$folder"

packages=(pkg/lambda/functions pkg/provider/cregis pkg/provider/pivot)
for package in "${packages[@]}"; do
	go test -c -o "$folder/${package##*/}.test" "./$package"
done
for round in $(seq "$rounds"); do
	echo "round $round of $rounds" >&2
	for package in "${packages[@]}"; do
		time=1s
		[ "$package" = pkg/lambda/functions ] && time=100x
		(cd "$package" && "$OLDPWD/$folder/${package##*/}.test" -test.run='^$' -test.bench=. -test.benchtime="$time") >>"$folder/results"
	done
done
go run "$benchstat" -col /side "$folder/results"
.ci/sizes
if [ "$(uname -s)" = Linux ]; then
	go run ./tools/measure
fi
