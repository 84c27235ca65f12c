#!/usr/bin/env bats
# cnneval.bats: cnneval as its users meet it: reports, exit codes, and every message of the command line that the commands
# share (tools/cli*.c, report*.c). The model is one epoch on the small digits of data/digits: it is often wrong, as it should be.

bats_require_minimum_version 1.5.0

setup_file() {
    cd "$BATS_TEST_DIRNAME/../.." || return 1
    export BIN=${BIN:-$PWD/bin} DIGITS=data/digits
    export MODEL=$BATS_FILE_TMPDIR/run/model.bin
    unset CNNTRAIN_CPU NO_COLOR
    cat >"$BATS_FILE_TMPDIR/digits.yaml" <<END
data:
  train: $DIGITS/train-images-idx3-ubyte.gz
  test: $DIGITS/t10k-images-idx3-ubyte.gz
  validation: 0.1
  classes: ["=zero", "a,b", "q\"t", "-3", "@four", "\\u00FCnf", "six\\e[1m", "+7", "8", "a rather long name for the last class"]
network:
  - dense: 10
train: {epochs: 1}
END
    "$BIN/cnntrain" -q "$BATS_FILE_TMPDIR/digits.yaml" -o "$BATS_FILE_TMPDIR/run"
}

setup() {
    cd "$BATS_TEST_DIRNAME/../.." || return 1
}

# Stdout, stderr and exit code of cnneval, apart.
eval_() {
    status=0
    "$BIN/cnneval" "$@" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" || status=$?
    out=$(cat "$BATS_TEST_TMPDIR/out")
    err=$(cat "$BATS_TEST_TMPDIR/err")
}

# usage MESSAGE ARGUMENT...: refused as a wrong call, with just this message.
usage() {
    local message=$1
    shift
    eval_ "$@"
    echo "$err"
    [ "$status" -eq 2 ]
    [ "$out" = "" ]
    [ "$err" = "cnneval: error: $message"$'\n'"try 'cnneval --help'" ]
}

# fails CODE MESSAGE ARGUMENT...: nothing on stdout, the message as the first line of stderr.
fails() {
    local code=$1 message=$2
    shift 2
    eval_ "$@"
    echo "$status: $err"
    [ "$status" -eq "$code" ]
    [ "$out" = "" ]
    [ "${err%%$'\n'*}" = "$message" ]
}

json() {
    "$BIN/cnneval" "$MODEL" "$DIGITS" --json "$@"
}

# value KEY... [-- ARGUMENT...]: one number of the JSON report.
value() {
    local keys=()
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        keys+=("$1")
        shift
    done
    json "${@:2}" | python3 -c '
import functools, json, sys
print(functools.reduce(lambda node, key: node[key], sys.argv[1:], json.load(sys.stdin)))' "${keys[@]}"
}

@test "no arguments: how it is called" {
    eval_
    [ "$status" -eq 2 ]
    [ "$out" = "" ]
    [ "$err" = "usage: cnneval [options] MODEL TESTSET"$'\n'"try 'cnneval --help'" ]
}

@test "one argument: what is missing" {
    eval_ "$MODEL"
    [ "$status" -eq 2 ]
    [ "${err%%$'\n'*}" = "cnneval: error: TESTSET is missing" ]
    [[ "$err" == *"usage: cnneval [options] MODEL TESTSET"* ]]
}

@test "--help and --version go to stdout" {
    eval_ --help
    [ "$status" -eq 0 ]
    [ "$err" = "" ]
    for option in --part --json --csv --top-k --min-accuracy --threads --quiet --verbose --help --version; do
        [[ "$out" == *" $option"* ]]
    done
    [[ "$out" == *"Exit codes:"* && "$out" == *"Example: cnneval "* ]]
    [ "$(awk 'length > 80' <<<"$out")" = "" ]
    eval_ -h x y z
    [ "$status" -eq 0 ]
    eval_ -V
    [ "$status" -eq 0 ]
    [[ "$out" =~ ^cnneval\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
}

@test "unknown options" {
    usage "unknown option '--jsn'; did you mean '--json'?" --jsn a b
    usage "unknown option '--frobnicate'" --frobnicate=3 a b
    usage "unknown option '-x'" -x a b
    usage "unknown option '-x'" -qx a b
    usage "unknown option '-\\xFF'" $'-\xff' a b
    usage "unknown option '--\\x1B[31m'" $'--\e[31m' a b
}

@test "options may be cut where that is clear" {
    [ "$(value top_k k -- --top 3)" = 3 ]
    usage "'--ver' could be '--verbose' or '--version'" --ver a b
    usage "'--t' could be '--top-k' or '--tta'" --t 1 a b
}

@test "values of options" {
    usage "--top-k needs a value" a b --top-k
    usage "--threads needs a value" a b -t
    usage "--json takes no value" --json=3 a b
    usage "--csv must not be empty, got ''" --csv= a b
    usage "--threads is given twice" -t 1 --threads=2 a b
    for value in 0 1025 -1 +1 01 1.0 abc 99999999999999999999 ''; do
        usage "--threads must be 1 to 1024, got '$value'" --threads="$value" a b
    done
    for value in 1.5 -0.1 101% 5e1% % nan 0x1 50%%; do
        usage "--min-accuracy must be 0 to 1, or 0% to 100%, got '$value'" --min-accuracy="$value" a b
    done
    long=$(printf '%.0s7' {1..3000})
    usage "--threads must be 1 to 1024, got '${long:0:80}...'" -t "$long" a b
}

@test "arguments" {
    usage "unexpected argument 'c'" a b c
    usage "unexpected argument '\\x1B[31m'" a b $'\e[31m'
    usage "--quiet and --verbose cannot be combined" -qv a b
    usage "--json and --csv - cannot be combined: both print on stdout" --json --csv - a b
    fails 6 "--json: error: cannot open: No such file or directory" -- --json --csv
}

@test "choices, repeated and optional values (cnntrain)" {
    run "$BIN/cnntrain" --progress sometimes x.yaml
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "cnntrain: error: --progress must be auto | always | never, got 'sometimes'" ]
    run "$BIN/cnntrain" --list nothing
    [ "$status" -eq 2 ]
    run "$BIN/cnntrain" --list layers x.yaml
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "cnntrain: error: unexpected argument 'x.yaml'" ]
    "$BIN/cnntrain" --list >"$BATS_TEST_TMPDIR/all"
    "$BIN/cnntrain" --list layers >"$BATS_TEST_TMPDIR/layers"
    cmp "$BATS_TEST_TMPDIR/layers" <("$BIN/cnntrain" --list=layers)
    grep -q '^optimizers' "$BATS_TEST_TMPDIR/all"
    run ! grep '^optimizers' "$BATS_TEST_TMPDIR/layers"
    set --
    for _ in {1..257}; do
        set -- "$@" -s a=1
    done
    run "$BIN/cnntrain" "$@" x.yaml
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "cnntrain: error: --set must not be given more than 256 times, got 'a=1'" ]
}

@test "CNNTRAIN_CPU" {
    CNNTRAIN_CPU=sse usage "CNNTRAIN_CPU must be generic, avx2 or avx512, got 'sse'" "$MODEL" "$DIGITS"
    CNNTRAIN_CPU=generic eval_ -v "$MODEL" "$DIGITS"
    [ "$status" -eq 0 ]
    [[ "$err" =~ ^359\ images\ in\ .*\ generic$ ]]
}

@test "the report" {
    eval_ "$MODEL" "$DIGITS" --top-k 3
    [ "$status" -eq 0 ]
    [ "$err" = "" ]
    [[ "$out" =~ ^accuracy\ [0-9.]+\ %\ \([0-9]+\ of\ 359\;\ 95\ %\ interval\ [0-9.]+\ to\ [0-9.]+\ %\) ]]
    grep -qE '^top-3 +[0-9.]+ %$' <<<"$out"
    grep -qE '^loss +[0-9.]+$' <<<"$out"
    grep -q '^a rather long name for t  ' <<<"$out" # names are cut, and of widths in characters
    grep -q '^ünf                       ' <<<"$out"
    run ! grep -q $'\e' <<<"$out"
    eval_ -q "$MODEL" "$DIGITS"
    [ "$status" -eq 0 ]
    [[ "$out" == accuracy* ]]
    run ! grep -q '^top-' <<<"$out"
}

@test "the numbers agree with each other" {
    json --top-k 2 >"$BATS_TEST_TMPDIR/json"
    "$BIN/cnneval" "$MODEL" "$DIGITS" --csv "$BATS_TEST_TMPDIR/rows.csv" >/dev/null
    python3 - "$BATS_TEST_TMPDIR" <<'END'
import csv, json, math, sys
report = json.load(open(sys.argv[1] + "/json"))
rows = list(csv.reader(open(sys.argv[1] + "/rows.csv", encoding="utf-8")))
names = rows[0][3:]
assert rows[0][:3] == ["index", "label", "prediction"]
assert names == ["'=zero", "a,b", 'q"t', "'-3", "'@four", "\u00fcnf", "six\\x1B[1m", "'+7", "8",
                 "a rather long name for the last class"], names
assert report["count"] == 359 == len(rows) - 1
confusion = [[0] * 10 for _ in range(10)]
correct = top = loss = 0
for i, row in enumerate(rows[1:]):
    assert int(row[0]) == i
    p = [float(x) for x in row[3:]]
    assert abs(sum(p) - 1) < 1e-5
    label, prediction = names.index(row[1]), names.index(row[2])
    assert prediction == p.index(max(p))
    confusion[label][prediction] += 1
    correct += label == prediction
    top += sum(q > p[label] for q in p) < 2
    loss -= math.log(p[label])
assert report["confusion"] == confusion
assert report["correct"] == correct and report["accuracy"] == round(correct / 359, 15)
assert report["top_k"]["correct"] == top and report["top_k"]["k"] == 2
assert abs(report["loss"] - loss / 359) < 1e-5
for k, one in enumerate(report["classes"]):
    support, predicted = sum(confusion[k]), sum(row[k] for row in confusion)
    assert (one["support"], one["predicted"]) == (support, predicted)
    for key, n in (("precision", predicted), ("recall", support)):
        assert one[key] is None if n == 0 else abs(one[key] - confusion[k][k] / n) < 1e-14, (k, key)
assert report["classes"][6]["name"] == "six\x1b[1m"
low, high = report["accuracy_interval_95"]
assert 0 <= low < report["accuracy"] < high <= 1
END
}

@test "the same report whatever the threads and however the set is named" {
    json -t 1 >"$BATS_TEST_TMPDIR/1"
    cmp "$BATS_TEST_TMPDIR/1" <(json -t 7)
    cmp "$BATS_TEST_TMPDIR/1" <("$BIN/cnneval" --json "$MODEL" "$DIGITS/t10k-images-idx3-ubyte.gz")
    cmp "$BATS_TEST_TMPDIR/1" <("$BIN/cnneval" --json "$MODEL" "$BATS_FILE_TMPDIR/digits.yaml")
}

@test "JSON is ASCII, whatever the names" {
    json | LC_ALL=C grep -qc six
    run ! bash -c '"$BIN/cnneval" "$MODEL" "$DIGITS" --json | LC_ALL=C grep -q "[^ -~]"'
}

@test "--csv: to stdout, a pipe, a new file; not half a file" {
    "$BIN/cnneval" "$MODEL" "$DIGITS" --csv "$BATS_TEST_TMPDIR/rows.csv" >"$BATS_TEST_TMPDIR/report"
    grep -q ^accuracy "$BATS_TEST_TMPDIR/report"
    cmp "$BATS_TEST_TMPDIR/rows.csv" <("$BIN/cnneval" "$MODEL" "$DIGITS" --csv -)
    mkfifo "$BATS_TEST_TMPDIR/pipe"
    cat "$BATS_TEST_TMPDIR/pipe" >"$BATS_TEST_TMPDIR/copy" &
    "$BIN/cnneval" "$MODEL" "$DIGITS" --csv "$BATS_TEST_TMPDIR/pipe" >/dev/null
    wait $!
    cmp "$BATS_TEST_TMPDIR/rows.csv" "$BATS_TEST_TMPDIR/copy"
    cp "$BATS_TEST_TMPDIR/rows.csv" "$BATS_TEST_TMPDIR/old.csv"
    echo precious >"$BATS_TEST_TMPDIR/rows.csv"
    run bash -c 'trap "" XFSZ; ulimit -f 8; "$BIN/cnneval" "$MODEL" "$DIGITS" --csv "$BATS_TEST_TMPDIR/rows.csv"'
    [ "$status" -eq 6 ]
    [[ "$output" == "$BATS_TEST_TMPDIR/rows.csv: error: cannot write: File too large"* ]]
    [ "$(cat "$BATS_TEST_TMPDIR/rows.csv")" = precious ]
    [ "$(find "$BATS_TEST_TMPDIR" -name "*.tmp.*")" = "" ]
    fails 6 "/nowhere/x.csv: error: cannot write: No such file or directory" "$MODEL" "$DIGITS" --csv /nowhere/x.csv
    fails 6 "$BATS_TEST_TMPDIR: error: cannot replace: Is a directory" "$MODEL" "$DIGITS" --csv "$BATS_TEST_TMPDIR"
}

@test "--min-accuracy" {
    correct=$(value correct)
    eval_ "$MODEL" "$DIGITS" --min-accuracy 0
    [ "$status" -eq 0 ]
    exact=$(python3 -c "print(repr($correct / 359))")
    eval_ "$MODEL" "$DIGITS" --min-accuracy "$exact"
    [ "$status" -eq 0 ]
    eval_ "$MODEL" "$DIGITS" --min-accuracy 99%
    [ "$status" -eq 1 ]
    [[ "$out" == accuracy* ]]
    [ "$err" = "cnneval: error: accuracy $exact is below --min-accuracy 0.99" ]
}

@test "--top-k knows the classes" {
    usage "--top-k must be 1 to 10, the number of classes, got '11'" "$MODEL" "$DIGITS" --top-k 11
    [ "$(value top_k accuracy -- --top-k 10)" = 1.0 ]
}

@test "files that are not what they should be" {
    fails 6 "nothing: error: cannot open: No such file or directory" nothing "$DIGITS"
    fails 6 "nothing: error: cannot open: No such file or directory" "$MODEL" nothing
    fails 6 "nothing.yaml: error: cannot open: No such file or directory" "$MODEL" nothing.yaml
    eval_ "$BATS_FILE_TMPDIR/digits.yaml" "$DIGITS"
    [ "$status" -eq 5 ]
    eval_ "$MODEL" "$DIGITS/t10k-labels-idx1-ubyte.gz"
    [ "$status" -eq 4 ]
    printf 'data: {train: x}\nnetwork:\n  - dnse: 10\n' >"$BATS_TEST_TMPDIR/bad.yaml"
    fails 3 "$BATS_TEST_TMPDIR/bad.yaml:3:5: error: unknown layer 'dnse'; did you mean 'dense'?" "$MODEL" "$BATS_TEST_TMPDIR/bad.yaml"
    printf 'data: {train: x}\nnetwork:\n  - dense: 10\n' >"$BATS_TEST_TMPDIR/bad.yaml"
    fails 3 "$BATS_TEST_TMPDIR/bad.yaml:1:7: error: there is no data.test to measure the model on" "$MODEL" "$BATS_TEST_TMPDIR/bad.yaml"
}

@test "a set that does not fit the model" {
    # two images of 9x9, labels 0 and 1; then two of 8x8, labels 0 and 10
    python3 - "$BATS_TEST_TMPDIR" <<'END'
import struct, sys
for name, side, labels in (("large", 9, b"\0\1"), ("label", 8, b"\0\12")):
    open(f"{sys.argv[1]}/{name}-images-idx3-ubyte", "wb").write(struct.pack(">4B3I", 0, 0, 8, 3, 2, side, side) + bytes(2 * side * side))
    open(f"{sys.argv[1]}/{name}-labels-idx1-ubyte", "wb").write(struct.pack(">4BI", 0, 0, 8, 1, 2) + labels)
END
    fails 5 "$BATS_TEST_TMPDIR/large-images-idx3-ubyte: error: images are 9x9, the model takes 8x8" \
        "$MODEL" "$BATS_TEST_TMPDIR/large-images-idx3-ubyte"
    fails 5 "$BATS_TEST_TMPDIR/label-labels-idx1-ubyte:@9: error: sample 1: label 10, model has 10 classes" \
        "$MODEL" "$BATS_TEST_TMPDIR/label-images-idx3-ubyte"
}

@test "results that do not reach their reader" {
    run bash -c '"$BIN/cnneval" "$MODEL" "$DIGITS" >/dev/full'
    [ "$status" -eq 6 ]
    [ "$output" = "cnneval: error: cannot write results: No space left on device" ]
    run bash -c '"$BIN/cnneval" "$MODEL" "$DIGITS" --csv - >/dev/full'
    [ "$status" -eq 6 ]
    run bash -c '"$BIN/cnneval" --help >/dev/full'
    [ "$status" -eq 6 ]
    run bash -c '"$BIN/cnneval" "$MODEL" "$DIGITS" >&-'
    [ "$status" -eq 6 ]
    [ "$output" = "cnneval: error: cannot write results: Bad file descriptor" ]
    run bash -c '"$BIN/cnneval" "$MODEL" "$DIGITS" --min-accuracy 1 >/dev/full'
    [ "$status" -eq 6 ]
}

@test "closed descriptors are not given to files" {
    bash -c '"$BIN/cnneval" "$MODEL" "$DIGITS" -v --csv "$BATS_TEST_TMPDIR/rows.csv" <&- >&- 2>&-' || [ $? -eq 6 ]
    cmp "$BATS_TEST_TMPDIR/rows.csv" <("$BIN/cnneval" "$MODEL" "$DIGITS" --csv -)
}

@test "colour only on a terminal, and not under NO_COLOR" {
    coloured() {
        python3 -c '
import os, subprocess, sys
master, slave = os.openpty()
subprocess.run(sys.argv[1:], stderr=slave)
os.close(slave)
text = b""
try:
    while part := os.read(master, 4096):
        text += part
except OSError:  # how a terminal says that nobody writes any more
    pass
print(text.decode())' "$BIN/cnneval" --foo | grep -q $'\e\[1;31merror:'
    }
    TERM=xterm coloured
    TERM=xterm NO_COLOR='' coloured
    TERM=xterm NO_COLOR=1 run ! coloured
    TERM=dumb run ! coloured
    eval_ --foo
    run ! grep -q $'\e' <<<"$err"
}
