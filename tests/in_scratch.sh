#!/usr/bin/env bash
# Runs a command in an empty folder of its own: in_scratch.sh FOLDER COMMAND [ARG ...]
set -eu
rm -rf "$1"
mkdir -p "$1"
cd "$1"
shift
exec "$@"
