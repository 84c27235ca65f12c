#!/bin/bash
# seeds.sh: what a change of a config does to it, with several seeds and on its validation images only; the test set is not read.
#
# usage: scripts/seeds.sh CONFIG.yaml [VARIANT...]
#     a VARIANT is one argument: '-s KEY=VALUE [-s KEY=VALUE...]' changes CONFIG, 'OTHER.yaml [-s KEY=VALUE...]' is another one
#
# Prints a row for CONFIG and one for each VARIANT: mean ± standard deviation over the seeds of accuracy in per cent and loss. "Last" is
# after the last epoch that was trained, "best" after the epoch with the smallest val_loss, which is also what model.bin holds. A seed
# gives each row the same images, so rows are compared seed by seed: "to first" is by how much the last validation accuracy
# differs from the first row's.
#
# SEEDS=5: how many. A run takes one thread, as many run at once as there are cores; what they write is thrown away. Exit: 0, 1 one failed.
set -u
if [ $# -eq 0 ] || ! [ -e "$1" ]; then
    sed -n '2,/^set/{s/^# \{0,1\}//;/^set/!p;}' "$0" >&2
    exit 2
fi
SEEDS=${SEEDS:-5}
CORES=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
config=$1
shm=/dev/shm # in memory where there is such a folder: each epoch of a run waits for the disk otherwise
[ -w $shm ] || shm=${TMPDIR:-/tmp}
work=$(mktemp -d "$shm/seeds.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

# one ROW SEED VARIANT: train; its log is where the table looks for it
one() {
    local parts part options=() file=$config
    mapfile -t parts <<<"${3// -s /$'\n'-s }"
    for part in "${parts[@]}"; do
        case $part in
        '-s '*) options+=(-s "${part#-s }") ;;
        *) file=$part ;;
        esac
    done
    bin/cnntrain -q -t 1 "$file" -o "$work/$1/$2" "${options[@]}" -s seed="$2" 2>"$work/$1.$2.err" || touch "$work/failed"
}

row=0
for variant; do
    mkdir "$work/$row" && printf '%s\n' "$variant" >>"$work/names"
    for ((seed = 1; seed <= SEEDS; seed++)); do
        while [ "$(jobs -rp | wc -l)" -ge "$CORES" ]; do
            sleep 0.02
        done
        one $row $seed "$variant" &
    done
    row=$((row + 1))
done
wait
if [ -e "$work/failed" ]; then
    cat "$work"/*.err >&2
    exit 1
fi

for ((r = 0; r < row; r++)); do
    for ((seed = 1; seed <= SEEDS; seed++)); do
        tail -n +2 "$work/$r/$seed/log.csv" | sed "s/^/$r,$seed,/"
    done
done | LC_ALL=C awk -F, -v seeds="$SEEDS" -v file="$work/names" '
    {
        k = $1 "," $2
        if (!(k in best) || $8 < best[k]) { best[k] = $8; best_accuracy[k] = $9; best_epoch[k] = $3 }
        train[k] = $7; loss[k] = $8; accuracy[k] = $9
    }
    function add(value) { n++; sum += value; squares += value * value }
    function shown(digits,    m, d) {
        m = sum / n
        d = n > 1 && squares > n * m * m ? sqrt((squares - n * m * m) / (n - 1)) : 0
        n = sum = squares = 0
        return sprintf("%." digits "f ± %." digits "f", m, d)
    }
    function none() { n = sum = squares = 0; return "-" }
    # columns are padded by hand: some awks count the bytes of ±, some its one character
    function column(width, text,    plain) {
        plain = text
        sub(/±/, "+", plain)
        printf "%" width - length(plain) "s%s", "", text
    }
    END {
        print " last: train    validation      to first           gap      val_loss | best: epoch    validation      val_loss"
        for (r = 0; (getline name <file) > 0; r++) {
            for (s = 1; s <= seeds; s++) { add(100 * train[r "," s]) }
            column(12, shown(1))
            for (s = 1; s <= seeds; s++) { add(100 * accuracy[r "," s]) }
            column(14, shown(1))
            for (s = 1; s <= seeds; s++) { add(100 * (accuracy[r "," s] - accuracy["0," s])) }
            column(14, r ? shown(1) : none())
            for (s = 1; s <= seeds; s++) { add(100 * (train[r "," s] - accuracy[r "," s])) }
            column(14, shown(1))
            for (s = 1; s <= seeds; s++) { add(loss[r "," s]) }
            column(14, shown(2))
            for (s = 1; s <= seeds; s++) { add(best_epoch[r "," s]) }
            column(14, shown(0))
            for (s = 1; s <= seeds; s++) { add(100 * best_accuracy[r "," s]) }
            column(14, shown(1))
            for (s = 1; s <= seeds; s++) { add(best[r "," s]) }
            column(14, shown(2))
            printf "  %s\n", name
        }
    }'
