#!/bin/sh
# demo.sh: from a fresh machine to a trained network: installs what is missing, builds, gets MNIST, trains LeNet-5, evaluates it on
# the test set. Without any network it does the same on the 1,797 small digits that ship with the source.
set -eu
cd "$(dirname "$0")/.."

say() {
    printf '\n== %s\n' "$*"
}

say "what is needed to build"
scripts/deps.sh build

say "build"
make -s -j2 all

say "data"
if scripts/data.sh mnist; then
    config=configs/lenet5.yaml test=data/mnist
else
    say "MNIST cannot be had here: going on with the small digits in data/digits"
    config=configs/digits.yaml test=data/digits
fi

output=runs/$(basename "$config" .yaml)
say "train: bin/cnntrain $config"
bin/cnntrain "$config" --fresh -o "$output"

say "evaluate: bin/cnneval $output/model.bin $test"
bin/cnneval "$output/model.bin" "$test" --report "$output/test"

say "to see it, open in a browser: $output/report.html (training), $output/test/report.html (test set)"
