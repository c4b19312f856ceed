#!/usr/bin/env bash
# A page about a run, to be sent to somebody: evaluates its network on the test rows, and puts the run's
# record, curves, confusion matrix, worst errors and, if there is one, a scaling experiment into one HTML
# file, OUT [RUN/report.html].
#
#   report.sh RUN DATA.h5 [SCALING_FOLDER [OUT]]
#
#   LAUNCH     what starts the evaluation [mpirun -n 1]
#   LOCKSTEP   the program [lockstep, else the quickstart's build]
set -euo pipefail
# shellcheck source=jobs/common.sh
. "$(dirname "$0")/common.sh"
[ "${1:-}" != --help ] || usage 0
if [ $# -lt 2 ] || [ $# -gt 4 ]; then usage 2 >&2; fi
find_lockstep
run=$1 out=${4:-$1/report.html}
more=()
[ -z "${3:-}" ] || more=(--scaling "$3")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
find_mpirun
read -ra launch <<<"${LAUNCH:-${mpirun[*]} -n 1}"
"${launch[@]}" "$lockstep" eval --data "$2" --checkpoint "$run" --errors 24 --errors-file "$scratch/errors.png" --json \
    >"$scratch/evaluation.json" 2>"$scratch/err" || {
        code=$?
        cat "$scratch/err" >&2
        exit "$code"
    }
"$lockstep" report "$run" --evaluation "$scratch/evaluation.json" --errors "$scratch/errors.png" "${more[@]}" --out "$out"
