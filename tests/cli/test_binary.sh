#!/usr/bin/env bash
# A binary task on a table as of HIGGS: the metrics of an evaluation are those of their definitions, and of scikit-learn
# where it is installed, computed from the file of predictions; the same on any number of ranks.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
need_python h5py
# Kernels that compute equal rows alike, wherever they are in a batch: those for AVX2 do not.
export OPENBLAS_CORETYPE=Nehalem

# The class, as a float, then 28 features. Rows repeat, so that many outputs are equal in both classes.
"$python" - <<'END'
import h5py
import numpy as np

draw = np.random.RandomState(11)
kinds = draw.normal(size=(500, 28)).astype("f4")
kinds[:, 21:] = np.exp(kinds[:, 21:] / 2)
signal = 1 / (1 + np.exp(1 - kinds[:, :5].sum(1)))
row = draw.randint(0, 500, 6144)
with h5py.File("higgs.h5", "w") as file:
    file["higgs"] = np.hstack([(draw.rand(6144) < signal[row])[:, None], kinds[row]]).astype("f4")
END
for ranks in 1 2 3 4; do
    mpirun -n $ranks "$lockstep" train --data higgs.h5 --inputs "/higgs[:,1:]" --targets "/higgs[:,0]" --loss bce \
        --test-rows last:3072 --model "dense:30 relu dense:1" --epochs 2 --lr 0.003 --standardize fit --reproducible \
        --threads 1 --run run$ranks --monitor val_auc --quiet 2>err
    check "a table of floats trains on $ranks ranks" [ $? = 0 ]
    check "$ranks ranks have the network of one" same_bits run1 run$ranks
    mpirun -n $ranks "$lockstep" eval --data higgs.h5 --checkpoint run1 --threads 1 --json --predictions p$ranks.h5 >eval$ranks.json 2>err
    check "eval on $ranks ranks has the result of one" cmp eval1.json eval$ranks.json
done
# Area under the curve by its definition: over pairs of a signal and a background row, 1 if the signal's output is
# larger, 1/2 if both are equal.
"$python" - >out <<'END'
import json
import sys
import h5py
import numpy as np

found = json.load(open("eval1.json"))
with h5py.File("p1.h5") as file:
    p, y = file["values"][:, 0].astype("f8"), file["targets"][:, 0].astype(int)
# Equal rows of different batches may differ by rounding.
order = np.argsort(p)
place = np.empty(len(p), int)
place[order] = np.cumsum(np.diff(p[order], prepend=0) > 3e-7)
distinct = np.unique(place)
guess = (p > 0.5).astype(int)
signal, background = (np.bincount(place[y == k], minlength=place.max() + 1) for k in (1, 0))
below = np.cumsum(background) - background
want = {"auc": (signal * (below + background / 2)).sum() / (signal.sum() * background.sum())}
recall = [(guess[y == k] == k).mean() for k in (0, 1)]
f1 = [2 * ((guess == k) & (y == k)).sum() / ((guess == k).sum() + (y == k).sum()) for k in (0, 1)]
want.update(accuracy=(guess == y).mean(), balanced_accuracy=np.mean(recall), macro_f1=np.mean(f1))
wants = [("the definition", want)]
try:
    from sklearn import metrics
    wants.append(("scikit-learn", {"auc": metrics.roc_auc_score(y, place), "accuracy": metrics.accuracy_score(y, guess),
                                   "balanced_accuracy": metrics.balanced_accuracy_score(y, guess),
                                   "macro_f1": metrics.f1_score(y, guess, average="macro")}))
except ImportError:
    print("scikit-learn is not installed: definitions only")
print(len(distinct), "different outputs")
wrong = [(who, name, found[name], value) for who, values in wants for name, value in values.items()
         if not abs(found[name] - value) <= 1e-9]
print(*wrong, sep="\n")
sys.exit(len(wrong) > 0 or len(distinct) > 500)
END
check "the metrics are those of their definitions, to 1e-9" [ $? = 0 ]
cat out
finish
