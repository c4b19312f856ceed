#!/usr/bin/env bash
# A training on two hosts connected by TCP: the same bits as on one host. A rank dies, a rank stops, the link
# breaks: the job ends by itself, soon, with the documented code, and can be resumed.
# Skips, with code 77, if the hosts can't be made.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$(realpath "$1")
make_data=$2
two_hosts=$3/jobs/two_hosts.sh
if ! { unshare --net --mount true && command -v ip tc; } >/dev/null 2>&1; then
    echo "skipped: network namespaces need root and iproute2"
    exit 77
fi
"$make_data" data
watchdog=6
common=(--data data/data.h5 --model "dense:64 relu dense:5" --batch 24 --reproducible --checkpoint-every 50steps
    --watchdog "$watchdog" --resume auto)
whole=("${common[@]}" --epochs 60)

mpirun -n 2 "$lockstep" train "${whole[@]}" --run one >/dev/null 2>&1
check "on one host" [ $? = 0 ]
"$two_hosts" 1gbit "$lockstep" train "${whole[@]}" --run link >out 2>&1
check "over the link" [ $? = 0 ]
check "to the same bits" same_bits one link
check "on two hosts" [ "$(grep -c '^    "ls' link/summary.json)" = 2 ]

# Starts a training that never ends, on hosts x and y, and waits until it has a checkpoint.
begin() { # RUN
    "$two_hosts" 1gbit "$lockstep" train "${common[@]}" --epochs 1000000 --run "$1" >out 2>err &
    job=$!
    host=ls$(tr 0-9 a-j <<<"$job")
    for ((i = 0; i < 300; i++)); do
        [ ! -e "$1/checkpoints/last" ] || return 0
        sleep 0.1
    done
    return 1
}

# Waits for the job's end: without help, within SECONDS, with one of CODES.
ends() { # WHAT SECONDS CODES
    local what=$1 begin=$SECONDS code
    (sleep 90 && kill -9 "$job") 2>/dev/null &
    local guard=$!
    wait "$job"
    code=$?
    kill "$guard" 2>/dev/null
    check "$what: ends by itself within $2 s, it took $((SECONDS - begin))" [ $((SECONDS - begin)) -le "$2" ]
    check "$what: with code $3, it is $code" grep -qx "$code" <(tr '|' '\n' <<<"$3")
}

# The checkpoints are intact, and a training resumes from them on one host.
goes_on() { # WHAT RUN
    mpirun -n 2 "$lockstep" train "${common[@]}" --epochs 1000000 --max-time 1s --run "$2" >out 2>&1
    check "$1: goes on afterwards" [ $? = 75 ]
}

# The namespaces have names for what two_hosts.sh has started alone.
inside() { nsenter --mount --target "$job" "$@"; }
rank_on() { inside ip netns pids "$1" | xargs -r ps -o pid=,comm= -p | awk '$2 == "lockstep" { print $1; exit }'; }

begin killed
check "a training begins" [ $? = 0 ]
kill -9 "$(rank_on "${host}y")"
ends "a rank that is killed" $((watchdog + 10)) '137|1|5'
goes_on "a rank that was killed" killed

begin stopped
kill -STOP "$(rank_on "${host}y")"
ends "a rank that is stopped" $((watchdog + 15)) 5
check "a rank that was stopped is named" has err "lagging: rank 1 on ${host}y"
goes_on "a rank that was stopped" stopped

begin cut
inside ip -n "${host}y" link set "v${host}y" down
ends "a link that breaks" $((watchdog + 50)) '5|1|139|143|137' # mpirun 4.1 crashes if it is ended then
goes_on "a link that broke" cut

# Nothing is left in any case: no namespace, mount or link.
left() { ls /run/netns 2>/dev/null; cat /proc/mounts; ip -brief link | cut -d' ' -f1; }
left >before
"$two_hosts" nonsense true >out 2>err
check "a rate that is none fails" [ $? != 0 ]
CONGESTION=nonsense "$two_hosts" 1gbit true >out 2>err
check "a congestion control that is none fails" [ $? = 1 ]
"$two_hosts" 1gbit "$lockstep" train "${common[@]}" --epochs 1000000 --run killed >out 2>err &
job=$!
sleep 1
kill -9 "$job"
wait "$job" 2>/dev/null
# Its child processes continue; they are ended here.
for environment in /proc/[0-9]*/environ; do
    ! tr '\0' '\n' 2>/dev/null <"$environment" | grep -qx "TWO_HOSTS_OF=$job" || kill -9 "$(tr -dc 0-9 <<<"$environment")" 2>/dev/null
done
sleep 0.5
left >after
check "and nothing is left" cmp -s before after
"$two_hosts" --help >out
check "help of two hosts" has out 'two_hosts.sh RATE COMMAND'
finish
