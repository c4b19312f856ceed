#!/usr/bin/env bash
# Runs a command under mpirun on two hosts, which are network namespaces of this machine, connected by a TCP
# link of a chosen rate. Needs root and iproute2. Leaves no mount or namespace, however it ends: they belong
# to namespaces that end with the processes of the script.
#
#   two_hosts.sh RATE COMMAND [ARG ...]        two_hosts.sh 10gbit lockstep train ...
#
#   RANKS_PER_HOST   number of ranks on each host [1]
#   CONGESTION       TCP's congestion control [cubic if available, else reno]
set -euo pipefail
# shellcheck source=jobs/common.sh
. "$(dirname "$0")/common.sh"
[ "${1:-}" != --help ] || usage 0
[ $# -ge 2 ] || misuse "two arguments or more are needed"
if [ -z "${TWO_HOSTS_OF:-}" ]; then
    unshare --mount --net true 2>/dev/null || { echo "network namespaces need root" >&2; exit 1; }
    command -v ip tc >/dev/null || { echo "there is no ip, or no tc: package iproute2" >&2; exit 1; }
    # Names of namespaces are mounts, and only the processes of this script see the mounts from here on.
    TWO_HOSTS_OF=$$ exec unshare --mount "$0" "$@"
fi
rate=$1
shift
ranks=${RANKS_PER_HOST:-1}
control=net.ipv4.tcp_congestion_control
id=$(tr 0-9 a-j <<<"$TWO_HOSTS_OF")
one=ls${id}x two=ls${id}y
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p /run/netns # as `ip netns` does
mount -t tmpfs tmpfs /run/netns
for host in "$one" "$two"; do
    ip netns add "$host"
    ip -n "$host" link set lo up
done
ip link add "v$one" netns "$one" type veth peer name "v$two" netns "$two"
# The congestion controls that a host may use can differ from those of the machine.
for host in "$one" "$two"; do
    for congestion in ${CONGESTION:-cubic reno}; do
        ip netns exec "$host" sysctl -qw "$control=$congestion" 2>/dev/null && break
    done
    [ -z "${CONGESTION:-}" ] || [ "$(ip netns exec "$host" sysctl -n "$control")" = "$CONGESTION" ] || {
        echo "there is no congestion control '$CONGESTION' here" >&2
        exit 1
    }
done
address=1
for host in "$one" "$two"; do
    ip -n "$host" address add "10.77.0.$address/24" dev "v$host"
    ip -n "$host" link set "v$host" up
    tc -n "$host" qdisc add dev "v$host" root tbf rate "$rate" burst 1mb latency 50ms
    address=$((address + 1))
done
until ip -n "$one" -brief link show "v$one" | grep -q UP && ip -n "$two" -brief link show "v$two" | grep -q UP; do
    sleep 0.05
done
# mpirun calls this script instead of ssh, with a host and a command. Each host has its own name, /dev/shm and folder for
# temporary files.
cat >"$scratch/agent" <<AGENT
#!/usr/bin/env bash
host=\$1
shift
export TMPDIR=$scratch/\$host
exec ip netns exec "\$host" unshare --mount --uts bash -c "hostname \$host && mount -t tmpfs tmpfs /dev/shm && \$*"
AGENT
mkdir "$scratch/$one" "$scratch/$two"
chmod +x "$scratch/agent"
"$scratch/agent" "$one" exec mpirun -q --mca plm_rsh_agent "$scratch/agent" --mca plm_rsh_no_tree_spawn 1 \
    --mca btl tcp,self,vader --mca btl_tcp_if_include 10.77.0.0/24 --mca oob_tcp_if_include 10.77.0.0/24 \
    --host "$one:$ranks,$two:$ranks" -n $((2 * ranks)) --bind-to none "$(printf ' %q' "$@")"
