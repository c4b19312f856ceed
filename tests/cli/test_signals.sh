#!/usr/bin/env bash
# Runs that are stopped by signals or killed at random times, then resumed: they end with the parameters of an
# undisturbed run. The times come from a seed, which is printed.
#   MOMENTS: number of kills of each of two ranks, default 2; SEED
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
make_data=$2
moments=${MOMENTS:-2}
RANDOM=${SEED:-$$}
echo "seed ${SEED:-$$}"
"$make_data" data
epochs=800
net=(train --data data/data.h5 --model "dense:300 relu dense:5" --batch 16 --quiet --resume auto)
common=("${net[@]}" --epochs "$epochs" --checkpoint-every 50steps)
how=(--reduce fused)

mpirun -n 2 "$lockstep" "${common[@]}" "${how[@]}" --run whole 2>err
check "the run that is left alone" [ $? = 0 ]
whole=$(digest whole)
check "it has a digest" [ -n "$whole" ]

# Starts the run `parts`; `pid` is mpirun's, `processes` those of the ranks. They may still be
# starting: signals are handled from the first moment.
start() { # [RANKS]
    local tries=0 count=${1:-2}
    rm -f parts/summary.json
    mpirun -n "$count" "$lockstep" "${common[@]}" "${how[@]}" --run parts 2>parts_err &
    pid=$!
    until find_ranks $pid && [ ${#processes[@]} = "$count" ] || [ $tries = 500 ]; do
        sleep 0.02
        tries=$((tries + 1))
    done
    sleep 0.1 # until they have exec'ed the program
}
moment() { sleep "0.$(printf '%03d' $((RANDOM % 500)))"; }

stopped=0 killed=0 ended=0
one_more() { # SIGNAL PID CODES
    moment
    kill -"$1" "$2" 2>/dev/null
    wait $pid
    local code=$?
    case $code in
        0) ended=$((ended + 1)) ;;
        75) stopped=$((stopped + 1)) ;;
        *) killed=$((killed + 1)) ;;
    esac
    check "signal $1: code $code, not $3" grep -qxE "0|$3" <<<"$code"
    if [ $code = 75 ]; then
        check "signal $1: says so" has parts_err 'stopped by SIG[A-Z0-9]+ on rank [01](, [0-9]+ epochs? and [0-9]+ of [0-9]+ steps done| before the first step)'
    fi
}
# The run has the parameters and the metrics of the undisturbed run.
check_end() {
    check "the same parameters: $(digest parts), not $whole" [ "$(digest parts)" = "$whole" ]
    check "each epoch once" [ "$(cut -d, -f1 parts/metrics.csv | sort -n | uniq -d | wc -l)" = 0 ]
    check "all epochs" [ "$(wc -l <parts/metrics.csv)" = $((epochs + 1)) ]
    check "the same metrics" cmp <(cut -d, -f1-6 whole/metrics.csv) <(cut -d, -f1-6 parts/metrics.csv)
    rm -rf parts
}
check_if_ended() {
    [ ! -e parts/summary.json ] || check_end
}
finish_parts() {
    start
    wait $pid
    check "the last part" [ $? = 0 ]
    echo "$stopped times stopped, $killed times killed, $ended times ended before"
    check "something was stopped" [ $stopped -ge 1 ]
    stopped=0 killed=0 ended=0
    check_end
}

rm -rf parts
start
until grep -q '"checkpoint"' parts/events.jsonl 2>/dev/null || ! kill -0 $pid 2>/dev/null; do sleep 0.02; done
refuses 2 "parts/lock: locked by process [0-9]+ on" mpirun -n 2 "$lockstep" "${common[@]}" "${how[@]}" --run parts
one_more USR1 $pid 75
check_if_ended
start
one_more USR2 "${processes[0]}" 75 # MPICH's mpirun does not forward this signal
check_if_ended
start
one_more TERM "${processes[1]}" 75
check_if_ended
start
one_more INT "${processes[0]}" 75
check_if_ended
for ((i = 0; i < 2 * moments; i++)); do
    start
    one_more KILL "${processes[$((i % 2))]}" $code_killed
    check_if_ended
done
finish_parts

# Stopped several times, and resumed on another number of ranks each time.
how=(--reproducible --block 4)
rm -rf whole parts
mpirun -n 3 "$lockstep" "${common[@]}" "${how[@]}" --run whole 2>err
check "the reproducible run that is left alone" [ $? = 0 ]
whole=$(digest whole)
for ((i = 0; i < moments || (stopped == 0 && i < 20); i++)); do # a fast run may end first
    start $((1 + (i + 1) % 4))
    one_more USR1 $pid 75
    check_if_ended
done
finish_parts

# A time limit, and a Slurm job's end; an invalid limit.
mpirun -n 2 "$lockstep" "${net[@]}" --checkpoint-every 50steps --epochs 100000 --run limited --max-time 1.5s 2>err
check "a time limit ends with 75" [ $? = 75 ]
check "a time limit says so" has err 'stopped by the time limit'
SLURM_JOB_END_TIME=$(($(date +%s) + 12)) mpirun -n 2 "$lockstep" "${net[@]}" --checkpoint-every 50steps --epochs 100000 \
    --run limited --stop-margin 10s 2>err
check "a job's end ends with 75" [ $? = 75 ]
refuses 2 "max-time: 'soon' is not a time" "$lockstep" "${net[@]}" --run limited --max-time soon
refuses 2 "checkpoint-every: '3 weeks' is not an interval" "$lockstep" "${net[@]}" --run limited \
    --checkpoint-every "3 weeks"
refuses 2 "checkpoint-every: '0' is not an interval" "$lockstep" "${net[@]}" --run limited --checkpoint-every 0
finish
