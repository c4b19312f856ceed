#!/usr/bin/env bash
# The doctor command on this machine: its report on the hardware and on mpirun's placement of ranks.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
make_data=$2
"$make_data" data

# Only the form of the report is tested: this machine may have problems.
OMPI_MCA_hwloc_base_binding_policy=core mpirun -n 2 "$lockstep" doctor --data data/data.h5 --run runs/new >out 2>err
code=$?
check "doctor ends with code 0 or 1" [ $code -le 1 ]
check "the report lists the nodes" has out '^[^ ]+ +2 +[0-9]+ +1 +[0-9]+ +[0-9]+ +[0-9.]+ '
check "the report names the BLAS kernels" has out '^BLAS +OpenBLAS'
check "the report names the MPI library" has out '^MPI +[A-Z]'
check "the report says how messages are copied within a node" has out 'within a node shared memory, messages copied (once|twice)'
check "the report has the speed of sgemm" has out '^sgemm +[0-9]+ to [0-9]+ Gflop/s'
check "the report says that file locking works" has out 'locking works on this file'
check "the report has the free disk space" has out '^disk +[0-9.]+ GB free for runs/new'
check "doctor creates no run folder" [ ! -e runs ]
if [ $code = 0 ]; then
    check "code 0: the report says that nothing is to change" has out '^nothing to change$'
else
    check "code 1: the first problem is printed" has out '^1\. '
    check "code 1: one line counts the problems" has err '^lockstep: .*things? to change, see above'
fi

# With another program running on every processor.
others=()
for ((i = 0; i < $(nproc); i++)); do
    (while :; do :; done) &
    others+=($!)
done
mpirun -n 2 "$lockstep" doctor >out 2>/dev/null
check "other programs on all processors are detected" [ $? = 1 ]
kill "${others[@]}"
check "the load of other programs is a problem in the report" has out '^[0-9]\. on .* other programs keep [0-9.]+ processors busy: ranks wait for them'
check "the load of other programs is a figure in the report" has out '^load +other programs keep [0-9.]+ to [1-9][0-9.]* processors'

ranks=$(($(nproc) + 1))
mpirun -n $ranks "$lockstep" doctor >out 2>/dev/null
check "more ranks than cores are detected" [ $? = 1 ]
check "more ranks than cores are the first problem in the report" has out "^1\. .* has $ranks ranks of 1 thread on [0-9]+ cores?"
check "the report has an mpirun command for fewer ranks" has out 'mpirun --map-by ppr:[0-9]+:node --bind-to core'
if grep -q avx2 /proc/cpuinfo && OPENBLAS_CORETYPE=Prescott "$lockstep" --version | grep -q '^BLAS.*Prescott'; then
    OPENBLAS_CORETYPE=Prescott mpirun -n 2 "$lockstep" doctor >out 2>/dev/null
    check "kernels that the environment chooses are a problem in the report" has out '^ +OPENBLAS_CORETYPE=Prescott is set: unset it$'
else
    echo "skipped: no slower kernels here"
fi
LOCKSTEP_FAULT=product:1:5 mpirun -n 2 "$lockstep" doctor >out 2>/dev/null
check "wrong products are detected" [ $? = 1 ]
check "wrong products are the first problem in the report" has out '^1\. rank 1 on .* computes wrong products by OpenBLAS'
refuses 1 '4 processes were started, but MPI sees only this one' env SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=4 "$lockstep" doctor
refuses 3 'nowhere.h5' mpirun -n 2 "$lockstep" doctor --data nowhere.h5
finish
