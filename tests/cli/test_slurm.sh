#!/usr/bin/env bash
# The job scripts on a real Slurm of two nodes: a training on both; one that is longer than its job's
# time limit; a sweep as an array; a scaling experiment; a job that is cancelled. Skips, with code 77, where no
# Slurm can be raised.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/slurm_lab.sh
. "$(dirname "$0")/slurm_lab.sh"
LOCKSTEP=$(realpath "$1")
make_data=$2
jobs=$3/jobs
lacks=$(lab_lacks)
if [ -n "$lacks" ]; then
    echo "skipped: no Slurm can be raised here, it lacks $(tr '\n' ' ' <<<"$lacks")"
    exit 77
fi
if ! raise_lab; then
    tail -n 20 "$lab"/log/* "$lab/munge/log"
    echo "skipped: Slurm did not come up"
    exit 77
fi
export LOCKSTEP JOBS=$jobs BIND=none
"$make_data" data
options=(--data data/data.h5 --batch 16 --quiet)
net=("${options[@]}" --model "dense:20 relu dense:5")
submit() { sbatch --parsable "$@" | cut -d';' -f1; }

# Both nodes, by mpirun; ranks on one node, by srun.
job=$(submit --nodes 2 --ntasks-per-node 1 --time 5 "$jobs/train.sbatch" "${net[@]}" --epochs 3 --run runs/two)
wait_job "$job" 'COMPLETED|FAILED|CANCELLED|TIMEOUT' 60
check "train.sbatch completes on two nodes" [ "$state" = COMPLETED ]
check "with 2 ranks" has runs/two/summary.json '"ranks": 2,'
check "and says where" has "lockstep-$job.out" 'on n\[1-2\]: 2 ranks of 1 threads, by mpirun'
if srun --mpi=list 2>&1 | grep -q pmix; then
    job=$(LAUNCH=srun submit --nodes 1 --ntasks 2 --time 5 "$jobs/train.sbatch" "${net[@]}" --epochs 3 --run runs/srun)
    wait_job "$job" 'COMPLETED|FAILED|CANCELLED|TIMEOUT' 60
    check "train.sbatch completes by srun" [ "$state" = COMPLETED ]
    check "to the same bits" same_bits runs/srun runs/two
fi

# One process in a batch script of several tasks is valid; several that Slurm starts without MPI are an error.
cat >alone.sbatch <<'END'
#!/bin/bash
"$LOCKSTEP" eval --data data/data.h5 --checkpoint runs/two --json >alone.json || exit
srun --mpi=none "$LOCKSTEP" eval --data data/data.h5 --checkpoint runs/two >out.many 2>err.many || true
END
job=$(submit --nodes 1 --ntasks 2 --time 5 alone.sbatch)
wait_job "$job" 'COMPLETED|FAILED|CANCELLED|TIMEOUT' 60
check "one process of a batch script works" [ "$state" = COMPLETED -a -s alone.json ]
check "two without MPI are refused" has err.many 'MPI sees only this one|direct launched using "srun"' # Open MPI's own words
check "and have no result" [ ! -s out.many ]

# A sweep as an array of two tasks, and a scaling experiment as one of two.
job=$(submit --array 0-1 --ntasks 1 --time 5 "$jobs/sweep.sbatch" --out runs/sweep lr=0.1,0.01,0.001 -- "${net[@]}" --epochs 2)
wait_job "${job}_0" 'COMPLETED|FAILED|CANCELLED|TIMEOUT' 60
wait_job "${job}_1" 'COMPLETED|FAILED|CANCELLED|TIMEOUT' 60
check "the array completes" [ "$state" = COMPLETED ]
check "it ranks its runs" [ "$(wc -l <runs/sweep/ranking.csv)" = 4 ]
job=$(submit --nodes 1 --ntasks 2 --time 5 "$jobs/scaling.sbatch" --repeats 1 -- "${net[@]}" --epochs 2)
wait_job "${job}_1" 'COMPLETED|FAILED|CANCELLED|TIMEOUT' 120
check "the scaling experiments complete" [ "$state" = COMPLETED ]
for mode in strong weak; do
    check "$mode scaling on the ranks of the allocation" [ "$(cut -d, -f1 "scaling/$mode/scaling.csv" | tr '\n' ' ')" = "ranks 1 2 " ]
done

# Longer than a minute, in jobs of one minute: stopped by the signal, resumed in the next job, with the same bits.
longer=("${options[@]}" --reproducible --model "dense:256 relu dense:256 relu dense:5" --checkpoint-every 1000epochs)
long=("${longer[@]}" --epochs 1000)
job=$(submit --nodes 2 --ntasks-per-node 1 --time 1 --signal B:USR1@55 "$jobs/requeue.sbatch" "${long[@]}" --run runs/long)
wait_job "$job" 'COMPLETED|FAILED|CANCELLED|TIMEOUT' 400
check "requeue.sbatch comes to its end" [ "$state" = COMPLETED ]
check "in more than one start" has "lockstep-$job.out" 'start 2 of at most 51'
check "stopped by the signal" has "lockstep-$job.out" 'stopped by SIGUSR1'
mpirun -n 2 "$LOCKSTEP" train "${long[@]}" --run runs/whole >/dev/null 2>&1
check "the same bits as without a stop" same_bits runs/long runs/whole
job=$(MOST=0 submit --nodes 1 --ntasks 1 --time 1 --signal B:USR1@40 "$jobs/requeue.sbatch" "${longer[@]}" --epochs 1000000 --run runs/bound)
wait_job "$job" 'RUNNING' 30
sleep 3
scancel --batch --signal USR1 "$job"
wait_job "$job" 'COMPLETED|FAILED|CANCELLED|TIMEOUT' 60
check "restarts are bounded" [ "$state" = FAILED ]
check "and it says so" has "lockstep-$job.out" 'not done after 1 starts'

# Cancelled while it runs: its checkpoints are intact.
job=$(submit --nodes 2 --ntasks-per-node 1 --time 5 "$jobs/train.sbatch" "${net[@]}" --epochs 1000000 --run runs/cut)
for ((i = 0; i < 300; i++)); do
    ! grep -qs '^3,' runs/cut/metrics.csv || break
    sleep 0.1
done
scancel "$job"
wait_job "$job" 'CANCELLED' 60
check "a job can be cancelled" [ "$state" = CANCELLED ]
for ((i = 0; i < 300; i++)); do # Slurm ends the processes after it reports the state
    [ -n "$(lab_steps)" ] || break
    sleep 0.1
done
"$LOCKSTEP" info runs/cut >out
check "its checkpoint is whole" has out '^verified +true'
mpirun -n 2 "$LOCKSTEP" eval --data data/data.h5 --checkpoint runs/cut >out 2>&1
check "and can be evaluated" [ $? = 0 ]
finish
