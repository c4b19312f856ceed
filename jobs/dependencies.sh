#!/usr/bin/env bash
# Installs what is missing to build Lockstep and to draw its figures, from Debian's packages.
#
#   dependencies.sh [tests | lint | slurm | mpich | fuzz | data]
#
#   tests   adds what the tests need
#   lint    what tests/lint.sh needs, and coverage.sh
#   slurm   what they raise a Slurm with (without it they leave it out)
#   mpich   MPICH beside Open MPI
#   fuzz    what the fuzz targets need
#   data    Fashion-MNIST
#
# As root, or with sudo. Code 1: they can't be installed; 69: this is no Debian system, where it installs
# nothing and says what is needed.
set -euo pipefail
# shellcheck source=jobs/common.sh
. "$(dirname "$0")/common.sh"
packages=(build-essential cmake pkg-config openmpi-bin libopenmpi-dev libopenblas-dev libhdf5-dev
    zlib1g-dev libxxhash-dev libjansson-dev libmd-dev libhwloc-dev libpng-dev gnuplot-nox curl ca-certificates)
case ${1:-} in
    '') ;;
    --help) usage 0 ;;
    tests) packages+=(libcmocka-dev hdf5-tools shellcheck bsdutils iproute2 valgrind lowdown mandoc zsh) ;;
    lint) packages+=(clang-format clang-tidy gcovr libcmocka-dev shellcheck) ;;
    slurm) packages+=(slurm-wlm munge) ;;
    mpich) packages+=(mpich libmpich-dev) ;;
    fuzz) packages+=(clang libclang-rt-dev) ;;
    data) packages+=(dataset-fashion-mnist) ;;
    *) usage 2 >&2 ;;
esac

if ! command -v dpkg-query >/dev/null; then
    echo "not a Debian system: nothing is installed. Lockstep needs what these packages hold: ${packages[*]}" >&2
    echo "Once they are there: jobs/quickstart.sh --no-install" >&2
    exit 69
fi
missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
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
