#!/bin/sh
# deps.sh: install what is missing to build cnntrain, to test them, to run all of CI, or to measure peers in the bench.
#
# usage: scripts/deps.sh [build|test|ci|bench]       (default: build; test includes build, ci both; bench includes build)
#
# Looks for the things themselves (a command, pkg-config, a header, a Python module), not for packages, and does nothing when
# all are there. Otherwise installs with apt-get, dnf, pacman or brew, through sudo when it is needed. Exit: 0 all is there,
# 1 something is missing and could not be installed, 2 usage. ONNX Runtime's library comes with npm, into build/bench, and
# so does playwright-core, by which the tests drive Chromium, into vendor/playwright: the module alone, no browser of its own.
#
# uPlot, which draws the charts of report.html, comes from npm where that is installed, into vendor/uplot, checked by SHA-256; without
# it the program is built all the same, and reports have tables. Its licence (MIT) goes into every page that has its code.
set -u
cd "$(dirname "$0")/.." || exit 1

# thing     level  apt-get           dnf                  pacman           brew
TABLE='
compiler    build  gcc,libc6-dev     gcc,glibc-devel      gcc              gcc
make        build  make              make                 make             make
pkg-config  build  pkg-config        pkgconf-pkg-config   pkgconf          pkg-config
libyaml     build  libyaml-dev       libyaml-devel        libyaml          libyaml
zlib        build  zlib1g-dev        zlib-devel           zlib             zlib
libdeflate  build  libdeflate-dev    libdeflate-devel     libdeflate       libdeflate
jansson     build  libjansson-dev    jansson-devel        jansson          jansson
libjpeg     build  libjpeg-dev       libjpeg-turbo-devel  libjpeg-turbo    jpeg-turbo
stb         build  libstb-dev        stb_image-devel      stb              stb
cmocka      test   libcmocka-dev     libcmocka-devel      cmocka           cmocka
bats        test   bats              bats                 bats             bats-core
python3     test   python3           python3              python           python3
chromium    ci     chromium          chromium             chromium         chromium
node        ci     nodejs            nodejs               nodejs           node
npm         ci     npm               npm                  npm              node
gnuplot     ci     gnuplot-nox       gnuplot              gnuplot          gnuplot
strace      ci     strace            strace               strace           strace
sanitizers  ci     clang,libclang-rt-dev  clang,compiler-rt  clang,compiler-rt  llvm
archer      ci     libomp-dev        libomp-devel         openmp           libomp
clang-tidy  ci     clang-tidy        clang-tools-extra    clang            llvm
cppcheck    ci     cppcheck          cppcheck             cppcheck         cppcheck
valgrind    ci     valgrind          valgrind             valgrind         valgrind
torch       ci     python3-torch     python3-torch        python-pytorch   pytorch
torch       bench  python3-torch     python3-torch        python-pytorch   pytorch
c++         bench  g++               gcc-c++              gcc              gcc
dlib        bench  libdlib-dev       dlib-devel           dlib             dlib
onednn      bench  libdnnl-dev       onednn-devel         onednn           onednn
openblas    bench  libopenblas-dev   openblas-devel       openblas         openblas
npm         bench  npm               npm                  npm              node
'

UPLOT='uplot@1.6.32'
UPLOT_SHA256=ce19830f2cf63dab211f82f4428f5486d3639d785c2ddcec2de65a6c7c2b69f4 # of its script, style and licence, one behind the other

# A version for Node 18 and later, with the checksum that npm notes of what it has unpacked.
PLAYWRIGHT='playwright-core@1.60.0'
PLAYWRIGHT_SHA512='9bW6zvX/m0lEbgTKJ6YppOKx8H3VOPBMOCFh2irXFOT4BbHgrx5hPjwJYLT40Lu+4qtD36qKc/Hn56StUW57IA=='

say() {
    printf '%s\n' "deps.sh: $*"
}

fail() {
    say "error: $*" >&2
    exit 1
}

# A system package of Python is for the system's Python, which need not be the first in PATH.
torch() {
    for python in python3 /usr/bin/python3; do
        if "$python" -c 'import importlib.util as i, sys; sys.exit(i.find_spec("torch") is None)'; then
            return 0
        fi
    done
    return 1
}

compiler() {
    for cc in ${CC:+"$CC"} cc gcc clang; do
        if printf '#include <stdio.h>\n#include <omp.h>\n' | $cc -fopenmp -E -x c -; then
            return 0
        fi
    done
    return 1
}

# Is one of these headers there?
header() {
    for header in "$@"; do
        if printf '#include <%s>\n' "$header" | ${CC:-cc} ${CPPFLAGS:-} -E -x c -; then
            return 0
        fi
    done
    return 1
}

# Of clang: what the tests of threads and the fuzzers need.
sanitizers() {
    printf 'int main(void) { return 0; }\n' | clang -fsanitize=thread -x c - -o "${TMPDIR:-/tmp}/cnntrain-deps.$$" || return 1
    rm -f "${TMPDIR:-/tmp}/cnntrain-deps.$$"
}

# Tells the thread sanitizer of OpenMP's barriers.
archer() {
    for library in /usr/lib/llvm-*/lib/libarcher.so /usr/lib*/libarcher.so /usr/lib/*/libarcher.so; do
        [ -e "$library" ] && return
    done
    return 1
}

stb() {
    header stb/stb_image.h stb_image.h
}

# The library itself: the header comes with the reference BLAS too, with which PyTorch is many times as slow.
openblas() {
    printf 'char *openblas_get_config(void);\nint main(void) { return !openblas_get_config(); }\n' |
        ${CC:-cc} -x c - ${LDFLAGS:-} -lopenblas -o "${TMPDIR:-/tmp}/cnntrain-deps.$$" || return 1
    rm -f "${TMPDIR:-/tmp}/cnntrain-deps.$$"
}

# A library and no program: ONNX Runtime, of a fixed version, without the package's own scripts.
onnxruntime() {
    [ -d build/bench/node_modules/onnxruntime-node/bin ] ||
        npm install --silent --no-audit --no-fund --ignore-scripts --prefix build/bench onnxruntime-node@1.30.0
}

sha256() {
    if command -v sha256sum >/dev/null 2>&1; then
        sha256sum
    else
        shasum -a 256
    fi | cut -d ' ' -f 1
}

# Whether uPlot is in folder $1, and good.
has_uplot() {
    [ "$(cat "$1/uPlot.iife.min.js" "$1/uPlot.min.css" "$1/LICENSE" 2>/dev/null | sha256)" = "$UPLOT_SHA256" ]
}

# Never an error: nothing but the look of a page depends on it.
get_uplot() {
    has_uplot vendor/uplot && return
    if ! command -v npm >/dev/null 2>&1; then
        say "no npm here to fetch $UPLOT with: reports will have tables in place of charts"
        return
    fi
    work=$(mktemp -d) || return
    # The short question first: a registry that does not answer is not waited for.
    if npm view --fetch-retries=0 --fetch-timeout=5000 "$UPLOT" version >/dev/null 2>&1 &&
        (cd "$work" && npm pack --silent --fetch-retries=0 --fetch-timeout=60000 "$UPLOT" && tar -xzf uplot-*.tgz &&
            mv package/dist/uPlot.* package/LICENSE .) >/dev/null 2>&1 && has_uplot "$work"; then
        mkdir -p vendor/uplot
        # Without their dates, by which make would not see that they are new.
        for file in uPlot.iife.min.js uPlot.min.css LICENSE; do
            cat "$work/$file" >"vendor/uplot/$file"
        done
        say "$UPLOT is in vendor/uplot"
    else
        say "npm could not fetch $UPLOT, or what came is damaged: reports will have tables in place of charts"
    fi
    rm -rf "$work"
}

has_playwright() {
    [ -e vendor/playwright/node_modules/playwright-core/package.json ] &&
        grep -qF "\"sha512-$PLAYWRIGHT_SHA512\"" vendor/playwright/node_modules/.package-lock.json 2>/dev/null
}

# The module without its scripts, which would fetch browsers. One that is damaged does not stay.
playwright() {
    has_playwright && return
    rm -rf vendor/playwright
    mkdir -p vendor/playwright
    if npm install --silent --ignore-scripts --no-audit --no-fund --fetch-retries=0 --fetch-timeout=60000 \
        --prefix vendor/playwright "$PLAYWRIGHT" >/dev/null && has_playwright; then
        say "$PLAYWRIGHT is in vendor/playwright"
    else
        rm -rf vendor/playwright
        return 1
    fi
}

is_there() {
    case $1 in
    compiler | stb | torch | sanitizers | archer | openblas) "$1" ;;
    libyaml) pkg-config --exists yaml-0.1 ;;
    zlib | libdeflate | jansson | libjpeg | cmocka) pkg-config --exists "$1" ;;
    dlib) [ -e /usr/include/dlib/dnn.h ] || pkg-config --exists dlib-1 ;;
    onednn) header oneapi/dnnl/dnnl.h ;;
    *) command -v "$1" ;;
    esac >/dev/null 2>&1
}

# The things of the wanted levels that are not there, with the package of the manager whose name is $1 ('' for none).
missing() {
    printf '%s' "$TABLE" | while read -r thing level apt dnf pacman brew; do
        case " $levels " in
        *" ${level:-none} "*) ;;
        *) continue ;;
        esac
        is_there "$thing" && continue
        case $1 in
        apt-get) echo "$apt" ;;
        dnf) echo "$dnf" ;;
        pacman) echo "$pacman" ;;
        brew) echo "$brew" ;;
        *) echo "$thing" ;;
        esac
    done | tr ',\n' '  '
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        fail "not root and no sudo here; run as root: $*"
    fi
}

install() {
    manager=$1
    shift
    case $manager in
    apt-get)
        as_root apt-get update -q &&
            as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
        ;;
    dnf) as_root dnf install -y "$@" ;;
    pacman) as_root pacman -S --needed --noconfirm "$@" ;;
    brew) brew install "$@" ;;
    esac
}

case ${1:-build} in
build) levels='build' ;;
test) levels='build test' ;;
ci) levels='build test ci' ;;
bench) levels='build bench' ;;
*)
    echo 'usage: scripts/deps.sh [build|test|ci|bench]' >&2
    exit 2
    ;;
esac

# What no system package has, and the last word.
finish() {
    get_uplot
    case " $levels " in
    *' ci '*) playwright || fail "npm could not install $PLAYWRIGHT, or what came is damaged (is there a network?)" ;;
    *' bench '*) onnxruntime || fail 'npm could not install onnxruntime-node (is there a network?)' ;;
    esac
    say "all there for: $levels"
    exit 0
}

things=$(missing '')
[ -n "$things" ] || finish

manager=
for candidate in apt-get dnf pacman brew; do
    if command -v "$candidate" >/dev/null 2>&1; then
        manager=$candidate
        break
    fi
done
[ -n "$manager" ] || fail "missing: ${things% }; no apt-get, dnf, pacman or brew here: install them by hand"

packages=$(missing "$manager")
say "missing: ${things% }; installing with $manager: ${packages% }"
# shellcheck disable=SC2086 # a list of words
install "$manager" $packages || fail "$manager could not install: ${packages% } (is there a network?)"

things=$(missing '')
[ -z "$things" ] || fail "$manager has run, but these are still missing: ${things% }"
finish
