#!/usr/bin/env bash
# Runs that are disturbed at random, one after the other: signals, killed ranks, injected faults, time
# limits, damaged checkpoints, on random numbers of ranks. After each, the
# guarantees are checked; a completed run has the bits of an undisturbed run.
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
metrics_of() { cut -d, -f1-6 "$1/metrics.csv"; }

mpirun -n 2 "${train[@]}" --run whole 2>err
check "the run that is left alone" [ $? = 0 ]
whole=$(digest whole)

pick() { # VARIABLE CHOICE ...; not in a subshell, whose random numbers would be others
    local name=$1
    shift
    shift $((RANDOM % $#))
    printf -v "$name" %s "$1"
}

# Sends a signal to one of the ranks, once they run.
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

# One run with a disturbance; its permitted exit codes besides 0.
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
    told="run $number: $what $signal$fault on $ranks ranks: code $code"
    check "$told" [ $code = 0 -o -n "$(echo " $codes " | grep " $code ")" ]
    if [ $code != 0 ] && [ "$signal" != KILL ]; then
        check "$told: one line" [ "$(grep -c '^lockstep: ' err)" = 1 ]
    fi
    [ $code = 0 ] || disturbed=$((disturbed + 1))
    look $code
}

# Guarantees after any disturbance.
look() { # CODE
    if [ -e run/checkpoints/last ]; then
        check "$told: the last checkpoint is whole" "$lockstep" info run/checkpoints/last >/dev/null
    fi
    if [ -e run/checkpoints/best ]; then
        check "$told: the best checkpoint is whole" "$lockstep" info run/checkpoints/best >/dev/null
    fi
    if [ -e run/metrics.csv ]; then
        check "$told: each epoch once" [ -z "$(cut -d, -f1 run/metrics.csv | sort | uniq -d)" ]
    fi
    check "$told: no more than $((3 + 2)) checkpoints" [ "$(find run/checkpoints -name 'step-*' 2>/dev/null | wc -l)" -le 5 ]
    if [ "$1" = 0 ]; then
        check "$told: the same parameters" [ "$(digest run)" = "$whole" ]
        check "$told: the same metrics" cmp <(metrics_of whole) <(metrics_of run)
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
    told="the last run, try $tries" && look $?
done
echo "$disturbed runs were disturbed, $finished came to their end, $damaged checkpoints were damaged"
check "some were disturbed" [ $disturbed -ge $((runs / 4)) ]
check "some came to their end" [ $finished -ge 1 ]
finish
