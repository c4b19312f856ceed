#!/usr/bin/env bash
# The rows that are held out for validation; notes about classes without training rows; data sets that exist already.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
make_data=$2
"$make_data" data
rows() { grep -oE '"(validation_)?fingerprint": "[0-9a-f]+"' "$1/summary.json"; } # RUN
# shellcheck disable=SC2317
same_rows() { [ -n "$(rows "$1")" ] && [ "$(rows "$1")" = "$(rows "$2")" ]; }      # RUN RUN

# Print the loss of an evaluation, and the validation metrics of the last epoch of a run.
loss() { sed -n 's/.*"loss":\([0-9.]*\).*/\1/p' "$1" | cut -c 1-7; }       # JSON
val_loss() { tail -n 1 "$1/metrics.csv" | cut -d , -f 4 | cut -c 1-7; }     # RUN
val_accuracy() { tail -n 1 "$1/metrics.csv" | cut -d , -f 5; }              # RUN
# shellcheck disable=SC2317
above() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a > b) }'; }              # A B
net=(train --data data/sorted.h5 --model "dense:20 relu dense:5" --batch 16 --lr 0.01 --reduce fused --quiet)
train=("${net[@]}" --epochs 4)

# Data sorted by class: the last rows belong to the last classes only. One note reports that.
"$lockstep" "${train[@]}" --run last --validation 0.3 2>err
check "sorted data: one note about the classes" [ "$(grep -c '^note: classes: ' err)" = 1 ]
check "sorted data: one event about the classes" [ "$(grep -c '"event":"classes","epoch":0,"text":' last/events.jsonl)" = 1 ]
check "sorted data: the note names the classes and the remedy" has err '^note: classes: class 4 has no training rows besides those held out for validation; classes 0, 1, 2 have no validation rows \(sorted by class\? train with --hold-out stratified\)$'
"$lockstep" "${train[@]}" --run none --validation 0 2>err
check "--validation 0: no note about the classes" [ "$(grep -c '^note: classes' err)" = 0 ]

# The same rows are held out on any number of ranks, with every way of reading, and for eval.
for hold_out in random stratified; do
    held=("${train[@]}" --hold-out "$hold_out" --validation 0.25)
    "$lockstep" "${held[@]}" --run $hold_out 2>err
    check "$hold_out: no note about the classes" [ "$(grep -c '^note: classes' err)" = 0 ]
    mpirun -n 3 "$lockstep" "${held[@]}" --run ${hold_out}3 2>/dev/null
    check "$hold_out: the same rows are held out on 3 ranks" same_rows $hold_out ${hold_out}3
    mpirun -n 2 "$lockstep" "${held[@]}" --run ${hold_out}root --read root 2>/dev/null
    check "$hold_out: the same rows are held out if rank 0 reads" same_rows $hold_out ${hold_out}root
    mpirun -n 3 "$lockstep" "${held[@]}" --run ${hold_out}stream --shuffle local --stream --memory 120K 2>/dev/null
    check "$hold_out: the same rows are held out of a stream" same_rows $hold_out ${hold_out}stream
    for run in $hold_out ${hold_out}stream; do
        check "$run learns all classes" above "$(val_accuracy "$run")" 0.9
        mpirun -n 2 "$lockstep" eval --data data/sorted.h5 --checkpoint "$run"/checkpoints/last --split validation --json >eval.json
        check "$run: eval evaluates the rows that were held out" [ "$(loss eval.json)" = "$(val_loss "$run")" ]
    done
    check "$hold_out: 100 rows are held out" has eval.json '"rows":100,'
    "$lockstep" "${held[@]}" --run ${hold_out}seed --seed 1 2>/dev/null
    check "$hold_out: another seed holds other rows out" [ "$(rows $hold_out)" != "$(rows ${hold_out}seed)" ]
done
check "random and stratified hold different rows out" [ "$(rows random)" != "$(rows stratified)" ]
"$lockstep" eval --data data/sorted.h5 --checkpoint stratified --split validation --json >eval.json
for class in 0 1 2 3 4; do # of 400 rows
    share=$(grep -oE '\[[0-9,]+\]' eval.json | sed -n "$((class + 1))p" | tr -d '[]' | tr , '\n' | awk '{ n += $1 } END { print n }')
    check "stratified: class $class has its share of the held-out rows" [ "$share" -ge 15 ]
done
refuses 2 '--hold-out is random, was stratified' "$lockstep" "${net[@]}" --run stratified --hold-out random \
    --validation 0.25 --epochs 6 --resume auto
"$lockstep" "${net[@]}" --run stratified --hold-out stratified --validation 0.25 --epochs 5 --resume auto 2>/dev/null
check "a resumed run holds the same rows out" [ $? = 0 ]
refuses 2 "first 300: data/sorted.h5 has 300 training rows" "$lockstep" augment-preview --data data/sorted.h5 \
    --augment shift:1 --hold-out stratified --validation 0.25 --first 300

# import reports classes without rows, and limits each split separately.
"$lockstep" import --idx data --out seven.h5 --classes 7 2>err
check "import names classes without rows" has err '^note: classes: classes 5, 6 have no rows$'
"$lockstep" import --idx data --out few.h5 --limit 2 2>err
check "--limit limits the training rows" has err '^few.h5: 2 training and 100 test rows'
check "import names classes that have test rows only" has err '^note: classes: classes .* have no training rows, but some test rows'
"$lockstep" import --idx data --out tests.h5 --limit-test 30 2>err
check "--limit-test limits the test rows" has err '^tests.h5: 400 training and 30 test rows'
check "no note if all classes have rows" [ "$(wc -l <err)" = 1 ]
refuses 2 'limit-test 3: there are no test files' "$lockstep" import --train-images data/train-images-idx3-ubyte \
    --train-labels data/train-labels-idx1-ubyte --limit-test 3 --out x.h5

# A data set is replaced by an equal one; by a different one only on request.
"$lockstep" import --idx data --out tests.h5 --limit-test 30 --compress 2>err
check "an import can be repeated" [ $? = 0 ]
cp tests.h5 before.h5
refuses 2 'tests.h5: a data set of different content exists: not overwritten; .* --force' "$lockstep" import --idx data --out tests.h5
refuses 2 'different content exists: not overwritten' "$lockstep" import --synthetic 400,1,8,8,5 --out tests.h5
check "the data set is unchanged" cmp -s tests.h5 before.h5
check "no temporary file is left" [ "$(find . -name '*.tmp' | wc -l)" = 0 ]
"$lockstep" import --idx data --out tests.h5 --force 2>err
check "--force replaces it" has err '^tests.h5: 400 training and 100 test rows'
# Also if the layout of the images is doubtful.
for _ in 1 2; do "$lockstep" import --synthetic 200,8,12,4,3 --out doubtful.h5 2>err; done
check "an import of a doubtful layout can be repeated" [ $? = 0 ]

# No row can be held out if each class has a single row.
refuses 2 'no class has enough rows to hold one out' "$lockstep" train --data few.h5 \
    --model dense:5 --hold-out stratified --validation 0.5
finish
