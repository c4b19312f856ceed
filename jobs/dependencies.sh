#!/usr/bin/env bash
# Installs what is missing to build Lockstep, from Debian's packages. `dependencies.sh tests` adds
# what the tests need, `dependencies.sh slurm` what they raise a Slurm with (without it they leave it out),
# `dependencies.sh mpich` MPICH beside Open MPI, `dependencies.sh fuzz` what the fuzz targets need,
# `dependencies.sh data` Fashion-MNIST. As root, or
# with sudo. On other systems it only says what to install.
set -euo pipefail
packages=(build-essential cmake pkg-config openmpi-bin libopenmpi-dev libopenblas-dev libhdf5-dev
    zlib1g-dev libxxhash-dev libjansson-dev libmd-dev libhwloc-dev libpng-dev curl ca-certificates)
[ "${1:-}" != data ] || packages+=(dataset-fashion-mnist)
[ "${1:-}" != tests ] || packages+=(libcmocka-dev hdf5-tools shellcheck bsdutils iproute2 valgrind gnuplot-nox)
[ "${1:-}" != slurm ] || packages+=(slurm-wlm munge)
[ "${1:-}" != mpich ] || packages+=(mpich libmpich-dev)
[ "${1:-}" != fuzz ] || packages+=(clang libclang-rt-dev)

if ! command -v dpkg-query >/dev/null; then
    echo "Not a Debian system. Lockstep needs what these packages hold: ${packages[*]}" >&2
    exit 0
fi
missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
echo "Installing: ${missing[*]}" >&2
as_root=()
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
        echo "Neither root nor sudo: ask for these packages: ${missing[*]}" >&2
        exit 1
    }
    as_root=(sudo)
fi
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >/dev/null || {
    echo "apt-get could not install them" >&2
    exit 1
}
