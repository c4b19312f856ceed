#!/usr/bin/env bash
# Draws loss and accuracy, of regressions loss and RMSE, of up to 8 runs over their epochs: validation solid, training dashed, a dot at the
# best epoch. Writes OUT.svg, OUT.png and OUT.pdf.
#
#   plot_training.sh [--log] OUT RUN [RUN ...]
#
# RUN     a run folder; the legend shows its name
# --log   a logarithmic axis for the loss
#
# The best epoch is the best by the run's --monitor. Runs without validation rows have training curves only.
# Needs gnuplot 5.2 or newer (Debian: gnuplot-nox).
set -euo pipefail
# shellcheck source=jobs/common.sh
. "$(dirname "$0")/common.sh"
[ "${1:-}" != --help ] || usage 0
log=0
if [ "${1:-}" = --log ]; then
    log=1
    shift
fi
refuse_options "$@"
[ $# -ge 2 ] || misuse "two arguments or more are needed"
out=$1
shift
[ $# -le 8 ] || die "$# runs: a figure shows at most 8 distinguishable runs"
need_gnuplot

# The second panel: accuracy if a run has it, else RMSE.
second=accuracy
for folder; do
    head -n 1 -- "$folder/metrics.csv" 2>/dev/null | tr , '\n' | grep -x accuracy || true
done | grep -q . || second=rmse

# Reads a run's metrics.csv; writes a table for gnuplot without NaN and Inf, and prints facts for the figure: 1 if there are
# validation rows, best epoch, last epoch, smallest and largest loss and second metric, smallest loss above 0.
summarise_metrics() { # MONITOR MODE MIN_DELTA TABLE, metrics.csv -> "VALIDATION BEST LAST LOSSES SECONDS LEAST_POSITIVE_LOSS"
    awk -F, -v monitor="$1" -v mode="$2" -v delta="$3" -v table="$4" -v second="$second" '
        function number(text) { return text ~ /^[-+]?[0-9.]+([eE][-+]?[0-9]+)?$/ ? text : "" }
        function note(k, value) {
            if (value == "")
                return
            if (low[k] == "" || value + 0 < low[k]) low[k] = value + 0
            if (high[k] == "" || value + 0 > high[k]) high[k] = value + 0
            if (value + 0 > 0 && (positive[k] == "" || value + 0 < positive[k])) positive[k] = value + 0
        }
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; training = monitor; sub(/^val_/, "", training); next }
        number($1) != "" {
            for (i = 1; i <= NF; i++) value[i] = number($i)
            n++
            epoch[n] = $1
            watched[n] = value[at[monitor]]; of_training[n] = value[at[training]]
            loss[n] = value[at["loss"]]; other[n] = value[at[second]]
            val_loss[n] = value[at["val_loss"]]; val_other[n] = value[at["val_" second]]
            if (val_loss[n] != "") validation = 1
            printf "%s,%s,%s,%s,%s\n", $1, loss[n], other[n], val_loss[n], val_other[n] > table
            note("loss", loss[n]); note("loss", val_loss[n])
            note("other", other[n]); note("other", val_other[n])
        }
        END {
            if (!n || low["loss"] == "") exit
            sign = mode == "max" || (mode != "min" && monitor !~ /loss/) ? -1 : 1
            for (i = 1; i <= n; i++) {
                v = validation ? watched[i] : of_training[i]
                if (v != "" && (best == "" || sign * v < sign * least - delta)) { least = v; best = epoch[i] }
            }
            if (low["other"] == "") { low["other"] = 0; high["other"] = 1 }
            if (positive["loss"] == "") positive["loss"] = 1e-6
            printf "%d %d %d %.9g %.9g %.9g %.9g %.9g", validation, best, epoch[n], low["loss"], high["loss"],
                low["other"], high["other"], positive["loss"]
        }'
}

setting() { sed -n "s/^$2 = //p" 2>/dev/null <"$1/config.conf" || true; } # RUN KEY

number=0 same_data='' same_model=''
{
    echo "log = $log"
    echo "second = '$second'"
    echo "runs = $#"
    echo "array validation[runs]; array best[runs]; array last[runs]; array low[runs]; array high[runs]"
    echo "array least[runs]; array most[runs]; array positive[runs]"
    rows=()
    for folder; do
        number=$((number + 1))
        plain_path "$folder"
        folder=$path
        [ -r "$folder/metrics.csv" ] || die_data "$folder/metrics.csv: no such file, or it can't be read"
        delta=$(setting "$folder" min-delta)
        facts=$(summarise_metrics "$(setting "$folder" monitor)" "$(setting "$folder" mode)" "${delta:-0}" "$scratch/$number.csv" <"$folder/metrics.csv")
        [ -n "$facts" ] || die_data "$folder/metrics.csv: no epoch to draw"
        read -r validation best last low high least most positive <<<"$facts"
        echo "validation[$number] = $validation; best[$number] = $best; last[$number] = $last; low[$number] = $low"
        echo "high[$number] = $high; least[$number] = $least; most[$number] = $most; positive[$number] = $positive"
        name=$(basename -- "$(realpath -- "$folder")")
        mapfile -t parts < <(fold_name "$name" 26 3)
        for part in "${parts[@]}"; do
            rows+=("$number $part")
        done
        data=$(setting "$folder" data)
        data=$(basename -- "${data%.h5}")
        model=$(setting "$folder" model)
        [ $number != 1 ] || same_data=$data same_model=$model
        [ "$same_data" = "$data" ] || same_data='several data sets'
        [ "$same_model" = "$model" ] || same_model='several networks'
    done
    # The legend: the run of each line, and 1 if the line is the first line of the run.
    echo "rows = ${#rows[@]}; array row[rows]; array owner[rows]; array head[rows]"
    before=0
    for ((i = 0; i < ${#rows[@]}; i++)); do
        owner=${rows[i]%% *}
        echo "row[$((i + 1))] = $(gnuplot_text "${rows[i]#* }"); owner[$((i + 1))] = $owner; head[$((i + 1))] = $((owner != before))"
        before=$owner
    done
    [ ${#same_model} -le 64 ] || same_model=${same_model:0:61}...
    title=$same_model${same_model:+${same_data:+ on }}$same_data
    [ ${#title} -le 88 ] || title=${title:0:85}...
    echo "title = $(gnuplot_text "$title")"
} >"$scratch/facts.gp"
draw "$(dirname "$0")/plot_training.gp" "$out"
