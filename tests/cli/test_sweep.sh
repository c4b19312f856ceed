#!/usr/bin/env bash
# Sweeps: grid, random sample, interruption, job array, ranking; and the figure of the runs' curves.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
export LOCKSTEP=$1
make_data=$2
jobs=$3/jobs
"$make_data" data
common=(--data data/data.h5 --model dense:5 --epochs 2)
sweep() { "$jobs/sweep.sh" "$@"; }
# Checks that a sweep is refused with code 2 and a message that matches.
refuses_sweep() { # PATTERN ARGUMENT ...
    local pattern=$1
    shift
    sweep "$@" >out 2>err
    check "refused: $*" [ $? = 2 ]
    check "the message gives the reason: $*" has err "^sweep.sh: .*$pattern"
}
# Prints a column of a sweep's ranking.
column() { awk -F, -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i } NR > 1 { print $at }' "$1/ranking.csv"; }

sweep --help >out
check "--help prints the usage" has out '^  sweep.sh --out runs/sweep'
refuses_sweep 'out is needed' lr=1 -- "${common[@]}"
refuses_sweep 'give NAME=VALUES' --out s
refuses_sweep 'a range needs --random' --out s lr=0.1..0.2 --
refuses_sweep 'must go up' --out s --random 2 lr=log:0..0.2 --
refuses_sweep 'is not a range' --out s --random 2 lr=log:1,2 --
refuses_sweep 'is not a whole number' --out s --random some lr=1 --
refuses_sweep 'given twice' --out s lr=1 lr=2 --
refuses_sweep "run can't be swept" --out s run=a,b --
refuses_sweep "neither an option nor NAME" --out s --rank 2 lr=1

# A grid: one run per combination, ranked by the best validation loss.
sweep --out grid --ranks 2 lr=0.01,1e-5 batch=16,40 -- "${common[@]}" >out 2>err
check "a grid succeeds" [ $? = 0 ]
check "a grid has a run per combination" [ "$(find grid -name summary.json | wc -l)" = 4 ]
check "a line per run shows its best value" has err '^\[4/4\] lr=1e-5_batch=40: val_loss [0-9.]+ in epoch [12], [0-9.]+ s$'
check "the ranking has the expected columns" [ "$(head -n 1 grid/ranking.csv)" = place,run,lr,batch,monitor,value,epoch,val_loss,val_accuracy,seconds ]
check "the ranking is sorted by value" [ "$(column grid value)" = "$(column grid value | sort -g)" ]
check "the larger learning rate is ranked first" [ "$(column grid lr | xargs)" = "0.01 0.01 1e-5 1e-5" ]
best=$(column grid run | head -n 1)
check "the ranking has the value of the run's summary" has "grid/$best/summary.json" "\"value\": $(column grid value | head -n 1)"
check "the ranking is printed" has out "^    1  val_loss +0\.[0-9]+ +2  $best$"
check "the runs have two ranks" has "grid/$best/summary.json" '"ranks": 2'

# The grid with another value: existing runs are kept.
before=$(stat -c %Y.%i grid/lr={0.01,1e-5}_batch={16,40}/summary.json)
sweep --out grid --ranks 2 lr=0.01,1e-5,1e9 batch=16,40 -- "${common[@]}" >out 2>err
check "only new combinations are trained" [ "$(grep -c '^\[' err)" = 2 ]
check "diverged runs are reported" [ "$(grep -c ': diverged$' err)" = 2 ]
check "diverged runs are ranked last" [ "$(column grid monitor | tail -n 2 | xargs)" = "diverged diverged" ]
check "existing runs are unchanged" [ "$(stat -c %Y.%i grid/lr={0.01,1e-5}_batch={16,40}/summary.json)" = "$before" ]
sweep --out grid lr=0.01,1e-5,1e9 batch=16,40 --ranking -- >again 2>err
check "--ranking prints the same ranking without training" cmp -s out again
refuses_sweep 'holds runs with other options' --out grid lr=0.01 -- --data data/data.h5

# Changed data under the same name are detected by content, not by name or age; equal data are accepted.
cp -r data source
cp -r grid moved
touch -d '2001-01-01' data/data.h5
sweep --out grid --ranks 2 lr=0.01 batch=16 -- "${common[@]}" >out 2>err
check "data with another time stamp are accepted" [ $? = 0 ]
"$LOCKSTEP" import --idx source --out other.h5 --limit 300 2>/dev/null
sleep 1.1
"$LOCKSTEP" import --idx source --out again.h5 --limit 300 2>/dev/null
check "the same import gives the same file" cmp -s other.h5 again.h5
cp other.h5 data/data.h5
refuses_sweep 'moved holds runs on other data or another configuration: data/data.h5 is not the file' --out moved lr=0.01 batch=16 -- "${common[@]}"
cp source/data.h5 data/data.h5
cp source/data.h5 some.h5
sweep --out sets data=some.h5 -- --model dense:5 --epochs 1 >out 2>err
cp other.h5 some.h5
sweep --out sets data=some.h5 -- --model dense:5 --epochs 1 >out 2>err
check "a changed data set that is swept over is a run of its own" [ "$(find sets -name summary.json | wc -l)" = 2 ]
check "the ranking has only runs on the present data" [ "$(wc -l <sets/ranking.csv)" = 2 ]
mkdir 'x=y' && (cd 'x=y' && ln -s ../data data && sweep --out a=b seed=1 -- "${common[@]}" >out 2>err)
check "a folder whose name contains = can be swept in" [ "$(column './x=y/a=b' place)" = 1 ]

# Values with blanks and commas; an accuracy is ranked in descending order; a rejected run is reported.
sweep --out models 'model=dense:5|dense:9 relu dense:5|dense:4' normalize='0,1|0,0.5' -- --data data/data.h5 --epochs 1 \
    --monitor val_accuracy >out 2>err
check "a sweep with a refused run ends with code 1" [ $? = 1 ]
check "the refused run's message is printed" has err 'model=dense:4_normalize.*: lockstep: --model: word 1'
check "the other runs are trained" [ "$(find models -name summary.json | wc -l)" = 4 ]
check "values with commas are quoted in the ranking" has models/ranking.csv '^[1-4],[^,]*_[0-9]+,dense:9 relu dense:5,"0,0.5",val_accuracy,'
values() { awk -F, '{ print $(NF - 4) }' models/ranking.csv | tail -n +2; } # from the end: quoted fields have commas
check "an accuracy is ranked in descending order" [ "$(values)" = "$(values | sort -gr)" ]

# A wrong name of an option: every run is refused, and there is nothing to rank.
sweep --out wrong lrr=0.1,0.2 -- "${common[@]}" >out 2>err
check "a sweep whose runs are all refused ends with code 1" [ $? = 1 ]
check "the wrong name is in the message" has err 'there is no option --lrr; did you mean --lr'
check "no empty ranking is printed" [ ! -s out ]
check "the message says that nothing is ranked" has err '^no run of 2 is finished: there is no ranking$'

# A random sample is a function of the seed; a larger sample starts with the smaller one; the tasks of a job array divide
# the sample.
spec=(lr=log:1e-4..1e-1 weight-decay=0.0..0.1 batch=16..40 'optimizer=adam,sgd')
sweep --out random --random 3 --seed 7 "${spec[@]}" -- "${common[@]}" >out 2>err
check "a random sample has the requested number of runs" [ "$(column random lr | wc -l)" = 3 ]
check "random rates are in the range" [ "$(column random lr | awk '$1 < 1e-4 || $1 > 0.1' | wc -l)" = 0 ]
check "random batches are whole numbers in the range" [ "$(column random batch | grep -cE '^(1[6-9]|[23][0-9]|40)$')" = 3 ]
for task in 2 4; do
    SLURM_ARRAY_TASK_ID=$task SLURM_ARRAY_TASK_MIN=2 SLURM_ARRAY_TASK_STEP=2 SLURM_ARRAY_TASK_COUNT=2 \
        sweep --out array --random 5 --seed 7 "${spec[@]}" -- "${common[@]}" >out 2>err$task
done
check "the first task makes every second run" [ "$(grep -c '^\[[135]/5\]' err2)" = 3 -a "$(grep -c '^\[' err2)" = 3 ]
check "the first task reports the unfinished runs" has err2 '^2 of 5 not finished'
check "the second task makes the other runs" [ "$(grep -c '^\[[24]/5\]' err4)" = 2 -a "$(grep -c '^\[' err4)" = 2 ]
check "both tasks together make all runs" [ "$(column array run | wc -l)" = 5 ]
check "the smaller sample is part of the larger one" [ -z "$(comm -23 <(column random run | sort) <(column array run | sort))" ]

# Cross-validation: each combination is the mean of its folds, with the test rows' metrics.
refuses_sweep 'sets the fold: leave out --fold' --out folds --folds 3 -- "${common[@]}" --fold 1/3
refuses_sweep 'sets the fold: leave out fold=' --out folds --folds 3 fold=1/3 -- "${common[@]}"
refuses_sweep '--folds must be 2 or more' --out folds --folds 0 lr=1 -- "${common[@]}"
sweep --out folds --folds 3 lr=1e-5,0.01,1e9 -- "${common[@]}" >out 2>err
check "a sweep of folds succeeds" [ $? = 0 ]
check "each combination has a run for each fold" [ "$(find folds -name summary.json | wc -l)" = 6 ]
check "they hold out different folds" has folds/lr=0.01_fold=2-3/config.conf '^fold = 2/3$'
check "combinations are ranked by their mean" [ "$(column folds run | xargs)" = "lr=0.01 lr=1e-5 lr=1e9" ]
mean() { awk '{ n++; s += $1; q += $1 * $1 } END { m = s / n; printf "%.5g %.3g", m, sqrt((q - n * m * m) / (n - 1)) }'; }
values=$(sed -n 's/^    "value": \([^,]*\),*$/\1/p' folds/lr=0.01_fold=?-3/summary.json | mean)
check "the ranking has mean and deviation of the monitor" [ "$values" = "$(awk -F, 'NR == 2 { printf "%.5g %.3g", $5, $6 }' folds/ranking.csv)" ]
tests=$(for k in 1 2 3; do
    "$LOCKSTEP" eval --data data/data.h5 --checkpoint folds/lr=0.01_fold=$k-3 --json 2>err | sed 's/.*"accuracy":\([^,]*\),.*/\1/'
done | mean)
check "and of the test rows" [ "$tests" = "$(awk -F, 'NR == 2 { printf "%.5g %.3g", $10, $11 }' folds/ranking.csv)" ]
check "a combination that diverged is last" [ "$(column folds monitor | tail -n 1)" = diverged ]
check "it is printed" has out '^    1  val_loss +[0-9.]+ +[0-9.e-]+ +[0-9.]+ +[0-9.e-]+  lr=0.01$'
sweep --out cross --folds 2 -- "${common[@]}" --monitor val_macro_f1 >out 2>err
check "one configuration is cross-validated" [ "$(column cross run)" = all ]
check "the metric of the monitor is that of the test rows" has out 'test macro_f1'
check "with its mean" has out "^    1  val_macro_f1 .* $(printf %.6g "$(column cross test_macro_f1)") "
sweep --out cross --folds 2 --ranking -- >again 2>err
check "--ranking prints the same" cmp -s out again

# A sweep that is stopped within a run resumes in this run.
common=(--data data/data.h5 --model "dense:200 relu dense:5" --batch 16)
sweep --out limited seed=1,2 -- "${common[@]}" --max-time 0.001s >out 2>err
check "a time limit ends the sweep with 75" [ $? = 75 ]
check "the message names the run that was stopped" has err '^\[1/2\] seed=1: ended with code 75'
"$jobs/sweep.sh" --out stopped seed=1,2 -- "${common[@]}" --epochs 100000 >out 2>err &
pid=$!
until grep -qs '"checkpoint".*"steps":[0-9]\{3\}' stopped/seed=1/events.jsonl || ! kill -0 $pid 2>/dev/null; do sleep 0.05; done
kill -TERM $pid
wait $pid
check "a signal ends the sweep with 75" [ $? = 75 ]
check "the run gets the signal" has stopped/seed=1.log '^lockstep: .*stopped by SIGUSR1'
epochs=$(($(tail -n 1 stopped/seed=1/metrics.csv | cut -d, -f1) + 2))
sed -i "s/^100000\$/$epochs/" stopped/common # a number of epochs that ends soon
sweep --out stopped seed=1,2 -- "${common[@]}" --epochs $epochs >out 2>err
check "the sweep resumes and succeeds" [ $? = 0 ]
check "the interrupted run is resumed" has stopped/seed=1/events.jsonl '"event":"resume"'
check "the other run is complete" has stopped/seed=2/summary.json '"outcome": "completed"'

# The curves. Names of runs are neither run by a shell nor interpreted by gnuplot, in any locale.
if command -v gnuplot >/dev/null; then
    plot() { "$jobs/plot_training.sh" "$@"; }
    plot curves grid/lr=0.01_batch=16 grid/lr=0.01_batch=40 2>err
    check "curves are drawn" [ $? = 0 ]
    check "only one line is printed" [ "$(cat err)" = "drawn: curves.svg, curves.png, curves.pdf" ]
    check "the figure is written as PNG" [ "$(head -c 4 curves.png | tail -c 3)" = PNG ]
    check "the figure is written as PDF" [ "$(head -c 4 curves.pdf)" = %PDF ]
    check "the figure is written as SVG, with the runs' names" has curves.svg 'lr=0.01_batch=40'
    check "the figure names model and data" has curves.svg '>dense:5 on data<'
    odd=('a b' "r\$(touch made)\`touch made\`" "q'; touch made; '" '< touch made;' '<b>&"{x}_@y %s\n' '-x=1' $'\xff\n')
    mkdir odd
    for name in "${odd[@]}"; do cp -r grid/lr=0.01_batch=16 "odd/$name"; done
    awk -F, -v OFS=, 'NR > 1 { $4 = $5 = "nan" } 1' grid/lr=0.01_batch=16/metrics.csv >'odd/a b/metrics.csv'
    (cd odd && LC_ALL=de_DE.UTF-8 plot '|touch made;' "${odd[@]}" ../grid/lr=0.01_batch=40) 2>err
    check "curves of runs with unusual names are drawn" [ $? = 0 ]
    check "no name is run as a command" [ -z "$(find . -name made)" ]
    check "names are escaped in the figure" has 'odd/|touch made;.svg' '&lt;b>&amp;'
    plot curves odd/* grid/*=16 2>err
    check "more than 8 runs are refused" [ $? = 2 ]
    check "the message has the number of runs" has err '^plot_training.sh: [0-9]+ runs: a figure shows at most 8'
    plot curves grid nowhere 2>err
    check "a folder without a run is refused" [ $? = 3 ]
    check "the message names the folder" has err '^plot_training.sh: grid/metrics.csv: no such file'
    check "a classification has a panel of accuracies" has curves.svg '>accuracy<'
    printf 'epoch,loss,val_loss,lr,mae,rmse,val_mae,val_rmse,val_r2\n1,2,3,0.1,9,12,10,13,0.5\n2,1,2,0.1,8,10,9,12,0.6\n' >values.csv
    mkdir values && mv values.csv values/metrics.csv && printf 'monitor = val_loss\n' >values/config.conf
    plot errors values 2>err
    check "a regression is drawn: $(cat err)" has err '^drawn: errors.svg'
    check "with a panel of its RMSE" has errors.svg '>RMSE<'
    check "and none of accuracies" [ "$(grep -c '>accuracy<' errors.svg)" = 0 ]
    plot --out cur values 2>err
    check "an unknown option is refused" [ $? = 2 ]
    check "and named" has err '^plot_training.sh: no option --out here'
    check "it is no figure" [ -z "$(find . -name '*--out*')" ]
    "$jobs/report.sh" values --out page.html 2>err
    check "report.sh refuses it, too" has err '^report.sh: no option --out here'
    plot --help >out
    check "plot_training.sh --help prints the usage" has out 'plot_training.sh \[--log\] OUT RUN'
fi
finish
