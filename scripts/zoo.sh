#!/bin/bash
# zoo.sh: repeats a row of docs/zoo.md: trains configs/NAME.yaml with each of so many seeds, measures each model on the test set, once
# and at the end, and says whether the mean accuracy reaches what the row must reach. Every command that trains or measures is printed
# before it runs, so that what reads the test set can be seen. The last line is the row as docs/zoo.md has it.
#
# usage: scripts/zoo.sh NAME [SEEDS] [OPTION...]    SEEDS: 5 unless the row says otherwise; OPTIONs go to cnntrain: -t 1
#        scripts/zoo.sh                             the names, their data and what they must reach
#        scripts/zoo.sh --holdout NAME [SEEDS] [OPTION...]
#            for choosing hyperparameters: the last 10,000 training images of MNIST or Fashion-MNIST are held out and take the test set's
#            place, which is not read; the others are trained on. OPTIONs make other forms of a config: -s train.epochs=60
#
# alexnet is not trained: zoo.sh makes an ImageNet-style folder of 1,000 classes of generated pictures, plans the network, and takes 20
# steps. OUTPUT=runs/zoo: where the runs go. Data: scripts/data.sh gets MNIST and Fashion-MNIST; CIFAR-10 as class folders is where
# configs/cifar10.yaml says (IMAGES). Exit: 0 reached, 1 fell short or a run failed, 2 usage.
set -u
cd "$(dirname "$0")/.." || exit 1
OUTPUT=${OUTPUT:-runs/zoo}

# NAME DATA LEAST_ACCURACY_IN_PER_CENT SEEDS OPTIONS_OF_CNNEVAL
ROWS='
lenet5-1998            mnist    99.05 5
lenet5-1998-distorted  mnist    99.20 5
lenet5                 mnist    99.0  5
lenet5-augmented       mnist    99.4  5
mnist-best             mnist    99.70 1
neocognitron           mnist    98.5  5
fashion-small          fashion  92.5  3
fashion                fashion  94.5  1
alexnet                folders  -     1
alexnet-cifar10        cifar10  80    1
vgg-cifar10            cifar10  88    1
resnet20-cifar10       cifar10  88    1
airbench-cifar10       cifar10  90.6  1 --tta 16
conv1d-mnist           mnist    98.5  5
digits                 digits   98    5
'

die() {
    printf 'zoo.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

# Print a command, then run it.
run() {
    printf '$ %s\n' "$*" >&2
    "$@"
}

# value KEY: of cnneval's JSON on stdin
value() {
    awk -F '[:,]' -v key="\"$1\"" '$1 ~ "^  " key { gsub(/ /, "", $2); print $2; exit }'
}

# parameters CONFIG: as the summary counts them
parameters() {
    bin/cnntrain --dry-run "$1" 2>/dev/null | awk '$1 == "total" { print $2 }'
}

# one SEED [OPTION...]: "accuracy epochs seconds" of a run with this seed
one() {
    local seed=$1 dir=$OUTPUT/$name/$1 began accuracy epochs
    shift
    began=$(date +%s)
    run bin/cnntrain -q --fresh "configs/$name.yaml" -o "$dir" -s seed="$seed" "$@" || return
    began=$(($(date +%s) - began))
    epochs=$(awk -F , 'END { print $1 }' "$dir/log.csv")
    # shellcheck disable=SC2086 # options of the row are words
    accuracy=$(run bin/cnneval --json $measure "$dir/model.bin" "$dir/config.yaml" | value accuracy)
    [ -n "$accuracy" ] || return
    awk -v a="$accuracy" -v e="$epochs" -v s="$began" 'BEGIN { printf "%.2f %d %d\n", 100 * a, e, s }'
}

# holdout SOURCE FOLDER: an IDX data set whose test set is the last 10,000 images of SOURCE's training set, which has the others
holdout() {
    [ -d "$2" ] || python3 - "$1" "$2" <<'END'
import gzip, os, struct, sys

source, folder = sys.argv[1:]
os.makedirs(f"{folder}.part", exist_ok=True)
for kind, head in (("images-idx3", 16), ("labels-idx1", 8)):
    data = gzip.open(f"{source}/train-{kind}-ubyte.gz").read()
    count = struct.unpack(">I", data[4:8])[0]
    size = (len(data) - head) // count
    cut = head + size * (count - 10000)
    for part, values in (("train", data[head:cut]), ("t10k", data[cut:])):
        with gzip.open(f"{folder}.part/{part}-{kind}-ubyte.gz", "wb", 1) as file:
            file.write(data[:4] + struct.pack(">I", len(values) // size) + data[8:head] + values)
os.rename(f"{folder}.part", folder)
END
}

# 1,000 class folders with three pictures of 256 x 256 pixels each, and one in the test set: 8 x 8 squares of random colours.
generate() {
    [ -d "$1" ] || python3 - "$1" <<'END'
import os, random, struct, sys, zlib

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

def picture(seed):
    colours = random.Random(seed)
    rows = b"".join((b"\0" + b"".join(colours.randbytes(3) * 32 for _ in range(8))) * 32 for _ in range(8))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 256, 256, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b""))

folder = sys.argv[1]
for part, count in (("train", 3), ("test", 1)):
    for number in range(1000):
        place = f"{folder}.part/{part}/class{number:03}"
        os.makedirs(place, exist_ok=True)
        for image in range(count):
            with open(f"{place}/{image}.png", "wb") as file:
                file.write(picture(f"{part} {number} {image}"))
os.rename(f"{folder}.part", folder)
END
}

# alexnet [OPTION...]: 20 steps on generated pictures
steps() {
    local limit
    generate "$OUTPUT/folders" || die 'the pictures could not be made'
    export IMAGES=$OUTPUT/folders
    run bin/cnntrain --dry-run configs/alexnet.yaml "$@" || exit 1
    limit=$((20 * $(awk '$1 == "batch_size:" { print $2 }' configs/alexnet.yaml)))
    run bin/cnntrain -v --fresh configs/alexnet.yaml -o "$OUTPUT/alexnet" -s train.epochs=1 -s data.limit="$limit" "$@" || exit 1
}

if [ $# -eq 0 ]; then
    awk 'NF { printf "%-22s %-8s %s\n", $1, $2, $3 == "-" ? "-" : ">= " $3 " %" }' <<<"$ROWS"
    exit 0
fi
holds_out='' of='the test images' replaced=()
if [ "$1" = --holdout ]; then
    holds_out=1 of='the held-out images'
    shift
fi
name=${1-} seeds=${2-}
shift
read -r data least row_seeds measure < <(awk -v name="$name" '$1 == name { $1 = ""; print }' <<<"$ROWS")
[ -n "${data-}" ] || die "no row '$name'; scripts/zoo.sh prints those there are" 2
if [[ $seeds =~ ^[0-9]+$ ]]; then
    shift
else
    seeds=$row_seeds
fi
[ "$seeds" -ge 1 ] || die 'at least one seed' 2
[ -e "configs/$name.yaml" ] || die "there is no configs/$name.yaml yet"
mkdir -p "$OUTPUT" || exit 1
if [ -n "$holds_out" ]; then
    [[ $data =~ mnist|fashion ]] || die "--holdout is for rows of MNIST and Fashion-MNIST, and '$name' is of $data" 2
    holdout "data/$data" "$OUTPUT/holdout-$data" || die "data/$data could not be read; scripts/data.sh $data gets it"
    replaced=(-s "data.train=$OUTPUT/holdout-$data/train-images-idx3-ubyte.gz" -s "data.test=$OUTPUT/holdout-$data/t10k-images-idx3-ubyte.gz")
    least=-
elif [ "$name" = alexnet ]; then
    steps "$@"
    exit
fi

results=
for ((seed = 1; seed <= seeds; seed++)); do
    result=$(one "$seed" "${replaced[@]}" "$@") || die "the run with seed $seed failed"
    # shellcheck disable=SC2086 # three numbers
    printf 'seed %d: %s %% of '"$of"', %s epochs, %s s\n' "$seed" $result
    results+=$result$'\n'
done
awk -v name="$name" -v data="$data" -v least="$least" -v parameters="$(parameters "configs/$name.yaml")" '
    NF == 3 { n++; sum += $1; squares += $1 * $1; epochs += $2; seconds += $3 }
    END {
        mean = sum / n
        deviation = n > 1 && squares > sum * sum / n ? sqrt((squares - sum * sum / n) / (n - 1)) : 0
        printf "| %s | %s | %s | %d | %.2f ± %.2f | %s | %.0f | %.0f |\n", name, data, parameters, n, mean, deviation, least,
            epochs / n, seconds / n
        if (least != "-" && mean < least - 1e-9) {
            printf "zoo.sh: %s: %.2f %%, must reach %s %%\n", name, mean, least >"/dev/stderr"
            exit 1
        }
    }' <<<"$results"
