#!/usr/bin/env bash
# Runs that are stopped by signals or killed at random times, then resumed, end with the parameters of an undisturbed
# run. The seed of the times is printed.
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
check "the undisturbed run succeeds" [ $? = 0 ]
whole=$(digest whole)
check "the undisturbed run has a digest" [ -n "$whole" ]

# Starts the run `parts` and sets `pid` (mpirun) and `processes` (the ranks). The ranks may still be starting: they
# handle signals from the start.
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
# Sleeps for a random time below 0.5 s.
sleep_randomly() { sleep "0.$(printf '%03d' $((RANDOM % 500)))"; }

stopped=0 killed=0 ended=0
# Sends a signal at a random time, waits for the job and checks its exit code.
signal_and_wait() { # SIGNAL PID CODES
    sleep_randomly
    kill -"$1" "$2" 2>/dev/null
    wait $pid
    local code=$?
    case $code in
        0) ended=$((ended + 1)) ;;
        75) stopped=$((stopped + 1)) ;;
        *) killed=$((killed + 1)) ;;
    esac
    check "signal $1: the job ends with code 0 or $3, it is $code" grep -qxE "0|$3" <<<"$code"
    if [ $code = 75 ]; then
        check "signal $1: the message names the signal, the rank and the progress" has parts_err 'stopped by SIG[A-Z0-9]+ on rank [01](, [0-9]+ epochs? and [0-9]+ of [0-9]+ steps done| before the first step)'
    fi
}
# Checks that the run has the parameters and the metrics of the undisturbed run.
check_end() {
    check "the parameters are those of the undisturbed run, $whole: $(digest parts)" [ "$(digest parts)" = "$whole" ]
    check "metrics.csv has each epoch once" [ "$(cut -d, -f1 parts/metrics.csv | sort -n | uniq -d | wc -l)" = 0 ]
    check "metrics.csv has all epochs" [ "$(wc -l <parts/metrics.csv)" = $((epochs + 1)) ]
    check "the metrics are those of the undisturbed run" cmp <(cut -d, -f1-6 whole/metrics.csv) <(cut -d, -f1-6 parts/metrics.csv)
    rm -rf parts
}
check_if_ended() {
    [ ! -e parts/summary.json ] || check_end
}
finish_parts() {
    start
    wait $pid
    check "the last part of the run succeeds" [ $? = 0 ]
    echo "$stopped times stopped, $killed times killed, $ended times ended before"
    check "one part or more was stopped by a signal" [ $stopped -ge 1 ]
    stopped=0 killed=0 ended=0
    check_end
}

rm -rf parts
start
until grep -q '"checkpoint"' parts/events.jsonl 2>/dev/null || ! kill -0 $pid 2>/dev/null; do sleep 0.02; done
refuses 2 "parts/lock: locked by process [0-9]+ on" mpirun -n 2 "$lockstep" "${common[@]}" "${how[@]}" --run parts
signal_and_wait USR1 $pid 75
check_if_ended
start
signal_and_wait USR2 "${processes[0]}" 75 # MPICH's mpirun does not forward this signal
check_if_ended
start
signal_and_wait TERM "${processes[1]}" 75
check_if_ended
start
signal_and_wait INT "${processes[0]}" 75
check_if_ended
for ((i = 0; i < 2 * moments; i++)); do
    start
    signal_and_wait KILL "${processes[$((i % 2))]}" $code_killed
    check_if_ended
done
finish_parts

# Stopped several times, and resumed on another number of ranks each time.
how=(--reproducible --block 4)
rm -rf whole parts
mpirun -n 3 "$lockstep" "${common[@]}" "${how[@]}" --run whole 2>err
check "the undisturbed reproducible run succeeds" [ $? = 0 ]
whole=$(digest whole)
for ((i = 0; i < moments || (stopped == 0 && i < 20); i++)); do # a fast run may end first
    start $((1 + (i + 1) % 4))
    signal_and_wait USR1 $pid 75
    check_if_ended
done
finish_parts

# A time limit, the end of a Slurm job, and invalid limits.
limited limited mpirun -n 2 "$lockstep" "${net[@]}" --checkpoint-every 50steps --epochs 100000 2>err
check "a time limit ends the job with code 75" [ $? = 75 ]
check "the message names the time limit" has err 'stopped by the time limit'
SLURM_JOB_END_TIME=$(($(date +%s) + 12)) mpirun -n 2 "$lockstep" "${net[@]}" --checkpoint-every 50steps --epochs 100000 \
    --run limited --stop-margin 10s 2>err
check "the end of a Slurm job ends the job with code 75" [ $? = 75 ]
refuses 2 "max-time: 'soon' is not a time" "$lockstep" "${net[@]}" --run limited --max-time soon
refuses 2 "checkpoint-every: '3 weeks' is not an interval" "$lockstep" "${net[@]}" --run limited \
    --checkpoint-every "3 weeks"
refuses 2 "checkpoint-every: '0' is not an interval" "$lockstep" "${net[@]}" --run limited --checkpoint-every 0
finish
