#!/usr/bin/env bash
# Sequences of different lengths: lengths and padding give the same network, however rows are read; eval and info
# use them; wrong ones are refused before training.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
need_python h5py

"$python" - <<'END'
import h5py
import numpy as np

draw = np.random.RandomState(1)
N, T, V = 300, 9, 12
lengths = draw.randint(0, T + 1, N)
step = np.arange(T + 1)[None, :]
all_tokens = 2 + (draw.randint(0, V, N)[:, None] + 3 * step) % (V - 2)
x = np.where(step[:, :T] < lengths[:, None], all_tokens[:, :T], 0).astype("u1")
y = np.where(step[:, :T] < lengths[:, None], all_tokens[:, 1:], 0).astype("i4")

def own(name, lengths=lengths, x=x, words=V, y=y):
    with h5py.File(name, "w") as file:
        file.attrs.update(format="lockstep-dataset", version=1, classes=V)
        for group, part in (("train", slice(0, 240)), ("test", slice(240, N))):
            file[group + "/inputs"], file[group + "/labels"] = x[part], y[part]
            if lengths is not None:
                file[group + "/lengths"] = lengths[part]
        if words:
            file["vocabulary"] = ["word %d" % i for i in range(words)]

own("own.h5")
own("padded.h5", None)
wrong = lengths.copy()
wrong[7] = T + 1
own("long.h5", wrong)
outside = x.copy()
outside[3, 2] = V
own("outside.h5", x=outside)
own("none.h5", 0 * lengths, np.zeros((N, T, 2), "f4"), 0, y[:, 0])
own("labels.h5", y=y[:, 0])
with h5py.File("any.h5", "w") as file:
    file["x"], file["y"], file["n"] = x, y, lengths.astype("f8")
END

# train RUN RANKS OPTION ...
train() {
    local run=$1 ranks=$2
    shift 2
    mpirun -n "$ranks" "$lockstep" train --threads 1 --run "$run" --quiet --epochs 2 --batch 32 --lr 0.01 \
        --model "embedding:4,12 lstm:8,all dense:12" "$@" >out 2>err
    check "$run trains on $ranks ranks" [ $? = 0 ]
}
any=(--data any.h5 --inputs /x --targets /y --test-rows last:60)
train own 1 --data own.h5 --reproducible
train padded 2 --data padded.h5 --padding 0 --reproducible
check "padding gives the lengths of the file" same_bits own padded
train any 3 "${any[@]}" --lengths /n --reproducible --read root
check "selected lengths do, too, on other ranks, read by one" same_bits own any
train any-padded 1 "${any[@]}" --padding 0 --reproducible
check "and selected inputs that are padded" same_bits own any-padded
train full 1 "${any[@]}" --reproducible
check "rows without lengths train another network" [ "$(digest own)" != "$(digest full)" ]
train streamed 2 --data own.h5 --stream --shuffle local --memory 1M
train streamed-padded 2 --data padded.h5 --padding 0 --stream --shuffle local --memory 1M
check "streamed rows have their lengths" same_bits streamed streamed-padded

# A stream that is resumed without reading its rows has the vocabulary of the checkpoint.
stream=(mpirun -n 2 "$lockstep" train "${any[@]}" --threads 1 --batch 32 --stream --shuffle local --model "embedding:4 lstm:4,all dense:12")
"${stream[@]}" --epochs 1 --run trusted >out 2>err
"${stream[@]}" --epochs 2 --run trusted --resume auto --trust-data >out 2>err
check "a trusted stream resumes with the checkpoint's vocabulary" has trusted/summary.json '"layers": "embedding:4,12 lstm'
check "and trains on" has err '^epoch 2/2'
refuses 2 "the vocabulary is not known: write it in --model" "${stream[@]}" --epochs 2 --trust-data

for data in own padded; do
    "$lockstep" eval --data $data.h5 --checkpoint $data --json >$data.json 2>err
    check "$data.h5 is evaluated with the options of its training" [ $? = 0 ]
done
"$lockstep" eval --data own.h5 --checkpoint any --inputs /test/inputs --targets /test/labels --lengths /test/lengths \
    --test-rows all --json >any.json 2>err
check "other lengths are selected for an evaluation" [ $? = 0 ]
"$python" - >out <<'END'
import json
own, padded, any = (json.load(open(name + ".json")) for name in ("own", "padded", "any"))
print("right" if own["loss"] == padded["loss"] == any["loss"] else "WRONG", own["loss"], padded["loss"], any["loss"])
END
check "all evaluations agree: $(cat out)" has out '^right'

"$lockstep" info own.h5 >described
for line in 'targets +the class of each step' ' steps +9' ' longest +9' ' shortest +0' 'vocabulary +12' \
    'first tokens +\["word [0-9]+", '; do
    check "info shows '$line'" has described "$line"
done
"$lockstep" info any.h5 --inputs /x --targets /y --padding 0 >described
check "info finds the lengths of padded rows" has described ' longest +9'
check "info counts the classes of steps" has described '^steps of classes'

refuses 3 "long.h5: '/train/lengths' is 10 in row 7: expected a length, a whole number of 0 to 9" \
    "$lockstep" train --data long.h5 --model "lstm:2,all dense:12"
refuses 3 "outside.h5: '/train/inputs' is 12 in row 3, step 2: expected a token, a whole number of 0 to 11" \
    "$lockstep" train --data outside.h5 --model "embedding:4,12 dense:12"
refuses 3 "--standardize fit: the length of all training rows is 0$" \
    "$lockstep" train --data none.h5 --standardize fit --model "lstm:2 dense:12"
refuses 3 "size 9 and 12 classes don't fit the checkpoint's network, which takes size 9 and 12 classes in each step$" \
    "$lockstep" eval --data labels.h5 --checkpoint own
refuses 3 "any.h5: has no dataset '/m'" "$lockstep" train "${any[@]}" --lengths /m --model "dense:12"
refuses 2 "--lengths and --padding" "$lockstep" train "${any[@]}" --lengths /n --padding 0 --model "dense:12"
refuses 2 "own.h5: has '/train/lengths': leave --padding out" "$lockstep" info own.h5 --padding 0
refuses 2 "its rows are sequences" "$lockstep" augment-preview --data own.h5 --augment shift:1
refuses 2 "--targets inputs" "$lockstep" train --data own.h5 --targets inputs --model "dense:9"
finish
