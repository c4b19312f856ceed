#!/usr/bin/env bash
# Events that stop a run, or must not: a closed terminal, ignored signals, closed pipes, and requests while the run is
# still reading its data.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
make_data=$2
"$make_data" data
train=("$lockstep" train --data data/data.h5 --model "dense:30 relu dense:5" --batch 16)

wait_for() { # FILE PATTERN: until it is there
    local tries=0
    until grep -qsE -- "$2" "$1" || [ $tries = 500 ]; do
        sleep 0.02
        tries=$((tries + 1))
    done
}

# The terminal is closed.
"${train[@]}" --epochs 1000000 --checkpoint-every 1h --run hup 2>err &
pid=$!
wait_for hup/metrics.csv '^2,'
kill -HUP $pid
wait $pid
check "SIGHUP ends with 75" [ $? = 75 ]
check "SIGHUP says so" has err 'stopped by SIGHUP on rank 0, [0-9]+ epochs'
check "SIGHUP leaves a checkpoint" [ "$(find hup/checkpoints -name 'step-*.h5' | wc -l)" -ge 1 ]

# As `nohup ... &` in a script: both signals are ignored.
bash -c 'trap "" INT HUP; exec "$@"' ignoring "${train[@]}" --epochs 1000000 --checkpoint-every 1h --run ignored 2>err &
pid=$!
wait_for ignored/metrics.csv '^2,'
kill -INT $pid
kill -HUP $pid
epochs=$(wc -l <ignored/metrics.csv)
wait_for ignored/metrics.csv "^$((epochs + 20)),"
check "ignored signals stay ignored" kill -0 $pid
kill -TERM $pid
wait $pid
check "another one stops it" [ $? = 75 ]

# The reader of the messages exits.
{
    "${train[@]}" --epochs 20 --run piped 2>&1
    echo $? >code
} | head -n 3 >/dev/null
check "a reader that leaves ends no training" [ "$(cat code)" = 0 ]
check "it comes to its end" [ "$(wc -l <piped/metrics.csv)" = 21 ]

# A data set that is read slowly: the run stops in time, before its first step.
"$lockstep" import --synthetic 200000,1,28,28,10 --out large.h5 2>err
check "data are made" [ $? = 0 ]
large=(mpirun -q -n 2 "$lockstep" train --data large.h5 --model dense:10 --batch 1000 --epochs 100000 --validation 0)
SECONDS=0
timeout 60 "${large[@]}" --max-time 0.02s --run limited 2>err
check "a time limit that is over before the first step" [ $? = 75 ]
check "it says so" has err 'stopped by the time limit before the first step: run the same command again'
"${large[@]}" --run signalled 2>err &
pid=$!
tries=0
until find_ranks $pid && [ -n "${processes[1]:-}" ] && [ -d "/proc/${processes[1]}/task" ] &&
    grep -q lockstep "/proc/${processes[1]}/comm" || [ $tries = 500 ]; do
    sleep 0.01
    tries=$((tries + 1))
done
sleep 0.05
kill -USR1 $pid
wait $pid
check "a signal in the start" [ $? = 75 ]
check "it says so, too" has err 'stopped by SIGUSR1 on rank [01]( before the first step|, 0 epochs)'
# A stream of trusted data is not read first.
timeout 60 "${large[@]}" --shuffle local --stream --memory 8M --trust-data --max-time 4s --run stream 2>err
check "a stream is stopped in time" [ $? = 75 ]
check "it has begun" has err 'stopped by the time limit, [0-9]+ epochs? and [0-9]+ of [0-9]+ steps done'
timeout 60 "${large[@]}" --shuffle local --stream --memory 8M --trust-data --max-time 4s --run stream --resume auto 2>err
check "rows that were not read first are not compared" [ $? = 75 ]
check "it goes on" has err '^  resumed '
check "all of it in a minute" [ "$SECONDS" -lt 60 ]
finish
