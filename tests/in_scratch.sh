#!/usr/bin/env bash
# Empties or creates a folder and runs a command in it: in_scratch.sh FOLDER COMMAND [ARG ...]
set -eu
rm -rf "$1"
mkdir -p "$1"
cd "$1"
shift
exec "$@"
