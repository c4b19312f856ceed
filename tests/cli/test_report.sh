#!/usr/bin/env bash
# A page about a run: what belongs there is there, nothing is markup that was text, nothing comes from
# elsewhere.
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
check "the page is made" [ $? = 0 ]
page=run/report.html
check "it says so" has err 'run/report.html: a page of [0-9.]+ kB about run'
check "the record" has $page '<th>outcome</th><td><code>completed</code>'
check "texts are no markup" has $page '<h1>run: a&lt;b&gt;&amp;c</h1>'
check "none of them" [ "$(grep -c '<b>' $page)" = 0 ]
check "two charts" [ "$(grep -c '<svg' $page)" = 2 ]
check "curves of 4 epochs" has $page '<path d="M[0-9. ]+L[0-9. ]+L[0-9. ]+L[0-9. ]+"'
check "the confusion matrix" [ "$(grep -c '<td style' $page)" = 5 ]
check "the errors' picture" has $page 'src="data:image/png;base64,iVBORw0KGgo'
check "scaling" has $page '<tr><td>2\*?</td><td>1</td><td>[0-9.]+</td>'
! command -v gnuplot >/dev/null || check "its figure" has $page 'src="data:image/svg\+xml;base64,'
check "the settings" has $page '<th>epochs</th><td><code>4</code>'
check "nothing from elsewhere" [ "$(grep -cE '<script|<link|(src|href)="(https?:|//)' $page)" = 0 ]
grep -o 'data:image/png;base64,[^"]*' $page | cut -d, -f2 | base64 -d >picture.png
check "the picture is whole" [ "$(tail -c 12 picture.png | head -c 8 | tail -c 4)" = IEND ]

"$lockstep" report run --out small.html 2>err
check "a page of the run alone" [ $? = 0 ]
echo precious >note.txt
refuses 2 'note.txt: there is a file of that name which is no HTML page' "$lockstep" report run --out note.txt
refuses 3 'nowhere/summary.json' "$lockstep" report nowhere
refuses 3 'note.txt: line 1: no JSON object' "$lockstep" report run --evaluation note.txt
refuses 3 'note.txt: is neither a PNG nor an SVG' "$lockstep" report run --evaluation scaling/scaling.json --errors note.txt
check "and nothing was written" [ ! -e report.html ]
finish
