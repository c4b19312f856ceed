# Functions shared by the scripts of this folder. Sourced.
# shellcheck shell=bash
export LC_ALL=C # numbers have points
[ "$(id -u)" != 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

die() {
    echo "${0##*/}: $*" >&2
    exit 2
}

# Prints the script's first comment and exits.
usage() { # CODE
    sed -n '2,/^set -/{/^set -/!s/^# \{0,1\}//p}' "$0"
    exit "$1"
}

# Says what is wrong with the arguments, prints the script's usage and exits.
misuse() { # TEXT
    echo "${0##*/}: $*" >&2
    usage 2 >&2
}

# Refuses options among the arguments of a script that has none in these places.
refuse_options() { # ARGUMENT ...
    local argument
    for argument; do
        case $argument in
            --?*) misuse "no option $argument here" ;;
        esac
    done
}

# Finds the program: $LOCKSTEP, else the installed program, else the quickstart's build.
find_lockstep() { # -> lockstep
    lockstep=${LOCKSTEP:-$(command -v lockstep || echo "$(dirname "$0")/../build/release/lockstep")}
    command -v "$lockstep" >/dev/null || die "$lockstep: no such program: set LOCKSTEP, or run jobs/quickstart.sh"
}

# mpirun without Open MPI's messages at the end of a job; MPICH prints none.
find_mpirun() { # -> mpirun
    mpirun=(mpirun)
    [[ $(mpirun --version 2>&1) != *"Open MPI"* ]] || mpirun+=(-q)
}

# Prints the number of cores, not of hardware threads: a second rank on a core gains nothing, and Open MPI has no slot
# for it.
count_cores() {
    local cores
    cores=$(lscpu -p=Core,Socket | grep -v '^#' | sort -u | wc -l)
    echo $((cores < $(nproc) ? cores : $(nproc)))
}

# The command that starts ranks, each on its own core if there are enough cores. More ranks than cores are for tests, and
# Open MPI needs an option for them. In a Slurm job Slurm assigns the cores.
launch_on() { # RANKS -> start
    find_mpirun
    start=("${mpirun[@]}" -n "$1" --bind-to core)
    if [ -z "${SLURM_JOB_ID:-}" ] && [ "$1" -gt "$(count_cores)" ]; then
        start=("${mpirun[@]}" -n "$1" --bind-to none)
        [ ${#mpirun[@]} = 1 ] || start+=(--oversubscribe)
    fi
}

# Prints the last error line of a run. mpirun -q prints nothing if there are too few slots.
find_error() { # LOG
    grep -m 1 '^lockstep: ' <(tac "$1") ||
        { [ -s "$1" ] && echo "see $1"; } || echo "no output: are there as many slots as ranks? (mpirun --oversubscribe)"
}

# Prints the last value of an option in a list of options; nothing if the option is not given.
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

# Removes an option and its value from a list. -> others
remove_option() { # NAME OPTION ...
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

# Prints a digest of a file's content: the digest in its seal, else the SHA-256 of the file.
digest_content() { # FILE
    local seal
    [ -r "$1" ] || return 0 # lockstep reports the error
    seal=$(head -c 512 <"$1" | tr '\0' '\n' | sed -n '1{/^LOCKSTEP SEAL/!q}; 2s/^xxh3-128 \([0-9a-f]*\) .*/\1/p')
    printf '%s' "${seal:-$(sha256sum <"$1" | cut -d' ' -f1)}"
}

# Prints the last value of an option; if the option is not given, its value in the file of --config.
option_or_config() { # NAME OPTION ...
    local value config
    value=$(option "$@") config=$(option config "${@:2}")
    if [ -z "$value" ] && [ -n "$config" ] && [ -r "$config" ]; then
        value=$(sed -n "s/^[[:blank:]]*$1[[:blank:]]*=[[:blank:]]*//p" <"$config" | tail -n 1)
    fi
    printf '%s' "$value"
}

# Prints the settings that all runs of a folder share: options, and digests of the files that the options name.
describe_common() { # OPTION ...
    local config data
    printf '%s\n' "$@"
    config=$(option config "$@") data=$(option_or_config data "$@")
    [ -z "$config" ] || [ ! -r "$config" ] || echo "content of $config: $(digest_content "$config")"
    [ -z "$data" ] || echo "content of $data: $(digest_content "$data")"
}

# Records the common options and data of a folder's runs, and refuses others: the runs would not be comparable.
record_common() { # FOLDER OPTION ...
    local out=$1 asked=$1/common.$HOSTNAME.$$
    shift
    describe_common "$@" >"$asked"
    mv -n "$asked" "$out/common" || true # fails in some versions if another task of the array was first
    if [ -e "$asked" ] && ! cmp -s "$asked" "$out/common"; then
        if [ -n "$(find "$out" -name config.conf -print -quit)" ]; then
            refuse_mixture "$out" "$asked"
        fi
        mv "$asked" "$out/common" # there is no run with the recorded options
    fi
    rm -f "$asked"
}

# Ends the script: the folder's runs have other common settings than the file.
refuse_mixture() { # FOLDER FILE
    local what
    what="with other options: $(grep -v '^content of ' "$1/common" | tr '\n' ' ')"
    if ! grep -q '^content of ' "$1/common" && grep -q '^content of ' "$2"; then
        what="without a record of their data"
    elif cmp -s <(grep -v '^content of ' "$1/common") <(grep -v '^content of ' "$2"); then
        what="on other data or another configuration: $(comm -13 <(sort "$1/common") <(sort "$2") |
            sed 's/^content of \(.*\): .*/\1/' | tr '\n' ' ')is not the file that they were made with"
    fi
    rm -f "$2"
    die "$1 holds runs $what; choose another --out, or remove it"
}

# Runs a command to its end, appends its output to a file, and returns its exit code. A signal is forwarded as USR1, which
# mpirun forwards to the ranks, so that the run writes a checkpoint and ends; $stopped is then true.
# shellcheck disable=SC2034
stopped=false child='' waiting=false
run_to_end() { # LOG COMMAND ...
    local log=$1 code=0
    shift
    trap 'stopped=true waiting=true; [ -z "$child" ] || kill -USR1 "$child" 2>/dev/null || true' INT TERM HUP USR1 USR2
    setsid "$@" >>"$log" 2>&1 </dev/null & # the signals of a terminal are sent to this script only
    child=$! waiting=true
    while $waiting; do # a signal interrupts `wait` before the command has ended
        waiting=false code=0
        wait "$child" || code=$?
    done
    child=''
    return "$code"
}

# Makes a path safe as an argument: awk takes it for no assignment, other programs for no option.
plain_path() { # PATH -> path
    case $1 in
        /*) path=$1 ;;
        *=* | -*) path=./$1 ;;
        *) path=$1 ;;
    esac
}

die_data() {
    echo "${0##*/}: $*" >&2
    exit 3
}

has_gnuplot() { command -v gnuplot >/dev/null; }

# Makes a folder for gnuplot's input. Names of runs and folders are given to gnuplot only as quoted texts in facts.gp, and
# never to a shell.
need_gnuplot() { # -> scratch
    has_gnuplot || die "gnuplot is not installed (Debian: gnuplot-nox)"
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
}

# Quotes a text for gnuplot: within single quotes only a quote is special.
gnuplot_text() { # TEXT
    local text
    text=$(printf '%s' "$1" | iconv -c -f UTF-8 -t UTF-8 2>/dev/null | tr '[:cntrl:]' ' ')
    printf "'%s'" "${text//\'/\'\'}"
}

# Splits a name into lines of a given length, at underscores and blanks if possible.
fold_name() { # NAME WIDTH MAX_LINES
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

# Runs a gnuplot script in the scratch folder, which has its facts.gp; copies the figures to OUT and prints a line.
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

# Prints a field of a metrics.csv by the name of its column, of an epoch or of the last row. Prints nothing if there is no
# such column or value.
metric() { # FILE COLUMN [EPOCH]
    awk -F, -v name="$2" -v epoch="${3:-}" '
        NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next }
        epoch == "" || $1 == epoch { value = at ? $at : "" }
        END { printf "%s", value }' <"$1"
}
