#!/usr/bin/env bash
# Autoencoders, --targets inputs: a step and the metrics as NumPy computes them; the same network on any number of ranks,
# streamed, and resumed; evaluation, predictions and export in the units of the data set.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
need_python h5py

"$python" - <<'END'
import h5py
import numpy as np

draw = np.random.RandomState(5)
N = 150
code = draw.randn(N, 2)
table = np.tanh(code @ draw.randn(2, 6)) * [1, 3, 10, 0.1, 2, 5] + [0, 9, -50, 1, 2, 3]
pixels = (255 / (1 + np.exp(-2 * code @ draw.randn(2, 48)))).astype("u1")
with h5py.File("table.h5", "w") as file:
    file["x"] = table.astype("f4")
    file["unit"] = (pixels / 256).astype("f4")
    file["rgb"] = pixels.reshape(N, 3, 4, 4)
with h5py.File("own.h5", "w") as file:
    file.attrs.update(format="lockstep-dataset", version=1, classes=2)
    for name, rows in (("train", slice(0, 120)), ("test", slice(120, 150))):
        file[name + "/images"] = pixels[rows].reshape(-1, 3, 4, 4)
        file[name + "/labels"] = np.zeros(len(pixels[rows]), "i4") + [rows.start == 0]
END

# Trains a run: train RUN RANKS OPTION ...
train() {
    local run=$1 ranks=$2
    shift 2
    mpirun -n "$ranks" "$lockstep" train --targets inputs --threads 1 --run "$run" --quiet "$@" >out 2>err
    check "$run trains on $ranks ranks" [ $? = 0 ]
}
vectors=(--data table.h5 --inputs /x --standardize fit --test-rows last:30 --model "dense:5 tanh dense:6" --reproducible)
images=(--data own.h5 --loss bce --model "conv:4x3 relu dense:9 relu dense:48" --reproducible)
for ranks in 1 2 3; do
    train vectors-$ranks $ranks "${vectors[@]}" --epochs 3 --batch 16
    check "vectors: the same network on $ranks ranks" same_bits vectors-1 vectors-$ranks
    train images-$ranks $ranks "${images[@]}" --epochs 3 --batch 16
    check "images: the same network on $ranks ranks" same_bits images-1 images-$ranks
done
selected=(--data table.h5 --inputs /rgb --test-rows last:30)
train selected 2 "${selected[@]}" "${images[@]:2}" --epochs 3 --batch 16 --read root
check "selected inputs give the network of the own layout" same_bits images-1 selected
stream=(--stream --shuffle local --memory 2M --reduce fused --epochs 3 --batch 16 --model "dense:9 relu dense:48")
train streamed 2 --data own.h5 "${stream[@]}"
train streamed-selected 2 "${selected[@]}" "${stream[@]}"
check "streamed rows do, too" same_bits streamed streamed-selected
train cut 2 "${vectors[@]}" --epochs 2 --batch 16
train cut 3 "${vectors[@]}" --epochs 3 --batch 16 --resume auto
check "a resumed run gives the same network" same_bits vectors-1 cut

# One step of gradient descent, with all rows in one batch, from the parameters that a learning rate of 0 leaves.
one=(--epochs 1 --batch 120 --validation 0 --optimizer sgd)
for rate in 1e-30 0.5; do
    train mse-$rate 2 "${vectors[@]}" "${one[@]}" --lr $rate
    train bce-$rate 1 --data table.h5 --inputs "/unit[:,:6]" --normalize 0,2 --test-rows last:30 --loss bce \
        --model "dense:5 tanh dense:6" "${one[@]}" --lr $rate
done
for run in vectors-1 images-1; do
    data=own.h5
    [ $run = images-1 ] || data=table.h5
    "$lockstep" eval --data $data --checkpoint $run --json --predictions $run.h5 >$run.json 2>err
    check "$run is evaluated" [ $? = 0 ]
    mpirun -n 3 "$lockstep" predict --data $data --checkpoint $run --out $run-3.h5 2>err
    check "$run predicts on 3 ranks" [ $? = 0 ]
done
"$python" - >out <<'END'
import json
import h5py
import numpy as np

def near(what, a, b, tolerance):
    error = np.abs(np.asarray(a) - b).max() / np.abs(b).max()
    print("right" if error < tolerance else "WRONG", what, error)

def params(run):
    with h5py.File(run + "/checkpoints/last") as file:
        p = file["parameters"]
        return [p[name][:].astype("f8") for name in ("dense1/weight", "dense1/bias", "dense2/weight", "dense2/bias")]

def step(name, x, loss, rate):
    W, b, V, c = params(name + "-1e-30")
    h = np.tanh(x @ W + b)
    y = h @ V + c
    dy = 2 * (y - x) if loss == "mse" else 1 / (1 + np.exp(-y)) - x
    dy /= y.size
    dh = dy @ V.T * (1 - h * h)
    expected = W - rate * x.T @ dh, b - rate * dh.sum(0), V - rate * h.T @ dy, c - rate * dy.sum(0)
    for what, got, want in zip("WbVc", params(name + "-0.5"), expected):
        near(name + " " + what, got, want, 1e-5)

table = h5py.File("table.h5")
x = table["x"][:120].astype("f8")
step("mse", (x - x.mean(0)) / x.std(0), "mse", 0.5)
step("bce", table["unit"][:120, :6].astype("f8") / 2, "bce", 0.5)

def scores(run, truth, unit):
    found = json.load(open(run + ".json"))
    with h5py.File(run + ".h5") as file, h5py.File(run + "-3.h5") as other:
        y = file["values"][:].astype("f8")
        near(run + " targets", file["targets"][:], truth, 1e-7)
        print("right" if (other["values"][:] == file["values"][:]).all() else "WRONG", "predictions on 3 ranks")
    e = y - truth
    near(run + " mae", found["mae"], np.abs(e).mean(), 1e-5)
    near(run + " rmse", found["rmse"], np.sqrt((e * e).mean()), 1e-5)
    s, t = e / unit, truth / unit
    near(run + " r2", found["r2"], 1 - (s * s).sum() / ((t - t.mean(0)) ** 2).sum(), 1e-5)
    near(run + " output 3", found["outputs"][3]["rmse"], np.sqrt((e[:, 3] ** 2).mean()), 1e-5)
    return found, y

train = table["x"][:120].astype("f8")[: 120 - 12]
scores("vectors-1", table["x"][120:].astype("f8"), train.std(0))
truth = table["rgb"][120:].reshape(30, 48).astype("f8")
found, y = scores("images-1", truth, 255)
p, t = y / 255, truth / 255
near("bce", found["loss"], -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean(), 1e-4)
END
check "steps, metrics and predictions are as NumPy computes them" [ "$(grep -c ^right out)" = 21 ]
check "none differs" [ -z "$(grep ^WRONG out | tee /dev/stderr)" ]

"$lockstep" eval --data own.h5 --checkpoint images-1 >out 2>err
check "eval lists the outputs of largest error" has out "the 20 outputs of largest rmse; --json lists all 48"
check "sorted" [ "$(awk 'seen { print $3 } $3 == "rmse" { seen = 1 }' out)" = "$(awk 'seen { print $3 } $3 == "rmse" { seen = 1 }' out | sort -gr)" ]
"$python" - <<'END' >large.json
import json
e = json.load(open("images-1.json"))
e["outputs"] = [{"mae": 0, "rmse": 1e-3 * (k * 37 % 784), "r2": None} for k in range(784)]
print(json.dumps(e))
END
"$lockstep" report images-1 --evaluation large.json --out large.html 2>err
check "the report lists the outputs of largest error, too: $(cat err)" [ "$(sed -n '/Errors of the outputs/,/largest RMSE/p' large.html | grep -oE '<td>[0-9]+</td><td>0</td>' | head -n 2 | xargs)" = "<td>339</td><td>0</td> <td>678</td><td>0</td>" ]
check "and says so" has large.html 'The 20 of 784 with the largest RMSE; <code>eval --json</code> lists all'
"$lockstep" info images-1 >out && "$lockstep" report images-1 2>err
check "info and report describe it" [ $? = 0 ]
check "with the targets" has out '^    targets = inputs$'
for run in vectors-1 images-1; do
    "$lockstep" export --checkpoint $run --out $run.onnx --check $run.csv 2>err
    check "$run is exported" [ $? = 0 ]
done

own=(train --targets inputs --data own.h5)
refuses 2 "--targets inputs: the targets are standardised as the inputs are" "$lockstep" "${own[@]}" --model dense:48 --standardize-targets
refuses 2 "--loss bce needs inputs from 0 to 1, which standardised ones are not" "$lockstep" "${own[@]}" --model dense:48 --loss bce --standardize fit
refuses 2 "--loss bce needs inputs from 0 to 1, but number 0 of train row 0 is -" "$lockstep" "${own[@]}" --model dense:48 --loss bce --normalize 0.999,0.5
refuses 2 "--loss cross-entropy needs classes" "$lockstep" "${own[@]}" --model dense:48 --loss cross-entropy
refuses 2 "the outputs are an image of 3 channels made by 'conv:3x3,1,1': end the network with dense:48" "$lockstep" "${own[@]}" --model conv:3x3,1,1
refuses 2 "made by 'sigmoid': end the network with dense:48" "$lockstep" "${own[@]}" --model "deconv:3x1 sigmoid flatten"
refuses 2 "the last layer has 9 outputs" "$lockstep" "${own[@]}" --model dense:9
refuses 2 "the checkpoint's network was trained with --targets inputs" "$lockstep" eval --data table.h5 --checkpoint vectors-1 --targets /unit
finish
