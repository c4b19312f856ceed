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
#   --folds N     cross-validation: each combination or sample is trained N times, with --fold 1/N to N/N, and its place
#                 is by the mean over the folds; NAME=VALUES may be missing. If the data have test rows, each fold's
#                 best checkpoint is evaluated on them.
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

out='' ranks=1 random=0 seed=0 folds=1 launch='' only_rank=false
names=() specs=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    case $1 in
        --help) usage 0 ;;
        --ranking) only_rank=true ;;
        --out | --ranks | --random | --seed | --folds | --launch)
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
[ ${#names[@]} -gt 0 ] || [ "$folds" -gt 1 ] || die "give NAME=VALUES for at least one option, such as lr=0.1,0.01"
[ "$folds" -gt 0 ] || die "--folds must be 2 or more"
[ "$folds" = 1 ] || [ -z "$(option fold "${common[@]}")" ] || die "--folds $folds sets the fold: leave out --fold"
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
    [ "$folds" = 1 ] || [ "${names[i]}" != fold ] || die "--folds $folds sets the fold: leave out fold=${specs[i]}"
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
runs=$((runs * folds))

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

# The fold and the values of run K, from 0: the fold varies fastest, then the last option.
choose() { # K -> chosen fold
    local k=$(($1 / folds)) i
    local sample=$k
    fold=$(($1 % folds + 1))
    chosen=()
    for ((i = ${#names[@]} - 1; i >= 0; i--)); do
        if [ "$random" -gt 0 ]; then
            chosen[i]=$(draw_value "$sample" "${names[i]}" "${specs[i]}")
        else
            split "${specs[i]}"
            chosen[i]=${values[k % ${#values[@]}]}
            k=$((k / ${#values[@]}))
        fi
    done
}

# Names the run's folder, and what its folds have in common. A changed or shortened name ends with a checksum of the full name, and a name with data with a
# checksum of their content: the same file name with other content is another run.
declare -A contents=()
name_run() { # chosen fold -> run combination
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
    combination=${run:-all}
    [ "$folds" = 1 ] || run+=${run:+_}fold=$fold-$folds
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

# Prints a metric of the test rows of a run; nothing if there is none.
test_metric() { # FOLDER METRIC
    # The first: in a list of outputs there are others.
    [ ! -s "$1/test.json" ] || grep -oE "\"$2\": *[-+.0-9e]+" "$1/test.json" | head -n 1 | sed 's/.*: *//'
}

# Prints the mean and the standard deviation (of a sample) of the numbers in stdin, and their count; nothing of none.
mean_sd() {
    awk 'NF { n++; delta = $1 - mean; mean += delta / n; squares += delta * ($1 - mean) }
        END { if (n) printf("%.9g %.4g %d", mean, (n > 1) ? sqrt(squares / (n - 1)) : 0, n) }'
}

# Prints ",MEAN,SD" of a metric of the test rows over the folds of a combination.
test_columns() { # METRIC FOLDER ...
    local what=$1 mean='' sd='' count='' folder
    shift
    read -r mean sd count <<<"$(for folder in "$@"; do test_metric "$folder" "$what" && echo; done | mean_sd)"
    [ "${count:-0}" = $# ] || mean='' sd=''
    printf ',%s,%s' "$mean" "$sd"
}

# Evaluates a finished fold on the test rows, if the data have any.
test_fold() { # FOLDER
    local data=''
    [ "$folds" -gt 1 ] && [ ! -e "$1/test.json" ] || return 0
    data=$(sed -n 's/^data = //p' "$1/config.conf")
    "${start[@]}" "$lockstep" eval --data "$data" --checkpoint "$1" --json >"$1/test.json.part" 2>"$1/test.log" ||
        : >"$1/test.json.part"
    mv "$1/test.json.part" "$1/test.json"
}

# Metrics of the test rows in the ranking of folds.
tests=(loss accuracy balanced_accuracy macro_f1 auc mae rmse r2)

# Prints the ranking of folds; of the test rows the metric that the monitor watches, else the loss.
print_folds() {
    local watched test=loss
    watched=$(awk -F, -v tests=${#tests[@]} 'NR == 2 { print $(NF - 4 - 2 * tests) }' "$out/ranking.csv")
    [[ " ${tests[*]} " != *" ${watched#val_} "* ]] || test=${watched#val_}
    printf '%5s  %-12s %10s %10s  %14s %10s  %s\n' place monitor mean sd "test $test" sd run
    # Neither the second field, the run, nor those from the monitor on contain commas.
    awk -F, -v tests=${#tests[@]} -v test="test_$test" '
        function show(text) { return text == "" ? "-" : sprintf("%.6g", text) }
        NR == 1 { for (i = 1; i <= NF; i++) if ($i == test) back = NF - i }
        NR > 1 {
            first = NF - 4 - 2 * tests
            printf "%5d  %-12s %10s %10s  %14s %10s  %s\n", $1, $first, show($(first + 1)), show($(first + 2)),
                show($(NF - back)), show($(NF - back + 1)), $2
        }' <"$out/ranking.csv"
}

# Writes ranking.csv of the combinations, each the mean of its folds, and prints it.
rank_folds() {
    local k i line monitor value sd count epoch sign seconds finished diverged good='' bad='' unfinished=0 seen=' '
    local of_fold metric ranking=$out/ranking.csv.$HOSTNAME.$$
    for ((k = 0; k < runs; k += folds)); do
        finished=() diverged=false of_fold=''
        for ((i = k; i < k + folds; i++)); do
            choose "$i"
            name_run
            [ ! -e "$out/$run/diverged" ] || diverged=true
            [ -e "$out/$run/summary.json" ] || continue
            finished+=("$out/$run")
            of_fold+="$(result "$out/$run")"$'\n'
        done
        [[ $seen != *" $combination "* ]] || continue # samples of short lists come twice
        seen+="$combination "
        line=$(quoted "$combination")
        for i in "${!names[@]}"; do
            line+=,$(quoted "${chosen[i]}")
        done
        if $diverged; then
            bad+="$line,diverged,,,$folds,$(printf ',%.0s' "${tests[@]}" "${tests[@]}")"$'\n'
        elif [ ${#finished[@]} = "$folds" ]; then
            read -r monitor value epoch sign seconds <<<"$of_fold"
            read -r value sd count <<<"$(awk '{ print $2 }' <<<"$of_fold" | mean_sd)"
            good+="$(awk -v v="$value" -v s="$sign" 'BEGIN { printf "%.9g", s * v }') $line,$monitor,$value,$sd,$count"
            for metric in "${tests[@]}"; do
                good+=$(test_columns "$metric" "${finished[@]}")
            done
            good+=,$(awk '{ sum += $5 } END { printf "%.1f", sum }' <<<"$of_fold")$'\n'
        else
            unfinished=$((unfinished + 1))
        fi
    done
    {
        echo "place,run${names[*]:+,}$(IFS=, && echo "${names[*]}"),monitor,value,value_sd,folds$(
            for metric in "${tests[@]}"; do printf ',test_%s,test_%s_sd' "$metric" "$metric"; done),seconds"
        { printf '%s' "$good" | sort -g | cut -d' ' -f2- && printf '%s' "$bad"; } | awk '{ print NR "," $0 }'
    } >"$ranking"
    mv "$ranking" "$out/ranking.csv"
    if [ -z "$good$bad" ]; then
        echo "no combination of $((runs / folds)) has all its folds: there is no ranking" >&2
        return
    fi
    print_folds
    [ "$unfinished" = 0 ] || echo "$unfinished of $((runs / folds)) not finished" >&2
}

# Writes ranking.csv and prints it.
rank_runs() {
    if [ "$folds" -gt 1 ]; then
        rank_folds
        return
    fi
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
    [ "$folds" = 1 ] || settings=("--fold=$fold/$folds")
    for i in "${!names[@]}"; do
        settings+=("--${names[i]}=${chosen[i]}")
    done
    code=0
    run_to_end "$out/$run.log" "${start[@]}" "$lockstep" train "${common[@]}" "${settings[@]}" --run "$out/$run" \
        --resume auto || code=$?
    case $code in
        0)
            test_fold "$out/$run"
            echo "[$((k + 1))/$runs] $run: $(result "$out/$run" | awk '{ printf "%s %.6g in epoch %d, %s s", $1, $2, $3, $5 }')" >&2 ;;
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
