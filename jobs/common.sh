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

# The last value of an option among others; empty: it is not there.
option() { # NAME OPTION ...
    local name=$1 value=''
    shift
    while [ $# -gt 0 ]; do
        case $1 in
            "--$name") value=${2:-} ;;
            "--$name="*) value=${1#*=} ;;
        esac
        shift
    done
    printf '%s' "$value"
}

# Options without one that has a value. -> others
without() { # NAME OPTION ...
    local name=$1
    shift
    others=()
    while [ $# -gt 0 ]; do
        case $1 in
            "--$name") [ $# = 1 ] || shift ;;
            "--$name="*) ;;
            *) others+=("$1") ;;
        esac
        shift
    done
}

# What a file holds, whatever it is called: the digest that it is sealed with, else one of all of it.
content_of() { # FILE
    local seal
    [ -r "$1" ] || return 0 # lockstep will say so
    seal=$(head -c 512 <"$1" | tr '\0' '\n' | sed -n '1{/^LOCKSTEP SEAL/!q}; 2s/^xxh3-128 \([0-9a-f]*\) .*/\1/p')
    printf '%s' "${seal:-$(sha256sum <"$1" | cut -d' ' -f1)}"
}

# The same, or what the file of --config says.
asked_for() { # NAME OPTION ...
    local value config
    value=$(option "$@") config=$(option config "${@:2}")
    if [ -z "$value" ] && [ -n "$config" ] && [ -r "$config" ]; then
        value=$(sed -n "s/^[[:blank:]]*$1[[:blank:]]*=[[:blank:]]*//p" <"$config" | tail -n 1)
    fi
    printf '%s' "$value"
}

# What the runs of a folder have in common: options, and what the files hold that these name.
describe_common() { # OPTION ...
    local config data
    printf '%s\n' "$@"
    config=$(option config "$@") data=$(asked_for data "$@")
    [ -z "$config" ] || [ ! -r "$config" ] || echo "content of $config: $(content_of "$config")"
    [ -z "$data" ] || echo "content of $data: $(content_of "$data")"
}

# Runs with other options in common, or on other data, would not be comparable: those of a folder's first
# run are kept.
keep_common() { # FOLDER OPTION ...
    local out=$1 asked=$1/common.$HOSTNAME.$$
    shift
    describe_common "$@" >"$asked"
    mv -n "$asked" "$out/common" || true # the tasks of an array do so at the same time; some call that a failure
    if [ -e "$asked" ] && ! cmp -s "$asked" "$out/common"; then
        if [ -n "$(find "$out" -name config.conf -print -quit)" ]; then
            refuse_mixture "$out" "$asked"
        fi
        mv "$asked" "$out/common" # those that nothing came of
    fi
    rm -f "$asked"
}

refuse_mixture() { # FOLDER FILE: what is asked for
    local what
    what="with other options: $(grep -v '^content of ' "$1/common" | tr '\n' ' ')"
    if ! grep -q '^content of ' "$1/common" && grep -q '^content of ' "$2"; then
        what="of which it is not kept what data they were made with"
    elif cmp -s <(grep -v '^content of ' "$1/common") <(grep -v '^content of ' "$2"); then
        what="on other data or another configuration: $(comm -13 <(sort "$1/common") <(sort "$2") |
            sed 's/^content of \(.*\): .*/\1/' | tr '\n' ' ')is not the file that they were made with"
    fi
    rm -f "$2"
    die "$1 holds runs $what; choose another --out, or remove it"
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

# A path that is none but a path: for awk a file of this name is no assignment, for others no option.
plain_path() { # PATH -> path
    case $1 in
        /*) path=$1 ;;
        *=* | -*) path=./$1 ;;
        *) path=$1 ;;
    esac
}

die_of_data() {
    echo "${0##*/}: $*" >&2
    exit 3
}

has_gnuplot() { command -v gnuplot >/dev/null; }

# A folder for what gnuplot reads. The names of runs and folders are data of that: they reach no shell, and
# gnuplot in one form alone, as quoted texts in facts.gp.
need_gnuplot() { # -> scratch
    has_gnuplot || die "there is no gnuplot (Debian: gnuplot-nox)"
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
}

# As a constant of gnuplot: between single quotes nothing has a meaning but these themselves.
gnuplot_text() { # TEXT
    local text
    text=$(printf '%s' "$1" | iconv -c -f UTF-8 -t UTF-8 2>/dev/null | tr '[:cntrl:]' ' ')
    printf "'%s'" "${text//\'/\'\'}"
}

# A name in lines of so many letters, cut between its words as those of sweeps have them.
fold_name() { # NAME WIDTH MOST_LINES
    local rest=${1//[[:cntrl:]]/ } width=$2 lines=$3 piece
    while [ ${#rest} -gt "$width" ] && [ "$lines" -gt 1 ]; do
        piece=${rest:0:width}
        [[ ! $piece =~ ^(.+)[_\ ] ]] || piece=${BASH_REMATCH[1]}
        printf '%s\n' "$piece"
        rest=${rest:${#piece}}
        [[ $rest != [_\ ]* ]] || rest=${rest:1}
        lines=$((lines - 1))
    done
    [ ${#rest} -le "$width" ] || rest=${rest:0:width-3}...
    printf '%s\n' "$rest"
}

# Runs a script of gnuplot in the scratch folder, whose facts.gp it loads, and puts what it draws where it
# belongs, with a line that says so.
draw() { # SCRIPT OUT
    local script kind path
    script=$(realpath -- "$1")
    plain_path "$2"
    (cd "$scratch" && LC_ALL=C.UTF-8 gnuplot "$script" 2>errors) || { cat "$scratch/errors" >&2; exit 1; }
    for kind in svg png pdf; do
        cp -- "$scratch/out.$kind" "$path.$kind"
    done
    echo "drawn: $path.svg, $path.png, $path.pdf" >&2
}
