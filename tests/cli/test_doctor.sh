#!/usr/bin/env bash
# The doctor command on this machine: hardware, and mpirun's placement of ranks.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
make_data=$2
"$make_data" data

# Only the form of the answer is tested: this machine may have problems.
OMPI_MCA_hwloc_base_binding_policy=core mpirun -n 2 "$lockstep" doctor --data data/data.h5 --run runs/new >out 2>err
code=$?
check "code 0 or 1" [ $code -le 1 ]
check "the nodes" has out '^[^ ]+ +2 +[0-9]+ +1 +[0-9]+ +[0-9]+ +[0-9.]+ '
check "the kernels" has out '^BLAS +OpenBLAS'
check "the library" has out '^MPI +[A-Z]'
check "single copies tried" has out 'within a node shared memory, messages copied (once|twice)'
check "speed" has out '^sgemm +[0-9]+ to [0-9]+ Gflop/s'
check "locking" has out 'locking works on this file'
check "disk" has out '^disk +[0-9.]+ GB free for runs/new'
check "nothing was made" [ ! -e runs ]
if [ $code = 0 ]; then
    check "nothing to change" has out '^nothing to change$'
else
    check "a number, a remedy" has out '^1\. '
    check "and one line" has err '^lockstep: .*things? to change, see above'
fi

# With another program running on every processor.
others=()
for ((i = 0; i < $(nproc); i++)); do
    (while :; do :; done) &
    others+=($!)
done
mpirun -n 2 "$lockstep" doctor >out 2>/dev/null
check "other load is found" [ $? = 1 ]
kill "${others[@]}"
check "and told" has out '^[0-9]\. on .* other programs keep [0-9.]+ processors busy: ranks wait for them'
check "as a figure, too" has out '^load +other programs keep [0-9.]+ to [1-9][0-9.]* processors'

ranks=$(($(nproc) + 1))
mpirun -n $ranks "$lockstep" doctor >out 2>/dev/null
check "too many ranks are found" [ $? = 1 ]
check "and told" has out "^1\. .* has $ranks ranks of 1 thread on [0-9]+ cores?"
check "with a command" has out 'mpirun --map-by ppr:[0-9]+:node --bind-to core'
LOCKSTEP_FAULT=product:1:5 mpirun -n 2 "$lockstep" doctor >out 2>/dev/null
check "wrong products are found" [ $? = 1 ]
check "and told first" has out '^1\. rank 1 on .* computes wrong products by OpenBLAS'
refuses 1 '4 processes were started, but MPI sees only this one' env SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=4 "$lockstep" doctor
refuses 3 'nowhere.h5' mpirun -n 2 "$lockstep" doctor --data nowhere.h5
finish
