#!/usr/bin/env bash
# The output of train on terminals of several widths, also through mpirun, and without a terminal.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
make_data=$2
if ! command -v script >/dev/null; then
    echo "skipped: there is no script(1), which makes terminals"
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
# The longest line on the screen.
longest() { awk 'length > most { most = length } END { print most + 0 }' "$1"; }
bars() { grep -c "^epoch [0-9]/3 \[=* *\] *[0-9]* %" lines; }
longer="$lockstep train $(printf '%q ' "${net[@]}") --epochs 999"
train="$lockstep train $(printf '%q ' "${net[@]}") --epochs 3"

export TERM=xterm
for width in 80 60 40; do
    on_terminal $width mpirun -n 2 "$train"
    check "$width columns: bars" [ "$(bars)" -ge 3 ]
    check "$width columns: none is longer" [ "$(longest lines)" -le $width ]
    check "$width columns: the room is used" [ "$(longest lines)" -ge $((width - 3)) ]
    # A bar is overwritten by the next output; nothing else moves the cursor.
    tr -d '\n' <screen | sed 's/\r\x1b\[K//g' | tr -d '\r' >rest
    check "$width columns: nothing else moves the cursor" [ "$(LC_ALL=C tr -d '[:print:]' <rest | wc -c)" = 0 ]
    case $width in
    80) check "80 columns: speed and time left" has lines '%  loss [0-9.]+  [0-9,]+ samples/s  [0-9:]+ left$' ;;
    60) check "60 columns: no speed" has lines '%  loss [0-9.]+  [0-9:]+ left$' ;;
    40) check "40 columns: no loss" has lines '%  [0-9:]+ left$' ;;
    esac
    check "$width columns: the table is indented" has lines '^            .*(classes|rows)'
done
on_terminal 80 "$train"
check "without mpirun: bars" [ "$(bars)" -ge 3 ]
on_terminal 80 mpirun -n 2 "$train" '2>err'
check "stderr in a file: no bars" [ "$(bars)" = 0 ]
check "and not in the file" [ "$(grep -c $'\r' err)" = 0 ]
check "nor are lines cut there" has err 'some words.*validation rows'
TERM=dumb on_terminal 80 mpirun -n 2 "$train"
check "dumb: no bars" [ "$(bars)" = 0 ]
check "dumb: no line is cut" has lines 'some words.*validation rows'

# A terminal that is narrowed during the training.
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
check "a wide bar first" [ "$(longest lines)" -gt 90 ]
grep '^epoch [0-9]*/999.* left$' lines | tail -n 2 >after
check "then a narrow one" [ "$(longest after)" -le 50 -a -s after ]
finish
