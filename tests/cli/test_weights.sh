#!/usr/bin/env bash
# Weights of rows (--weights) and of classes (--class-weights): the gradients are NumPy's, a weight of 2 is a row twice,
# a weight of 0 a row that is absent; the same on any number of ranks, in memory and streamed, after a resume.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
need_python h5py

cat >data.py <<'END_OF_PYTHON'
import h5py
import numpy as np

draw = np.random.RandomState(5)
N, ZERO = 240, slice(80, 120)  # ZERO: rows of weight 0, which are the third batch of 40 rows

def write(name, **datasets):
    with h5py.File(name + ".h5", "w") as file:
        for path, data in datasets.items():
            file[path.replace("__", "/")] = data

x = draw.normal(size=(N, 5)).astype("f4")
label = np.digitize(x[:, 0] + x[:, 1], [-1.5, 1.0])
y = np.stack([np.tanh(x[:, 2]), x[:, 3] * x[:, 4], x[:, 0]], 1).astype("f4")
w = draw.randint(0, 4, N)
w[ZERO] = 0
# What is read in place of w, and what must be refused or change nothing.
real = draw.exponential(size=N)
negative, nan, fractions = np.where(np.arange(N) == 77, -0.5, w), np.where(np.arange(N) == 78, np.nan, w), y * 0 + 0.5
fractions[9, 2] = 1.5
halves = np.full((N, 3), 0.5)
write("all", x=x, label=label, y=y, w=w.astype("u1"), column=np.stack([w, 7 * w + 1], 1).astype(">f8"), equal=np.full(N, 2.5),
      real=real, negative=negative, nan=nan, zeros=0 * w, tiny=np.ldexp(w, -100), fractions=fractions, halves=halves, short=w[:99], names=np.full(N, b"1"), truth=(label > 0).astype("f4"))
write("repeated", x=np.repeat(x, w, 0), label=np.repeat(label, w), y=np.repeat(y, w, 0))
write("held", x=x, label=label, w=np.where(np.arange(N) < 180, w, 7))
write("one", x=x[:100], label=label[:100], w=w[:100])
write("two", x=x[100:], label=label[100:], w=w[100:].astype("f2"))
dense = np.ones(N, bool)
dense[ZERO] = False
write("without", x=x[dense], label=label[dense])
write("with", x=x, label=label, w=dense)
with h5py.File("own.h5", "w") as file:
    file.attrs.update(format="lockstep-dataset", version=1, classes=3)
    file["train/inputs"], file["train/labels"], file["train/certainty"] = x, label, w
    file["test/inputs"], file["test/labels"] = x[:50], label[:50]
END_OF_PYTHON
"$python" data.py

train() { # RUN RANKS DATA OPTION ...
    local run=$1 ranks=$2 data=$3
    shift 3
    local launch=()
    [ "$ranks" = 1 ] || launch=(mpirun -n "$ranks")
    "${launch[@]}" "$lockstep" train --data "$data" --threads 1 --run "$run" --quiet "$@" >out 2>err
    check "$run trains on $ranks ranks" [ $? = 0 ]
}
fields=(--inputs /x --targets /label --loss cross-entropy)
model=(--model "dense:4 tanh dense:3")
sgd=(--optimizer sgd --validation 0)
whole=("${sgd[@]}" --batch 1000 --epochs 1 --lr) # all rows in one step

# One step by NumPy, whose losses and gradients are sums of the rows' times their weights, divided by the sum of weights.
train start 1 all.h5 "${fields[@]}" "${model[@]}" "${whole[@]}" 0
train rows 1 all.h5 "${fields[@]}" "${model[@]}" "${whole[@]}" 0.5 --weights /real
train classes 2 all.h5 "${fields[@]}" "${model[@]}" "${whole[@]}" 0.5 --class-weights 0.5,1,20
train both 3 all.h5 "${fields[@]}" "${model[@]}" "${whole[@]}" 0.5 --class-weights balanced --weights "/column[:,0]"
train mse 3 all.h5 --inputs /x --targets /y "${model[@]}" "${whole[@]}" 0.5 --weights /real
train bce 2 all.h5 --inputs /x --targets /truth --loss bce --model dense:1 "${whole[@]}" 0.5 --class-weights 3,1
train bce-start 2 all.h5 --inputs /x --targets /truth --loss bce --model dense:1 "${whole[@]}" 0
cat >compare.py <<'END_OF_PYTHON'
import csv
import h5py
import numpy as np
import sys

def read(run):
    values = {}
    with h5py.File(run + "/checkpoints/best") as file:
        file["parameters"].visititems(lambda name, d: values.update({name: d[()].astype("f8")}) if hasattr(d, "shape") else None)
    return [values[name] for name in sorted(values)]  # bias, weights of each layer

def loss_of(run):
    with open(run + "/metrics.csv") as file:
        return float(list(csv.DictReader(file))[-1]["loss"])

def near(what, a, b, most=1e-6):
    worst = max(np.abs(np.asarray(p) - np.asarray(q)).max() for p, q in zip(a, b))
    if not worst <= most:
        print(f"FAILED: {what}: they differ by {worst}")
        sys.exit(1)

if len(sys.argv) > 1:
    near(sys.argv[1], read(sys.argv[2]), read(sys.argv[3]), float(sys.argv[4]))
    sys.exit()
with h5py.File("all.h5") as file:
    x, label, y, w, real, truth = (file[name][()] for name in ("x", "label", "y", "w", "real", "truth"))
x = x.astype("f8")

def softmax_gradient(z):
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    hot = np.eye(3)[label]
    return -np.log((p * hot).sum(1)), p - hot

def square_gradient(z):
    return ((z - y) ** 2).mean(1), 2 * (z - y) / 3

def step(start, weight, outputs, rate=0.5):
    b1, W1, b2, W2 = start  # weights [inputs][outputs]
    h = np.tanh(x @ W1 + b1)
    loss, dz = outputs(h @ W2 + b2)
    scale = weight / weight.sum()
    dz = dz * scale[:, None]
    dh = dz @ W2.T * (1 - h * h)
    new = [b1 - rate * dh.sum(0), W1 - rate * x.T @ dh, b2 - rate * dz.sum(0), W2 - rate * h.T @ dz]
    return new, (scale * loss).sum()

start = read("start")
count = np.bincount(label, weights=w, minlength=3)
cases = {"rows": (real, softmax_gradient), "classes": (np.array([0.5, 1, 20])[label], softmax_gradient),
         "both": (w * (count.sum() / (3 * count))[label], softmax_gradient), "mse": (real, square_gradient)}
for case, (weight, outputs) in cases.items():
    new, loss = step(start, weight, outputs)
    near(case, read(case), new)
    near(case + ": loss", [loss_of(case)], [loss])
b, W = read("bce-start")
z = x @ W.reshape(5) + b[0]
scale = np.where(truth > 0, 1, 3) / np.where(truth > 0, 1, 3).sum()
dz = scale * (1 / (1 + np.exp(-z)) - truth)
near("bce", read("bce"), [b - 0.5 * dz.sum(), W - 0.5 * (x.T @ dz).reshape(W.shape)])
END_OF_PYTHON
check "weighted steps are NumPy's" "$python" compare.py
near() { check "$1" "$python" compare.py "$@"; } # WHAT RUN RUN DIFFERENCE

# Whole weights are rows that occur as often, also for the balance of classes.
several=("${model[@]}" "${sgd[@]}" --lr 0.5 --momentum 0.9 --batch 1000 --epochs 8)
train weighted 2 all.h5 "${fields[@]}" "${several[@]}" --weights /w --class-weights balanced
train repeated 1 repeated.h5 "${fields[@]}" "${several[@]}" --class-weights balanced
near "a weight is a number of rows" weighted repeated 2e-6

# Equal weights change nothing; ranks, readers, files and ways to hold rows neither.
exact=("${fields[@]}" "${model[@]}" --reproducible --batch 32 --epochs 3)
train none 1 all.h5 "${exact[@]}"
train equal 2 all.h5 "${exact[@]}" --weights /equal --class-weights 3,3,3
check "equal weights change nothing" same_bits none equal
for ranks in 1 2 3; do
    train exact$ranks $ranks all.h5 "${exact[@]}" --weights /real --class-weights balanced
    check "$ranks ranks have the bits of one" same_bits exact1 exact$ranks
done
check "their metrics are equal, too" [ "$(cut -d, -f1-5 exact1/metrics.csv)" = "$(cut -d, -f1-5 exact3/metrics.csv)" ]
train exact-root 3 all.h5 "${exact[@]}" --weights /real --class-weights balanced --read root
check "--read root reads the same weights" same_bits exact1 exact-root
train w 1 all.h5 "${exact[@]}" --weights /w
train tiny 2 all.h5 "${exact[@]}" --weights /tiny
check "only ratios of weights matter, also of tiny ones" same_bits w tiny
train files 3 "one.h5,two.h5" "${exact[@]}" --weights /w --read node --test-data without.h5
check "weights are read from several files" same_bits w files
train own 2 own.h5 "${model[@]}" --reproducible --batch 32 --epochs 3 --weights certainty
check "weights are read from the own layout" same_bits w own
check "eval needs no weights" "$lockstep" eval --data own.h5 --checkpoint own >out 2>err
train drawn 2 all.h5 "${exact[@]}" --weights /w --split 0.6,0.2,0.2 --hold-out stratified
train drawn-3 3 all.h5 "${exact[@]}" --weights /w --split 0.6,0.2,0.2 --hold-out stratified
check "weights are those of the rows that were drawn" same_bits drawn drawn-3
train stream 2 all.h5 "${fields[@]}" "${model[@]}" "${whole[@]}" 0.5 --stream --shuffle local --memory 2M --weights /real
near "streamed rows have their weights" rows stream 1e-6
stream=("${fields[@]}" "${model[@]}" --stream --shuffle local --memory 2M --reduce fused --batch 32 --weights /w --class-weights)
train streamed 2 all.h5 "${stream[@]}" balanced --epochs 4
train trusted 2 all.h5 "${stream[@]}" balanced --epochs 2 --trust-data
train trusted 2 all.h5 "${stream[@]}" balanced --epochs 4 --trust-data --resume auto
check "trusted rows have their weights, also after a resume" same_bits streamed trusted
refuses 2 "--class-weights is 1,2,3, was balanced" "$lockstep" train --data all.h5 "${stream[@]}" 1,2,3 --epochs 5 --resume auto --run trusted
held=("${fields[@]}" "${model[@]}" --validation 0.25 --hold-out last --weights /w)
train held 1 all.h5 "${held[@]}" --epochs 1
train held 1 held.h5 "${held[@]}" --epochs 2 --resume auto # other weights of validation rows, which have no effect
check "nor do they make other rows" "$lockstep" eval --data all.h5 --checkpoint held --split validation --same-data >out 2>err

# A step whose weights are 0 is no step.
steps=("${fields[@]}" "${model[@]}" "${sgd[@]}" --lr 0.5 --momentum 0.9 --shuffle none --batch 40 --epochs 2)
train without 1 without.h5 "${steps[@]}"
for how in "--reduce fused" "--reduce overlap --clip-norm 1e9" "--reduce hierarchical" "--reduce overlap --shard-optimizer" --reproducible; do
    # shellcheck disable=SC2086
    train "with$how" 2 with.h5 "${steps[@]}" --weights /w $how
    near "rows of weight 0 are absent with $how" without "with$how" 2e-6
done

"$lockstep" train --data all.h5 "${fields[@]}" --model dense:3 --weights /w --class-weights balanced --dry-run >out 2>err
check "the table at the start names the weights" [ "$(grep -cE '^ +(rows weighted by /w|class weights balanced)$' err)" = 2 ]

# Bad weights.
tried=("$lockstep" train --data all.h5 "${fields[@]}" --model dense:3 --weights)
refuses 3 "all.h5: '/negative' is -0.5 in row 77: a weight is 0 to 1e20" mpirun -n 2 "${tried[@]}" /negative
refuses 3 "all.h5: '/nan' is NaN in row 78" "${tried[@]}" /nan --read root
refuses 3 "all.h5: the weights of all training rows are 0, by --weights /zeros" "${tried[@]}" /zeros
refuses 3 "'/short' has 99|'/x' has 240 rows but '/short' has 99" "${tried[@]}" /short
refuses 3 "'/column' is \[240,2\], expected a weight of each row" "${tried[@]}" /column
refuses 3 "'/names' holds strings" "${tried[@]}" /names
refuses 3 "has no dataset '/gone'" "${tried[@]}" /gone
refuses 2 "--weights w,w: expected one dataset" "${tried[@]}" w,w
refuses 3 "own.h5: has no dataset '/train/w'" "$lockstep" train --data own.h5 --model dense:3 --weights w
tried=("$lockstep" train --data all.h5 --inputs /x --model dense:3 --class-weights)
refuses 2 "--class-weights 1,2: 2 weights, but the data set has 3 classes" "${tried[@]}" 1,2 --targets /label
refuses 2 "--class-weights 1,2,3,4: 4 weights, but the data set has 3 classes" "${tried[@]}" 1,2,3,4 --targets /label
refuses 2 "--class-weights 1,2,: expected balanced, or for each class" "${tried[@]}" 1,2, --targets /label
refuses 2 "--class-weights needs classes" "${tried[@]}" balanced --targets /y
refuses 2 "--class-weights needs classes" "${tried[@]}" balanced --targets /halves --loss bce
refuses 3 "all.h5: '/fractions' is 1.5 in row 9, column 2: --loss bce needs targets of 0 to 1" mpirun -n 3 "$lockstep" train \
    --data all.h5 --inputs /x --targets /fractions --loss bce --model dense:3

# Ten classes, of which five have 50 times fewer rows than the others; an eleventh has none. The test rows are as many of
# each class. The rows are sorted, so ranks lack classes.
"$python" - <<'END'
import h5py
import numpy as np
draw = np.random.RandomState(1)
centres = 1.1 * draw.normal(size=(10, 12))
def rows(counts):
    label = np.repeat(np.arange(10), counts)
    return centres[label] + draw.normal(size=(len(label), 12)), label
with h5py.File("rare.h5", "w") as file:
    file.attrs.update(format="lockstep-dataset", version=1, classes=11)
    file["train/inputs"], file["train/labels"] = rows([1000, 20] * 5)
    file["test/inputs"], file["test/labels"] = rows([200] * 10)
END
rare=(--model dense:11 --lr 0.01 --hold-out stratified --monitor val_macro_f1 --reproducible --class-weights)
for how in none balanced; do
    train "rare-$how" 3 rare.h5 "${rare[@]}" $how
    "$lockstep" eval --data rare.h5 --checkpoint "rare-$how" --json >rare-$how.json 2>err
    sed -E 's/.*"macro_f1":([0-9.]+).*/macro F1 \1, --class-weights '"$how/" rare-$how.json
done
f1() { sed -E 's/.*"macro_f1":0?\.?([0-9]{3}).*/\1/' "rare-$1.json"; } # HOW: thousandths
train rare-1 1 rare.h5 "${rare[@]}" balanced
check "classes that ranks lack have the same weights" same_bits rare-balanced rare-1
# A class of one row in 8000 weighs as much as the others together, in one step.
"$python" - <<'END'
import h5py
import numpy as np
x, label = np.random.RandomState(1).normal(size=(8000, 4)).astype("f4") * 1000, np.arange(8000) == 5
with h5py.File("single.h5", "w") as file:
    file["x"], file["label"] = x, label
END
single=("${fields[@]}" --model dense:2 --shuffle none --reproducible --class-weights balanced --epochs 1 --validation 0)
train single 3 single.h5 "${single[@]}"
train single-1 1 single.h5 "${single[@]}"
check "a row that weighs as thousands is summed exactly" same_bits single single-1
check "balanced classes raise macro F1" [ $((10#$(f1 balanced) - 10#$(f1 none))) -gt 50 ]
finish
