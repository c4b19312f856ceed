#!/usr/bin/env bash
# A training on two hosts connected by TCP gives the same bits as on one host. After a rank is killed or stopped, or the
# link breaks, the job ends without help, within a time limit, with the documented code, and can be resumed.
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
check "a training on one host succeeds" [ $? = 0 ]
"$two_hosts" 1gbit "$lockstep" train "${whole[@]}" --run link >out 2>&1
check "a training on two hosts succeeds" [ $? = 0 ]
check "two hosts give the bits of one host" same_bits one link
check "the summary has two hosts" [ "$(grep -c '^    "ls' link/summary.json)" = 2 ]

# Starts an endless training on the hosts x and y, and waits for its first checkpoint.
start_training() { # RUN
    "$two_hosts" 1gbit "$lockstep" train "${common[@]}" --epochs 1000000 --run "$1" >out 2>err &
    job=$!
    host=ls$(tr 0-9 a-j <<<"$job")
    for ((i = 0; i < 300; i++)); do
        [ ! -e "$1/checkpoints/last" ] || return 0
        sleep 0.1
    done
    return 1
}

# Checks that the job ends without help, within SECONDS, with one of CODES.
check_end() { # DESCRIPTION SECONDS CODES
    local what=$1 begin=$SECONDS code
    (sleep 90 && kill -9 "$job") 2>/dev/null &
    local guard=$!
    wait "$job"
    code=$?
    kill "$guard" 2>/dev/null
    check "$what: the job ends within $2 s, it took $((SECONDS - begin)) s" [ $((SECONDS - begin)) -le "$2" ]
    check "$what: the job ends with code $3, it is $code" grep -qx "$code" <(tr '|' '\n' <<<"$3")
}

# Checks that a training resumes from the checkpoints on one host.
check_resume() { # DESCRIPTION RUN
    mpirun -n 2 "$lockstep" train "${common[@]}" --epochs 1000000 --max-time 1s --run "$2" >out 2>&1
    check "$1: the run resumes" [ $? = 75 ]
}

# The namespaces have names only within the mount namespace of two_hosts.sh.
run_inside() { nsenter --mount --target "$job" "$@"; }
# Prints the process of the rank on a host.
find_rank_on() { run_inside ip netns pids "$1" | xargs -r ps -o pid=,comm= -p | awk '$2 == "lockstep" { print $1; exit }'; }

start_training killed
check "an endless training starts" [ $? = 0 ]
kill -9 "$(find_rank_on "${host}y")"
check_end "a rank that is killed" $((watchdog + 10)) '137|1|5'
check_resume "a rank that was killed" killed

start_training stopped
kill -STOP "$(find_rank_on "${host}y")"
check_end "a rank that is stopped" $((watchdog + 15)) 5
check "a rank that is stopped is named as lagging" has err "lagging: rank 1 on ${host}y"
check_resume "a rank that was stopped" stopped

start_training cut
run_inside ip -n "${host}y" link set "v${host}y" down
check_end "a link that breaks" $((watchdog + 50)) '5|1|139|143|137' # mpirun 4.1 crashes if it is ended then
check_resume "a link that broke" cut

# No namespace, mount or link is left, however two_hosts.sh ends.
list_leftovers() { ls /run/netns 2>/dev/null; cat /proc/mounts; ip -brief link | cut -d' ' -f1; }
list_leftovers >before
"$two_hosts" nonsense true >out 2>err
check "an invalid rate is refused" [ $? != 0 ]
CONGESTION=nonsense "$two_hosts" 1gbit true >out 2>err
check "an unknown congestion control is refused" [ $? = 1 ]
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
list_leftovers >after
check "no namespace, mount or link is left" cmp -s before after
"$two_hosts" --help >out
check "--help prints the usage of two_hosts.sh" has out 'two_hosts.sh RATE COMMAND'
finish
