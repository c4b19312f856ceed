# What the scripts beside this one share. Sourced.
# shellcheck shell=bash
export LC_ALL=C # numbers have points
[ "$(id -u)" != 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

die() {
    echo "${0##*/}: $*" >&2
    exit 2
}

# The comment that the script begins with.
usage() { # CODE
    sed -n '2,/^set -/{/^set -/!s/^# \{0,1\}//p}' "$0"
    exit "$1"
}

# The program: LOCKSTEP, else one that is installed, else the quickstart's build.
find_lockstep() { # -> lockstep
    lockstep=${LOCKSTEP:-$(command -v lockstep || echo "$(dirname "$0")/../build/release/lockstep")}
    command -v "$lockstep" >/dev/null || die "$lockstep: no such program: set LOCKSTEP, or run jobs/quickstart.sh"
}

# mpirun without its own words about a job's end, which MPICH's has none of.
find_mpirun() { # -> mpirun
    mpirun=(mpirun)
    [[ $(mpirun --version 2>&1) != *"Open MPI"* ]] || mpirun+=(-q)
}

# Cores, not hardware threads: two ranks on one core gain nothing, and Open MPI has no slot for the second.
count_cores() {
    local cores
    cores=$(lscpu -p=Core,Socket | grep -v '^#' | sort -u | wc -l)
    echo $((cores < $(nproc) ? cores : $(nproc)))
}

# What starts some ranks: each on a core of its own while there are as many. More are for tests, and Open MPI
# wants them to be allowed. A job has the cores that Slurm says, here or elsewhere.
launch_on() { # RANKS -> start
    find_mpirun
    start=("${mpirun[@]}" -n "$1" --bind-to core)
    if [ -z "${SLURM_JOB_ID:-}" ] && [ "$1" -gt "$(count_cores)" ]; then
        start=("${mpirun[@]}" -n "$1" --bind-to none)
        [ ${#mpirun[@]} = 1 ] || start+=(--oversubscribe)
    fi
}

# What a run said last of what went wrong; mpirun -q says nothing where there are too few slots.
why() { # LOG
    grep -m 1 '^lockstep: ' <(tac "$1") ||
        { [ -s "$1" ] && echo "see $1"; } || echo "no word: are there as many slots as ranks? (mpirun --oversubscribe)"
}

# Runs with other options in common would not be comparable: those of a folder's first run are kept.
keep_common() { # FOLDER OPTION ...
    local out=$1
    shift
    printf '%s\n' "$@" >"$out/common.$$"
    mv -n "$out/common.$$" "$out/common" # the tasks of an array do so at the same time
    if [ -e "$out/common.$$" ] && ! cmp -s "$out/common.$$" "$out/common"; then
        if [ -n "$(find "$out" -name config.conf -print -quit)" ]; then
            rm -f "$out/common.$$"
            die "$out holds runs with other options: $(tr '\n' ' ' <"$out/common"); choose another --out, or remove it"
        fi
        mv "$out/common.$$" "$out/common" # those that nothing came of
    fi
    rm -f "$out/common.$$"
}

# Runs a command to its end, its output added to a file, and returns its code. A signal lets it come to
# its end in good order: it is handed on, as mpirun hands this one on to the ranks; then $stopped is true.
# shellcheck disable=SC2034
stopped=false child='' waiting=false
run_to_end() { # LOG COMMAND ...
    local log=$1 code=0
    shift
    trap 'stopped=true waiting=true; [ -z "$child" ] || kill -USR1 "$child" 2>/dev/null || true' INT TERM HUP USR1 USR2
    setsid "$@" >>"$log" 2>&1 </dev/null & # a terminal's signals come to this script alone
    child=$! waiting=true
    while $waiting; do # a signal ends the waiting, but not yet the command
        waiting=false code=0
        wait "$child" || code=$?
    done
    child=''
    return "$code"
}
