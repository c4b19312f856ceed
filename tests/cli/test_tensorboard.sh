#!/usr/bin/env bash
# `train --tensorboard`: the event files hold the numbers of metrics.csv, each once, also after kills and resumes; read by
# protoc and Python.
#   MOMENTS: number of kills, default 3; SEED
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
source=$3
RANDOM=${SEED:-$$}
echo "seed ${SEED:-$$}"
"$lockstep" import --synthetic 600,1,6,6,8 --out eight.h5 >/dev/null 2>err
train=("$lockstep" train --data eight.h5 --model dense:8 --batch 50 --threads 1 --reduce fused --quiet)

refuses 2 "--tensorboard needs --run, where the event files are written" "${train[@]}" --tensorboard
if "$lockstep" --version | grep -q 'protobuf-c none'; then
    refuses 2 "--tensorboard: this build can't write event files: protobuf-c was not found" "${train[@]}" --tensorboard --run a
    check "nothing is written" [ ! -e a ]
    finish
fi
need_python struct
command -v protoc >/dev/null || {
    echo "skipped: protoc (protobuf-compiler) is not installed"
    exit 77
}
# Compares the event files of a run with metrics.csv.
# shellcheck disable=SC2317
agrees() { "$python" "$source/tests/interop/read_tfevents.py" "$1" "$source/src/run" "${@:2}" >out 2>&1 || { cat out; false; }; }
# Prints the number of epochs in metrics.csv, 0 if there is none.
count_epochs() {
    if [ -e "$1/metrics.csv" ]; then grep -c '^[0-9]' "$1/metrics.csv"; else echo 0; fi
}
# Prints the path of the file of the training rows.
event_file() { echo "$1"/tensorboard/train/*; }

for ranks in 1 2; do
    mpirun -n $ranks "${train[@]}" --epochs 3 --run on$ranks --tensorboard 2>err
    check "$ranks ranks: training succeeds" [ $? = 0 ]
    check "$ranks ranks: the event files have the numbers of metrics.csv" agrees on$ranks
    check "$ranks ranks: two files with 3 epochs of 15 columns" has out '^2 files, 3 epochs, 45 scalars$'
done
"${train[@]}" --epochs 2 --run plain 2>err
check "without --tensorboard there are no event files" [ ! -e plain/tensorboard ]
"${train[@]}" --epochs 2 --run none --validation 0 --tensorboard 2>err
check "without validation rows" agrees none
check "there is no file of validation rows" has out '^1 files'

# Resumed runs.
before=$(event_file on1)
"${train[@]}" --epochs 5 --run on1 --resume auto --tensorboard 2>err
check "a resumed run has all epochs" agrees on1
check "5 epochs" has out '5 epochs'
check "its file comes later in the alphabet, so that TensorBoard reads it" [ "$(printf '%s\n' "$before" "$(event_file on1)" | sort | head -n 1)" = "$before" ]
check "it is another file" [ "$(event_file on1)" != "$before" ]
"${train[@]}" --epochs 4 --run plain --resume auto --tensorboard 2>err
check "a run that is resumed with --tensorboard has the epochs from before, too" agrees plain
check "4 epochs" has out '4 epochs'
"${train[@]}" --epochs 5 --run moved --resume on2 --tensorboard 2>err
check "a run that is resumed from another folder has all epochs" agrees moved
cp -r on1 off
"${train[@]}" --epochs 6 --run off --resume auto 2>err
check "a run that is resumed without --tensorboard leaves its files as they are" cmp "$(event_file off)" "$(event_file on1)"
cp -r off/tensorboard left
mkdir rest
mv left rest/tensorboard
refuses 2 "rest holds a run already" "${train[@]}" --tensorboard --run rest

# Files that somebody else changed are written again.
"${train[@]}" --epochs 2000 --run changed --tensorboard 2>err &
pid=$!
until [ "$(count_epochs changed)" -ge 20 ] || ! kill -0 $pid 2>/dev/null; do sleep 0.01; done
rm -f changed/tensorboard/train/*
: >"$(echo changed/tensorboard/validation/*)"
touch changed/tensorboard/train/mine
wait $pid
check "files of others stay" rm changed/tensorboard/train/mine
check "removed and cut event files are written again" agrees changed
check "and it is an event" [ "$(grep -c '"tensorboard/[a-z]* was removed or changed: rewritten"' changed/events.jsonl)" = 2 ]

# Killed runs. Checkpoints are rare, so that a resumed run repeats epochs.
parts=("${train[@]}" --epochs 2000 --run parts --resume auto --tensorboard --checkpoint-every 100epochs --min-delta 1000)
repeated=0
# Prints the epoch that the latest part began after.
resumed() { sed -nE 's/.*"event":"(start|resume)","epoch":([0-9]+).*/\2/p' parts/events.jsonl | tail -n 1; }
for ((i = 0; i < ${MOMENTS:-3}; i++)); do
    begun=$(count_epochs parts)
    mpirun -n $((1 + i % 2)) "${parts[@]}" 2>err &
    pid=$!
    tries=0
    until [ "$(count_epochs parts)" -gt $((begun + 150)) ] || [ $tries = 1000 ]; do
        sleep 0.01
        tries=$((tries + 1))
    done
    sleep "0.$(printf '%03d' $((RANDOM % 200)))"
    find_ranks $pid
    kill -KILL "${processes[0]:-$pid}" 2>/dev/null
    wait $pid
    code=$?
    check "kill $i: code $code" grep -qxE "0|$code_killed" <<<"$code"
    [ $i = 0 ] || [ "$(resumed)" -ge "$begun" ] || repeated=$((repeated + 1))
    check "after kill $i the files agree with metrics.csv" agrees parts --any-end
done
check "one part or more repeated epochs" [ $repeated -ge 1 ]
mpirun -n 2 "${parts[@]}" 2>err
check "the last part succeeds" [ $? = 0 ]
check "after kills and resumes each epoch is there once" agrees parts
check "all epochs" has out ' 2000 epochs'
check "metrics.csv has each epoch once" [ "$(cut -d, -f1 parts/metrics.csv | sort | uniq -d | wc -l)" = 0 ]
finish
