#!/usr/bin/env bash
# Who computes matrix products: the loops' bits do not depend on the BLAS library's kernels; both learn the same.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
"$lockstep" import --synthetic 500,1,12,12,4 --out data.h5 >/dev/null 2>err

train() { # RUN RANKS OPTION ...
    local run=$1 ranks=$2
    shift 2
    mpirun -n "$ranks" "$lockstep" train --data data.h5 --model "dense:90 relu dense:70 relu dense:4" --epochs 2 --batch 40 \
        --threads "${threads:-1}" --run "$run" "$@" 2>err
}
products() { sed -n 's/^  "products": "\([a-z]*\)".*/\1/p' "$1/summary.json"; }

OPENBLAS_CORETYPE=Nehalem train old 1 --products loops
OPENBLAS_CORETYPE=Haswell train new 1 --products loops
check "loops have the same bits with any kernels of the BLAS library" same_bits old new
check "the summary names loops" [ "$(products new)" = loops ]
train blas 1 --products blas
check "the summary names the BLAS library" [ "$(products blas)" = blas ]
loss() { tail -n 1 "$1/metrics.csv" | cut -d, -f2; }
check "both have the same loss, to rounding" \
    awk -v a="$(loss new)" -v b="$(loss blas)" 'BEGIN { exit !(a > 0 && (a - b) ^ 2 < (1e-4 * a) ^ 2) }'
for products in loops blas; do
    for ranks in 1 3; do
        train "$products-on-$ranks" $ranks --products $products --reproducible --block 8
    done
    check "--reproducible has the same bits on 3 ranks with $products" same_bits $products-on-1 $products-on-3
    mpirun -n 2 "$lockstep" bench --model "dense:20 relu dense:10" --batch 16 --steps 5 --products $products >out
    check "bench computes products by $products" has out "products by $products,"
    check "bench prints the peak of a core" has out '^  FMA peak +[0-9.]+ +[0-9.]+ +[0-9.]+  Gflop/s a core'
    check "bench prints the fraction of the peak" has out ' % of the sgemm limit, [0-9.]+ % of the FMA peak;'
done
if grep -q avx512f /proc/cpuinfo; then
    train one 1
    check "auto: a rank with one thread computes by loops" [ "$(products one)" = loops ]
    threads=2 train two 1
    check "auto: a rank with two threads computes by the BLAS library" [ "$(products two)" = blas ]
    train exact 1 --reproducible
    check "auto: --reproducible computes by loops" [ "$(products exact)" = loops ]
fi
refuses 2 "--products.*'mkl'" "$lockstep" train --data data.h5 --model dense:4 --products mkl
finish
