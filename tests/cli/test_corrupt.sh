#!/usr/bin/env bash
# --corrupt: a step and the evaluation as NumPy computes them, with its own random numbers; the same bits on any number of
# ranks and after a resume; what is corrupted and what is not; sheets of pictures; wrong settings.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
need_python h5py

cat >random_numbers.py <<'END'
"""The random numbers of a corruption: SplitMix64's mixer, and Box and Muller's transform."""
import numpy as np

np.seterr(over="ignore")  # arithmetic is modulo 2^64
GOLDEN = np.uint64(0x9E3779B97F4A7C15)

def mix(z):
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))

def at(key, index):
    return mix(key + (np.asarray(index, "u8") + np.uint64(1)) * GOLDEN)

def uniform(key, index):
    return (at(key, index) >> np.uint64(11)).astype("f8") * 2.0**-53

def corrupted(x, rows, noise, mask, seed, draw):
    CORRUPT = 11
    key = at(at(mix(np.array([seed], "u8")), CORRUPT), draw)
    row = at(key, rows)[:, None]
    i = np.arange(x.shape[1], dtype="u8")[None]
    u, v = 1 - uniform(at(row, 0), 2 * i), uniform(at(row, 0), 2 * i + np.uint64(1))
    x = x + noise * np.sqrt(-2 * np.log(u)) * np.cos(2 * np.pi * v)
    return np.where(uniform(at(row, 1), i) < mask, 0, x)
END
"$python" - <<'END'
import h5py
import numpy as np

draw = np.random.RandomState(5)
N = 600
code = draw.randn(N, 3)
pixels = 255 / (1 + np.exp(-2 * code @ draw.randn(3, 64)))
with h5py.File("data.h5", "w") as file:
    file["picture"] = pixels.astype("u1").reshape(N, 8, 8)
    file["x"] = (pixels[:, :6] * [1, 2, 3, 4, 5, 6] - 100).astype("f4")
    file["class"] = (code[:, 0] > 0).astype("i4")
length = draw.randint(1, 7, N)
for filler in 0, 9:
    with h5py.File(f"ragged{filler}.h5", "w") as file:
        steps = np.random.RandomState(1).randn(N, 6, 2)
        steps[np.arange(6)[None] >= length[:, None]] = filler
        file["x"], file["length"], file["y"] = steps.astype("f4"), length, code[:, 0].astype("f4")
with h5py.File("tokens.h5", "w") as file:
    file["x"], file["y"] = draw.randint(0, 9, (N, 5)), draw.randint(0, 2, N)
END

# Trains a run: train RUN RANKS OPTION ...
train() {
    local run=$1 ranks=$2
    shift 2
    mpirun -n "$ranks" "$lockstep" train --threads 1 --run "$run" "$@" >out 2>err
    check "$run trains on $ranks ranks" [ $? = 0 ]
}
column() { awk -F, -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i } NR > 1 { print $at }' "$1/metrics.csv"; } # RUN NAME
pictures=(--data data.h5 --inputs /picture --targets inputs --test-rows last:100 --batch 50 --corrupt "noise:0.3 mask:0.2")
deep=("${pictures[@]}" --model "dense:20 relu dense:64" --lr 0.01 --reproducible --block 16)

for ranks in 1 2 3; do
    train on$ranks $ranks "${deep[@]}" --epochs 20
    check "the same network on $ranks ranks" same_bits on1 on$ranks
    check "the same losses" cmp <(column on1 val_loss) <(column on$ranks val_loss)
    check "the same sheet" cmp on1/samples/epoch-0020.png on$ranks/samples/epoch-0020.png
    mpirun -n $ranks "$lockstep" eval --data data.h5 --checkpoint on$ranks --sheet sheet$ranks.png --json >eval$ranks 2>err
    check "the same sheet by eval" cmp sheet1.png sheet$ranks.png
done
train table 2 "${deep[@]}" --epochs 1
check "the start-up table names the corruption" has err '^ +inputs corrupted by noise:0.3 mask:0.2, in validation, too$'
check "config.conf, too" has table/config.conf '^corrupt = noise:0.3 mask:0.2$'
check "an epoch writes a sheet" [ "$(find on2/samples -name '*.png' | wc -l)" = 20 ]
train parts 2 "${deep[@]}" --epochs 2 --checkpoint-every 4steps --keep 100
train whole 2 "${deep[@]}" --epochs 2 --samples 0
check "--samples 0: no sheet" [ ! -e whole/samples ]
train resumed 3 "${deep[@]}" --epochs 2 --resume "$(find parts/checkpoints -name '*12.h5')"
check "a resumed run gives the same network" same_bits whole resumed
check "and the same losses" cmp <(column whole loss) <(column resumed loss)
refuses 2 "--corrupt is noise:0.1, was noise:0.3 mask:0.2" "$lockstep" train --config parts/config.conf --run parts --resume auto \
    --epochs 3 --corrupt noise:0.1

# A learning rate that changes nothing: the loss of a linear network on corrupted rows, from its parameters; and one step.
linear=(--model dense:6 --optimizer sgd --standardize fit --targets inputs --inputs /x --data data.h5 --test-rows last:100 --seed 9)
train still 2 "${linear[@]}" --corrupt "noise:0.4 mask:0.25" --lr 1e-30 --epochs 2
for how in "" "--stream --shuffle local"; do
    # shellcheck disable=SC2086
    train "step$how" 2 "${linear[@]}" --corrupt "noise:0.4 mask:0.25" --lr 0.5 --epochs 1 --batch 500 $how
    # shellcheck disable=SC2086
    train "clean$how" 2 "${linear[@]}" --lr 0.5 --epochs 1 --batch 500 $how
done
"$lockstep" eval --data data.h5 --checkpoint still --split validation --json >still.json 2>err
"$lockstep" eval --data data.h5 --checkpoint still --json --corrupt none --predictions clean.h5 >clean.json 2>err
"$lockstep" eval --data data.h5 --checkpoint still --json --corrupt noise:2 >noisy.json 2>err
mpirun -n 2 "$lockstep" predict --data data.h5 --checkpoint still --out predicted.h5 2>err
"$python" - >out <<'END'
import csv
import json
import h5py
import numpy as np
from random_numbers import corrupted

def near(what, got, want, tolerance=1e-5):
    error = np.abs(np.asarray(got) - want).max() / np.abs(want).max()
    print("right" if error < tolerance else "WRONG", what, error)

def params(run):
    with h5py.File(run + "/checkpoints/last") as file:
        return [file["parameters/dense1/" + name][:].astype("f8") for name in ("weight", "bias")]

def losses(run, name):
    return [float(row[name]) for row in csv.DictReader(open(run + "/metrics.csv"))]

x = h5py.File("data.h5")["x"][:].astype("f8")
train, validation, test = x[:450], x[450:500], x[500:]
x = (x - train.mean(0)) / train.std(0)
train, validation, test = x[:450], x[450:500], x[500:]
W, b = params("still")

def loss(clean, noise, mask, draw):
    seen = corrupted(clean, np.arange(len(clean)), noise, mask, 9, draw)
    return ((seen @ W + b - clean) ** 2).mean()

near("loss of two epochs", losses("still", "loss"), [loss(train, 0.4, 0.25, 1), loss(train, 0.4, 0.25, 2)])
near("validation loss", losses("still", "val_loss"), [loss(validation, 0.4, 0.25, 0)] * 2)
near("eval --split validation", json.load(open("still.json"))["loss"], loss(validation, 0.4, 0.25, 0))
near("eval --corrupt none", json.load(open("clean.json"))["loss"], ((test @ W + b - test) ** 2).mean())
near("eval --corrupt noise:2", json.load(open("noisy.json"))["loss"], loss(test, 2, 0, 0))
for how in "", "--stream --shuffle local":
    seen = corrupted(train, np.arange(450), 0.4, 0.25, 9, 1)
    for run, inputs in ("step", seen), ("clean", train):
        dy = 2 * (inputs @ W + b - train) / train.size
        after = params(run + how)
        before, gradient = np.vstack([W, b]), np.vstack([inputs.T @ dy, dy.sum(0)])
        near(run + how, np.vstack(after), before - 0.5 * gradient)
with h5py.File("clean.h5") as clean, h5py.File("predicted.h5") as predicted:
    print("right" if (clean["values"][:] == predicted["values"][:]).all() else "WRONG", "predict never corrupts")

pixels = h5py.File("data.h5")["picture"][500:].reshape(-1, 64) / 255
identity = ((corrupted(pixels, np.arange(100), 0.3, 0.2, 0, 0) - pixels) ** 2).mean()
found = json.load(open("eval1"))["loss"]
print("right" if found < identity / 4 else "WRONG", "denoising", found, "identity", identity)
END
check "steps and losses are as NumPy computes them" [ "$(grep -c ^right out)" = 11 ]
check "none differs" [ -z "$(grep ^WRONG out | tee /dev/stderr)" ]

# A classifier: training rows alone are corrupted, and those of eval on request.
classes=(--data data.h5 --inputs /picture --targets /class --test-rows last:100 --model dense:2 --epochs 1)
train plain 2 "${classes[@]}" --lr 1e-30
train noisy 2 "${classes[@]}" --lr 1e-30 --corrupt noise:0.5
check "the start-up table of a classifier" has err '^ +inputs corrupted by noise:0.5$'
check "validation rows are not corrupted" cmp <(column plain val_loss) <(column noisy val_loss)
check "training rows are" [ "$(column plain loss)" != "$(column noisy loss)" ]
"$lockstep" eval --data data.h5 --checkpoint noisy >clean.txt 2>err
"$lockstep" eval --data data.h5 --checkpoint noisy --corrupt mask:0.9 >masked.txt 2>err
check "eval does not corrupt a classifier's rows" [ "$(grep -c corrupted clean.txt)" = 0 ]
check "but on request" has masked.txt '^inputs corrupted by mask:0.9$'
check "with another loss" [ "$(grep '^test loss' clean.txt)" != "$(grep '^test loss' masked.txt)" ]

# What fills sequences up stays without effect.
for filler in 0 9; do
    train ragged$filler 2 --data ragged$filler.h5 --inputs /x --targets /y --lengths /length --model "gru:4 dense:1" \
        --epochs 1 --corrupt noise:0.5 --reproducible
done
check "corrupted sequences have the same bits whatever fills them up" same_bits ragged0 ragged9
train unchanged 2 --data ragged0.h5 --inputs /x --targets /y --lengths /length --model "gru:4 dense:1" --epochs 1 --reproducible
check "and are corrupted" [ "$(digest unchanged)" != "$(digest ragged0)" ]

"$lockstep" report on1 2>err
check "the report shows the sheets" [ "$(grep -c 'alt="rows after epoch' on1/report.html)" = 4 ]
check "with a heading" has on1/report.html 'Reconstructed rows'

refuses 2 "--corrupt: word 2, 'mark:0.5': unknown word; did you mean 'mask:P'" "$lockstep" train "${classes[@]}" --corrupt "noise:1 mark:0.5"
refuses 2 "--corrupt: word 1, 'mask:2': the probability must be from 0 to 1" mpirun -n 2 "$lockstep" train "${classes[@]}" --corrupt mask:2
refuses 2 "--corrupt: the inputs of tokens.h5 are tokens" "$lockstep" train --data tokens.h5 --inputs /x --targets /y \
    --model "embedding:4 mean dense:2" --corrupt mask:0.1
refuses 2 "--objective gan: no network of a GAN learns to undo --corrupt" "$lockstep" train --data data.h5 --inputs /picture \
    --targets none --objective gan --generator gan --corrupt mask:0.1
refuses 2 "--corrupt: word 1, 'mash:1'" mpirun -n 2 "$lockstep" eval --data data.h5 --checkpoint on1 --corrupt mash:1
refuses 2 "reconstructs nothing: it was not trained with --targets inputs" mpirun -n 2 "$lockstep" eval --data data.h5 \
    --checkpoint plain --sheet no.png
refuses 2 "--sheet: rows of 6 are no pictures" mpirun -n 2 "$lockstep" eval --data data.h5 --checkpoint still --sheet no.png
check "no sheet is left" [ ! -e no.png ]
finish
