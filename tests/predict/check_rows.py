"""The files of predictions of tests/cli/test_predict.sh, against the network computed by NumPy and against `eval`."""
import csv
import json

import h5py
import numpy as np


def outputs_of(run, split):
    """Outputs before the softmax, and the labels."""
    with h5py.File("data.h5") as data, h5py.File(run + "/checkpoints/best") as network:
        rows = data[split + "/images"][:]
        y = rows.reshape(len(rows), -1) / 255.0
        labels = data[split + "/labels"][:].astype(int)
        layer = 1
        while f"parameters/dense{layer}/weight" in network:
            y = np.tanh(y) if layer > 1 else y
            y = y @ network[f"parameters/dense{layer}/weight"][:].astype(float)
            y = y + network[f"parameters/dense{layer}/bias"][:].astype(float)
            layer += 1
    return y, labels


def read_csv(path, letter):
    with open(path) as file:
        rows = list(csv.DictReader(file))
    y = np.array([[float(row[f"{letter}{k}"]) for k in range(5)] for row in rows])
    assert [int(row["row"]) for row in rows] == list(range(len(rows))), "the rows are not in order"
    return rows, y


y, labels = outputs_of("run", "train")
with h5py.File("data.h5") as data:  # those that training held out belong to another split
    assert len(labels) == len(data["train/labels"])
p = np.exp(y - y.max(1, keepdims=True))
p /= p.sum(1, keepdims=True)
rows, found = read_csv("1.csv", "p")
n = len(rows)
assert 0 < n <= len(labels)
assert np.abs(found - p[:n]).max() < 1e-6, "other probabilities"
predicted = np.array([int(row["class"]) for row in rows])
assert (predicted == p[:n].argmax(1)).all()
assert all(float(row["probability"]) == found[i, predicted[i]] for i, row in enumerate(rows))

evaluated, again = read_csv("eval1.csv", "p")
assert (again == found).all()
assert [int(row["label"]) for row in evaluated] == list(labels[:n])
result = json.load(open("eval.json"))
assert result["rows"] == n
assert abs(result["accuracy"] - (predicted == labels[:n]).mean()) < 1e-8, "another accuracy than that of eval"

for path, has_labels in ("1.h5", False), ("eval.h5", True):
    with h5py.File(path) as file:
        assert file.attrs["format"] == "lockstep-predictions" and file.attrs["version"] == 1
        assert file.attrs["split"] == "train" and file.attrs["data"] == "data.h5"
        assert file.attrs["checkpoint"].startswith("run/checkpoints/")
        assert file["probabilities"].dtype == "f4" and file["class"].dtype == "i4"
        assert (file["probabilities"][:] == found.astype("f4")).all()
        assert (file["class"][:] == predicted).all()
        assert ("label" in file) == has_labels
        assert not has_labels or (file["label"][:] == labels[:n]).all()

y, _ = outputs_of("mse", "test")
rows, found = read_csv("mse.csv", "y")
assert len(rows) == len(y) and np.abs(found - y).max() < 1e-5, "other values"
assert all(float(row["value"]) == found[i].max() for i, row in enumerate(rows))
with h5py.File("mse.h5") as file:
    assert (file["values"][:] == found.astype("f4")).all() and "probabilities" not in file
