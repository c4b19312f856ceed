# A private Slurm of two nodes with two processors each, on this machine, with munge, in a temporary folder. Sourced by
# tests; it is stopped when the test ends. Needs root and the packages slurm-wlm and munge.
# shellcheck shell=bash
lab='' # the folder of the Slurm, once it runs
daemons=()

# Prints the missing requirements, one per line.
list_missing() {
    local program
    [ "$(id -u)" = 0 ] || echo "root"
    for program in munged slurmctld slurmd sbatch; do
        command -v $program >/dev/null || echo "$program (packages slurm-wlm, munge)"
    done
    getent passwd munge >/dev/null || echo "a user munge"
}

# Prints the lowest free port that is not below FROM.
free_port() { # FROM
    local port=$1
    while ss -Hltn "sport = :$port" 2>/dev/null | grep -q .; do port=$((port + 1)); done
    echo "$port"
}

# Starts the Slurm; returns 0 once both nodes are idle, 1 if they are not within 20 s.
start_lab() {
    local host controller first second i
    host=$(hostname -s)
    controller=$(free_port 16817) first=$(free_port 17001)
    second=$(free_port $((first + 1)))
    lab=$(mktemp -d) # the user munge needs access
    chmod 755 "$lab"
    mkdir -p "$lab/state" "$lab/log" "$lab/munge"
    head -c 128 /dev/urandom >"$lab/munge/key"
    chmod 400 "$lab/munge/key"
    chown -R munge: "$lab/munge"
    cat >"$lab/slurm.conf" <<END
ClusterName=lab
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$controller
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$lab/munge/socket,cred_expire=5
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
SlurmdParameters=config_overrides
MpiDefault=none
KillWait=10
MinJobAge=300
SchedulerParameters=batch_sched_delay=0,sched_interval=2
StateSaveLocation=$lab/state
SlurmctldPidFile=$lab/slurmctld.pid
SlurmctldLogFile=$lab/log/slurmctld
SlurmdPidFile=$lab/slurmd-%n.pid
SlurmdSpoolDir=$lab/spool-%n
SlurmdLogFile=$lab/log/slurmd-%n
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$first CPUs=2 RealMemory=2000 State=UNKNOWN
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=$second CPUs=2 RealMemory=2000 State=UNKNOWN
PartitionName=main Nodes=n1,n2 Default=YES MaxTime=60 State=UP OverSubscribe=NO
END
    export SLURM_CONF=$lab/slurm.conf
    trap stop_lab EXIT
    setpriv --reuid munge --regid munge --clear-groups munged --foreground --num-threads 2 --key-file "$lab/munge/key" \
        --socket "$lab/munge/socket" --pid-file "$lab/munge/pid" --log-file "$lab/munge/log" \
        --seed-file "$lab/munge/seed" >"$lab/log/munged" 2>&1 &
    daemons+=($!)
    for ((i = 0; i < 50; i++)); do [ ! -S "$lab/munge/socket" ] || break; sleep 0.1; done
    slurmctld -D >"$lab/log/slurmctld.out" 2>&1 &
    daemons+=($!)
    for i in n1 n2; do
        mkdir -p "$lab/spool-$i"
        slurmd -D -N $i >"$lab/log/slurmd-$i.out" 2>&1 &
        daemons+=($!)
    done
    for ((i = 0; i < 200; i++)); do
        [ "$(sinfo -h -N -o %t 2>/dev/null | grep -c idle)" != 2 ] || return 0
        sleep 0.1
    done
    return 1
}

# Prints the slurmstepd processes of this Slurm.
list_steps() {
    local process
    for process in $(pgrep slurmstepd); do
        ! { tr '\0' '\n' <"/proc/$process/environ"; } 2>/dev/null | grep -qx "SLURM_CONF=$lab/slurm.conf" || echo "$process"
    done
}

# Cancels all jobs, stops the daemons and removes the folder.
stop_lab() {
    local i
    scancel --user root 2>/dev/null || true
    for ((i = 0; i < 100; i++)); do
        [ -n "$(list_steps)" ] || break
        sleep 0.1
    done
    for ((i = ${#daemons[@]} - 1; i >= 0; i--)); do
        kill "${daemons[i]}" 2>/dev/null || true
    done
    wait "${daemons[@]}" 2>/dev/null || true
    for i in $(list_steps); do
        kill -9 "$i" 2>/dev/null || true
    done
    rm -rf "$lab"
}

# Waits until a job is in one of the states, for example "COMPLETED|FAILED". Sets `state`; returns 1 if the time is over.
wait_job() { # JOB STATES SECONDS
    local i
    state=''
    for ((i = 0; i < 5 * $3; i++)); do
        state=$(scontrol show job "$1" 2>/dev/null | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p' | head -n 1)
        [[ ! $state =~ ^($2)$ ]] || return 0
        sleep 0.2
    done
    return 1
}
