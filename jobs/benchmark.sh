#!/usr/bin/env bash
# Compares an epoch of the reference network, global batch 128, with PyTorch's, all in one run and in
# turn; then import, load and memory. Needs the quickstart's build, and PyTorch (python3-torch).
#
#   benchmark.sh FOLDER_OF_IDX_FILES [ROUNDS]
set -euo pipefail
cd "$(dirname "$0")/.."
idx=$(realpath "${1:?usage: jobs/benchmark.sh FOLDER_OF_IDX_FILES [ROUNDS]}")
rounds=${2:-5}
epochs=3
lockstep=build/release/lockstep
# Debian's interpreter, which sees Debian's PyTorch, where there is one.
python=python3
[ ! -x /usr/bin/python3 ] || python=/usr/bin/python3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
[ "$(id -u)" != 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

"$lockstep" import --idx "$idx" --out "$scratch/data.h5" 2>"$scratch/import"

torch() { # THREADS PROCESSES
    local r
    export OMP_NUM_THREADS=$1 OPENBLAS_NUM_THREADS=1
    # Its gradients are allocated anew in each step: without page faults it is much faster.
    export MALLOC_MMAP_THRESHOLD_=1000000000 MALLOC_TRIM_THRESHOLD_=4000000000
    for ((r = 1; r < $2; r++)); do
        RANK=$r WORLD_SIZE=$2 "$python" jobs/benchmark_torch.py "$idx" $epochs 128 &
    done
    RANK=0 WORLD_SIZE=$2 "$python" jobs/benchmark_torch.py "$idx" $epochs 128
    wait
    unset OMP_NUM_THREADS OPENBLAS_NUM_THREADS MALLOC_MMAP_THRESHOLD_ MALLOC_TRIM_THRESHOLD_
}
ranks() { # RANKS
    rm -rf "$scratch/run"
    mpirun -q -n "$1" --bind-to core "$lockstep" train --data "$scratch/data.h5" --validation 0 \
        --epochs $epochs --run "$scratch/run" 2>"$scratch/train"
    tail -n +2 "$scratch/run/metrics.csv" | cut -d, -f7 | median
}
median() { sort -g | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int((NR + 2) / 2)]) / 2 }'; }

for ((round = 0; round < rounds; round++)); do
    ranks 2 >>"$scratch/ours2"
    torch 1 2 >>"$scratch/ddp"
    ranks 2 >>"$scratch/ours2"
    torch 1 1 >>"$scratch/torch1"
    ranks 1 >>"$scratch/ours1"
    torch 2 1 >>"$scratch/torch2"
done

echo "Seconds for an epoch of the reference network, global batch 128; median, least, most"
row() { # NAME FILE
    printf '  %-34s %.3f  %.3f  %.3f\n' "$1" "$(median <"$2")" "$(sort -g "$2" | head -n 1)" \
        "$(sort -g "$2" | tail -n 1)"
}
row "Lockstep, 2 ranks" "$scratch/ours2"
row "Lockstep, 1 rank" "$scratch/ours1"
row "PyTorch DDP/gloo, 2 processes" "$scratch/ddp"
row "PyTorch, 1 process, 1 thread" "$scratch/torch1"
row "PyTorch, 1 process, 2 threads" "$scratch/torch2"
best=$(for f in torch1 torch2; do median <"$scratch/$f"; done | sort -g | head -n 1)
awk -v ours="$(median <"$scratch/ours2")" -v ddp="$(median <"$scratch/ddp")" -v best="$best" \
    'BEGIN { printf "Lockstep on 2 ranks is %.2fx as fast as DDP, %.2fx as PyTorch'"'"'s best single process\n", ddp / ours, best / ours }'
sed 's/.*: \(.*\)/Import: \1/' "$scratch/import"
sed -n 's/^ *ready *after/Load, until the first step: after/p' "$scratch/train"
if [ -x /usr/bin/time ]; then
    mpirun -q -n 2 --bind-to core /usr/bin/time -f "Peak memory of a rank: %M KiB" \
        "$lockstep" train --data "$scratch/data.h5" --epochs 1 --quiet 2>&1 | grep Peak
fi
lscpu | sed -n 's/^Model name: */Processor: /p'
