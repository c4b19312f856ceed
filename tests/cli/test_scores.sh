#!/usr/bin/env bash
# Scores of classes and calibration of an evaluation, against NumPy, on any number of ranks.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
need_python h5py
"$lockstep" import --synthetic 600,1,6,6,5 --out data.h5 2>/dev/null
mpirun -n 2 "$lockstep" train --data data.h5 --model "dense:9 tanh dense:5" --epochs 2 --run run --quiet 2>/dev/null
for ranks in 1 2 3; do
    mpirun -n $ranks "$lockstep" eval --data data.h5 --checkpoint run --threads 1 --json >eval$ranks.json 2>err
    check "an evaluation on $ranks ranks gives the same bits" cmp eval1.json eval$ranks.json
done

cat >compare.py <<'END'
import json
import h5py
import numpy as np

result = json.load(open("eval1.json"))
with h5py.File("data.h5") as data, h5py.File("run/checkpoints/best") as network:
    x = data["test/images"][:].reshape(-1, 36) / 255.0
    labels = data["test/labels"][:].astype(int)
    p = {name: network["parameters/" + name][:].astype(float)
         for name in ("dense1/weight", "dense1/bias", "dense2/weight", "dense2/bias")}
y = np.tanh(x @ p["dense1/weight"] + p["dense1/bias"]) @ p["dense2/weight"] + p["dense2/bias"]
y = np.exp(y - y.max(1, keepdims=True))
probability = y / y.sum(1, keepdims=True)
predicted = probability.argmax(1)
right = predicted == labels

def close(name, found, expected, tolerance=1e-6):
    assert abs(found - expected) < tolerance, f"{name} is {found}, expected {expected}"

brier = ((probability - np.eye(5)[labels]) ** 2).sum(1).mean()
most = probability.max(1)
error = 0
for low in np.arange(15) / 15:
    inside = (most > low) & (most <= low + 1 / 15)
    if inside.any():
        error += inside.mean() * abs(right[inside].mean() - most[inside].mean())
close("Brier score", result["brier"], brier)
close("calibration error", result["calibration_error"], error, 1e-5)

scores = result["scores"]
table = []
for k in range(5):
    hits = (right & (labels == k)).sum()
    precision = hits / max(1, (predicted == k).sum())
    recall = hits / max(1, (labels == k).sum())
    f1 = 2 * precision * recall / (precision + recall) if hits else 0
    table.append((precision, recall, f1, (labels == k).sum()))
table = np.array(table)
for k, row in enumerate(table):
    for name, expected in zip(("precision", "recall", "f1", "support"), row):
        close(f"{name} of class {k}", scores["of_class"][k][name], expected)
for i, name in enumerate(("precision", "recall", "f1")):
    close("macro " + name, scores["macro"][name], table[:, i].mean())
    close("weighted " + name, scores["weighted"][name], (table[:, i] * table[:, 3]).sum() / table[:, 3].sum())
assert scores["macro"]["support"] == len(labels)
END
check "scores and calibration are those that NumPy computes: $("$python" compare.py 2>&1 | tail -n 1)" "$python" compare.py
"$lockstep" eval --data data.h5 --checkpoint run >out 2>err
check "the table has a row for each class and the means" [ "$(grep -cE '^ +([0-4]|macro mean|weighted mean)( +[01]\.[0-9]{4}){3} +[0-9]+$' out)" = 7 ]
check "the calibration is printed" has out '^test calibration error 0\.[0-9]{4}, Brier score [01]\.[0-9]{4}$'

# Outputs of mse are no probabilities.
mpirun -n 1 "$lockstep" train --data data.h5 --model "dense:5" --loss mse --epochs 1 --run mse --quiet 2>/dev/null
"$lockstep" eval --data data.h5 --checkpoint mse --json >out 2>err
check "without probabilities there is no calibration" has out '"calibration_error":null,"brier":null'
finish
