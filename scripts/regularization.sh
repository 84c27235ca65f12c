#!/bin/bash
# regularization.sh: what the lecture's techniques against overfitting do: trains each config of configs/regularization with several
# seeds, and prints a table of the accuracy on the images that it was trained on and on the test set, in per cent: mean and standard
# deviation over the seeds. The gap between the two is what regularisation is to narrow. A seed also chooses which 2,000 images are
# trained on; the same ones for every technique.
#
# usage: scripts/regularization.sh [OPTION...]        OPTIONs go to cnntrain: -s train.epochs=20
#
# SEEDS=5: how many. DATA=data/fashion: the data set; scripts/data.sh gets it. OUTPUT=runs/regularization: where the runs go. A run takes
# one thread, as many run at once as there are cores. Exit: 0 all trained, 1 not.
set -u
cd "$(dirname "$0")/.." || exit 1

export DATA=${DATA:-data/fashion}
OUTPUT=${OUTPUT:-runs/regularization}
NAMES='none early-stopping dropout noise l1 l2 elastic-net batchnorm augmentation all'
CORES=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)

if ! [ -e "$DATA/train-images-idx3-ubyte.gz" ]; then
    echo "regularization.sh: no train-images-idx3-ubyte.gz in $DATA: scripts/data.sh gets MNIST and Fashion-MNIST" >&2
    exit 1
fi

# accuracy PART RUN: of its model, in per cent
accuracy() {
    bin/cnneval -t 1 --json --part "$1" "$2/model.bin" "$2/config.yaml" |
        awk -F '[:,]' '/^  "accuracy":/ { printf "%.2f", 100 * $2 }'
}

# one NAME SEED [OPTION...]: train and measure; a line of the results
one() {
    local run=$OUTPUT/$1/$2
    bin/cnntrain -q -t 1 --fresh "configs/regularization/$1.yaml" -o "$run" -s seed="$2" "${@:3}" || return
    echo "$1 $(accuracy train "$run") $(accuracy test "$run")"
}

results=$(mktemp) || exit 1
trap 'rm -f "$results"' EXIT
for name in $NAMES; do
    for ((seed = 1; seed <= ${SEEDS:-5}; seed++)); do
        while [ "$(jobs -rp | wc -l)" -ge "$CORES" ]; do
            sleep 0.05
        done
        one "$name" "$seed" "$@" >>"$results" &
    done
done
wait

awk -v order="$NAMES" -v seeds="${SEEDS:-5}" '
    function mean(sum, n) { return sum / n }
    function deviation(sum, squares, n) { return n > 1 && squares > sum * sum / n ? sqrt((squares - sum * sum / n) / (n - 1)) : 0 }
    NF == 3 {
        n[$1]++
        train[$1] += $2; test[$1] += $3; gap[$1] += $2 - $3
        train2[$1] += $2 * $2; test2[$1] += $3 * $3; gap2[$1] += ($2 - $3) ^ 2
    }
    END {
        print "| technique | train, % | test, % | gap |"
        print "|---|---:|---:|---:|"
        count = split(order, names, " ")
        for (i = 1; i <= count; i++) {
            k = names[i]
            if (n[k] != seeds) {
                print "regularization.sh: " k ": " n[k] + 0 " of " seeds " runs" >"/dev/stderr"
                failed = 1
                continue
            }
            printf "| %s | %.1f ± %.1f | %.1f ± %.1f | %.1f ± %.1f |\n", k,
                mean(train[k], n[k]), deviation(train[k], train2[k], n[k]),
                mean(test[k], n[k]), deviation(test[k], test2[k], n[k]),
                mean(gap[k], n[k]), deviation(gap[k], gap2[k], n[k])
        }
        exit failed
    }' "$results"
