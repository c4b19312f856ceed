#!/usr/bin/env bash
# Runs with random disturbances, one after the other: signals, killed ranks, injected faults, time limits, damaged
# checkpoints, on random numbers of ranks. The guarantees are checked after each; a completed run has the bits of an
# undisturbed run.
#   RUNS: number of runs, default 8; SEED: determines everything except times
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
make_data=$2
runs=${RUNS:-8}
seed=${SEED:-$$}
RANDOM=$seed
echo "seed $seed, $runs runs"
"$make_data" data
train=("$lockstep" train --data data/data.h5 --model "dense:120 relu dense:5" --batch 16 --block 4
    --epochs 150 --checkpoint-every 30steps --reproducible --quiet --resume auto --watchdog 30)
print_metrics() { cut -d, -f1-6 "$1/metrics.csv"; }

mpirun -n 2 "${train[@]}" --run whole 2>err
check "the undisturbed run succeeds" [ $? = 0 ]
whole=$(digest whole)

# Assigns a random choice to a variable. Not in a subshell, which has its own random numbers.
pick() { # VARIABLE CHOICE ...
    local name=$1
    shift
    shift $((RANDOM % $#))
    printf -v "$name" %s "$1"
}

# Sends a signal to a random rank, once the ranks run.
disturb() { # SIGNAL
    local tries=0 target
    until find_ranks "$pid" && [ ${#processes[@]} = "$ranks" ] || [ $tries = 200 ] || ! kill -0 "$pid" 2>/dev/null; do
        sleep 0.02
        tries=$((tries + 1))
    done
    sleep "0.$(printf '%03d' $((100 + RANDOM % 800)))"
    [ ${#processes[@]} != 0 ] || return
    pick target "${processes[@]}"
    kill -"$1" "$target" 2>/dev/null
}

# Makes one run with a random disturbance; `codes` are the permitted exit codes besides 0.
ranks=1
one_run() {
    local fault='' signal='' codes='' more=() code most on_nan on_failure
    pick ranks 1 2 2 3 4
    pick what signal signal kill kill fault fault fault limit none
    case $what in
        signal)
            pick signal USR1 USR2 TERM INT
            codes='75'
            ;;
        kill) signal=KILL codes=${code_killed//|/ } ;;
        fault)
            pick fault alloc open read exchange step gradient validation checkpoint log
            pick most 3 40 400
            fault="$fault:$((RANDOM % ranks)):$((1 + RANDOM % most))"
            pick on_nan stop rollback
            pick on_failure stop continue
            more=(--on-nan "$on_nan" --on-save-failure "$on_failure")
            codes='1 4'
            ;;
        limit) more=(--max-time 0.8s) codes='75' ;;
    esac
    LOCKSTEP_FAULT=$fault timeout 120 mpirun -n "$ranks" "${train[@]}" "${more[@]}" --run run 2>err &
    pid=$!
    if [ -n "$signal" ]; then
        # timeout's child is mpirun
        local parent=$pid
        until pid=$(pgrep -P "$parent") || ! kill -0 "$parent" 2>/dev/null; do sleep 0.01; done
        [ -z "$pid" ] || disturb "$signal"
        pid=$parent
    fi
    wait $pid
    code=$?
    label="run $number: $what $signal$fault on $ranks ranks: code $code"
    check "$label" [ $code = 0 -o -n "$(echo " $codes " | grep " $code ")" ]
    if [ $code != 0 ] && [ "$signal" != KILL ]; then
        check "$label: one line is printed" [ "$(grep -c '^lockstep: ' err)" = 1 ]
    fi
    [ $code = 0 ] || disturbed=$((disturbed + 1))
    check_guarantees $code
}

# Checks the guarantees after any disturbance.
check_guarantees() { # CODE
    if [ -e run/checkpoints/last ]; then
        check "$label: the last checkpoint is intact" "$lockstep" info run/checkpoints/last >/dev/null
    fi
    if [ -e run/checkpoints/best ]; then
        check "$label: the best checkpoint is intact" "$lockstep" info run/checkpoints/best >/dev/null
    fi
    if [ -e run/metrics.csv ]; then
        check "$label: metrics.csv has each epoch once" [ -z "$(cut -d, -f1 run/metrics.csv | sort | uniq -d)" ]
    fi
    check "$label: $((3 + 2)) checkpoints or fewer" [ "$(find run/checkpoints -name 'step-*' 2>/dev/null | wc -l)" -le 5 ]
    if [ "$1" = 0 ]; then
        check "$label: the parameters are those of the undisturbed run" [ "$(digest run)" = "$whole" ]
        check "$label: the metrics are those of the undisturbed run" cmp <(print_metrics whole) <(print_metrics run)
        finished=$((finished + 1))
        rm -rf run
    elif [ $((RANDOM % 6)) = 0 ] && [ "$(find run/checkpoints -name 'step-*.h5' 2>/dev/null | wc -l)" -ge 2 ]; then
        # The newest checkpoint is truncated: the run resumes from the previous one.
        truncate -s -100 "$(find run/checkpoints -name 'step-*.h5' | sort | tail -n 1)"
        damaged=$((damaged + 1))
        rm -f run/checkpoints/last run/checkpoints/best
    fi
}

disturbed=0 finished=0 damaged=0
# A fast run may end before it is disturbed.
for ((number = 1; number <= runs || (disturbed < runs / 4 && number <= 5 * runs); number++)); do
    one_run
done
for tries in 1 2 3; do # completes the run
    [ ! -e run ] && break
    mpirun -n 2 "${train[@]}" --run run 2>err
    label="the last run, try $tries" && check_guarantees $?
done
echo "$disturbed runs were disturbed, $finished are complete, $damaged checkpoints were damaged"
check "a quarter of the runs or more were disturbed" [ $disturbed -ge $((runs / 4)) ]
check "one run or more is completed" [ $finished -ge 1 ]
finish
