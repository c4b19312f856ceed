#!/usr/bin/env bash
# Trains on the nodes of a Flux job: the options of `lockstep train` follow the script's name.
#
#   flux batch -N 4 --exclusive -t 4h jobs/train.flux --data mnist.h5 --model lenet5 --run runs/a
#
#   LAUNCH     launcher of the ranks: flux, which needs an MPI library that knows its PMI (MPICH: PMI=simple; Open MPI 5:
#              the plugin flux-pmix), or Open MPI's mpirun, over ssh [flux]
#   PMI        flux run's interface to the ranks: pmix, or simple for MPICH [pmix]
#   THREADS    cores and BLAS threads of a rank [1]
#   LOCKSTEP   the program [lockstep]
#
# A rank a core, or for every THREADS cores, of all nodes. Before the time is over it ends with a checkpoint and code 75.
# Submitted again, it continues; a job that waits for that is submitted beside it, with --dependency=afternotok:JOB.
#flux: --job-name=lockstep
#flux: --output=lockstep-{{id}}.out
set -euo pipefail
if [ "${1:-}" = --help ] || [ -z "${FLUX_URI:-}" ]; then
    sed -n '2,/^#flux:/{/^#flux:/!s/^# \{0,1\}//p}' "$0"
    [ "${1:-}" != --help ] || exit 0
    echo "not in a Flux job: submit this script by flux batch" >&2
    exit 2
fi

threads=${THREADS:-1}
read -r nodes cores < <(flux resource list -n -s up -o '{nnodes} {ncores}')
ranks=$((cores / threads)) node_ranks=$((cores / threads / nodes))
case ${LAUNCH:-flux} in
    flux) launch=(flux run -N "$nodes" -n "$ranks" -c "$threads" -o "pmi=${PMI:-pmix}" -o cpu-affinity=per-task) ;;
    mpirun)
        hosts=$(flux hostlist --expand --delimiter=" " local | sed "s/[^ ]\+/&:$node_ranks/g; s/ /,/g")
        launch=(mpirun --host "$hosts" -n "$ranks" --map-by "slot:PE=$threads" --bind-to core)
        ;;
    *) echo "LAUNCH is flux or mpirun" >&2 && exit 2 ;;
esac
echo "job $(flux getattr jobid) on $nodes nodes: $ranks ranks of $threads threads, by ${launch[0]}"
# The end of the job, before which the training stops by itself.
if [ -z "${LOCKSTEP_END_TIME:-}" ]; then
    left=$(flux job timeleft 2>/dev/null) || left=''
    [[ ! $left =~ ^[0-9]+$ ]] || export LOCKSTEP_END_TIME=$(($(date +%s) + left))
fi
options=() # defaults of options that are not given
[[ " $* " == *" --threads"[\ =]* ]] || options+=(--threads "$threads")
[[ " $* " == *" --resume"[\ =]* ]] || options+=(--resume auto)
exec "${launch[@]}" "${LOCKSTEP:-lockstep}" train "${options[@]}" "$@"
