#!/usr/bin/env bash
# Tasks: the loss is chosen by the targets; metrics, columns and texts are those of the task, the same on any number
# of ranks.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
jobs=$3/jobs
need_python h5py

"$python" - <<'END'
import h5py
import numpy as np

draw = np.random.RandomState(3)
x = draw.normal(size=(1000, 6)).astype("f4")

def write(name, part, y, **attributes):
    with h5py.File(name + ".h5", "w") as file:
        file.attrs.update(format="lockstep-dataset", version=1, **attributes)
        for split, a, b in ("train", 0, 800), ("test", 800, 1000):
            file[f"{split}/inputs"] = x[a:b]
            file[f"{split}/{part}"] = y[a:b]

write("values", "targets", np.stack([1e5 + 300 * np.tanh(x[:, 0] + x[:, 1]), 0.02 * x[:, 2]], 1))
write("narrow", "targets", np.stack([1000 + 1e-3 * x[:, 0], x[:, 1]], 1).astype("f4"))
write("labels", "targets", (x[:, :3] + x[:, 3:] > 0.5).astype("u1"))
bad = (x[:, :3] > 0).astype("f8")
bad[7, 2] = 1.5
write("bad", "targets", bad)
with h5py.File("signs.h5", "w") as file:
    file["x"], file["y"] = x, np.tile([-1, 1], 500)
write("two", "labels", (x[:, 0] * x[:, 1] > 0).astype("i4"), classes=2)
write("three", "labels", (np.abs(x[:, 0]) * 1.5).astype("i4").clip(0, 2), classes=3)
END

epochs=6
train() { # RUN RANKS OPTION ...
    local run=$1 ranks=$2
    shift 2
    mpirun -n "$ranks" "$lockstep" train --batch 50 --epochs $epochs --lr 0.01 --threads 1 --reproducible --run "$run" "$@" >out 2>err
}
# Prints metrics.csv without times.
columns() { awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) keep[i] = $i !~ /_s$|second|slowest/ }
    { line = ""; for (i = 1; i <= NF; i++) if (keep[i]) line = line "," $i; print substr(line, 2) }' <"$1/metrics.csv"; } # RUN
evaluate() { # RUN RANKS DATA OPTION ...
    local run=$1 ranks=$2 data=$3
    shift 3
    mpirun -n "$ranks" "$lockstep" eval --data "$data.h5" --checkpoint "$run" --threads 1 "$@" 2>err
}

for ranks in 1 2 3; do
    train values$ranks $ranks --data values.h5 --model "dense:16 tanh dense:2" --standardize-targets --monitor val_r2
    check "regression trains on $ranks ranks" [ $? = 0 ]
    columns values$ranks >values$ranks.csv
    check "regression: $ranks ranks have the metrics of one" cmp values1.csv values$ranks.csv
    train two$ranks $ranks --data two.h5 --model "dense:16 tanh dense:1" --loss bce --monitor val_auc
    check "a binary task trains on $ranks ranks" [ $? = 0 ]
    columns two$ranks >two$ranks.csv
    check "binary: $ranks ranks have the metrics of one" cmp two1.csv two$ranks.csv
    train labels$ranks $ranks --data labels.h5 --model dense:3 --loss bce --monitor val_macro_f1
    check "a multi-label task trains on $ranks ranks" [ $? = 0 ]
    columns labels$ranks >labels$ranks.csv
    check "multi-label: $ranks ranks have the metrics of one" cmp labels1.csv labels$ranks.csv
    evaluate values1 $ranks values --json >values$ranks.json
    check "regression: eval on $ranks ranks has the result of one" cmp values1.json values$ranks.json
    evaluate two1 $ranks two --json >two$ranks.json
    check "binary: eval on $ranks ranks has the result of one" cmp two1.json two$ranks.json
done

train magnitude 2 --data values.h5 --model dense:2 --standardize-targets --monitor val_r2
check "an epoch's line has the errors in six digits, and R2" has err '^epoch 1/6  loss [0-9.e-]+  rmse [0-9.]{5,8}  val_loss [0-9.e-]+  val_rmse [0-9.]{5,8}  val_r2 -?[0-9]+\.[0-9]{4}  '
check "no line of a regression has an accuracy" [ "$(grep -c accuracy err)" = 0 ]
check "the columns of a regression" [ "$(head -n 1 values1.csv)" = epoch,loss,val_loss,lr,mae,rmse,val_mae,val_rmse,val_r2 ]
check "the loss chosen for values is stored" has values1/config.conf '^loss = mse$'
check "the summary names the task" has values1/summary.json '"task": "regression"'
check "the errors are in the targets' units" has values1.json \
    '"outputs":\[\{"mae":[0-9]+\.[0-9]+,"rmse":[0-9]+\.[0-9]+,"r2":0\.9[0-9]+\},\{"mae":0\.00[0-9]+,"rmse":0\.00[0-9]+,"r2":0\.[0-9]+\}\]'
check "a regression has no accuracy" [ "$(grep -c accuracy values1.json)" = 0 ]
evaluate values1 1 values >out
check "eval prints a row for each output" [ "$(grep -cE '^ +[01] +[0-9.e-]+ +[0-9.e-]+ +0\.[0-9]{6}$' out)" = 2 ]
# At least two blanks between the columns of tables, whatever the numbers.
# shellcheck disable=SC2317 # called by check
apart() { awk -F'  +' -v fields="$2" 'NF == fields { found++ } END { exit found < lines }' lines="$3" "$1"; } # FILE FIELDS LINES
train narrow 1 --data narrow.h5 --model dense:2
evaluate narrow 1 narrow >out
check "an R2 far below 0 has six digits: $(tail -n 2 out)" [ "$(awk '$1 == 0 { print $4 }' out | grep -cE '^-[0-9](\.[0-9]{1,5})?e\+[0-9]+$')" = 1 ]
check "columns of errors are apart" apart out 5 3
"$lockstep" import --synthetic 1300000,1,2,2,2 --out million.h5 2>/dev/null
"$lockstep" train --data million.h5 --model dense:2 --epochs 1 --batch 20000 --run million --quiet 2>/dev/null
evaluate million 1 million --split train >out
check "columns of scores are apart: $(tail -n 3 out)" apart out 6 5
check "so are those of the matrix" [ "$(tail -n 3 out | awk -F'  +' 'NF == 4 || NF == 3' | wc -l)" = 3 ]
"$lockstep" info million >out
check "and of info" [ "$(sed '/^config/,$d; s/^ *//' out | grep -v '  ' | xargs)" = "metrics layers parameters" ]

"$lockstep" report values1 --out page.html >out 2>err
check "the report shows the RMSE" has page.html '<dt>validation rmse'
check "the report of a regression has no accuracy" [ "$(grep -c accuracy page.html)" = 0 ]
# What the report shows of each task.
export LOCKSTEP=$lockstep LAUNCH='mpirun -n 2'
report() { "$jobs/report.sh" "$1" "$2.h5" '' "$1.html" >out 2>err; } # RUN DATA
# shellcheck disable=SC2317
check_figures() { "$python" - "$@" 2>problem || { tail -n 1 problem; return 1; }; }
report values1 values
check "regression: the report has a table of errors: $(cat err)" has values1.html '<tr><td>1</td><td>0\.00[0-9]+</td><td>0\.00[0-9]+</td><td>0\.[0-9]+</td></tr>'
check "regression: it has points and residuals of both outputs" [ "$(grep -c '<svg' values1.html)" = 6 ]
check "regression: it has no accuracy, no confusion and no classes" [ "$(grep -ciE 'accuracy|confusion|class<|classified' values1.html)" = 0 ]
check "regression: figures show the predictions" check_figures <<'PYTHON'
import json, subprocess
import h5py
import numpy as np
e = json.load(open("values1.json"))
with h5py.File("values.h5") as data:
    t = data["test/targets"][:]
for plot in e["plots"]:
    k, points = plot["output"], np.array(plot["points"])
    assert np.allclose(points[:, 0], t[:, k], rtol=1e-6), "true values"
    errors = points[:, 1] - points[:, 0]
    assert abs(np.sqrt((errors**2).mean()) / e["outputs"][k]["rmse"] - 1) < 1e-4, "predicted values"
    counts, r = plot["residuals"]["counts"], plot["residuals"]
    edges = r["from"] + r["step"] * np.arange(len(counts) + 1)
    edges[0], edges[-1] = -np.inf, np.inf
    assert sum(counts) == 200 and np.abs(np.histogram(errors, edges)[0] - counts).sum() <= 2, "residuals"
PYTHON
report two1 two
check "binary: the report has the ROC curve and the matrix: $(cat err)" has two1.html '>ROC curve, area 0\.[0-9]{4}<'
check "binary: it has scores of both classes" has two1.html '<tr><td>1</td><td>[01]\.[0-9]{4}</td>'
check "binary: the curve has the area of the metric" check_figures <<'PYTHON'
import json
import numpy as np
e = json.load(open("two1.json"))
x, y = np.array(e["roc"]).T
assert (np.diff(x) >= 0).all() and (np.diff(y) >= 0).all() and x[0] == y[0] == 0 and x[-1] == y[-1] == 1
assert abs(((x[1:] - x[:-1]) * (y[1:] + y[:-1]) / 2).sum() - e["auc"]) < 0.005, "area"
PYTHON
# Two classes with cross-entropy are ranked, too: by the outputs' difference, as the probabilities are.
for ranks in 1 2 3; do
    train pair$ranks $ranks --data two.h5 --model "dense:16 tanh dense:2" --monitor val_auc
    check "two classes train on $ranks ranks, val_auc decides" [ $? = 0 ]
    columns pair$ranks >pair$ranks.csv
    check "two classes: $ranks ranks have the metrics of one" cmp pair1.csv pair$ranks.csv
done
check "two classes: the columns" [ "$(head -n 1 pair1.csv)" = \
    epoch,loss,accuracy,val_loss,val_accuracy,lr,top5,val_top5,val_balanced_accuracy,val_macro_f1,val_auc ]
evaluate pair1 2 two --json --predictions pair.csv >pair.json
check "two classes: eval has AUC, as its definition gives it" check_figures <<'PYTHON'
import json
import numpy as np
e, rows = json.load(open("pair.json")), np.genfromtxt("pair.csv", delimiter=",", names=True)
p, truth = rows["p1"] - rows["p0"], rows["label"] == 1
pairs = np.sign(p[truth][:, None] - p[~truth][None, :])
assert abs(e["auc"] - (pairs.mean() + 1) / 2) < 1e-4, "definition"
x, y = np.array(e["roc"]).T
assert abs(((x[1:] - x[:-1]) * (y[1:] + y[:-1]) / 2).sum() - e["auc"]) < 0.005, "area"
PYTHON
report pair1 two
check "two classes: the report has the ROC curve: $(cat err)" has pair1.html '>ROC curve, area 0\.[0-9]{4}<'
report labels1 labels
check "multi-label: the report has scores of each output: $(cat err)" [ "$(grep -cE '<tr><td>[0-2]</td>(<td>[01]\.[0-9]{4}</td>){3}' labels1.html)" = 3 ]
check "multi-label: it has no confusion" [ "$(grep -c 'onfus' labels1.html)" = 0 ]
evaluate labels1 1 labels --predictions labels.csv >out
check "multi-label: eval has the scores of each output" check_figures <<'PYTHON'
import numpy as np
rows = np.loadtxt("labels.csv", delimiter=",", skiprows=1)
t, y = rows[:, 1:4] > 0.5, rows[:, 4:] > 0.5
lines = open("out").read().split("  output")[1].split("\n")[1:4]
for k, line in enumerate(lines):
    right = (t[:, k] & y[:, k]).sum()
    expected = [right / y[:, k].sum(), right / t[:, k].sum(), 2 * right / (t[:, k].sum() + y[:, k].sum())]
    assert np.allclose([float(v) for v in line.split()[1:4]], expected, atol=6e-5), line
PYTHON
check "binary: eval has AUC and confusion" has two1.json '"auc":0\.[0-9]+.*"confusion":\[\[[0-9]+,[0-9]+\],\[[0-9]+,[0-9]+\]\]'
train huber 2 --data values.h5 --model dense:2 --standardize-targets --loss huber:0.5
check "the number of huber is stored" has huber/config.conf '^loss = huber:0.5$'
epochs=7
train huber 1 --data values.h5 --model dense:2 --standardize-targets --loss huber:0.5 --resume auto
check "a run with huber is resumed" [ $? = 0 ]
train classes 1 --data three.h5 --model dense:3
check "the loss chosen for classes is stored" has classes/config.conf '^loss = cross-entropy$'

tried=("$lockstep" train --epochs 1)
refuses 2 "needs classes as targets" "${tried[@]}" --data values.h5 --model dense:2 --loss cross-entropy
refuses 2 "needs two classes, or values" "${tried[@]}" --data three.h5 --model dense:1 --loss bce
refuses 2 "--monitor val_accuracy is not defined for a regression task" "${tried[@]}" --data values.h5 --model dense:2 --monitor val_accuracy
refuses 2 "the loss and the targets need 2 outputs: end with dense:2" "${tried[@]}" --data values.h5 --model dense:10
refuses 2 "the targets of --loss bce are 0 or 1: leave it out" "${tried[@]}" --data values.h5 --model dense:2 --loss bce --standardize-targets
refuses 2 "write huber:D" "${tried[@]}" --data values.h5 --model dense:2 --loss huber:-1
refuses 2 "validation rows" "${tried[@]}" --data two.h5 --model dense:1 --loss bce --validation 0 --monitor val_auc
refuses 3 "bad.h5: '/train/targets' is 1.5 in row 7, column 2: --loss bce needs targets of 0 to 1" "${tried[@]}" --data bad.h5 --model dense:3 --loss bce
refuses 3 "signs.h5: '/y' is -1 in row 0: --loss bce needs targets of 0 to 1" "${tried[@]}" --data signs.h5 --inputs /x --targets /y --model dense:1 --loss bce
refuses 4 "training diverged; give --standardize-targets, or a smaller --lr" "${tried[@]}" --data values.h5 --model dense:2 --quiet
refuses 2 "--errors lists misclassified rows" "$lockstep" eval --data values.h5 --checkpoint values1 --errors 3
finish
