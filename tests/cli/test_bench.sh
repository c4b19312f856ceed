#!/usr/bin/env bash
# The bench command: its output is complete and consistent; the times themselves are not tested.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
make_data=$2
"$make_data" data
small=(--model "dense:20 relu dense:5" --data data/data.h5 --batch 16 --steps 5)

for n in 1 3; do
    mpirun -n $n "$lockstep" bench "${small[@]}" --predict 1,2,64 --latency-us 5 --bandwidth-gbs 1.25 >out
    check "bench on $n ranks" [ $? = 0 ]
    check "the machine on $n ranks" has out 'sgemm .* Gflop/s a rank'
    check "the step on $n ranks" has out '^  fused +min( +[0-9.]+){7}$'
    check "the slowest rank on $n ranks" has out 'rank [0-9]+ computes the longest'
    check "a prediction on $n ranks" has out '^ +64 +[0-9.]+ +[0-9.]+ %'
    check "the end of scaling on $n ranks" has out 'strong scaling ends at [0-9]+ rank'
    check "the model's error on $n ranks" has out 'predicted [0-9.]+ ms, measured [0-9.]+ ms, error [-+]'
done
check "all reduction algorithms" [ "$(grep -cE '^  (fused|overlap|hierarchical) ' out)" = 3 ]
check "allreduce by size" has out 'fitted: latency [0-9.]+ us, bandwidth [0-9.]+ GB/s'
mpirun -n 2 "$lockstep" bench "${small[@]}" --predict 2 --reduce hierarchical --shard-optimizer --json >out
check "JSON" has out '^\{"ranks": ?2,.*"prediction"'
check "JSON says whether it is of use" [ "$(grep -cE '"doubts": ?\[\].*"usable": ?true|"doubts": ?\[".*"usable": ?false' out)" = 1 ]
check "one way to reduce, which is predicted" [ "$(grep -oE '"reduce": ?"[a-z]+"' out | sort -u | grep -c hierarchical)" = 1 ]
check "and no other" [ "$(grep -oE '"reduce": ?"[a-z]+"' out | wc -l)" = 2 ]
for kind in fused hierarchical; do
    mpirun -n 3 "$lockstep" bench "${small[@]}" --predict 1,2,3,4 --reduce $kind >out
    check "a prediction, $kind" has out "^prediction for 3 ranks a node, $kind"
    check "beside the measurement, $kind" has out 'the 3 ranks here: predicted [0-9.]+ ms, measured [0-9.]+ ms'
done

# More ranks than cores: these measurements are not used for predictions.
ranks=$(($(nproc) + 1))
mpirun -n $ranks "$lockstep" bench "${small[@]}" --predict 1,2 >out
check "a disturbed prediction is printed as such" has out '^disturbed: no figure here counts, and the prediction is not usable$'
check "with the reason" has out '^  .*: more threads than cores$|other programs keep [0-9.]+ processors busy'

# Kernels older than AVX2 on a processor that has AVX2: only on request.
old='OpenBLAS .*(Prescott|Core2|Penryn|Nehalem|Sandybridge)'
if grep -q avx2 /proc/cpuinfo && OPENBLAS_CORETYPE=Prescott mpirun -n 1 "$lockstep" bench "${small[@]}" >out &&
    has out "$old"; then
    mpirun -n 1 "$lockstep" bench "${small[@]}" >out
    check "the bench with its own choice of kernels" [ $? = 0 ]
    check "kernels for the processor" has out 'OpenBLAS'
    check "no old kernels" [ "$(grep -cE "$old" out)" = 0 ]
fi

for n in 1 2; do
    refuses 2 "'2,x' is not a list of rank counts" mpirun -n $n "$lockstep" bench "${small[@]}" --predict 2,x
    refuses 2 "word 1, 'dens:3'" mpirun -n $n "$lockstep" bench --model dens:3
done
refuses 2 'no link to measure: give --bandwidth-gbs' mpirun -n 1 "$lockstep" bench "${small[@]}" --predict 2
finish
