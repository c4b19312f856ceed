#!/usr/bin/env bash
# The output of train on terminals of several widths, with and without mpirun, and without a terminal.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
make_data=$2
if ! command -v script >/dev/null; then
    echo "skipped: script(1), which makes terminals, is not installed"
    exit 77
fi
"$make_data" data
cp data/data.h5 "a name of some words, as people give them to files.h5"
net=(--data "a name of some words, as people give them to files.h5" --model "dense:256 relu dense:512 relu dense:5"
    --validation 0.2 --lr 1e-5 --batch 2)

# Runs a command on a terminal of COLUMNS columns. screen: its raw output; lines: the visible text after each line or bar.
on_terminal() { # COLUMNS COMMAND ...
    printf '#!/bin/sh\nstty cols %s rows 24\nexec %s\n' "$1" "${*:2}" >session
    chmod +x session
    SHELL=/bin/sh script -qec ./session /dev/null >screen 2>&1 </dev/null
    tr '\r' '\n' <screen | sed 's/\x1b\[K//g' >lines
}
# Prints the length of the longest line of a file.
longest_line() { awk 'length > most { most = length } END { print most + 0 }' "$1"; }
# Prints the number of progress bars.
count_bars() { grep -c "^epoch [0-9]/3 \[=* *\] *[0-9]* %" lines; }
longer="$lockstep train $(printf '%q ' "${net[@]}") --epochs 999"
train="$lockstep train $(printf '%q ' "${net[@]}") --epochs 3"

export TERM=xterm
for width in 80 60 40; do
    on_terminal $width mpirun -n 2 "$train"
    check "$width columns: progress bars are shown" [ "$(count_bars)" -ge 3 ]
    check "$width columns: no line is longer" [ "$(longest_line lines)" -le $width ]
    check "$width columns: the lines use the width" [ "$(longest_line lines)" -ge $((width - 3)) ]
    # The next output overwrites a bar; nothing else moves the cursor.
    tr -d '\n' <screen | sed 's/\r\x1b\[K//g' | tr -d '\r' >rest
    check "$width columns: nothing else moves the cursor" [ "$(LC_ALL=C tr -d '[:print:]' <rest | wc -c)" = 0 ]
    case $width in
    80) check "80 columns: a bar has loss, speed and time left" has lines '%  loss [0-9.]+  [0-9,]+ samples/s  [0-9:]+ left$' ;;
    60) check "60 columns: a bar has loss and time left" has lines '%  loss [0-9.]+  [0-9:]+ left$' ;;
    40) check "40 columns: a bar has the time left" has lines '%  [0-9:]+ left$' ;;
    esac
    check "$width columns: the table is indented" has lines '^            .*(classes|rows)'
done
# The line of an epoch: no value is cut; the speed, then the time are left out where they do not fit.
short="$lockstep train --data data/data.h5 --model dense:5 --batch 50 --epochs 1"
for width in 120 100 85 70; do
    on_terminal $width "$short"
    grep -A 2 '^epoch 1/1  loss' lines | grep -v '^ *\(done.*\)*$' >epoch
    case $width in
    120) check "120 columns: the line has the speed" has epoch '^epoch 1/1  loss.*val_accuracy [0-9.]+  [0-9.]+ s  [0-9,]+ samples/s  best$' ;;
    100) check "100 columns: the line has the time" has epoch '^epoch 1/1  loss.*val_accuracy [0-9.]+  [0-9.]+ s  best$' ;;
    85) check "85 columns: the line has neither" has epoch '^epoch 1/1  loss.*val_accuracy [0-9.]+  best$' ;;
    70) check "70 columns: the line is cut between values" has epoch '^           val_accuracy [0-9.]+  [0-9.]+ s  best$' ;;
    esac
done
on_terminal 80 "$lockstep train --help --all"
check "80 columns: help continues under its column" has lines '^ {46}[a-z]'
check "80 columns: no line of help is longer" [ "$(longest_line lines)" -le 80 ]

# A page of the manual on a terminal is text without Markdown's marks, and complete.
topics=0
while read -r topic; do
    topics=$((topics + 1))
    on_terminal 60 "$lockstep help $topic"
    check "help $topic: no line is longer than 60 columns" [ "$(LC_ALL=C.UTF-8 longest_line lines)" -le 60 ]
    check "help $topic: there are no marks" [ "$(grep -cE '^\||^#|`|\]\(|\*\*' lines)" = 0 ]
    words() { tr -cs 'A-Za-z0-9' '\n' | tr '[:lower:]' '[:upper:]' | grep -E '^[A-Z]{4,}$' | sort -u; }
    "$lockstep" help "$topic" | sed -E '/^```/d; s/\]\([^)]*\)//g' | words >wanted
    words <lines >found
    check "help $topic: every word is there" [ -z "$(comm -23 wanted found)" ]
done < <("$lockstep" --help | sed -nE 's/^ {20,}([a-z]+) {2,}.*/\1/p')
check "there are pages" [ $topics -ge 6 ]

on_terminal 80 "$train"
check "without mpirun: progress bars are shown" [ "$(count_bars)" -ge 3 ]
on_terminal 80 mpirun -n 2 "$train" '2>err'
check "stderr in a file: no progress bars are shown" [ "$(count_bars)" = 0 ]
check "stderr in a file: no progress bars are written" [ "$(grep -c $'\r' err)" = 0 ]
check "stderr in a file: no line is cut" has err 'some words.*validation rows'
TERM=dumb on_terminal 80 mpirun -n 2 "$train"
check "TERM=dumb: no progress bars are shown" [ "$(count_bars)" = 0 ]
check "TERM=dumb: no line is cut" has lines 'some words.*validation rows'

# A terminal that becomes narrower during the training.
(
    for ((i = 0; i < 300; i++)); do
        if [ "$(grep -acE '^epoch [0-9]+/999 ' <(tr '\r' '\n' <screen 2>/dev/null | sed 's/\x1b\[K//g'))" -ge 3 ]; then break; fi
        sleep 0.1
    done
    touch narrow
) &
# shellcheck disable=SC2016
on_terminal 100 'sh -c '\''(while [ ! -e narrow ]; do sleep 0.1; done; stty cols 50 </dev/tty; sleep 1; kill -TERM $$) & exec '"$longer"\'
wait
check "before the change the bars are wide" [ "$(longest_line lines)" -gt 90 ]
grep '^epoch [0-9]*/999.* left$' lines | tail -n 2 >after
check "after the change the bars are narrow" [ "$(longest_line after)" -le 50 -a -s after ]
finish
