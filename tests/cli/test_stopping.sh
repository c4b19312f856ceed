#!/usr/bin/env bash
# Events that stop a run or another command, or must not stop it: a closed terminal, ignored signals, closed pipes, and signals and time
# limits while the run is still reading its data.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
make_data=$2
"$make_data" data
train=("$lockstep" train --data data/data.h5 --model "dense:30 relu dense:5" --batch 16)

# Waits until a file has a line that matches.
wait_for() { # FILE PATTERN
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
check "SIGHUP ends the run with code 75" [ $? = 75 ]
check "the message names SIGHUP" has err 'stopped by SIGHUP on rank 0, [0-9]+ epochs'
check "SIGHUP: a checkpoint is written" [ "$(find hup/checkpoints -name 'step-*.h5' | wc -l)" -ge 1 ]

# Both signals are ignored, as by `nohup ... &` in a script.
bash -c 'trap "" INT HUP; exec "$@"' ignoring "${train[@]}" --epochs 1000000 --checkpoint-every 1h --run ignored 2>err &
pid=$!
wait_for ignored/metrics.csv '^2,'
kill -INT $pid
kill -HUP $pid
epochs=$(wc -l <ignored/metrics.csv)
wait_for ignored/metrics.csv "^$((epochs + 20)),"
check "signals that the parent ignores don't stop the run" kill -0 $pid
kill -TERM $pid
wait $pid
check "SIGTERM stops the run that ignores SIGINT and SIGHUP" [ $? = 75 ]

# The program that reads the messages exits.
{
    "${train[@]}" --epochs 20 --run piped 2>&1
    echo $? >code
} | head -n 3 >/dev/null
check "a closed pipe does not stop the training" [ "$(cat code)" = 0 ]
check "a training with a closed pipe is complete" [ "$(wc -l <piped/metrics.csv)" = 21 ]

# A data set that is read slowly: the run stops in time, before its first step.
"$lockstep" import --synthetic 200000,1,28,28,10 --out large.h5 2>err
check "import of a large data set succeeds" [ $? = 0 ]
large=(mpirun -q -n 2 "$lockstep" train --data large.h5 --model dense:10 --batch 1000 --epochs 100000 --validation 0)
SECONDS=0
timeout 60 "${large[@]}" --max-time 0.02s --run limited 2>err
check "a time limit that expires before the first step ends the run with code 75" [ $? = 75 ]
check "the message says that the first step had not begun" has err 'stopped by the time limit before the first step: run the same command again'
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
check "a signal during the start ends the run with code 75" [ $? = 75 ]
check "the message names the signal" has err 'stopped by SIGUSR1 on rank [01]( before the first step|, 0 epochs)'
# Trusted data that are streamed are not read before the first step.
timeout 60 "${large[@]}" --shuffle local --stream --memory 8M --trust-data --max-time 4s --run stream 2>err
check "a time limit stops a run with streamed rows" [ $? = 75 ]
check "a run with streamed rows has trained before its time limit" has err 'stopped by the time limit, [0-9]+ epochs? and [0-9]+ of [0-9]+ steps done'
timeout 60 "${large[@]}" --shuffle local --stream --memory 8M --trust-data --max-time 4s --run stream --resume auto 2>err
check "a run with streamed rows of trusted data resumes" [ $? = 75 ]
check "the run reports that it is resumed" has err '^  resumed '
check "all runs on the large data set take less than a minute" [ "$SECONDS" -lt 60 ]

# Commands whose work is dropped: they die by the signal, say so, and leave no part of a file, nor touch a former one.
mkdir dropped
# Sends a signal as soon as a temporary file is there. With `set -m`, because a background command of a script ignores
# SIGINT.
drop() { # SIGNAL COMMAND ...
    local signal=$1
    shift
    set -m
    "$@" >out 2>err &
    pid=$!
    set +m
    until compgen -G 'dropped/*.tmp' >/dev/null || ! kill -0 $pid 2>/dev/null; do :; done
    kill -"$signal" $pid
    wait $pid 2>/dev/null
    code=$?
}
check_dropped() { # WHAT CODE LINE
    check "$1: the exit code is $2, it is $code" [ "$code" = "$2" ]
    check "$1: one line says so: $(cat err)" [ "$(grep -v '^$' err)" = "lockstep: stopped by $3" ]
    check "$1: no temporary file is left" [ -z "$(find dropped -name '*.tmp')" ]
}
echo row,class, >dropped/p.csv
dropping=(--data large.h5 --split train --checkpoint stream)
drop INT "$lockstep" predict "${dropping[@]}" --out dropped/p.csv
check_dropped "predict, SIGINT" 130 SIGINT
check "a former file is unchanged" [ "$(cat dropped/p.csv)" = row,class, ]
drop TERM "$lockstep" predict "${dropping[@]}" --out dropped/p.h5
check_dropped "predict to HDF5, SIGTERM" 143 SIGTERM
drop HUP "$lockstep" eval "${dropping[@]}" --predictions dropped/e.csv
check_dropped "eval --predictions, SIGHUP" 129 SIGHUP
drop INT "$lockstep" import --synthetic 200000,1,28,28,10 --out dropped/large.h5
check_dropped "import, SIGINT" 130 SIGINT
# mpirun sends its signal after a while, so the file must be long, and by default kills the ranks a second later.
many=large.h5$(printf ',large.h5%.0s' {1..15})
OMPI_MCA_odls_base_sigkill_timeout=1 drop TERM mpirun -q -n 2 "$lockstep" predict --data "$many" --trust-data --split train --checkpoint stream --out dropped/p.csv
check "predict under mpirun, SIGTERM: it ends with an error, $code" [ "$code" != 0 ]
check "predict under mpirun, SIGTERM: no temporary file is left" [ -z "$(find dropped -name '*.tmp')" ]
finish
