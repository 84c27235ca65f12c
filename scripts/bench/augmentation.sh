#!/bin/bash
# augmentation.sh: what augmentation costs: LeNet-5 on MNIST with and without rotation, translation, zoom, brightness and noise, the two
# taking turns; medians of the images a second that their logs say, and how much slower the one is. Needs data/mnist.
#
# usage: scripts/bench/augmentation.sh [ROUNDS [THREADS]]        default 5 rounds on 2 threads
set -u
cd "$(dirname "$0")/../.." || exit 1

ROUNDS=${1:-5} THREADS=${2:-2}
LIST='augment=[rotate: 15, translate: 0.1, zoom: 0.1, brightness: 0.2, noise: 0.05]'
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# rate FILE [OPTION...]: train two epochs and add the rate of the second to FILE
rate() {
    bin/cnntrain configs/lenet5.yaml -q --fresh -o "$work/run" -t "$THREADS" -s train.epochs=2 -s data.validation=0.001 "${@:2}" || exit 1
    tail -n 1 "$work/run/log.csv" | cut -d, -f9 >>"$1"
}
median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

for ((round = 0; round < ROUNDS; round++)); do
    rate "$work/plain"
    rate "$work/augmented" -s "$LIST"
done
awk -v plain="$(median "$work/plain")" -v augmented="$(median "$work/augmented")" -v threads="$THREADS" 'BEGIN {
    printf "LeNet-5, MNIST, batch 64, %d threads: %d images/s, with augmentation %d: %.1f %% slower\n",
        threads, plain, augmented, 100 * (plain / augmented - 1) }'
