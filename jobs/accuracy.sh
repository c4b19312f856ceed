#!/usr/bin/env bash
# Measures the test accuracy of a configuration: trains it with several seeds on each number of ranks, and
# evaluates each network once on the test rows, of the best epoch if the configuration has a patience, else
# of the last epoch. Of a GAN (objective = gan), 10,000 generated rows are scored by a classifier instead. Prints
# each run, and for each number of ranks the mean, the standard deviation between seeds, and the median time of
# a training from start to end. Needs the quickstart's build.
#
#   accuracy.sh DATA.h5 CONFIG [RANKS ...]     RANKS: one per core by default
#   SEEDS        seeds ["0 1 2 3 4"]
#   CLASSIFIER   of a GAN: run folder of the classifier
#   KEEP         a folder to keep the run folders in, as RANKS-SEED [they are removed]
set -euo pipefail
# shellcheck source=jobs/common.sh
. "$(dirname "$0")/common.sh"
[ "${1:-}" != --help ] || usage 0
[ $# -ge 2 ] || misuse "two arguments or more are needed"
for file in "$1" "$2"; do [ -r "$file" ] || die "$file: no such file, or it can't be read"; done
data=$(realpath "$1")
config=$(realpath "$2")
shift 2
[ $# -gt 0 ] || set -- "$(count_cores)"
for number in "$@" ${SEEDS:-}; do
    [[ $number =~ ^[0-9]{1,9}$ ]] || die "'$number' is not a whole number"
done
which=$(grep -q '^patience' "$config" && echo best || echo last)
measure=accuracy
if grep -q '^objective *= *gan' "$config"; then
    measure=score
    [ -n "${CLASSIFIER:-}" ] || die "CLASSIFIER, the run folder of a classifier, is needed for a GAN"
    classifier=$(realpath "$CLASSIFIER")
fi
[ -z "${KEEP:-}" ] || { mkdir -p "$KEEP"; KEEP=$(realpath "$KEEP"); }
cd "$(dirname "$0")/.."
lockstep=build/release/lockstep
[ -x "$lockstep" ] || die "$lockstep: no such program: jobs/quickstart.sh builds it"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for ranks; do
    for seed in ${SEEDS:-0 1 2 3 4}; do
        launch_on "$ranks"
        launch=("${start[@]}" "$lockstep")
        run=${KEEP:-$scratch}/$ranks-$seed
        begin=$(date +%s.%N)
        "${launch[@]}" train --data "$data" --config "$config" --seed "$seed" --run "$run" --quiet 2>"$scratch/err" ||
            { cat "$scratch/err" >&2; exit 1; }
        end=$(date +%s.%N)
        checkpoint=$run/checkpoints/$which
        if [ $measure = score ]; then
            "${launch[@]}" generate --checkpoint "$checkpoint" --out none --score "$classifier" --data "$data" --json |
                sed "s/.*\"score\":\([0-9.]*\),\"least_class\":\([0-9.]*\),.*\"frechet\":\([0-9.]*\),.*/$ranks $seed \1 $begin $end  rarest class \2, Frechet distance \3,/"
        else
            "${launch[@]}" eval --data "$data" --checkpoint "$checkpoint" --json |
                sed "s/.*\"accuracy\":\([0-9.]*\).*/$ranks $seed \1 $begin $end/"
        fi
        [ -n "${KEEP:-}" ] || rm -rf "$run"
    done
done | awk -v measure=$measure '
    { details = ""
      for (i = 6; i <= NF; i++) details = details " " $i
      printf "ranks %d  seed %d  %s %s %s %.1f s\n", $1, $2, measure, $3, details, $5 - $4; fflush()
      if (!n[$1]) order[++kinds] = $1
      sum[$1] += $3; squares[$1] += $3 * $3; time[$1, n[$1]++] = $5 - $4 }
    function median(r,    i, j, kept) {
        for (i = 1; i < n[r]; i++)
            for (j = i; j > 0 && time[r, j - 1] > time[r, j]; j--) {
                kept = time[r, j]; time[r, j] = time[r, j - 1]; time[r, j - 1] = kept
            }
        return (time[r, int((n[r] - 1) / 2)] + time[r, int(n[r] / 2)]) / 2
    }
    END {
        for (k = 1; k <= kinds; k++) {
            r = order[k]
            mean = sum[r] / n[r]
            variance = n[r] > 1 ? (squares[r] - n[r] * mean * mean) / (n[r] - 1) : 0
            printf "ranks %d: mean %.4f, deviation %.4f, median time %.1f s\n", r, mean, sqrt(variance > 0 ? variance : 0), median(r)
        }
    }'
