#!/usr/bin/env bash
# A scaling experiment, from one command to the figures: trains on several numbers of ranks, several times
# each, in random order, so that a drift of the machine affects all numbers equally; then evaluates the runs,
# predicts their times from a measured step, and draws measurement and prediction.
#
#   scaling.sh --out scaling/strong --ranks 1,2,4 -- --data mnist.h5 --epochs 5
#   scaling.sh --out scaling/weak --mode weak --ranks 1,2,4 -- --data mnist.h5 --batch 64 --epochs 5
#
# after --     options of `lockstep train`, the same for all runs
#
#   --out DIR        folder of the experiment; its runs are in DIR/runs
#   --ranks P,P,...  numbers of ranks; the smallest number is the baseline of the speed-up [1,2]
#   --mode MODE      strong: --batch is the global batch; weak: --batch is the batch per rank [strong]
#   --repeats N      runs on each number of ranks, with seeds 1 to N [3]
#   --warmup N       first epochs of each run to exclude [stored value, else 1]
#   --target A       validation accuracy whose time is reported; 0: no accuracy [stored value, else 0]
#   --launch CMD     command that starts a run [mpirun --bind-to core; --bind-to none with more ranks than cores]
#   --seed S         seed of the random order [0]
#   --evaluate       evaluates and draws the existing runs, trains nothing
#
# The same command again skips finished runs and resumes interrupted runs; more ranks or repeats add runs. On
# a signal, a time limit or the end of a Slurm job the current run writes a checkpoint and the script ends
# with code 75: run it again. Results: DIR/scaling.csv, scaling.json and, with gnuplot, scaling.svg,
# scaling.png and scaling.pdf.
#
#   LOCKSTEP   the program [lockstep, else the quickstart's build]
set -euo pipefail
# shellcheck source=jobs/common.sh
. "$(dirname "$0")/common.sh"

out='' ranks=1,2 mode=strong repeats=3 warmup='' target='' launch='' seed=0 only_evaluate=false
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    case $1 in
        --help) usage 0 ;;
        --evaluate) only_evaluate=true ;;
        --out | --ranks | --mode | --target | --launch)
            [ $# -gt 1 ] || die "$1 needs a value"
            declare "${1#--}=$2"
            shift ;;
        --repeats | --warmup | --seed)
            [ $# -gt 1 ] || die "$1 needs a value"
            [[ $2 =~ ^[0-9]{1,9}$ ]] || die "$1: '$2' is not a whole number"
            declare "${1#--}=$((10#$2))"
            shift ;;
        *) die "there is no option $1; --help lists them" ;;
    esac
    shift
done
[ $# -eq 0 ] || shift
common=("$@")
[ -n "$out" ] || die "--out is needed: the folder of the experiment"
[[ $ranks =~ ^[1-9][0-9]{0,6}(,[1-9][0-9]{0,6})*$ ]] || die "--ranks: '$ranks' is not a list of rank counts, such as 1,2,4"
case $mode in strong | weak) ;; *) die "--mode: '$mode' is neither strong nor weak" ;; esac
[ "$repeats" -gt 0 ] || die "--repeats must be 1 or more"
plain_path "$out"
out=$path
if [ -n "$target" ]; then
    awk -v a="$target" 'BEGIN { exit !(a ~ /^[0-9.]+(e-?[0-9]+)?$/ && a >= 0 && a <= 1) }' ||
        die "--target: '$target' is not an accuracy from 0 to 1"
fi
# The settings of the evaluation are stored in the folder, where lockstep scaling reads them.
stored_setting() { sed -n "s/^$1 = //p" 2>/dev/null <"$out/evaluation.conf" || true; } # KEY
warmup=${warmup:-$(stored_setting warmup)}
warmup=${warmup:-1}
target=${target:-$(stored_setting target)}
target=${target:-0}
IFS=, read -ra counts <<<"$ranks"
mapfile -t counts < <(printf '%s\n' "${counts[@]}" | sort -nu)

here=$(dirname "$0")
find_lockstep

for name in run resume seed dry-run; do
    [ -z "$(option "$name" "${common[@]}")" ] || die "--$name is set by this script"
done
epochs=$(option epochs "${common[@]}")
[[ ! $epochs =~ ^[0-9]{1,9}$ ]] || [ "$epochs" -gt "$warmup" ] || die "--epochs $epochs: --warmup $warmup excludes all of them"
batch=$(option_or_config batch "${common[@]}")
[ "$mode" = strong ] || [ -n "$batch" ] || batch=128
[[ $batch =~ ^[0-9]*$ ]] || die "--batch: '$batch' is not a whole number"
[ -z "$batch" ] || batch=$((10#$batch))

# Sets the command that starts the program on a number of ranks.
program_on() { # RANKS -> command
    local start
    if [ -n "$launch" ]; then
        read -ra start <<<"$launch"
        start+=(-n "$1")
    else
        launch_on "$1"
    fi
    command=("${start[@]}" "$lockstep")
}

run_name() { # RANKS REPEAT
    printf 'p%05d-%03d' "$1" "$2"
}

# Prints all runs as "RANKS REPEAT", in an order that depends only on the seed.
in_random_order() {
    local count repeat
    for count in "${counts[@]}"; do
        for ((repeat = 1; repeat <= repeats; repeat++)); do
            printf '%s %s %s\n' "$(printf '%s %s %s' "$seed" "$count" "$repeat" | sha256sum | cut -c1-16)" \
                "$count" "$repeat"
        done
    done | sort | cut -d' ' -f2-
}

# Trains or resumes one run; its output is in FOLDER.log.
train() { # RANKS REPEAT
    local folder code=0 others=("${common[@]}")
    folder=$out/runs/$(run_name "$1" "$2")
    [ ! -e "$folder/summary.json" ] || return 0
    if [ "$mode" = weak ]; then
        remove_option batch "${common[@]}"
        others+=(--batch $((batch * $1)))
    fi
    program_on "$1"
    run_to_end "$folder.log" "${command[@]}" train "${others[@]}" --seed "$2" --run "$folder" \
        --resume auto --quiet || code=$?
    if [ "$code" != 0 ]; then
        echo "$1 rank$([ "$1" = 1 ] || echo s), run $2: ended with code $code: $(find_error "$folder.log")" >&2
        exit "$code"
    fi
    echo "$1 rank$([ "$1" = 1 ] || echo s), run $2 of $repeats: $(metric "$folder/metrics.csv" samples_per_second) samples/s in the last epoch" >&2
    ! $stopped || exit 75
}

# Measures a step of the runs' network, on the largest number of ranks that each have their own core, and predicts the
# times on all numbers of ranks.
predict() {
    local count chosen='' folder rows
    rm -f "$out/prediction.json"
    for count in "${counts[@]}"; do
        folder=$out/runs/$(run_name "$count" 1)
        [ -e "$folder/summary.json" ] || continue
        ! grep -q '"oversubscribed": false' "$folder/summary.json" || chosen=$count
    done
    [ -n "$chosen" ] || return 0
    [ "$chosen" -gt 1 ] || return 0 # one rank has no link to measure
    folder=$out/runs/$(run_name "$chosen" 1)
    setting() { sed -n "s/^$1 = //p" <"$folder/config.conf"; }
    if [ "$(setting reproducible)$(setting shard-optimizer)" != falsefalse ]; then
        echo "no prediction: there is no model for --reproducible and --shard-optimizer" >&2
        return 0
    fi
    rows=$(setting batch)
    [ "$mode" = strong ] || rows=$batch
    echo "prediction, from a step on $chosen ranks" >&2
    program_on "$chosen"
    "${command[@]}" bench --json --predict "$ranks" --data "$(setting data)" --model "$(setting model)" \
        --batch "$rows" --threads "$(setting threads)" --layout "$(setting layout)" --steps 100 --reduce "$(setting reduce)" >"$out/prediction.new" || {
        echo "bench ended with code $?: the figures are drawn without a prediction" >&2
        rm -f "$out/prediction.new"
        return 0
    }
    mv "$out/prediction.new" "$out/prediction.json"
}

store_settings() { printf 'warmup = %s\ntarget = %s\n' "$warmup" "$target" >"$out/evaluation.conf"; }
if $only_evaluate; then
    [ -d "$out/runs" ] || die_data "$out: no experiment there"
    store_settings
else
    mkdir -p "$out/runs"
    record_common "$out" "mode: $mode" ${launch:+"launch: $launch"} "${common[@]}"
    store_settings
    mapfile -t order < <(in_random_order)
    for run in "${order[@]}"; do
        train "${run% *}" "${run#* }"
    done
    predict
fi
"$lockstep" scaling "$out"
if has_gnuplot; then
    "$here/plot_scaling.sh" "$out/scaling" "$out"
else
    echo "no figures: gnuplot is not installed (Debian: gnuplot-nox)" >&2
fi
