#!/usr/bin/env bash
# If a system resource is short, the message names it, and no process hangs: descriptors, shared memory, file size.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
make_data=$2
"$make_data" data
net=("$lockstep" train --data data/data.h5 --model "dense:400 relu dense:5" --batch 16 --quiet --watchdog 20)
train=("${net[@]}" --epochs 3)
# Sets the array `limited` to the beginning of a command that runs within a limit of ulimit.
with_limit() { limited=(bash -c "ulimit $1; exec \"\$@\"" limited); }

# The limit on open files is raised as far as permitted; if that is not enough, the message names it.
for n in 16 20 40; do
    with_limit "-n $n"
    refuses 1 "the limit on open files is $n, [0-9]+ are needed: raise it with ulimit -n [0-9]+" \
        mpirun -q -n 2 "${limited[@]}" "${train[@]}"
done
refuses 1 'the limit on open files is 40' "${limited[@]}" "${train[@]}"
with_limit "-Sn 16"
check "a soft limit is raised" mpirun -q -n 2 "${limited[@]}" "${train[@]}" 2>err

# A command without mpirun makes no session folder of Open MPI's, which another one could remove at its start.
TMPDIR=/proc/none refuses 3 "none.h5: can't open" "$lockstep" train --data none.h5

# A limit on file size acts like a full disk.
with_limit "-f 4"
refuses 1 'can.t write.*: File too large' "${limited[@]}" "$lockstep" import --synthetic 300,1,8,8,4 --out large.h5
check "no part of the data set is left" [ "$(find . -name 'large.h5*' | wc -l)" = 0 ]
with_limit "-f 100"
limit=(mpirun -q -n 2 "${limited[@]}" "${train[@]}" --reduce fused)
refuses 1 'can.t write.*: File too large' "${limit[@]}" --run stop
check "no part of a checkpoint is left" [ "$(find stop/checkpoints -name '*.tmp*' | wc -l)" = 0 ]
timeout 60 "${limit[@]}" --run continue --on-save-failure continue 2>err
check "--on-save-failure continue: the run fails if its last checkpoint can't be saved" [ $? = 1 ]
check "--on-save-failure continue: a note reports earlier failed saves" grep -qE '^note: .*File too large; training continues' err

# Shared memory that is too small, or in which no file can be created.
if ! unshare -m true 2>/dev/null; then
    echo "skipped: shared memory: needs root"
    finish
fi
# shellcheck disable=SC2016
small=(unshare -m bash -c 'mount -t tmpfs -o "$1" tmpfs /dev/shm; shift; exec "$@"' small)
refuses 1 'reduce hierarchical: can.t create a file in /dev/shm for shared memory: No space left on device; use another' \
    "${small[@]}" size=50m,nr_inodes=1 mpirun -q -n 3 "${train[@]}" --reduce hierarchical
"${small[@]}" size=50m,nr_inodes=1 timeout 60 mpirun -q -n 3 "${train[@]}" 2>err
check "--reduce auto needs no shared memory" [ $? = 0 ]
# The same as after --reduce auto has selected hierarchical as the fastest.
mpirun -q -n 2 "${train[@]}" --run chosen --reduce hierarchical 2>err
check "--reduce hierarchical is available without limits" [ $? = 0 ]
"${small[@]}" size=1m timeout 60 mpirun -q -n 2 "${net[@]}" --epochs 4 --run chosen --resume auto 2>err
check "a resumed run uses another algorithm if the selected one is not available" [ $? = 0 ]
check "a note names the algorithm that is not available" grep -qE '^note: --reduce auto had chosen hierarchical, which is not available here: .*/dev/shm has no room' err
finish
