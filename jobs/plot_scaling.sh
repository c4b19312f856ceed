#!/usr/bin/env bash
# Draws a scaling experiment that `lockstep scaling` has evaluated: speed-up and efficiency over the number
# of ranks, with the intervals of the medians as error bars and the prediction dashed, and the ranks' time by
# phase; below them a caption with workload, machine, statistics, and doubts about the measurements.
# Writes OUT.svg, OUT.png and OUT.pdf.
#
#   plot_scaling.sh OUT FOLDER
#
# FOLDER  the experiment, with scaling.csv and caption.txt
#
# Hollow points: more ranks than cores; their speed means nothing. The prediction is for one core per rank;
# its error is the largest error among the runs with one core per rank.
# Needs gnuplot 5.2 or newer (Debian: gnuplot-nox).
set -euo pipefail
# shellcheck source=jobs/common.sh
. "$(dirname "$0")/common.sh"
[ "${1:-}" != --help ] || usage 0
refuse_options "$@"
[ $# = 2 ] || misuse "two arguments are needed"
plain_path "$2"
folder=$path
for file in scaling.csv caption.txt; do
    [ -r "$folder/$file" ] || die_data "$folder/$file: no such file: lockstep scaling makes it"
done
need_gnuplot

# Facts for the figure: smallest and largest speed-up, measured or predicted; 1 if there is a prediction; its largest
# error; 1 if ranks share cores; the best efficiency.
awk -F, '
    NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    function get(name) { return $(at[name]) }
    function more(a, b) { return a + 0 > b + 0 ? a : b }
    {
        n++
        printf "ranks[%d] = %d\n", n, get("ranks")
        low = n == 1 || get("speedup_low") + 0 < low ? get("speedup_low") + 0 : low
        top = more(top, get("speedup_high")); best = more(best, get("efficiency_high"))
        crowded = more(crowded, get("oversubscribed"))
        if (get("predicted_speedup") == "") next
        predicted = 1
        if (get("oversubscribed") == 1) next
        top = more(top, get("predicted_speedup")); best = more(best, get("predicted_speedup") / get("ranks"))
        error = get("prediction_error") + 0
        worst = more(worst, error < 0 ? -error : error)
    }
    END { printf "rows = %d; bottom = %.9g; top = %.9g; best = %.9g; worst = %.9g; crowded = %d; predicted = %d\n",
        n, low, top, best, worst, crowded, predicted }
' <"$folder/scaling.csv" >"$scratch/facts"
grep -q '^ranks\[1\]' "$scratch/facts" || die_data "$folder/scaling.csv: no rows to draw"
{
    echo "array ranks[$(grep -c '^ranks' "$scratch/facts")]"
    cat "$scratch/facts"
    title=$(head -n 1 "$folder/caption.txt")
    [ ${#title} -le 104 ] || title=${title:0:101}...
    echo "title = $(gnuplot_text "$title")"
    mapfile -t lines < <(tail -n +2 "$folder/caption.txt" | fold -s -w 165)
    echo "lines = ${#lines[@]}; array line[lines]"
    for ((i = 0; i < ${#lines[@]}; i++)); do
        echo "line[$((i + 1))] = $(gnuplot_text "${lines[i]}")"
    done
} >"$scratch/facts.gp"
cp -- "$folder/scaling.csv" "$scratch/scaling.csv"
draw "$(dirname "$0")/plot_scaling.gp" "$1"
