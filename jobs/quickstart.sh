#!/usr/bin/env bash
# From a fresh clone to a trained network: installs what is missing, builds, gets the data, imports
# it, trains the reference network with one rank per core, and evaluates it on the test set. What is
# there already is not done again.
#
#   LOCKSTEP_IDX_DIR   a folder with the four IDX files of MNIST, or of a data set like it
set -euo pipefail
# shellcheck source=jobs/common.sh
. "$(dirname "$0")/common.sh"
[ "${1:-}" != --help ] || usage 0
[ $# = 0 ] || usage 2 >&2
cd "$(dirname "$0")/.."
say() { printf '\n== %s\n' "$*" >&2; }

say "Tools and libraries"
jobs/dependencies.sh
echo "all there" >&2

say "Build"
cmake --preset release >/dev/null
cmake --build --preset release -j "$(nproc)" | tail -n 1 >&2
lockstep=build/release/lockstep

# The four files, and the SHA-256 of MNIST's, uncompressed.
files=(train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte)
sums=(ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db
    65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5
    0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7
    ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2)
mirrors=(https://ossci-datasets.s3.amazonaws.com/mnist
    https://storage.googleapis.com/cvdf-datasets/mnist
    http://yann.lecun.com/exdb/mnist)

# Gets one file of MNIST into a folder, from the first mirror that has it whole.
download() {
    local name=$1 sum=$2 folder=$3 mirror
    for mirror in "${mirrors[@]}"; do
        curl --silent --fail --location --connect-timeout 3 --max-time 120 --speed-limit 2000 \
            --speed-time 5 --output "$folder/$name.gz.part" "$mirror/$name.gz" || continue
        if [ "$(gunzip -c "$folder/$name.gz.part" 2>/dev/null | sha256sum | cut -d' ' -f1)" = "$sum" ]; then
            mv "$folder/$name.gz.part" "$folder/$name.gz"
            return 0
        fi
    done
    rm -f "$folder/$name.gz.part"
    rmdir --ignore-fail-on-non-empty "$folder"
    return 1
}

has_files() {
    local name
    for name in "${files[@]}"; do
        [ -r "$1/$name" ] || [ -r "$1/$name.gz" ] || return 1
    done
}

download_mnist() {
    command -v curl >/dev/null || return 1
    mkdir -p data/mnist
    local i
    for i in 0 1 2 3; do
        [ -r "data/mnist/${files[i]}.gz" ] || download "${files[i]}" "${sums[i]}" data/mnist || return 1
    done
}

install_fashion_mnist() {
    jobs/dependencies.sh data || return 1
    idx=$(dirname "$(dpkg-query -L dataset-fashion-mnist | grep -m 1 train-images-idx3-ubyte)")
}

say "Data"
if [ -n "${LOCKSTEP_IDX_DIR:-}" ]; then
    idx=$LOCKSTEP_IDX_DIR
    name=$(basename "$idx")
    echo "$name, from LOCKSTEP_IDX_DIR" >&2
elif has_files data/mnist; then
    idx=data/mnist name=mnist
    echo "mnist, downloaded earlier" >&2
elif [ -r data/mnist.h5 ]; then
    idx='' name=mnist
    echo "mnist, imported earlier" >&2
elif download_mnist; then
    idx=data/mnist name=mnist
    echo "mnist, downloaded, SHA-256 verified" >&2
elif install_fashion_mnist; then
    name=fashion-mnist
    echo "fashion-mnist, from Debian's package: no mirror of MNIST can be reached" >&2
else
    echo "No data: set LOCKSTEP_IDX_DIR to a folder with MNIST's four IDX files." >&2
    exit 3
fi
data=data/$name.h5
if [ -n "$idx" ] && { [ ! -r "$data" ] || [ -n "$(find "$idx/" -maxdepth 1 -name '*ubyte*' -newer "$data")" ]; }; then
    mkdir -p data
    "$lockstep" import --idx "$idx" --out "$data" --name "$name" --force
fi
"$lockstep" info "$data" | head -n 6 >&2

say "Train"
cores=$(count_cores)
run=runs/quickstart-$name
launch_on "$cores"
launch=("${start[@]}" "$lockstep")
"${launch[@]}" train --data "$data" --model mlp --loss cross-entropy \
    --optimizer adam --lr 0.001 --batch 128 --epochs 5 --run "$run" --resume auto

say "Evaluate"
"${launch[@]}" eval --data "$data" --checkpoint "$run"
accuracy=$("${launch[@]}" eval --data "$data" --checkpoint "$run" --json |
    sed 's/.*"accuracy":\([0-9.]*\).*/\1/')
printf '\ntest accuracy %s on %s; results in %s\n' "$accuracy" "$name" "$run"
