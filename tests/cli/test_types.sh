#!/usr/bin/env bash
# Inputs of all types, in files written by h5py: the same numbers give the same network, on any number of ranks.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
source=$3
need_python h5py

"$python" - <<'END'
import h5py
import numpy as np

draw = np.random.RandomState(7)
images = {s: draw.randint(0, 101, (n, 3, 6, 5)) for s, n in (("train", 240), ("test", 60))}
labels = {s: (x.sum((1, 2, 3)) % 4).astype(np.int64) for s, x in images.items()}

def write(name, change, labels=labels, part="inputs", **options):
    with h5py.File(name + ".h5", "w") as file:
        file.attrs.update(format="lockstep-dataset", version=1, classes=4)
        for split, x in images.items():
            file.create_dataset(f"{split}/{part}", data=change(x), **options)
            file.create_dataset(f"{split}/labels", data=labels[split])

for name in "u1 i1 <i2 >i2 <u2 <i4 <u4 <i8 <f2 >f2 <f4 >f4 <f8 >f8".split():
    write(name.replace("<", "").replace(">", "big-"), lambda x: x.astype(name))
write("chunked", lambda x: x.astype("f4"), chunks=(7, 2, 3, 5), compression="gzip", maxshape=(None, 3, 6, 5))
write("flat", lambda x: x.reshape(len(x), -1).astype("f8"))
write("lzf", lambda x: x.astype("i2"), compression="lzf", shuffle=True)
write("scaled", lambda x: x.astype("i2"), chunks=(30, 3, 6, 5), scaleoffset=0)
write("uint64", lambda x: x.astype("u8"))
write("strings", lambda x: np.full(len(x), b"seven"))
write("compound", lambda x: np.zeros(len(x), dtype=[("x", "f4"), ("y", "f4")]))
write("mixed", lambda x: x.astype("f4" if len(x) == 240 else "f8"))
END

digest() { sed -nE 's/.*"digest": *"([0-9a-f]+)".*/\1/p' "$1/summary.json"; } # RUN
train() { # RUN RANKS DATA OPTION ...
    local run=$1 ranks=$2 data=$3
    shift 3
    mpirun -n "$ranks" "$lockstep" train --data "$data.h5" --model "dense:9 tanh dense:4" --batch 32 --epochs 2 --normalize 50,30 \
        --threads 1 --run "$run" --quiet "$@" >out 2>err
    check "$data trains on $ranks ranks" [ $? = 0 ]
}
train whole 1 i2 --reproducible
wanted=$(digest whole)
check "the network has a digest" [ -n "$wanted" ]
for data in i1 big-i2 u2 i4 u4 i8 f2 big-f2 f4 big-f4 f8 big-f8 chunked flat; do
    train "run-$data" 1 "$data" --reproducible
    check "$data gives the network of int16" [ "$(digest "run-$data")" = "$wanted" ]
done
for ranks in 2 3; do
    for data in f2 f8 i8; do
        train "run-$data-$ranks" $ranks "$data" --reproducible
        check "$data gives the same network on $ranks ranks" [ "$(digest "run-$data-$ranks")" = "$wanted" ]
    done
done
for data in i2 f4; do
    train "stream-$data" 2 "$data" --stream --shuffle local --memory 2M --reduce fused
done
check "streamed floats give the network of streamed integers" [ "$(digest stream-i2)" = "$(digest stream-f4)" ]

# uint8 is divided by 255: another network.
train bytes 1 u1 --reproducible
check "uint8 is divided by 255" [ "$(digest bytes)" != "$wanted" ]
for data in f8 i8 flat; do
    "$lockstep" eval --data $data.h5 --checkpoint "run-$data" >out 2>err
    check "$data is evaluated" [ $? = 0 ]
done
"$lockstep" eval --data f8.h5 --checkpoint run-f8 --errors 3 --errors-file f8.png >out 2>err
check "misclassified rows of other types are drawn" [ -s f8.png ]
"$lockstep" augment-preview --data f4.h5 --augment shift:1 --out preview.png 2>err
check "rows of other types are previewed" [ -s preview.png ]
check "info reports the type" has <("$lockstep" info f2.h5) '^type +float16$'
mpirun -n 1 "$lockstep" train --data f8.h5 --model dense:4 --epochs 1 >out 2>err
check "the start reports the type, and rounding" has err '3x6x5 of float32 \(rounded\), 4 classes'

refuses 3 "u1.h5: the inputs are uint8, but the checkpoint's network was trained on float32" \
    "$lockstep" eval --data u1.h5 --checkpoint run-f4
for refusal in "uint64 '/train/inputs' holds uint64" "strings '/train/inputs' holds strings" \
    "compound '/train/inputs' holds compound values"; do
    data=${refusal%% *}
    refuses 3 "$data.h5: ${refusal#* }" "$lockstep" train --data "$data.h5" --model dense:4
done

# Filters that are not read, and the remedies: that of lzf is taken from the manual.
refuses 3 "lzf.h5: '/train/inputs' is stored with the filter lzf [(]32000[)], .*: write it again with h5py, by the lines in .lockstep help files.$" \
    "$lockstep" train --data lzf.h5 --model dense:4
sed -n '/^import h5py/,/compression="gzip"/p' "$source/src/cli/man/lockstep-files.5.md" |
    sed 's/OLD.h5/lzf.h5/; s/NEW.h5/unlzf.h5/; s/images/inputs/g' >rewrite.py
check "the manual has the lines" [ -s rewrite.py ]
"$python" rewrite.py
train run-unlzf 1 unlzf --reproducible
check "the rewritten file gives the same network" [ "$(digest run-unlzf)" = "$wanted" ]
refuses 3 "scaled.h5: '/train/inputs' is stored with the filter scale-offset [(]6[)], .*: run .h5repack -f GZIP=4 FILE NEW.h5. " \
    "$lockstep" train --data scaled.h5 --model dense:4
h5repack -f GZIP=4 scaled.h5 unscaled.h5
train run-unscaled 1 unscaled --reproducible
check "the repacked file gives the same network" [ "$(digest run-unscaled)" = "$wanted" ]

"$lockstep" train --data mixed.h5 --model dense:4 --epochs 1 --quiet 2>err
check "float64 test rows fit float32 training rows" [ $? = 0 ]
finish
