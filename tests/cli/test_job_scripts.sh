#!/usr/bin/env bash
# The job scripts for PBS, LSF, Flux and Kubernetes with this machine's mpirun, and stand-ins for the engines' own
# programs: the options that they give, the end of the job, and the code of an interrupted training. Slurm's scripts:
# test_slurm.sh.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
LOCKSTEP=$(realpath "$1")
make_data=$2
jobs=$3/jobs
need_python yaml
export LOCKSTEP BIND=none
"$make_data" data
printf '%s\n' 'data = data/data.h5' 'model = dense:20 relu dense:5' 'batch = 16' 'epochs = 2' >lockstep.conf
mkdir bin
tool() { # NAME: writes a stand-in, its text from stdin
    { echo '#!/bin/sh' && cat; } >"bin/$1"
    chmod +x "bin/$1"
}
PATH=$PWD/bin:$PATH
printf 'localhost\nlocalhost\n' >hosts

ranks() { sed -n 's/.*"ranks": \([0-9]*\),.*/\1/p' "$1/summary.json"; } # RUN

# Waits, at most 30 seconds, until a run's first epoch is over.
wait_for_epoch() { # RUN
    local i
    for ((i = 0; i < 300; i++)); do
        [ ! -s "$1/metrics.csv" ] || [ "$(wc -l <"$1/metrics.csv")" -lt 2 ] || return
        sleep 0.1
    done
}

# Ends before the limit of the job with a checkpoint; the same script continues.
interrupted_and_resumed() { # RUN COMMAND ...
    local run=$1
    shift
    sed "s/^epochs.*/epochs = 1000000/; \$a run = $run" lockstep.conf >long.conf
    CONFIG=long.conf "$@" >out 2>err
    check "$run: ends with code 75 before the job does" [ $? = 75 ]
    check "$run: says that its time is over" has err 'stopped by the time limit'
    sed "s/^epochs.*/epochs = 1/; \$a run = $run" lockstep.conf >long.conf
    CONFIG=long.conf "$@" >out 2>err
    check "$run: continues" [ $? = 0 ]
    check "$run: runs on all hosts of the job" [ "$(ranks "$run")" = 2 ]
}

# PBS: the limit is of the job, given by qstat.
tool qstat <<'END'
[ "$*" = "-f 12.server" ] && printf 'Job Id: 12.server\n    Resource_List.select = 2\n    Resource_List.walltime = 00:00:47\n'
END
# shellcheck disable=SC2317 # called by its name
pbs() { PBS_JOBID=12.server PBS_O_WORKDIR=$PWD PBS_NODEFILE=$PWD/hosts "$jobs/train.pbs"; }
interrupted_and_resumed pbs pbs
check "train.pbs says where it runs" has out '^job 12.server on localhost: 2 ranks of 1 threads$'

# LSF: a signal, after which the job runs again.
lsf() { LSB_JOBID=7 LS_SUBCWD=$PWD LSB_DJOB_HOSTFILE=$PWD/hosts exec bash "$jobs/train.lsf"; }
sed 's/^epochs.*/epochs = 1000000/; $a run = lsf' lockstep.conf >long.conf
(CONFIG=long.conf lsf) >out 2>err &
job=$!
wait_for_epoch lsf
kill -USR1 $job
wait $job
check "train.lsf ends with code 75 after the signal" [ $? = 75 ]
check "train.lsf has its signal and the code to run again for" \
    [ "$(grep -cE '^#BSUB (-wa USR1 -wt 5|-Q "75")$' "$jobs/train.lsf")" = 2 ]
check "train.lsf runs on all hosts of the job" has out '^job 7 on localhost: 2 ranks of 1 threads$'

# Flux: launched by flux run, or by mpirun.
tool flux <<'END'
case "$1 $2" in
    "resource list") echo "1 2" ;;
    "job timeleft") echo "${LEFT:-3600}" ;;
    "getattr jobid") echo f7 ;;
    "hostlist --expand") echo localhost ;;
    "run -N") echo "$*" >flux_run && shift 11 && exec mpirun -n 2 --bind-to none "$@" ;;
esac
END
flux_job() { FLUX_URI=local://x "$jobs/train.flux" --config "$PWD/lockstep.conf" "$@"; }
flux_job --run flux >out 2>err
check "train.flux trains" [ $? = 0 ]
check "train.flux gives flux run nodes, ranks and cores" \
    has flux_run '^run -N 1 -n 2 -c 1 -o pmi=pmix -o cpu-affinity=per-task .*/lockstep train --threads 1 --resume auto '
check "train.flux says where it runs" has out '^job f7 on 1 nodes: 2 ranks of 1 threads, by flux$'
LEFT=14 LAUNCH=flux flux_job --run left --epochs 1000000 >out 2>err
check "train.flux is stopped before the job ends" [ $? = 75 ]
tool mpirun <<'END'
echo "$*" >mpirun_words
END
LAUNCH=mpirun flux_job --run flux >out 2>err
check "train.flux gives mpirun hosts and ranks" \
    has mpirun_words '^--host localhost:2 -n 2 --map-by slot:PE=1 --bind-to core .*/lockstep train --threads 1 '
rm bin/mpirun

for script in train.pbs train.lsf train.flux; do
    "$jobs/$script" --help >help
    check "$script --help prints 10 lines or more" [ "$(wc -l <help)" -ge 10 ]
    "$jobs/$script" >out 2>err
    check "$script is refused outside a job" [ $? = 2 ]
    check "$script names the command that submits it" has err 'submit this script by (qsub|bsub|flux batch)$'
done

# Kubernetes: an eviction.
"$python" - "$jobs/mpijob.yaml" >launcher.sh <<'END'
import sys, yaml
job = yaml.safe_load(open(sys.argv[1]))
assert (job["apiVersion"], job["kind"]) == ("kubeflow.org/v2beta1", "MPIJob")
roles = job["spec"]["mpiReplicaSpecs"]
for role in roles.values():
    pod = role["template"]["spec"]
    assert {m["name"] for m in pod["containers"][0]["volumeMounts"]} == {v["name"] for v in pod["volumes"]}
launcher = roles["Launcher"]["template"]["spec"]["containers"][0]
assert launcher["command"] == ["bash", "-c"] and len(launcher["args"]) == 1
print(launcher["args"][0].replace("/data/mnist.h5 --model lenet5 --run /data/runs/a", "data/data.h5 --run evicted "
      "--model dense:5 --batch 16 --epochs 1000000 --quiet").replace("--bind-to core lockstep", "-n 2 \"$LOCKSTEP\""))
END
check "mpijob.yaml is a job of the MPI operator" [ $? = 0 ]
check "the launcher passes shellcheck" shellcheck --shell bash launcher.sh
bash launcher.sh >out 2>err &
job=$!
wait_for_epoch evicted
kill -TERM $job
wait $job
check "an evicted launcher ends with code 75, after a checkpoint" [ $? = 75 ]
check "the signal reached the training" has err 'stopped by SIGUSR1'
finish
