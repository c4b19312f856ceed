#!/usr/bin/env bash
# A checkpoint's data are read again as its training read them: the order of rows, the division, the statistics.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
need_python h5py

"$python" - <<'END_OF_PYTHON'
import h5py
import numpy as np

draw = np.random.RandomState(5)
x = draw.randn(50, 4).astype("float32")
y = x @ draw.randn(4, 1).astype("float32")
classes = np.arange(50) % 3

def write(name, **datasets):
    with h5py.File(name + ".h5", "w") as file:
        for path, data in datasets.items():
            file[path] = data

write("columns", x=x.T, y=y.T)
write("square", x=x[:4].T, y=y[:4].T)
write("rows", x=x, y=y, c=classes)
write("tiny", x=x, y=1e-4 * (y + draw.randn(50, 1)))
write("large", x=1e5 * x, c=classes)
write("stats", mean=np.zeros(4), std=np.ones(4))
END_OF_PYTHON

train() { # RUN EPOCHS OPTION ...
    local run=$1 epochs=$2
    shift 2
    "$lockstep" train --epochs "$epochs" --threads 1 --quiet --run "$run" "$@" 2>"$run.err"
}
fields=(--inputs x --targets y --model dense:1)
named=(--inputs x --targets c --model dense:3)

# Inputs of four rows of four columns are square: they don't tell their order.
train columns 1 --data columns.h5 "${fields[@]}" --test-rows last:10
check "the run folder has the order that the data showed" has columns/config.conf '^order = column-major$'
"$lockstep" predict --data square.h5 --checkpoint columns --test-rows all --out with.csv 2>err
"$lockstep" predict --data square.h5 --checkpoint columns --test-rows all --targets none --out without.csv 2>err
outputs() { "$python" -c 'import csv, sys; print([r["y0"] for r in csv.DictReader(open(sys.argv[1]))])' "$1"; }
check "outputs do not depend on targets that are only read along" [ -s without.csv -a "$(outputs with.csv)" = "$(outputs without.csv)" ]
train columns 2 --data columns.h5 "${fields[@]}" --test-rows last:10 --resume auto
check "the run resumes" [ $? = 0 ]

# Test rows that are told apart need no draw of others.
train strata 1 --data rows.h5 "${named[@]}" --hold-out stratified --validation 0.2
for rows in all last:46; do
    "$lockstep" eval --data rows.h5 --checkpoint strata --test-rows $rows >out 2>err
    check "a network of stratified rows is evaluated on the rows $rows" has out '^test loss'
done
refuses 2 'the rows were divided by their classes: without --targets' "$lockstep" predict --data rows.h5 --checkpoint strata \
    --targets none --split validation --out x.csv
train random 1 --data rows.h5 "${named[@]}" --hold-out random --validation 0.2
for split in train validation; do
    "$lockstep" predict --data rows.h5 --checkpoint random --split $split --out with.csv 2>err
    "$lockstep" predict --data rows.h5 --checkpoint random --split $split --targets none --out without.csv 2>err
    check "the $split rows are the same without targets" [ -s without.csv -a "$(cut -d, -f1 with.csv)" = "$(cut -d, -f1 without.csv)" ]
done

# Statistics from a file are part of what was learned.
stats=(--data rows.h5 "${fields[@]}" --standardize "file:stats.h5:/mean,/std")
train stats 1 "${stats[@]}"
"$python" -c 'import h5py; h5py.File("stats.h5", "a")["std"][1] = 7'
refuses 3 'the means and deviations of --standardize differ' "$lockstep" train --threads 1 --quiet --run stats "${stats[@]}" --epochs 2 --resume auto
train stats 2 "${stats[@]}" --resume auto --resume-anyway
check "--resume-anyway takes others, with a note" has stats.err 'with other means and deviations'

# Losses far below 1 are measured by exact sums, too, and large data do not diverge.
for how in "" --reproducible; do
    train tiny$how 60 --data tiny.h5 "${fields[@]}" --optimizer sgd --lr 0.3 --batch 64 $how
done
last() { tail -n 1 "$1/metrics.csv" | cut -d, -f2 | xargs printf '%.4e'; }
check "losses of 1e-8 are the same with --reproducible" [ "$(last tiny)" = "$(last tiny--reproducible)" ]
check "and not 0" awk "BEGIN { exit !($(last tiny) > 1e-12) }"
train large 1 --data large.h5 --inputs x --targets c --model "batchnorm dense:3"
check "a running variance of 1e10 is no divergence" [ $? = 0 ]
finish
