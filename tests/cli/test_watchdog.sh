#!/usr/bin/env bash
# Jobs that hang: the watchdog ends them, with code 5, and names the culprit rank, also while the ranks' ports are
# flooded with datagrams.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
make_data=$2
flood=$3
"$make_data" data
train=("$lockstep" train --data data/data.h5 --model "dense:30 relu dense:5" --batch 16
    --epochs 1000000 --reduce fused --quiet --watchdog 2)

# Starts a job of 3 ranks; `pid` is mpirun's, `processes` those of the ranks, in their order.
start() {
    "${@}" mpirun -n 3 "${train[@]}" --run job 2>err &
    pid=$!
    until [ -s job/metrics.csv ] && [ "$(wc -l <job/metrics.csv)" -ge 2 ]; do
        kill -0 $pid 2>/dev/null || break
        sleep 0.05
    done
    sleep 1 # all ranks have exchanged beacons
    find_ranks $pid
}
ends() { # CODES PATTERN WHAT
    wait $pid
    local code=$?
    check "$3: code $code, not $1" grep -qxE "$1" <<<"$code"
    check "$3: $2" has err "$2"
    rm -rf job
}

start
kill -STOP "${processes[1]}"
ends "$code_stuck" 'lockstep: stuck: no step finished in 2 s; lagging: rank 1 on [^ ]+, not heard from for [0-9]+ s, last seen .* of epoch [0-9]+$' "a rank is stopped"
start
kill -STOP "${processes[0]}"
ends "$code_stuck" 'lockstep: stuck: no step finished in 2 s; lagging: rank 0 on [^ ]+, not heard from' "rank 0 is stopped"
check "the others say where they are" [ "$(grep -cE '^lockstep: rank [12] on [^ ]+: no progress for [0-9]+ s, waiting for other ranks in ' err)" = 2 ]
start env LOCKSTEP_FAULT=stall:2:50
ends "$code_stuck" 'lockstep: stuck: no step finished in 2 s; lagging: rank 2 on [^ ]+, busy in a training step, step [0-9]+ of epoch [0-9]+$' "a rank sleeps"

# All ranks are on one host, so they listen on the loopback only. A flood of their ports neither blocks beacons nor
# changes the report.
start env LOCKSTEP_FAULT=stall:2:300
ss -Hulnp | grep -E "pid=(${processes[0]}|${processes[1]}|${processes[2]})," >sockets
ports=$(awk '{ sub(/.*:/, "", $4); print $4 }' sockets)
check "rank 0 has a socket" [ -n "$ports" ]
check "all listen on the loopback" [ "$(grep -cvE ' 127\.0\.0\.1:[0-9]+ ' sockets)" = 0 ]
# shellcheck disable=SC2086
"$flood" 6 $ports >sent &
flooder=$!
ends "$code_stuck" 'lockstep: stuck: no step finished in 2 s; lagging: rank 2 on [^ ]+, busy in a training step, step [0-9]+ of epoch [0-9]+$' "ports are flooded"
check "no other rank is named" [ "$(grep -c 'lagging: rank [01]' err)" = 0 ]
wait $flooder
check "it was a flood" [ "$(cat sent)" -gt 100000 ]

# A job that is stopped as a whole and continued is not stuck; nor is a job that trains.
start
kill -STOP "${processes[@]}"
sleep 4
kill -CONT "${processes[@]}"
sleep 3
check "it goes on" kill -0 $pid
kill -TERM "${processes[0]}"
ends 75 'stopped by SIGTERM on rank 0' "a job that was stopped as a whole"
finish
