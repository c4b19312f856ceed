#!/usr/bin/env bash
# Jobs that hang: the watchdog ends them with code 5 and names the lagging rank, also while the ranks' ports are flooded
# with datagrams.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
make_data=$2
flood=$3
seconds=5 # of the watchdog: longer than a busy machine stops a process for
stuck="lockstep: stuck: no step finished in $seconds s; lagging:"
"$make_data" data
train=("$lockstep" train --data data/data.h5 --model "dense:30 relu dense:5" --batch 16
    --epochs 1000000 --reduce fused --quiet --watchdog "$seconds")

# Starts a job of 3 ranks and sets `pid` (mpirun) and `processes` (the ranks, in order), once the ranks have trained.
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
# Waits for the job and checks its exit code and message.
check_end() { # CODES PATTERN DESCRIPTION
    wait $pid
    local code=$?
    check "$3: the job ends with code $1, it is $code" grep -qxE "$1" <<<"$code"
    check "$3: the message matches $2" has err "$2"
    rm -rf job
}

start
kill -STOP "${processes[1]}"
check_end "$code_stuck" "$stuck"' rank 1 on [^ ]+, not heard from for [0-9]+ s, last seen .* of epoch [0-9]+$' "a rank is stopped"
start
kill -STOP "${processes[0]}"
check_end "$code_stuck" "$stuck"' rank 0 on [^ ]+, not heard from' "rank 0 is stopped"
waiting=$(grep -oE '^lockstep: rank [12] on [^ ]+: no progress for [0-9]+ s, waiting for other ranks in ' err | cut -d ' ' -f 3 | sort -u | paste -s)
check "the other ranks report the activity in which they wait" [ "$waiting" = $'1\t2' ]
start env LOCKSTEP_FAULT=stall:2:50
check_end "$code_stuck" "$stuck"' rank 2 on [^ ]+, busy in a training step, step [0-9]+ of epoch [0-9]+$' "a rank sleeps"

# Ranks on one host listen on the loopback interface only. Flooded ports neither block beacons nor change the report.
start env LOCKSTEP_FAULT=stall:2:300
ss -Hulnp | grep -E "pid=(${processes[0]}|${processes[1]}|${processes[2]})," >sockets
ports=$(awk '{ sub(/.*:/, "", $4); print $4 }' sockets)
check "the ranks have sockets" [ -n "$ports" ]
check "all sockets are on the loopback interface" [ "$(grep -cvE ' 127\.0\.0\.1:[0-9]+ ' sockets)" = 0 ]
# shellcheck disable=SC2086
"$flood" $((seconds + 4)) $ports >sent &
flooder=$!
check_end "$code_stuck" "$stuck"' rank 2 on [^ ]+, busy in a training step, step [0-9]+ of epoch [0-9]+$' "ports are flooded"
check "no other rank is named as lagging" [ "$(grep -c 'lagging: rank [01]' err)" = 0 ]
wait $flooder
check "more than 100000 datagrams were sent" [ "$(cat sent)" -gt 100000 ]

# If all ranks are stopped and continued, the watchdog does not end the job.
start
kill -STOP "${processes[@]}"
sleep $((seconds + 2))
kill -CONT "${processes[@]}"
sleep $((seconds + 1))
check "the continued job runs" kill -0 $pid
kill -TERM "${processes[0]}"
check_end 75 'stopped by SIGTERM on rank 0' "all ranks were stopped and continued"
finish
