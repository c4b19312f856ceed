#!/usr/bin/env bash
# The job scripts on a real Slurm of two nodes: a training on both nodes; a sweep as a job array; a scaling experiment; a
# training that is longer than the time limit of its job; a job that is cancelled. Skipped, with code 77, if no Slurm can
# be started.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/slurm_lab.sh
. "$(dirname "$0")/slurm_lab.sh"
LOCKSTEP=$(realpath "$1")
make_data=$2
jobs=$3/jobs
missing=$(list_missing)
if [ -n "$missing" ]; then
    echo "skipped: no Slurm can be started here, these are missing: $(tr '\n' ' ' <<<"$missing")"
    exit 77
fi
if ! start_lab; then
    tail -n 20 "$lab"/log/* "$lab/munge/log"
    echo "skipped: Slurm did not start"
    exit 77
fi
export LOCKSTEP JOBS=$jobs BIND=none
"$make_data" data
options=(--data data/data.h5 --batch 16 --quiet)
net=("${options[@]}" --model "dense:20 relu dense:5")
# Submits a job and prints its number.
submit() { sbatch --parsable "$@" | cut -d';' -f1; }

# Waits until a command succeeds; returns 1 after SECONDS.
wait_until() { # SECONDS COMMAND ...
    local i
    for ((i = 0; i < 10 * $1; i++)); do
        ! "${@:2}" || return 0
        sleep 0.1
    done
    return 1
}
# shellcheck disable=SC2317
no_steps() { [ -z "$(list_steps)" ]; }

# A training on both nodes by mpirun, and on one node by srun.
job=$(submit --nodes 2 --ntasks-per-node 1 --time 5 "$jobs/train.sbatch" "${net[@]}" --epochs 3 --run runs/two)
wait_job "$job" 'COMPLETED|FAILED|CANCELLED|TIMEOUT' 60
check "train.sbatch completes on two nodes" [ "$state" = COMPLETED ]
check "train.sbatch runs 2 ranks" has runs/two/summary.json '"ranks": 2,'
check "train.sbatch prints nodes, ranks and threads" has "lockstep-$job.out" 'on n\[1-2\]: 2 ranks of 1 threads, by mpirun'
if srun --mpi=list 2>&1 | grep -q pmix; then
    job=$(LAUNCH=srun submit --nodes 1 --ntasks 2 --time 5 "$jobs/train.sbatch" "${net[@]}" --epochs 3 --run runs/srun)
    wait_job "$job" 'COMPLETED|FAILED|CANCELLED|TIMEOUT' 60
    check "train.sbatch completes by srun" [ "$state" = COMPLETED ]
    check "srun and mpirun give the same bits" same_bits runs/srun runs/two
fi

# One process in a batch script of several tasks is valid; several processes that Slurm starts without MPI are an error.
cat >alone.sbatch <<'END'
#!/bin/bash
"$LOCKSTEP" eval --data data/data.h5 --checkpoint runs/two --json >alone.json || exit
srun --mpi=none "$LOCKSTEP" eval --data data/data.h5 --checkpoint runs/two >out.many 2>err.many || true
END
job=$(submit --nodes 1 --ntasks 2 --time 5 alone.sbatch)
wait_job "$job" 'COMPLETED|FAILED|CANCELLED|TIMEOUT' 60
check "one process in a batch script of 2 tasks succeeds" [ "$state" = COMPLETED -a -s alone.json ]
check "2 processes that srun starts without MPI are refused" has err.many 'MPI sees only this one|direct launched using "srun"' # Open MPI's own words
check "2 processes without MPI print no result" [ ! -s out.many ]

# A sweep as a job array of two tasks, and a scaling experiment as a job array of two.
job=$(submit --array 0-1 --ntasks 1 --time 5 "$jobs/sweep.sbatch" --out runs/sweep lr=0.1,0.01,0.001 -- "${net[@]}" --epochs 2)
wait_job "${job}_0" 'COMPLETED|FAILED|CANCELLED|TIMEOUT' 60
wait_job "${job}_1" 'COMPLETED|FAILED|CANCELLED|TIMEOUT' 60
check "the tasks of a sweep complete" [ "$state" = COMPLETED ]
check "the sweep's ranking has all runs" [ "$(wc -l <runs/sweep/ranking.csv)" = 4 ]
job=$(submit --nodes 1 --ntasks 2 --time 5 "$jobs/scaling.sbatch" --repeats 1 -- "${net[@]}" --epochs 2)
wait_job "${job}_1" 'COMPLETED|FAILED|CANCELLED|TIMEOUT' 120
check "the tasks of a scaling experiment complete" [ "$state" = COMPLETED ]
for mode in strong weak; do
    check "$mode scaling runs on 1 and 2 ranks" [ "$(cut -d, -f1 "scaling/$mode/scaling.csv" | tr '\n' ' ')" = "ranks 1 2 " ]
done

# Jobs of one minute: Slurm's signal before the time limit stops the training, and the next start resumes it, with the
# same bits. Slurm may send the signal up to a minute early, so nobody knows how far a start comes: the training is
# endless until it has been stopped once. Then a mpirun of our own, which runs once per start, sets a number of epochs.
mkdir bin
cat >bin/mpirun <<END
#!/bin/bash
if [ "\$SLURM_RESTART_COUNT" -ge 1 ] && [ ! -e epochs ] && grep -qs '^3,' runs/long/metrics.csv; then
    echo \$((\$(wc -l <runs/long/metrics.csv) + 100)) >epochs
fi 2>/dev/null
exec $(command -v mpirun) "\$@" --epochs "\$(cat epochs 2>/dev/null || echo 1000000)"
END
chmod +x bin/mpirun
longer=("${options[@]}" --reproducible --model "dense:256 relu dense:256 relu dense:5" --checkpoint-every 1000000epochs)
job=$(PATH=$PWD/bin:$PATH submit --nodes 2 --ntasks-per-node 1 --time 1 --signal B:USR1@55 "$jobs/requeue.sbatch" \
    "${longer[@]}" --run runs/long)
wait_job "$job" 'COMPLETED|FAILED|CANCELLED|TIMEOUT' 400
check "requeue.sbatch completes the training" [ "$state" = COMPLETED ]
check "requeue.sbatch starts more than once" has "lockstep-$job.out" 'start 2 of at most 51'
# Where ranks start slowly, the signal may come before mpirun forwards signals: then the end of the job stops them.
check "requeue.sbatch is stopped before the job ends" has "lockstep-$job.out" 'stopped by (SIGUSR1|the time limit)'
mpirun -n 2 "$LOCKSTEP" train "${longer[@]}" --epochs "$(cat epochs)" --run runs/whole >/dev/null 2>&1
check "a requeued training has the bits of an uninterrupted one" same_bits runs/long runs/whole
job=$(MOST=0 submit --nodes 1 --ntasks 1 --time 5 --signal B:USR1@1 "$jobs/requeue.sbatch" "${longer[@]}" --epochs 1000000 --run runs/bound)
wait_until 60 grep -qs '^3,' runs/bound/metrics.csv
scancel --batch --signal USR1 "$job"
wait_job "$job" 'COMPLETED|FAILED|CANCELLED|TIMEOUT' 60
check "MOST=0 ends the job instead of a second start" [ "$state" = FAILED ]
check "requeue.sbatch passes the signal on" has "lockstep-$job.out" 'stopped by SIGUSR1'
check "the output says how to allow more starts" has "lockstep-$job.out" 'not done after 1 starts'

# A training that would take longer than its job ends before it, though nothing sends it a signal.
job=$(submit --nodes 2 --ntasks-per-node 1 --time 1 "$jobs/train.sbatch" "${net[@]}" --epochs 1000000 --stop-margin 45s --run runs/late)
wait_job "$job" 'COMPLETED|FAILED|CANCELLED|TIMEOUT' 90
check "train.sbatch ends with the code of an interrupted training" [ "$state" = FAILED ]
check "train.sbatch is stopped before the job ends" has "lockstep-$job.out" 'stopped by the time limit'

# A job that is cancelled while it runs has intact checkpoints.
job=$(submit --nodes 2 --ntasks-per-node 1 --time 5 "$jobs/train.sbatch" "${net[@]}" --epochs 1000000 --run runs/cut)
wait_until 60 grep -qs '^3,' runs/cut/metrics.csv
scancel "$job"
wait_job "$job" 'CANCELLED' 60
check "a job can be cancelled" [ "$state" = CANCELLED ]
wait_until 60 no_steps # Slurm ends the processes after it reports the state
"$LOCKSTEP" info runs/cut >out
check "a cancelled job's checkpoint is intact" has out '^verified +true'
mpirun -n 2 "$LOCKSTEP" eval --data data/data.h5 --checkpoint runs/cut >out 2>&1
check "a cancelled job's checkpoint can be evaluated" [ $? = 0 ]
finish
