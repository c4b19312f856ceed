#!/usr/bin/env bash
# Trains with all combinations of option values, or with a random sample of them, one run at a time, and
# ranks the runs by their best validation result:
#
#   sweep.sh --out runs/sweep --ranks 2 lr=0.01,0.001 batch=32,128 -- --data mnist.h5 --epochs 5
#   sweep.sh --out runs/random --random 20 lr=log:1e-4..1e-1 weight-decay=0.0..0.1 batch=32,128 -- ...
#
# NAME=VALUES  an option of `lockstep train` and its values: a list, separated by commas, or, if values
#              contain commas, by bars (model='dense:10|dense:99 relu dense:10'); with --random
#              also a range: A..B, or log:A..B for a uniform logarithm. A range between whole numbers
#              has whole numbers.
# after --     options common to all runs
#
#   --out DIR     folder of the runs; each run has a subfolder named after its values, and NAME.log
#   --ranks N     ranks of each run [1]
#   --random N    N random samples instead of all combinations; a larger N keeps the existing samples
#   --seed S      seed of the samples [0]
#   --launch CMD  command that starts a run instead of mpirun, such as "srun --mpi=pmix"
#   --ranking     ranks the existing runs, trains nothing
#
# The same command again skips finished and diverged runs, and resumes interrupted runs. On a signal, a time
# limit or the end of a Slurm job the current run writes a checkpoint, and the script ends with code 75, like
# `lockstep train`: run it again. In a Slurm job array (sbatch --array=0-7) the tasks divide the runs. The
# ranking is written to stdout and to DIR/ranking.csv. Code 1: the settings of a run were refused; any other
# failure of a run ends the sweep with the run's code.
#
#   LOCKSTEP   the program [lockstep, else the quickstart's build]
set -euo pipefail
# shellcheck source=jobs/common.sh
. "$(dirname "$0")/common.sh"

out='' ranks=1 random=0 seed=0 launch='' only_rank=false
names=() specs=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    case $1 in
        --help) usage 0 ;;
        --ranking) only_rank=true ;;
        --out | --ranks | --random | --seed | --launch)
            [ $# -gt 1 ] || die "$1 needs a value"
            case $1 in
                --out) out=$2 ;;
                --launch) launch=$2 ;;
                *) [[ $2 =~ ^[0-9]{1,9}$ ]] || die "$1: '$2' is not a whole number"
                    declare "${1#--}=$((10#$2))" ;;
            esac
            shift ;;
        [a-z]*=?*)
            names+=("${1%%=*}")
            specs+=("${1#*=}") ;;
        *) die "'$1' is neither an option nor NAME=VALUES; --help lists them" ;;
    esac
    shift
done
[ $# -eq 0 ] || shift
common=("$@")
[ -n "$out" ] || die "--out is needed: the folder of the runs"
plain_path "$out"
out=$path
[ ${#names[@]} -gt 0 ] || die "give NAME=VALUES for at least one option, such as lr=0.1,0.01"
[ "$ranks" -gt 0 ] || die "--ranks must be 1 or more"

find_lockstep
find_mpirun
read -ra start <<<"${launch:-${mpirun[*]}}"
start+=(-n "$ranks")

# Splits a list into its values; a range is one value.
split() { # SPEC -> values
    local separator=,
    [[ $1 != *'|'* ]] || separator='|'
    IFS=$separator read -ra values <<<"$1"
}
number='[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[-+]?[0-9]+)?'
range="^(log:)?$number\.\.$number\$"
is_range() { [[ $1 =~ $range ]]; }
is_sensible() { # RANGE
    local ends=${1#log:}
    awk -v a="${ends%%..*}" -v b="${ends#*..}" -v log_scale="${1%%:*}" \
        'BEGIN { exit !(a < b && (log_scale != "log" || a > 0)) }'
}

runs=1
for i in "${!names[@]}"; do
    for j in "${!names[@]}"; do
        [ "$i" = "$j" ] || [ "${names[i]}" != "${names[j]}" ] || die "${names[i]} is given twice"
    done
    [ -z "$(option "${names[i]}" "${common[@]}")" ] || die "${names[i]} is swept: leave out --${names[i]}"
    case ${names[i]} in run | resume | config | quiet | dry-run) die "${names[i]} can't be swept" ;; esac
    if is_range "${specs[i]}"; then
        [ "$random" -gt 0 ] || die "${names[i]}: a range needs --random N"
        is_sensible "${specs[i]}" || die "${names[i]}: '${specs[i]}' must go up, and for log begin above 0"
        continue
    fi
    [[ ${specs[i]} != log:* && ${specs[i]} != *..* ]] || die "${names[i]}: '${specs[i]}' is not a range such as 0.0..0.1"
    split "${specs[i]}"
    runs=$((runs * ${#values[@]}))
done
[ "$random" = 0 ] || runs=$random

# Prints a number in [0, 1) that depends only on seed, sample and option, so it is the same in each task of an array.
uniform() { # SAMPLE NAME
    local hash
    hash=$(printf '%s %s %s' "$seed" "$1" "$2" | sha256sum)
    awk -v n=$((16#${hash:0:12})) 'BEGIN { printf "%.15f", n / 2 ^ 48 }'
}

# Prints the value of an option in a random sample.
draw_value() { # SAMPLE NAME SPEC
    local u ends=${3#log:}
    u=$(uniform "$1" "$2")
    if is_range "$3"; then
        awk -v u="$u" -v a="${ends%%..*}" -v b="${ends#*..}" -v log_scale="${3%%:*}" 'BEGIN {
            whole = a ~ /^[-+]?[0-9]+$/ && b ~ /^[-+]?[0-9]+$/
            if (log_scale == "log")
                x = exp(log(a) + u * (log(b + whole) - log(a)))
            else
                x = a + u * (b + whole - a)
            if (whole)
                printf "%d", x
            else
                printf "%.4g", x
        }'
    else
        split "$3"
        printf '%s' "${values[$(awk -v u="$u" -v n=${#values[@]} 'BEGIN { printf "%d", u * n }')]}"
    fi
}

# The values of run K, from 0: the last option varies fastest.
choose() { # K -> chosen
    local k=$1 i
    chosen=()
    for ((i = ${#names[@]} - 1; i >= 0; i--)); do
        if [ "$random" -gt 0 ]; then
            chosen[i]=$(draw_value "$1" "${names[i]}" "${specs[i]}")
        else
            split "${specs[i]}"
            chosen[i]=${values[k % ${#values[@]}]}
            k=$((k / ${#values[@]}))
        fi
    done
}

# Names the run's folder. A changed or shortened name ends with a checksum of the full name, and a name with data with a
# checksum of their content: the same file name with other content is another run.
declare -A contents=()
name_run() { # chosen -> run
    local whole='' held='' i
    for i in "${!names[@]}"; do
        whole+=${whole:+_}${names[i]}=${chosen[i]}
        [ "${names[i]}" = data ] || continue
        [ -n "${contents[${chosen[i]}]:-}" ] || contents[${chosen[i]}]=$(digest_content "${chosen[i]}")
        held+=" ${contents[${chosen[i]}]}"
    done
    run=${whole//[^A-Za-z0-9.=:+_-]/-}
    run=${run:0:100}
    [ "$run$held" = "$whole" ] || run+=_$(printf '%s' "$whole$held" | cksum | cut -d' ' -f1)
}

# Prints the result of a finished run as "MONITOR VALUE EPOCH SIGN SECONDS"; a smaller SIGN * VALUE is better.
result() { # FOLDER
    awk -F'[:,]' '
        function text(s) { gsub(/[" ]/, "", s); return s }
        { key = text($1) }
        /^  "[a-z]+": \{/ { part = key }
        /^  "seconds"/ { seconds = text($2) }
        part == "best" && /^    / { best[key] = text($2) }
        part == "config" && key == "mode" { mode = text($2) }
        END {
            if ("mode" in best) mode = best["mode"]
            larger = mode == "max" || (mode == "auto" && best["monitor"] ~ /accuracy/) # auto: an older run
            printf "%s %s %s %d %.1f", best["monitor"], best["value"], best["epoch"], larger ? -1 : 1, seconds
        }' <"$1/summary.json"
}

# Prints a field of a CSV file, quoted if necessary.
quoted() { # TEXT
    case $1 in
        *[,\"]*) printf '"%s"' "${1//\"/\"\"}" ;;
        *) printf '%s' "$1" ;;
    esac
}

# Writes ranking.csv and prints it.
rank_runs() {
    local k i line monitor value epoch sign seconds good='' bad='' unfinished=0 seen=' '
    for ((k = 0; k < runs; k++)); do
        choose "$k"
        name_run
        [[ $seen != *" $run "* ]] || continue # samples of short lists come twice
        seen+="$run "
        line=$(quoted "$run")
        for i in "${!names[@]}"; do
            line+=,$(quoted "${chosen[i]}")
        done
        if [ -e "$out/$run/summary.json" ]; then
            read -r monitor value epoch sign seconds <<<"$(result "$out/$run")"
            # Prefixed with the sort key.
            good+="$(awk -v v="$value" -v s="$sign" 'BEGIN { printf "%.9g", s * v }') $line,$monitor,$value,$epoch,$(
                metric "$out/$run/metrics.csv" val_loss "$epoch"
            ),$(metric "$out/$run/metrics.csv" val_accuracy "$epoch"),$seconds"$'\n'
        elif [ -e "$out/$run/diverged" ]; then
            bad+="$line,diverged,,,,,"$'\n'
        else
            unfinished=$((unfinished + 1))
        fi
    done
    # Tasks of an array may write at the same time: each writes its own file and renames it.
    local ranking=$out/ranking.csv.$HOSTNAME.$$
    {
        echo "place,run,$(IFS=, && echo "${names[*]}"),monitor,value,epoch,val_loss,val_accuracy,seconds"
        { printf '%s' "$good" | sort -g | cut -d' ' -f2- && printf '%s' "$bad"; } | awk '{ print NR "," $0 }'
    } >"$ranking"
    mv "$ranking" "$out/ranking.csv"
    if [ -z "$good$bad" ]; then
        echo "no run of $runs is finished: there is no ranking" >&2
        return
    fi
    printf '%5s  %-12s %10s %6s  %s\n' place monitor value epoch run
    # Neither the second field, the run, nor the last seven contain commas.
    awk -F, -v fields=$((${#names[@]})) 'NR > 1 {
        printf "%5d  %-12s %10s %6s  %s\n", $1, $(NF - 5), $(NF - 4) == "" ? "-" : sprintf("%.6g", $(NF - 4)),
            $(NF - 3) == "" ? "-" : $(NF - 3), $2
    }' <"$out/ranking.csv"
    [ "$unfinished" = 0 ] || echo "$unfinished of $runs not finished" >&2
}

mkdir -p "$out"
if $only_rank; then
    rank_runs
    exit 0
fi

record_common "$out" "${common[@]}"

task=0 tasks=1
if [ -n "${SLURM_ARRAY_TASK_ID:-}" ]; then
    task=$(((SLURM_ARRAY_TASK_ID - ${SLURM_ARRAY_TASK_MIN:-0}) / ${SLURM_ARRAY_TASK_STEP:-1}))
    tasks=${SLURM_ARRAY_TASK_COUNT:?an array task whose array has no size}
fi

refused=0
for ((k = task; k < runs; k += tasks)); do
    ! $stopped || exit 75
    choose "$k"
    name_run
    if [ -e "$out/$run/summary.json" ] || [ -e "$out/$run/diverged" ]; then
        continue
    fi
    settings=()
    for i in "${!names[@]}"; do
        settings+=("--${names[i]}=${chosen[i]}")
    done
    code=0
    run_to_end "$out/$run.log" "${start[@]}" "$lockstep" train "${common[@]}" "${settings[@]}" --run "$out/$run" \
        --resume auto || code=$?
    case $code in
        0) echo "[$((k + 1))/$runs] $run: $(result "$out/$run" | awk '{ printf "%s %.6g in epoch %d, %s s", $1, $2, $3, $5 }')" >&2 ;;
        4)
            touch "$out/$run/diverged"
            echo "[$((k + 1))/$runs] $run: diverged" >&2 ;;
        2)
            refused=1
            echo "[$((k + 1))/$runs] $run: $(find_error "$out/$run.log")" >&2 ;;
        *)
            echo "[$((k + 1))/$runs] $run: ended with code $code: $(find_error "$out/$run.log")" >&2
            exit "$code" ;;
    esac
done
rank_runs
exit "$refused"
