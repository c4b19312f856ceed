#!/usr/bin/env bash
# Runs tests of reducers and training on two hosts connected by TCP: the first test with 1, 2 and 3 ranks per host, the
# others, which are slow on two hosts, with 1.
#   test_two_hosts.sh TWO_HOSTS TEST ...
set -u
two_hosts=$1
shift
if ! { unshare --net --mount true && command -v ip tc; } >/dev/null 2>&1; then
    echo "skipped: network namespaces need root and iproute2"
    exit 77
fi
failed=0 count=0
for ranks in 1 2 3; do
    for test in "$@"; do
        [ "$test" = "$1" ] || [ "$ranks" = 1 ] || continue
        count=$((count + 1))
        RANKS_PER_HOST=$ranks "$two_hosts" 10gbit "$test" >output 2>&1 || {
            failed=$((failed + 1))
            echo "FAILED: $(basename "$test") with $ranks ranks on each host"
            cat output
        }
    done
done
echo "$((count - failed)) passed, $failed failed"
[ $failed = 0 ]
