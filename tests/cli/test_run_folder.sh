#!/usr/bin/env bash
# Run folders that other programs have changed, and run folders on file systems without symbolic links. $3: a library
# to preload that disables symbolic links.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1 no_links=$3

"$lockstep" import --synthetic 300,1,8,8,4 --out s.h5 2>/dev/null
common=(train --data s.h5 --model "dense:16 relu dense:4" --batch 16)
train() { "$lockstep" "${common[@]}" --quiet "$@" 2>err; }
list_checkpoints() { ls "$1"/checkpoints; }
print_run_id() { "$lockstep" info "$1" --json | grep -oE '"run":"[0-9a-f]{16}"'; }

# `rm RUN/*` leaves RUN/checkpoints: these checkpoints belong to the old run, not to a new one.
train --epochs 6 --run a
before=$(list_checkpoints a)
rm -f a/* 2>/dev/null
refuses 2 'a/checkpoints holds 3 checkpoints of another run, whose records are missing' \
    mpirun -n 2 "$lockstep" "${common[@]}" --run a --seed 7
check "checkpoints of another run are not removed" [ "$(list_checkpoints a)" = "$before" ]
check "no run starts in a folder with checkpoints of another run" [ ! -e a/config.conf ]
train --epochs 7 --run a --resume auto
check "the old run resumes from its checkpoints" [ "$(wc -l <a/metrics.csv)" = 8 ]
check "the run has an id" [ -n "$(print_run_id a)" ]
check "the events have the run's id" grep -qF "$(print_run_id a)" a/events.jsonl
check "the summary has the run's id" grep -qF "$(print_run_id a | tr -d '"' | cut -d: -f2)" a/summary.json

# A run continues in another folder; another run's checkpoint is not resumed from.
train --epochs 8 --run b --resume a
check "a run that resumes in another folder keeps its id" [ "$(print_run_id a)" = "$(print_run_id b)" ]
train --epochs 9 --run c
check "another run has another id" [ "$(print_run_id a)" != "$(print_run_id c)" ]
cp c/checkpoints/step-00000153.h5 b/checkpoints
refuses 3 'step-00000153.h5: belongs to run [0-9a-f]{16}, but b belongs to run' \
    mpirun -n 2 "$lockstep" "${common[@]}" --epochs 9 --run b --resume auto
refuses 3 'step-00000153.h5: belongs to another run and is later' \
    "$lockstep" "${common[@]}" --epochs 8 --run b --resume b/checkpoints/step-00000136.h5
check "a later checkpoint of another run is not removed" [ -e b/checkpoints/step-00000153.h5 ]
rm b/checkpoints/step-00000153.h5
cp c/checkpoints/step-00000136.h5 b/checkpoints/step-00000001.h5
train --epochs 9 --run b --resume auto --keep 1
check "--keep does not count a checkpoint of another run" [ "$(find b/checkpoints -name 'step-*.h5' | wc -l)" = 2 ]

# A checkpoint that can't be read may be intact. Tested with a folder in its place, because root can read any file.
train --epochs 4 --run d --mode max --restore-best # the first epoch is the best
mv d/checkpoints/step-00000068.h5 kept.h5
mkdir d/checkpoints/step-00000068.h5
refuses 3 "step-00000068.h5: can.t read: Is a directory; it may be whole, and is the newest one" \
    mpirun -n 2 "$lockstep" "${common[@]}" --epochs 5 --run d --mode max --restore-best --resume auto
refuses 3 "step-00000068.h5: can.t read: Is a directory; it is later than the resumed checkpoint" \
    "$lockstep" "${common[@]}" --epochs 5 --run d --mode max --restore-best --resume d/checkpoints/step-00000051.h5
check "a checkpoint that can't be read is not removed" [ -e d/checkpoints/step-00000068.h5 ]
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
check "the run resumes once the checkpoint can be read" [ $? = 0 ]

# A file system without symbolic links, and a copy of a run folder without its links.
preload() { LD_PRELOAD=$no_links ASAN_OPTIONS=${ASAN_OPTIONS-}:verify_asan_link_order=0 "$@"; }
preload "$lockstep" "${common[@]}" --epochs 4 --run e --mode max 2>err
check "training succeeds without symbolic links" [ $? = 0 ]
check "the run folder has no symbolic links" [ -z "$(find e -type l)" ]
check "the final message names no link" has err 'results +e: metrics.csv, summary.json, checkpoints$'
mkdir f
cp -r d/* f
find f -type l -delete
for run in e f; do
    for path in $run $run/checkpoints $run/checkpoints/best; do
        "$lockstep" eval --data s.h5 --checkpoint "$path" >out
        check "eval of $path uses the best checkpoint" has out "^$run/checkpoints/step-00000017.h5 of .*, epoch 1"
    done
    "$lockstep" info $run/checkpoints/last --json >out
    check "info of $run/checkpoints/last uses the last checkpoint" has out '"epoch":[45],'
    "$lockstep" info $run --json >out
    check "info of $run uses the best checkpoint" has out '"epoch":1,'
    "$lockstep" report $run --out $run.html 2>/dev/null
    check "report of $run makes a page" [ -s $run.html ]
done
cp e/checkpoints/step-00000017.h5 e/checkpoints/best # the result of a copy that follows links
cp e/checkpoints/step-00000017.h5 e/checkpoints/last
preload "$lockstep" "${common[@]}" --epochs 5 --run e --mode max --resume auto 2>err
check "a run whose links are stale copies resumes from its last checkpoint" has err 'resumed +e/checkpoints/step-00000068.h5'
check "stale copies of links are removed" [ -z "$(find e/checkpoints -name best -o -name last)" ]
preload "$lockstep" "${common[@]}" --epochs 5 --run g --mode max --resume e/checkpoints/last 2>err
check "another folder resumes from the last checkpoint" has err 'resumed +e/checkpoints/step-00000085.h5'
refuses 2 'e holds a run already' "$lockstep" "${common[@]}" --epochs 5 --run e --resume g/checkpoints/last

# A run whose logs are removed while it runs.
start_training() { # RUN
    "$lockstep" "${common[@]}" --epochs 1000000 --lr 1e-6 --checkpoint-every 1h --run "$1" --quiet 2>err &
    job=$!
    until [ -e "$1/metrics.csv" ] && [ "$(wc -l <"$1/metrics.csv")" -gt 20 ]; do sleep 0.02; done
}
# Waits for the job and checks its exit code and message.
check_end() { # CODE PATTERN
    wait $job
    code=$?
    check "the job ends with code $1, it is $code" [ $code = "$1" ]
    check "the job ends with one line" [ "$(grep -c '^lockstep: ' err)" = 1 ]
    check "the line gives the reason: $(cat err)" has err "$2"
}
await_file() { until [ -s "$1" ]; do sleep 0.02; done; }
start_training h
kill -STOP $job # or it may write one file again while the next is still to be removed
rm h/metrics.csv h/events.jsonl h/config.conf h/lock
kill -CONT $job
await_file h/config.conf # the last to be written again
refuses 2 'h/lock: locked by process' "$lockstep" "${common[@]}" --run h --resume auto
kill -USR1 $job
check_end 75 'stopped by SIGUSR1'
check "metrics.csv is written again from epoch 1" [ "$(cut -d, -f1 h/metrics.csv | head -3 | tr '\n' ' ')" = "epoch 1 2 " ]
check "metrics.csv has each epoch once" [ -z "$(cut -d, -f1 h/metrics.csv | sort | uniq -d)" ]
check "the events report the removed file" has h/events.jsonl '"event":"records_changed",.*metrics.csv was removed'
check "the events report that config.conf was removed" has h/events.jsonl 'config.conf was removed'
check "config.conf is written again" grep -q '^model' h/config.conf
start_training config
rm config/config.conf
await_file config/config.conf
kill -USR1 $job
check_end 75 'stopped by SIGUSR1'
start_training i
mv i moved
check_end 1 'i: this folder was removed or renamed during the run'
check "a run whose folder was renamed creates no folder" [ ! -e i ]
start_training i
kill -STOP $job
mv i moved/i
mkdir i
kill -CONT $job
check_end 1 'i: this folder was replaced by another'
check "a run whose folder was replaced writes nothing into the new one" [ -z "$(ls i)" ]

# A user's file with the name of a checkpoint is renamed, not removed.
"$lockstep" "${common[@]}" --epochs 1 --run own --quiet 2>err
echo "my own data" >own/checkpoints/step-00009999.h5
"$lockstep" "${common[@]}" --epochs 2 --run own --resume auto --quiet 2>err
check "a file that is no checkpoint is not resumed from" [ $? = 0 ]
check "a file that is no checkpoint is renamed" [ "$(cat own/checkpoints/step-00009999.h5.aside)" = "my own data" ]
finish
