#!/usr/bin/env bash
# The bench command: its output is complete and consistent. Times are not tested.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
make_data=$2
"$make_data" data
small=(--model "dense:20 relu dense:5" --data data/data.h5 --batch 16 --steps 5)

for n in 1 3; do
    mpirun -n $n "$lockstep" bench "${small[@]}" --predict 1,2,64 --latency-us 5 --bandwidth-gbs 1.25 >out
    check "$n ranks: bench succeeds" [ $? = 0 ]
    check "$n ranks: the speed of the machine is printed" has out 'sgemm .* Gflop/s a rank'
    check "$n ranks: the times of a step are printed" has out '^  fused +min( +[0-9.]+){7}$'
    check "$n ranks: the slowest rank is named" has out 'rank [0-9]+ computes the longest'
    check "$n ranks: a row of the prediction is printed" has out '^ +64 +[0-9.]+ +[0-9.]+ %'
    check "$n ranks: the end of strong scaling is predicted" has out 'strong scaling ends at [0-9]+ rank'
    check "$n ranks: the error of the prediction is printed" has out 'predicted [0-9.]+ ms, measured [0-9.]+ ms, error [-+]'
done
check "all 3 reduction algorithms are measured" [ "$(grep -cE '^  (fused|overlap|hierarchical) ' out)" = 3 ]
check "latency and bandwidth are fitted" has out 'fitted: latency [0-9.]+ us, bandwidth [0-9.]+ GB/s'
mpirun -n 2 "$lockstep" bench "${small[@]}" --predict 2 --reduce hierarchical --shard-optimizer --json >out
check "--json prints ranks and prediction" has out '^\{"ranks": ?2,.*"prediction"'
check "--json: the prediction is usable if and only if there are no doubts" [ "$(grep -cE '"doubts": ?\[\].*"usable": ?true|"doubts": ?\[".*"usable": ?false' out)" = 1 ]
check "--reduce hierarchical: no other algorithm is predicted" [ "$(grep -oE '"reduce": ?"[a-z]+"' out | sort -u | grep -c hierarchical)" = 1 ]
check "--reduce hierarchical: 2 entries name the algorithm" [ "$(grep -oE '"reduce": ?"[a-z]+"' out | wc -l)" = 2 ]
for kind in fused hierarchical; do
    mpirun -n 3 "$lockstep" bench "${small[@]}" --predict 1,2,3,4 --reduce $kind >out
    check "$kind: a prediction is printed" has out "^prediction for 3 ranks a node, $kind"
    check "$kind: the prediction is compared with the measurement" has out 'the 3 ranks here: predicted [0-9.]+ ms, measured [0-9.]+ ms'
done

# More ranks than cores: these measurements are not used for predictions.
ranks=$(($(nproc) + 1))
mpirun -n $ranks "$lockstep" bench "${small[@]}" --predict 1,2 >out
check "more ranks than cores: the prediction is marked as not usable" has out '^disturbed: no figure here counts, and the prediction is not usable$'
check "more ranks than cores: the reason is printed" has out '^  .*: more threads than cores$|other programs keep [0-9.]+ processors busy'

# OpenBLAS kernels older than AVX2 are used on a processor with AVX2 only if they are requested.
old='OpenBLAS .*(Prescott|Core2|Penryn|Nehalem|Sandybridge)'
if grep -q avx2 /proc/cpuinfo && OPENBLAS_CORETYPE=Prescott mpirun -n 1 "$lockstep" bench "${small[@]}" >out &&
    has out "$old"; then
    mpirun -n 1 "$lockstep" bench "${small[@]}" >out
    check "bench selects kernels" [ $? = 0 ]
    check "the kernels are printed" has out 'OpenBLAS'
    check "kernels older than AVX2 are not selected" [ "$(grep -cE "$old" out)" = 0 ]
fi

for n in 1 2; do
    refuses 2 "'2,x' is not a list of rank counts" mpirun -n $n "$lockstep" bench "${small[@]}" --predict 2,x
    refuses 2 "word 1, 'dens:3'" mpirun -n $n "$lockstep" bench --model dens:3
done
refuses 2 'no link to measure: give --bandwidth-gbs' mpirun -n 1 "$lockstep" bench "${small[@]}" --predict 2
finish
