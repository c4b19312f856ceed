#!/usr/bin/env bash
# The metrics of a run: each is a column of metrics.csv and a value of summary.json, eval and the report, can be
# monitored, and has the same value on any number of ranks.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
"$lockstep" import --synthetic 600,1,6,6,8 --out eight.h5 >/dev/null 2>err
"$lockstep" import --synthetic 600,1,6,6,4 --out four.h5 >/dev/null 2>err

# Prints the values of a metric, one line per epoch.
column() { # RUN NAME
    awk -F, -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next } { print $at }' <"$1/metrics.csv"
}
# shellcheck disable=SC2317
has_column() { head -n 1 "$1/metrics.csv" | tr , '\n' | grep -qx "$2"; } # RUN NAME
model=dense:8
train() { # RUN RANKS OPTION ...
    local run=$1 ranks=$2
    shift 2
    mpirun -n "$ranks" "$lockstep" train --model "$model" --batch 50 --epochs 3 --threads 1 --reduce fused --run "$run" "$@" >out 2>err
}

monitors=$("$lockstep" train --help --all | awk '/^  --monitor/ { on = 1; next } on && /^  --/ { exit } on { print $1 }' | xargs)
check "train --help --all lists the metrics" [ -n "$monitors" ]
for monitor in $monitors; do
    case $monitor in
    epoch)
        train last 2 --data eight.h5 --monitor epoch
        check "--monitor epoch: the latest epoch is the best" has last/summary.json '^    "epoch": 3,'
        check "--monitor epoch: its value is its number" has last/summary.json '^    "value": 3.0'
        continue
        ;;
    auto)
        train choice 2 --data eight.h5 --monitor auto
        check "--monitor auto: the validation loss" has choice/summary.json '"monitor": "val_loss"'
        continue
        ;;
    *mae | *rmse | *auc | *r2 | *perplexity | *generator_loss | val_score | val_frechet | val_least_class | val_nearest | \
        *reconstruction | *kl | *elbo | val_active_units)
        why="is not defined for a classification task"
        [[ $monitor != *auc ]] || why="needs two classes, the data set has 8"
        refuses 2 "--monitor $monitor $why" \
            "$lockstep" train --data eight.h5 --model dense:8 --epochs 1 --monitor "$monitor"
        check "$monitor is no column of a classification" [ "$(head -n 1 val_loss/metrics.csv | grep -c "$monitor")" = 0 ]
        continue
        ;;
    esac
    train "$monitor" 2 --data eight.h5 --monitor "$monitor"
    check "$monitor can be monitored" [ $? = 0 ]
    check "$monitor is a column" has_column "$monitor" "$monitor"
    check "$monitor: a number per epoch" [ "$(column "$monitor" "$monitor" | grep -cE '^[0-9.]+(e-[0-9]+)?$')" = 3 ]
    check "$monitor: the start-up table names the monitored metric" has err "watching $monitor\$"
    check "$monitor: the line of each epoch shows its value" [ "$(grep -cE "^epoch .* $monitor [0-9]+\.[0-9]{4}" err)" = 3 ]
    check "$monitor: the summary names the monitored metric" has "$monitor/summary.json" "\"monitor\": \"$monitor\""
    check "$monitor: the summary has its final value" has "$monitor/summary.json" "^    \"$monitor\": [0-9.]+"
    down=$([[ $monitor = *loss ]] && echo min || echo max)
    check "$monitor: the summary says that its $down is the best" has "$monitor/summary.json" "^    \"mode\": \"$down\""
done
refuses 2 "--monitor: 'kappa' is not one of: $monitors\$" "$lockstep" train --data eight.h5 --monitor kappa

# An evaluation has the same result on any number of ranks, and the result of the run's last validation.
for ranks in 1 2 3; do
    mpirun -n $ranks "$lockstep" eval --data eight.h5 --checkpoint val_loss/checkpoints/last --split validation --threads 1 \
        --json >eval$ranks.json 2>err
    check "eval on $ranks ranks has the result of one rank" cmp eval1.json eval$ranks.json
done
for name in loss accuracy top5 balanced_accuracy macro_f1; do
    value=$(sed -E "s/.*\"$name\":([0-9.]+).*/\1/" eval1.json)
    check "eval has the run's val_$name" [ "$(printf %.6f "$value")" = "$(printf %.6f "$(column val_loss "val_$name" | tail -n 1)")" ]
done
check "eval prints top5" [ "$("$lockstep" eval --data eight.h5 --checkpoint val_loss | grep -cE '^test top5 [01]\.[0-9]{4}$')" = 1 ]
"$lockstep" report val_loss --out page.html >out 2>err
check "the report has top5 of training and validation rows" [ "$(grep -oE '(training|validation) top5' page.html | sort -u | wc -l)" = 2 ]

# With fewer than 6 classes top5 is meaningless: its columns exist and are empty.
model=dense:4
train few 2 --data four.h5
check "4 classes: training succeeds" [ $? = 0 ]
check "4 classes: metrics.csv has the column val_top5" has_column few val_top5
check "4 classes: the columns of top5 are empty" [ -z "$(column few top5)$(column few val_top5)" ]
check "4 classes: val_top5 is null in the summary" has few/summary.json '"val_top5": null'
"$lockstep" eval --data four.h5 --checkpoint few --json >out 2>err
check "4 classes: top5 is null in eval --json" has out '"top5":null'
"$lockstep" eval --data four.h5 --checkpoint few >out 2>err
check "4 classes: eval does not print top5" [ "$(grep -c top5 out)" = 0 ]
for monitor in top5 val_top5; do
    refuses 2 "--monitor $monitor needs 6 classes or more, the data set has 4" \
        "$lockstep" train --data four.h5 --model dense:4 --epochs 1 --monitor $monitor
done
finish
