#!/usr/bin/env bash
# From a fresh clone to a trained network: installs missing packages, builds, downloads MNIST, imports it,
# trains the reference network with one rank per core, evaluates it on the test rows, and draws its curves.
# Steps whose results exist are skipped.
#
#   quickstart.sh [--no-install]
#
#   --no-install       installs nothing: the packages that dependencies.sh lists are already installed
#   LOCKSTEP_IDX_DIR   a folder with four IDX files of MNIST or of another data set. Each data set is
#                      identified by its content, and has its own file in data/ and its own run
#
# Code 3: there are no data, or the file in data/ has other data; 69: missing packages can't be installed.
set -euo pipefail
# shellcheck source=jobs/common.sh
. "$(dirname "$0")/common.sh"
[ "${1:-}" != --help ] || usage 0
install=true
if [ "${1:-}" = --no-install ]; then
    install=false
    shift
fi
[ $# = 0 ] || misuse "unexpected argument '$1'"
given=${LOCKSTEP_IDX_DIR:-}
[ -z "$given" ] || [ -d "$given" ] || die_data "LOCKSTEP_IDX_DIR: $given: no such folder"
[ -z "$given" ] || given=$(realpath -- "$given")
cd "$(dirname "$0")/.."
print_heading() { printf '\n== %s\n' "$*" >&2; }

print_heading "Tools and libraries"
if $install; then
    jobs/dependencies.sh
    echo "all installed" >&2
else
    echo "not checked: --no-install" >&2
fi

# Compiles; shows the progress on a terminal, else the last line only.
build() {
    cmake --build --preset release -j "$(nproc)" | if [ -t 2 ]; then
        while IFS= read -r line; do printf '\r%.78s\033[K' "$line" >&2; done
        echo >&2
    else
        tail -n 1 >&2
    fi
}

print_heading "Build"
echo "some 90 files of C on $(nproc) processors: half a minute on 2; only changed files are built again" >&2
cmake --preset release >/dev/null
build
lockstep=build/release/lockstep

# The four files, and the SHA-256 of MNIST's uncompressed files.
stems=(train-images train-labels t10k-images t10k-labels)
kinds=(idx3-ubyte idx1-ubyte idx3-ubyte idx1-ubyte)
sums=(ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db
    65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5
    0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7
    ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2)
mirrors=(https://ossci-datasets.s3.amazonaws.com/mnist
    https://storage.googleapis.com/cvdf-datasets/mnist
    http://yann.lecun.com/exdb/mnist)
# Known data sets, by the SHA-256 of the four digests, which is the attribute source_sha256 of a data set.
declare -A known=(
    [c65580678af93f1ea48c2c0d01d543ec89307c6b8a0eb7ca542d7c18c5f4c681]=mnist
    [d1fd84a877f3b78fa9a171b3de73f93e7b6f69ed94bada3feae9d96821401f5c]=fashion-mnist)

# Finds one of the four files of a folder by any of its usual names.
find_file() { # FOLDER NUMBER -> file
    for file in "$1/${stems[$2]}"{-,.}"${kinds[$2]}"{,.gz}; do
        [ ! -r "$file" ] || return 0
    done
    return 1
}

has_files() { # FOLDER
    local i file
    for i in 0 1 2 3; do
        find_file "$1" $i || return 1
    done
}

# Prints a file's uncompressed content.
content() { # FILE
    case $1 in
        *.gz) gunzip -c "$1" ;;
        *) cat "$1" ;;
    esac
}

# A folder's data as `import` describes them: the digest of the files' digests, and the rows of a file.
source_of() { # FOLDER -> SHA256
    local i file
    for i in 0 1 2 3; do
        find_file "$1" $i
        content "$file" | sha256sum | cut -d' ' -f1 | tr -d '\n'
    done | sha256sum | cut -d' ' -f1
}
rows_of() { # FOLDER NUMBER
    local file
    find_file "$1" "$2"
    { content "$file" 2>/dev/null || true; } | od -An -tu1 -j4 -N4 | awk '{ print (($1 * 256 + $2) * 256 + $3) * 256 + $4 }'
}

# Succeeds if a data set was imported from files with this digest, with all their rows.
is_made_of() { # DATA.h5 SHA256 ROWS TEST_ROWS
    local about
    [ -r "$1" ] && about=$("$lockstep" info "$1" --json 2>/dev/null) || return 1
    [[ $about == *"\"source_sha256\":\"$2\""* ]] || return 1
    [[ $about == *"\"rows\":{\"train\":$3,\"test\":$4}"* ]]
}

# Names a folder's data: the known name, else the folder's name and a part of the digest.
name_data() { # FOLDER SHA256 -> name
    local folder=$1
    [ "$(basename -- "$folder")" != raw ] || folder=$(dirname -- "$folder")
    folder=$(basename -- "$folder")
    name=${known[$2]:-${folder//[^A-Za-z0-9._-]/-}-${2:0:8}}
    name=${name#-}
}

# Downloads one file of MNIST into a folder, from the first mirror whose file has the digest.
download() { # NAME SHA256 FOLDER
    local name=$1 sum=$2 folder=$3 mirror
    for mirror in "${mirrors[@]}"; do
        echo "downloading $name.gz from ${mirror#*://}" >&2
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

download_mnist() {
    command -v curl >/dev/null || return 1
    mkdir -p data/mnist
    echo "MNIST, 11 MB in four files: some seconds" >&2
    local i
    for i in 0 1 2 3; do
        find_file data/mnist $i || download "${stems[i]}-${kinds[i]}" "${sums[i]}" data/mnist || return 1
    done
}

install_fashion_mnist() {
    $install && jobs/dependencies.sh data || return 1
    idx=$(dirname "$(dpkg-query -L dataset-fashion-mnist | grep -m 1 train-images-idx3-ubyte)")
}

print_heading "Data"
idx='' mnist=''
for mnist in "${!known[@]}"; do
    [ "${known[$mnist]}" != mnist ] || break
done
if [ -n "$given" ]; then
    idx=$given
    has_files "$idx" || die_data "LOCKSTEP_IDX_DIR: $idx has not all four of ${stems[*]}"
    from="from LOCKSTEP_IDX_DIR, $idx"
elif has_files data/mnist; then
    idx=data/mnist
    from="downloaded earlier"
elif is_made_of data/mnist.h5 "$mnist" 60000 10000; then
    name=mnist
    from="imported earlier"
elif download_mnist; then
    idx=data/mnist
    from="downloaded, SHA-256 verified"
elif install_fashion_mnist; then
    from="from Debian's package: no mirror of MNIST can be reached"
else
    die_data "no data: set LOCKSTEP_IDX_DIR to a folder with MNIST's four IDX files"
fi
if [ -n "$idx" ]; then
    source=$(source_of "$idx")
    name_data "$idx" "$source"
fi
echo "$name, $from" >&2
data=data/$name.h5
if [ -n "$idx" ] && ! is_made_of "$data" "$source" "$(rows_of "$idx" 0)" "$(rows_of "$idx" 2)"; then
    if [ -e "$data" ]; then
        "$lockstep" info "$data" >/dev/null || exit 3 # prints the error
        die_data "$data holds other data than $idx: move it away"
    fi
    mkdir -p data
    "$lockstep" import --idx "$idx" --out "$data" --name "$name"
fi
"$lockstep" info "$data" | head -n 6 >&2

print_heading "Train"
cores=$(count_cores)
run=runs/quickstart-$name
launch_on "$cores"
launch=("${start[@]}" "$lockstep")
"${launch[@]}" train --data "$data" --model mlp --loss cross-entropy \
    --optimizer adam --lr 0.001 --batch 128 --epochs 5 --run "$run" --resume auto

print_heading "Evaluate"
"${launch[@]}" eval --data "$data" --checkpoint "$run"
accuracy=$("${launch[@]}" eval --data "$data" --checkpoint "$run" --json |
    sed 's/.*"accuracy":\([0-9.]*\).*/\1/')

print_heading "Curves"
if has_gnuplot; then
    jobs/plot_training.sh "$run/curves" "$run"
else
    echo "no figure: gnuplot is not installed (Debian: gnuplot-nox)" >&2
fi

print_heading "What next, in $PWD"
cat >&2 <<NEXT
# misclassified images, with a picture
$lockstep eval --data $data --checkpoint $run --errors 24
# a page about this training, in one HTML file
jobs/report.sh $run $data
# a small sweep of learning rate and batch
jobs/sweep.sh --out runs/sweep --ranks $cores lr=0.003,0.001 batch=64,128 -- --data $data --epochs 3
NEXT
printf '\ntest accuracy %s on %s; results in %s\n' "$accuracy" "$name" "$run"
