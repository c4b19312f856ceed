#!/usr/bin/env bash
# Runs a command under mpirun on two hosts that a TCP link joins: network namespaces of this machine,
# joined at a chosen rate. Needs root and iproute2; takes everything down again.
#
#   two_hosts.sh RATE COMMAND [ARG ...]        two_hosts.sh 10gbit lockstep train ...
#
#   RANKS_PER_HOST   default: 1
#   CONGESTION       TCP's congestion control; default: cubic where there is one, else reno
set -euo pipefail
rate=${1:?usage: jobs/two_hosts.sh RATE COMMAND [ARG ...]}
shift
ranks=${RANKS_PER_HOST:-1}
control=net.ipv4.tcp_congestion_control
id=$(tr 0-9 a-j <<<$$)
one=ls${id}x two=ls${id}y
scratch=$(mktemp -d)
down() {
    ip netns del "$one" 2>/dev/null || true
    ip netns del "$two" 2>/dev/null || true
    rm -rf "$scratch"
}
trap down EXIT
for host in "$one" "$two"; do
    ip netns add "$host"
    ip -n "$host" link set lo up
done
ip link add "v$one" netns "$one" type veth peer name "v$two" netns "$two"
# What a host may use can differ from what the machine may.
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
# What mpirun calls in place of ssh: the host, then what to run there. Each host has a name, a /dev/shm
# and a folder for temporary files of its own.
cat >"$scratch/agent" <<AGENT
#!/bin/sh
host=\$1
shift
export TMPDIR=$scratch/\$host
exec ip netns exec "\$host" unshare --mount --uts sh -c "hostname \$host && mount -t tmpfs tmpfs /dev/shm && \$*"
AGENT
mkdir "$scratch/$one" "$scratch/$two"
chmod +x "$scratch/agent"
[ "$(id -u)" != 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
"$scratch/agent" "$one" exec mpirun -q --mca plm_rsh_agent "$scratch/agent" --mca plm_rsh_no_tree_spawn 1 \
    --mca btl tcp,self,vader --mca btl_tcp_if_include 10.77.0.0/24 --mca oob_tcp_if_include 10.77.0.0/24 \
    --host "$one:$ranks,$two:$ranks" -n $((2 * ranks)) --bind-to none "$(printf ' %q' "$@")"
