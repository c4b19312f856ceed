# Helper functions for the scripts that test the program. Sourced.
# shellcheck shell=bash disable=SC2034
set -u
failed=0
count=0

# mpirun's exit codes after a rank was killed, as an extended regular expression. MPICH's code is the bitwise or of the
# signals of that rank, of ranks that lost its connection, and of stuck ranks that mpirun killed.
code_killed=137 code_stuck=5
if [[ $(mpirun --version 2>&1) != *"Open MPI"* ]]; then
    code_killed='9|6|15' code_stuck='5|9|13'
fi

# Checks that a command succeeds: check "the behaviour that is expected" [ ... ]
check() {
    local what=$1
    shift
    count=$((count + 1))
    if ! "$@"; then
        echo "FAILED: $what: $*"
        failed=$((failed + 1))
    fi
}

# Succeeds if a file has a line that matches an extended regular expression.
has() { grep -qE -- "$2" "$1"; }

# Runs a command that must end with a code and one line on stderr that matches:
#     refuses CODE PATTERN COMMAND ...
# Other lines that are ignored: mpirun's message about the exit code, between lines of dashes, and an occasional
# warning of libevent about a closed pipe.
refuses() {
    local code=$1 pattern=$2 got lines
    shift 2
    timeout 60 "$@" >out 2>err_all
    got=$?
    awk '/^-----/ { inside = !inside; next } !inside && NF && !/^\[warn\] Epoll /' err_all >err
    lines=$(wc -l <err)
    count=$((count + 1))
    if [ "$got" != "$code" ] || [ "$lines" != 1 ] || ! grep -qE -- "^lockstep: .*$pattern" err; then
        echo "FAILED: $*"
        echo "  expected code $code and one line with '$pattern'; got code $got and:"
        sed 's/^/  | /' err_all
        failed=$((failed + 1))
    fi
}

# Runs a training with time limits of 1, 2, 4, ... s, up to the first that ends it after its first steps, not before:
#     limited RUN COMMAND ...
limited() {
    local run=$1 limit code
    shift
    for limit in 1 2 4 8 16 32; do
        rm -rf "$run"
        "$@" --run "$run" --max-time ${limit}s
        code=$?
        ! ls "$run"/checkpoints/*.h5 >/dev/null 2>&1 || break
    done
    return $code
}

# Prints the digest of a run's final parameters.
digest() { sed -n 's/.*"digest": "\([0-9a-f]*\)".*/\1/p' "$1/summary.json"; } # RUN

# Succeeds if two runs ended with the same parameters.
same_bits() { [ -n "$(digest "$1")" ] && [ "$(digest "$1")" = "$(digest "$2")" ]; } # RUN RUN

# Puts the processes that an mpirun has started on this host into the array `processes`, in the order of ranks. MPICH
# starts them through a proxy.
find_ranks() { # PID -> processes
    local process parent=$1
    processes=()
    process=$(pgrep -P "$1" hydra) && parent=$process
    for process in $(pgrep -P "$parent"); do
        processes[$(tr '\0' '\n' <"/proc/$process/environ" | sed -nE 's/^(OMPI_COMM_WORLD|PMI)_RANK=//p')]=$process
    done 2>/dev/null
}

# Prints the number of checks that passed and failed, and exits with 0 if none failed.
finish() {
    echo "$((count - failed)) passed, $failed failed"
    [ "$failed" = 0 ]
    exit
}

# Sets `python` to a Python that has a module, or ends the script: skipped. need_python MODULE
need_python() {
    for python in python3 /usr/bin/python3; do
        ! "$python" -c "import $1" 2>/dev/null || return 0
    done
    echo "skipped: $1 for Python is not installed"
    exit 77
}
