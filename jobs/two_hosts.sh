#!/usr/bin/env bash
# Runs a command under mpirun with one rank on each of two hosts that a TCP link joins: network
# namespaces of this machine, joined at a chosen rate. Needs root and iproute2; takes everything down
# again.
#
#   two_hosts.sh RATE COMMAND [ARG ...]        two_hosts.sh 10gbit lockstep train ...
set -euo pipefail
rate=${1:?usage: jobs/two_hosts.sh RATE COMMAND [ARG ...]}
shift
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
# What mpirun calls in place of ssh: the host, then what to run there.
# Each host has a folder for temporary files of its own.
cat >"$scratch/agent" <<AGENT
#!/bin/sh
host=\$1
shift
export TMPDIR=$scratch/\$host
exec ip netns exec "\$host" sh -c "\$*"
AGENT
mkdir "$scratch/$one" "$scratch/$two"
chmod +x "$scratch/agent"
[ "$(id -u)" != 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
ip netns exec "$one" mpirun -q --mca plm_rsh_agent "$scratch/agent" --mca plm_rsh_no_tree_spawn 1 \
    --mca btl tcp,self --mca btl_tcp_if_include 10.77.0.0/24 --mca oob_tcp_if_include 10.77.0.0/24 \
    --host "$one:1,$two:1" -n 2 --bind-to none "$@"
