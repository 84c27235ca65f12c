#!/usr/bin/env bats
# cnntrain.bats: every option of cnntrain does what --help says of it. (What a config may hold: keys.py; faults: bad.py; resuming:
# same_bytes.py; files: outputs.py.)

setup() {
    BIN=${BIN:-$BATS_TEST_DIRNAME/../../bin}
    cd "$BATS_TEST_DIRNAME/../.."
    OUT=$BATS_TEST_TMPDIR/out
    SHORT=(configs/digits.yaml -o "$OUT" --set train.epochs=1)
}

# What a short run says on stderr, with the options given.
says() {
    OMP_WAIT_POLICY=passive "$BIN/cnntrain" "${SHORT[@]}" "$@" 2>&1 >"$BATS_TEST_TMPDIR/stdout"
}

@test "--dry-run prints the summary on stdout and writes nothing" {
    "$BIN/cnntrain" "${SHORT[@]}" --dry-run >"$BATS_TEST_TMPDIR/stdout"
    grep -q '^total  *38,282  *337,536$' "$BATS_TEST_TMPDIR/stdout"
    grep -q '; 1 epoch of ' "$BATS_TEST_TMPDIR/stdout"
    [ ! -e "$OUT" ]
}

@test "--output and --set are followed; results and nothing else are in the directory" {
    says
    [ "$(wc -l <"$OUT/log.csv")" -eq 2 ]
    [ "$(cd "$OUT" && echo *)" = "checkpoint.bin config.yaml log.csv model.bin report.html" ]
    [ ! -s "$BATS_TEST_TMPDIR/stdout" ]
}

@test "--quiet says nothing, --verbose says more than neither" {
    [ -z "$(says --quiet)" ]
    plain=$(says)
    more=$(says --verbose)
    [[ $plain == *"model written to"* ]]
    [[ $plain != *CRC-32* ]]
    [[ $more == *"data/digits/train-images-idx3-ubyte.gz: 1,438 images of 1x8x8, CRC-32 "* ]]
}

@test "--progress always draws where auto and never do not" {
    long=(--set train.epochs=60) # a bar is first drawn after a tenth of a second
    [[ $(says "${long[@]}" --progress always) == *$'\r'* ]]
    [[ $(says "${long[@]}" --progress never) != *$'\r'* ]]
    [[ $(says "${long[@]}") != *$'\r'* ]]
}

@test "--threads is the number of threads" {
    [[ $(says --threads 1) == *"kernels, 1 thread"* ]]
    [[ $(says --threads 3) == *"kernels, 3 threads"* ]]
}

@test "--list prints all topics, or one" {
    all=$("$BIN/cnntrain" --list)
    losses=$("$BIN/cnntrain" --list losses)
    [[ $all == *cross_entropy* && $all == *maxpool* && $all == *early_stopping* ]]
    [[ $losses == *cross_entropy* && $losses != *maxpool* ]]
}

@test "--resume of a finished run has nothing to do and changes no byte" {
    says
    before=$(cat "$OUT"/model.bin "$OUT"/checkpoint.bin "$OUT"/log.csv | sha256sum)
    [[ $(says --resume) == *"nothing to do"* ]]
    [ "$(cat "$OUT"/model.bin "$OUT"/checkpoint.bin "$OUT"/log.csv | sha256sum)" = "$before" ]
}

@test "warnings go to stderr and do not end a run, --quiet hides them, --strict ends the run before it begins" {
    says
    odd=(--set train.early_stopping.patience=99)
    [[ $(says "${odd[@]}") == *"--set train.early_stopping.patience=99:1:1: warning: early stopping can never end this run"* ]]
    [ -z "$(says "${odd[@]}" --quiet)" ]
    rm -r "$OUT"
    run says "${odd[@]}" --strict
    [ "$status" -eq 3 ]
    [[ $output == *"error: early stopping can never end this run"* && $output != *warning* ]]
    [ ! -e "$OUT" ]
    says --strict --set train.epochs=3 --set train.early_stopping.patience=1
    [ -e "$OUT/model.bin" ]
}

@test "the configs that ship give no warning" {
    "$BIN/cnntrain" -q "${SHORT[@]}"
    for config in $(find configs -name '*.yaml' | sort); do
        other=() # where its data are missing, the digits do
        if ! [ -e "$(sed -n 's/^  train: *\([^ ]*\).*/\1/p' "$config")" ]; then
            other=(--set data.train=data/digits/train-images-idx3-ubyte.gz)
            ! grep -q '^  batch_size: 1024$' "$config" || other+=(--set train.batch_size=512)
            ! grep -q '^  limit:' "$config" || other+=(--set data.limit=1000)
        fi
        ! grep -q '^  - dense: 1000$' "$config" || other+=(--set network.14.dense=10)
        from=$(sed -n 's/^initialize:.*from: *\([^ ,}]*\).*/\1/p' "$config")
        [ -z "$from" ] || [[ $from == data/* ]] || other+=(--set initialize.from="$OUT/model.bin")
        "$BIN/cnntrain" --strict --dry-run "${other[@]}" "$config" >"$BATS_TEST_TMPDIR/stdout"
    done
}

@test "scripts/regularization.sh trains each config with each seed and prints a row for it" {
    SEEDS=2 DATA=data/digits OUTPUT=$OUT scripts/regularization.sh -s data.limit=300 -s train.epochs=2 >"$BATS_TEST_TMPDIR/table"
    number='[0-9]+\.[0-9] ± [0-9]+\.[0-9]'
    for config in configs/regularization/*.yaml; do
        grep -Eq "^\| $(basename "$config" .yaml) \| $number \| $number \| -?$number \|\$" "$BATS_TEST_TMPDIR/table"
        [ -e "$OUT/$(basename "$config" .yaml)/2/model.bin" ]
    done
    [ "$(wc -l <"$BATS_TEST_TMPDIR/table")" -eq $((2 + $(ls configs/regularization | wc -l))) ]
    DATA=data/nowhere run scripts/regularization.sh
    [ "$status" -eq 1 ]
    [[ $output == *"no train-images-idx3-ubyte.gz in data/nowhere"* ]]
    SEEDS=1 DATA=data/digits OUTPUT=$OUT run scripts/regularization.sh -s data.limit=0x10
    [ "$status" -eq 1 ]
    [[ $output == *"'limit' must be a whole number"* && $output == *"regularization.sh: none: 0 of 1 runs"* ]]
}

@test "scripts/zoo.sh trains and measures each seed, says when a row falls short, and knows its rows" {
    OUTPUT=$OUT run scripts/zoo.sh digits 2 -t 1
    [ "$status" -eq 0 ]
    [ "$(grep -c '^\$ bin/cnneval' <<<"$output")" -eq 2 ] # the test set is read once a seed
    [[ $output == *"seed 2: "* && $output == *"| digits | digits | 38,282 | 2 | 99."*" ± "* ]]
    OUTPUT=$OUT run scripts/zoo.sh digits 1 -t 1 -s train.epochs=1
    [ "$status" -eq 1 ]
    [[ $output == *"zoo.sh: digits: "*"must reach 98 %"* ]]
    OUTPUT=$OUT run scripts/zoo.sh digits 1 -s train.epochs=x
    [ "$status" -eq 1 ]
    [[ $output == *"the run with seed 1 failed"* ]]
    run scripts/zoo.sh nothing
    [ "$status" -eq 2 ]
    scripts/zoo.sh | while read -r name _; do
        [ -e "configs/$name.yaml" ]
    done
}

@test "kernels taller than the ways of Winograd's go: 7x3, 3x7, 6x5, 9x3" {
    for kernel in '[7, 3]' '[3, 7]' '[6, 5]' '[9, 3]'; do
        cat >"$BATS_TEST_TMPDIR/tall.yaml" <<END
data: {train: $BATS_TEST_DIRNAME/../../data/digits/train-images-idx3-ubyte.gz, limit: 64, input: {height: 20, width: 20, fit: pad}}
network: [conv: {filters: 8, kernel: $kernel}, conv: {filters: 8, kernel: $kernel, padding: 1}, dense: 10]
train: {epochs: 1}
END
        run "$BATS_TEST_DIRNAME/../../bin/cnntrain" -q --fresh "$BATS_TEST_TMPDIR/tall.yaml" -o "$BATS_TEST_TMPDIR/tall"
        [ "$status" -eq 0 ]
    done
}
