#!/usr/bin/env bash
# Test accuracy of the reference network after 5 epochs, for seeds 0 to 4 on 1, 2 and 4 ranks: the mean
# of each rank count, and the standard deviation between its seeds. Needs the quickstart's build.
#
#   accuracy.sh DATA.h5
set -euo pipefail
data=$(realpath "${1:?usage: jobs/accuracy.sh DATA.h5}")
cd "$(dirname "$0")/.."
lockstep=build/release/lockstep
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
[ "$(id -u)" != 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
# Four ranks on fewer cores are slow, but as exact.
export OMPI_MCA_rmaps_base_oversubscribe=1

for ranks in 1 2 4; do
    for seed in 0 1 2 3 4; do
        launch=(mpirun -q -n "$ranks" --bind-to none "$lockstep")
        "${launch[@]}" train --data "$data" --seed "$seed" --run "$scratch/$ranks-$seed" --quiet 2>/dev/null
        "${launch[@]}" eval --data "$data" --checkpoint "$scratch/$ranks-$seed" --json |
            sed "s/.*\"accuracy\":\([0-9.]*\).*/$ranks $seed \1/"
    done
done | awk '
    { printf "ranks %d  seed %d  accuracy %s\n", $1, $2, $3; sum[$1] += $3; squares[$1] += $3 * $3; n[$1]++ }
    END {
        for (r = 1; r <= 4; r *= 2) {
            mean = sum[r] / n[r]
            printf "ranks %d: mean %.4f, deviation %.4f\n", r, mean, sqrt(squares[r] / n[r] - mean * mean)
        }
    }'
