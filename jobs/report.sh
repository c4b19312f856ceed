#!/usr/bin/env bash
# Makes a page about a run in one HTML file, OUT [RUN/report.html]: evaluates the network on the test rows, or
# on the validation rows if there are no test rows, and writes results, curves, confusion matrix, worst errors,
# record and, if given, a scaling experiment; of a GAN scores and samples. The run may be unfinished.
#
#   report.sh RUN DATA.h5 [SCALING_FOLDER [OUT]]
#
#   LAUNCH     command that starts the evaluation [mpirun -n 1]
#   LOCKSTEP   the program [lockstep, else the quickstart's build]
set -euo pipefail
# shellcheck source=jobs/common.sh
. "$(dirname "$0")/common.sh"
[ "${1:-}" != --help ] || usage 0
refuse_options "$@"
[ $# -ge 2 ] || misuse "a run folder and a data set are needed"
[ $# -le 4 ] || misuse "unexpected argument '$5'"
find_lockstep
run=$1 data=$2 out=${4:-$1/report.html}
more=()
[ -z "${3:-}" ] || more=(--scaling "$3")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# The page is about one data set, identified by the digest of its source files, if it is known, and by the fingerprints
# of its training and validation rows, which `eval --same-data` compares with those in the checkpoint.
source_of() { sed -n 's/.*"source_sha256": *"\([0-9a-f]*\)".*/\1/p' | head -n 1; }
trained=$(source_of 2>/dev/null <"$run/summary.json" || true)
# Ends the script if a file was made from other data than the run.
refuse_other() { # FILE DIGEST
    if [ -n "$trained" ] && [ -n "$2" ] && [ "$trained" != "$2" ]; then
        die_data "$1 is of other data than $run was trained on: a page is about one data set"
    fi
}
refuse_other "$2" "$("$lockstep" info "$2" --json 2>/dev/null | source_of)"
[ -z "${3:-}" ] || refuse_other "$3" "$(source_of 2>/dev/null <"$3/scaling.json" || true)"
find_mpirun
read -ra launch <<<"${LAUNCH:-${mpirun[*]} -n 1}"

# Evaluates the rows of a split, if there are any: with a picture of misclassified rows, or, if rows are no images, with
# a list of them, or, if they are not of one class each, without.
evaluate() { # SPLIT
    local code wrong
    for wrong in "--errors 24 --errors-file $scratch/errors.png" "--errors 24 --errors-file none" ""; do
        code=0
        rm -f "$scratch/errors.png"
        # shellcheck disable=SC2086
        "${launch[@]}" "$lockstep" eval --data "$data" --checkpoint "$run" --split "$1" --same-data $wrong --json \
            >"$scratch/evaluation.json" 2>"$scratch/err" || code=$?
        grep -qE "can't draw the misclassified rows|--errors lists misclassified rows" "$scratch/err" || break
    done
    [ "$code" = 0 ] || ! grep -q ": has no $1 rows" "$scratch/err" || return 1
    [ "$code" = 0 ] || { cat "$scratch/err" >&2; exit "$code"; }
    more+=(--evaluation "$scratch/evaluation.json")
    [ ! -e "$scratch/errors.png" ] || more+=(--errors "$scratch/errors.png")
}

if ! compgen -G "$run/checkpoints/*.h5" >/dev/null && [ -d "$run" ]; then
    echo "${0##*/}: $run holds no checkpoint: its network is not evaluated" >&2
elif grep -q '"task": "generation"' "$run/summary.json" 2>/dev/null; then
    : # a GAN, whose page has its scores and samples
elif ! evaluate test && ! evaluate validation; then
    echo "${0##*/}: $data has neither test rows nor validation rows: the network is not evaluated" >&2
fi
"$lockstep" report "$run" "${more[@]}" --out "$out"
