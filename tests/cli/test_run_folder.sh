#!/usr/bin/env bash
# Run folders that other programs have changed, or on file systems without symbolic links. $3: a library
# that disables symbolic links.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1 no_links=$3

"$lockstep" import --synthetic 300,1,8,8,4 --out s.h5 2>/dev/null
common=(train --data s.h5 --model "dense:16 relu dense:4" --batch 16)
train() { "$lockstep" "${common[@]}" --quiet "$@" 2>err; }
listing() { ls "$1"/checkpoints; }
run_of() { "$lockstep" info "$1" --json | grep -oE '"run":"[0-9a-f]{16}"'; }

# `rm RUN/*` leaves RUN/checkpoints: they belong to the old run, not to the next one.
train --epochs 6 --run a
before=$(listing a)
rm -f a/* 2>/dev/null
refuses 2 'a/checkpoints holds 3 checkpoints of another run, whose records are missing' \
    mpirun -n 2 "$lockstep" "${common[@]}" --run a --seed 7
check "they stay" [ "$(listing a)" = "$before" ]
check "and nothing begins" [ ! -e a/config.conf ]
train --epochs 7 --run a --resume auto
check "their own run goes on" [ "$(wc -l <a/metrics.csv)" = 8 ]
check "and has an id" [ -n "$(run_of a)" ]
check "which its records hold, too" grep -qF "$(run_of a)" a/events.jsonl
check "and the summary" grep -qF "$(run_of a | tr -d '"' | cut -d: -f2)" a/summary.json

# A moved folder is the same run; another run's checkpoint in its place is not resumed from.
train --epochs 8 --run b --resume a
check "in another folder it is the same run" [ "$(run_of a)" = "$(run_of b)" ]
train --epochs 9 --run c
check "another run has another id" [ "$(run_of a)" != "$(run_of c)" ]
cp c/checkpoints/step-00000153.h5 b/checkpoints
refuses 3 'step-00000153.h5: belongs to run [0-9a-f]{16}, but b belongs to run' \
    mpirun -n 2 "$lockstep" "${common[@]}" --epochs 9 --run b --resume auto
refuses 3 'step-00000153.h5: belongs to another run and is later' \
    "$lockstep" "${common[@]}" --epochs 8 --run b --resume b/checkpoints/step-00000136.h5
check "it stays" [ -e b/checkpoints/step-00000153.h5 ]
rm b/checkpoints/step-00000153.h5
cp c/checkpoints/step-00000136.h5 b/checkpoints/step-00000001.h5
train --epochs 9 --run b --resume auto --keep 1
check "and is not counted" [ "$(find b/checkpoints -name 'step-*.h5' | wc -l)" = 2 ]

# A file that can't be read may be intact: here a folder in its place, because root can read any file.
train --epochs 4 --run d --mode max --restore-best # the first epoch is the best
mv d/checkpoints/step-00000068.h5 kept.h5
mkdir d/checkpoints/step-00000068.h5
refuses 3 "step-00000068.h5: can.t read: Is a directory; it may be whole, and is the newest one" \
    mpirun -n 2 "$lockstep" "${common[@]}" --epochs 5 --run d --mode max --restore-best --resume auto
refuses 3 "step-00000068.h5: can.t read: Is a directory; it is later than the resumed checkpoint" \
    "$lockstep" "${common[@]}" --epochs 5 --run d --mode max --restore-best --resume d/checkpoints/step-00000051.h5
check "it stays" [ -e d/checkpoints/step-00000068.h5 ]
rmdir d/checkpoints/step-00000068.h5
mv kept.h5 d/checkpoints/step-00000068.h5
mv d/checkpoints/step-00000017.h5 kept.h5
mkdir d/checkpoints/step-00000017.h5
refuses 3 "step-00000017.h5: can.t read: Is a directory" \
    mpirun -n 2 "$lockstep" "${common[@]}" --epochs 5 --run d --mode max --restore-best --resume auto
refuses 3 "step-00000017.h5: can.t read: Is a directory" \
    "$lockstep" "${common[@]}" --epochs 5 --run new --mode max --resume d
rmdir d/checkpoints/step-00000017.h5
mv kept.h5 d/checkpoints/step-00000017.h5
train --epochs 5 --run d --mode max --restore-best --resume auto
check "once it can be read the run goes on" [ $? = 0 ]

# No symbolic links, on the file system or in the copy.
preload() { LD_PRELOAD=$no_links ASAN_OPTIONS=${ASAN_OPTIONS-}:verify_asan_link_order=0 "$@"; }
preload "$lockstep" "${common[@]}" --epochs 4 --run e --mode max 2>err
check "training needs no links" [ $? = 0 ]
check "there are none" [ -z "$(find e -type l)" ]
check "the end does not promise one" has err 'results +e: metrics.csv, summary.json, checkpoints$'
mkdir f
cp -r d/* f
find f -type l -delete
for run in e f; do
    for path in $run $run/checkpoints $run/checkpoints/best; do
        "$lockstep" eval --data s.h5 --checkpoint "$path" >out
        check "eval of $path finds the best" has out "^$run/checkpoints/step-00000017.h5 of .*, epoch 1"
    done
    "$lockstep" info $run/checkpoints/last --json >out
    check "info of $run/checkpoints/last finds the last" has out '"epoch":[45],'
    "$lockstep" info $run --json >out
    check "info of $run finds the best" has out '"epoch":1,'
    "$lockstep" report $run --out $run.html 2>/dev/null
    check "report of $run" [ -s $run.html ]
done
cp e/checkpoints/step-00000017.h5 e/checkpoints/best # the result of a copy that follows links
cp e/checkpoints/step-00000017.h5 e/checkpoints/last
preload "$lockstep" "${common[@]}" --epochs 5 --run e --mode max --resume auto 2>err
check "the run goes on" has err 'resumed +e/checkpoints/step-00000068.h5'
check "and leaves nothing stale" [ -z "$(find e/checkpoints -name best -o -name last)" ]
preload "$lockstep" "${common[@]}" --epochs 5 --run g --mode max --resume e/checkpoints/last 2>err
check "or in another folder" has err 'resumed +e/checkpoints/step-00000085.h5'
refuses 2 'e holds a run already' "$lockstep" "${common[@]}" --epochs 5 --run e --resume g/checkpoints/last

# A run whose logs are removed while it runs.
begin() { # RUN
    "$lockstep" "${common[@]}" --epochs 1000000 --lr 1e-6 --checkpoint-every 1h --run "$1" --quiet 2>err &
    job=$!
    until [ -e "$1/metrics.csv" ] && [ "$(wc -l <"$1/metrics.csv")" -gt 20 ]; do sleep 0.02; done
}
ends() { # CODE PATTERN
    wait $job
    code=$?
    check "ends with code $1, it is $code" [ $code = "$1" ]
    check "and one line" [ "$(grep -c '^lockstep: ' err)" = 1 ]
    check "which says why: $(cat err)" has err "$2"
}
begin h
rm h/metrics.csv h/events.jsonl h/config.conf h/lock
sleep 0.3
refuses 2 'h/lock: locked by process' "$lockstep" "${common[@]}" --run h --resume auto
kill -USR1 $job
ends 75 'stopped by SIGUSR1'
check "metrics.csv is whole" [ "$(cut -d, -f1 h/metrics.csv | head -3 | tr '\n' ' ')" = "epoch 1 2 " ]
check "with each epoch once" [ -z "$(cut -d, -f1 h/metrics.csv | sort | uniq -d)" ]
check "the events tell of it" has h/events.jsonl '"event":"records_changed",.*metrics.csv was removed'
check "the settings are there again" [ -s h/config.conf ]
begin i
mv i moved
ends 1 'i: this folder was removed or renamed during the run'
check "and makes no folder" [ ! -e i ]
begin i
kill -STOP $job
mv i moved/i
mkdir i
kill -CONT $job
ends 1 'i: this folder was replaced by another'
check "and writes nothing into it" [ -z "$(ls i)" ]

# A user's file with the name of a checkpoint is not removed, and does not interfere.
"$lockstep" "${common[@]}" --epochs 1 --run own --quiet 2>err
echo "my own data" >own/checkpoints/step-00009999.h5
"$lockstep" "${common[@]}" --epochs 2 --run own --resume auto --quiet 2>err
check "a file of another kind is passed over" [ $? = 0 ]
check "and set aside" [ "$(cat own/checkpoints/step-00009999.h5.aside)" = "my own data" ]
finish
