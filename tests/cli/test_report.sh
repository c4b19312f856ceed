#!/usr/bin/env bash
# The report of a run: it is complete, escapes all texts, and loads nothing from elsewhere.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
export LOCKSTEP=$lockstep LAUNCH='mpirun -n 2'
make_data=$2
jobs=$3/jobs
"$make_data" data
"$lockstep" import --idx data --out 'a<b>&c.h5' --name 'a<b>&c' 2>/dev/null
mpirun -n 2 "$lockstep" train --data 'a<b>&c.h5' --model "dense:20 relu dense:5" --epochs 4 --run run --quiet 2>/dev/null
"$jobs/scaling.sh" --out scaling --launch mpirun --ranks 1,2 --repeats 1 -- --data 'a<b>&c.h5' \
    --model "dense:20 relu dense:5" --epochs 2 >/dev/null 2>&1
"$jobs/report.sh" run 'a<b>&c.h5' scaling 2>err
check "the report succeeds" [ $? = 0 ]
page=run/report.html
check "the report's size is printed" has err 'run/report.html: page of [0-9.]+ kB about run'
check "the page has the outcome of the run" has $page '<th>outcome</th><td><code>completed</code>'
check "the data set's name is escaped" has $page '<h1>run: a&lt;b&gt;&amp;c</h1>'
check "no text is markup" [ "$(grep -c '<b>' $page)" = 0 ]
check "the page has 2 charts and a confusion matrix" [ "$(grep -c '<svg' $page)" = 3 ]
check "a curve has 4 points" has $page '<path d="M[0-9. ]+L[0-9. ]+L[0-9. ]+L[0-9. ]+"'
check "the confusion matrix has titles" [ "$(grep -c '<title>[0-4] taken for [0-4]: ' $page)" -ge 5 ]
# The sections are in order; the result is first.
grep -oE '<(h1|h2|dl|dt)[^<]*' $page | sed 's/<[^>]*>//; s/^run: .*/run/' | grep -v '^$' >parts
printf '%s\n' run 'test accuracy' 'validation accuracy' epochs time ranks Curves 'Confusion of classes' 'Worst errors' \
    Diagnosis Scaling 'Time of an epoch' Record Settings >expected
check "the sections are in the expected order" cmp parts expected
check "the page has the diagnosis of the summary" has $page "<p>.*$(sed -n '/"diagnosis"/,/}/s/.*"text": "\(.\{20\}\).*/\1/p' run/summary.json)"
check "the page has styles for printing" has $page '@page\{size:A4.*@media print'
check "the page has the picture of the errors" has $page 'src="data:image/png;base64,iVBORw0KGgo'
check "the page has the table of the scaling experiment" has $page '<tr><td>2\*?</td><td>1</td><td>[0-9.]+</td>'
! command -v gnuplot >/dev/null || check "the page has the figure of the scaling experiment" has $page 'src="data:image/svg\+xml;base64,'
check "the page has the settings" has $page '<th>epochs</th><td><code>4</code>'
check "the page loads nothing from elsewhere" [ "$(grep -cE '<script|<link|(src|href)="(https?:|//)' $page)" = 0 ]
grep -o 'data:image/png;base64,[^"]*' $page | cut -d, -f2 | base64 -d >picture.png
check "the picture of the errors is complete" [ "$(tail -c 12 picture.png | head -c 8 | tail -c 4)" = IEND ]

"$lockstep" import --synthetic 60,1,8,8,5 --out other.h5 2>/dev/null
"$jobs/report.sh" run other.h5 2>err
check "other data without a known source are refused by their rows" [ $? = 3 ]
check "the message says which rows differ: $(cat err)" has err '^lockstep: other.h5: its train rows are not those that run/checkpoints/.* was trained on$'
"$lockstep" import --train-images data/t10k-images* --train-labels data/t10k-labels* \
    --test-images data/t10k-images* --test-labels data/t10k-labels* --out less.h5 2>/dev/null
"$jobs/report.sh" run less.h5 2>err
check "a data set that the run was not trained on is refused" [ $? = 3 ]
check "the message names the data set" has err '^report.sh: less.h5 is of other data than run was trained on'

"$lockstep" report run --out small.html 2>err
check "lockstep report makes a page of a run alone" [ $? = 0 ]
check "a page without an evaluation has the commands that evaluate" has small.html \
    '^<pre>lockstep eval --data a&lt;b&gt;&amp;c.h5 --checkpoint run --split test --json &gt; FILE; lockstep report run --evaluation FILE</pre>$'
check "the diagnosis begins with a capital" has small.html '^<p>(<strong>)?[A-Z]'
check "numbers have separators" has small.html '<th>samples_per_second</th><td><code>[0-9]{1,3}(,[0-9]{3})+<'
cp -a run own && rm -f own/report.html
"$lockstep" report own 2>err
check "lockstep report writes into the run folder" has err '^own/report.html: page of [0-9.]+ kB about own$'
echo precious >note.txt
refuses 2 'note.txt: this file exists and is not of type HTML page by Lockstep' "$lockstep" report run --out note.txt
printf '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>mine</title></head></html>\n' >mine.html
refuses 2 'mine.html: this file exists and is not of type HTML page by Lockstep' "$lockstep" report run --out mine.html
check "a page of someone else is unchanged" has mine.html '<title>mine</title>'
"$lockstep" report run --out small.html 2>err
check "a page of Lockstep is replaced: $(cat err)" has err '^small.html: page of'
refuses 3 'nowhere: holds no run' "$lockstep" report nowhere
refuses 3 'note.txt: line 1: no JSON object' "$lockstep" report run --evaluation note.txt
refuses 3 'note.txt: neither a PNG nor an SVG' "$lockstep" report run --evaluation scaling/scaling.json --errors note.txt
check "a refused report writes nothing" [ ! -e report.html ]

# The page names missing parts and shows the others: an interrupted run, data without test rows, a run without
# validation rows, a run without a checkpoint.
limited stopped mpirun -n 2 "$lockstep" train --data 'a<b>&c.h5' --model dense:5 --epochs 1000000 --quiet 2>/dev/null
check "a time limit interrupts the run" [ $? = 75 ]
"$jobs/report.sh" stopped 'a<b>&c.h5' '' stopped.html 2>err
check "an interrupted run: the report succeeds" [ $? = 0 ]
check "an interrupted run: the page says that the run is unfinished" has stopped.html 'This run is unfinished: it was interrupted'
check "an interrupted run: the page gives the reason" has stopped.html 'stopped by the time limit'
check "an interrupted run: the page has the test accuracy" has stopped.html '<dt>test accuracy</dt><dd class="value">[01]\.[0-9]{4}<'
check "an interrupted run: the page has the settings" has stopped.html '<th>epochs</th><td><code>1000000</code>'
check "an interrupted run: the page has the number of ranks" has stopped.html '<dt>ranks</dt><dd class="value">2<'
"$lockstep" import --train-images data/train-images-idx3-ubyte --train-labels data/train-labels-idx1-ubyte --out rows.h5 2>/dev/null
for validation in 0.2 0; do
    mpirun -n 1 "$lockstep" train --data rows.h5 --validation $validation --model dense:5 --epochs 1 --run rows$validation --quiet 2>/dev/null
    LAUNCH='mpirun -n 1' "$jobs/report.sh" rows$validation rows.h5 '' rows$validation.html 2>err$validation
    check "no test rows, --validation $validation: the report succeeds" [ $? = 0 ]
    check "no test rows, --validation $validation: the page says so" has rows$validation.html '<dt>test accuracy</dt><dd class="value">–</dd><dd>the data set has no test rows<'
done
check "no test rows: the validation rows are evaluated instead" has rows0.2.html 'Of the [0-9]+ validation rows'
check "no test and validation rows: the page says that no confusion is known" has rows0.html 'None is known: the data set has no test rows'
check "no test and validation rows: the page has no validation accuracy" has rows0.html '<dt>validation accuracy</dt><dd class="value">–</dd><dd>no validation rows'
check "no test and validation rows: a message says so" has err0 'neither test rows nor validation rows'
rm -r stopped/checkpoints
"$jobs/report.sh" stopped 'a<b>&c.h5' '' bare.html 2>err
check "no checkpoint: the report succeeds" [ $? = 0 ]
check "no checkpoint: the page says that the run is not evaluated" has bare.html '<dd>not evaluated<'
finish
