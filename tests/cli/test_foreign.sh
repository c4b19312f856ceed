#!/usr/bin/env bash
# HDF5 files without attributes or groups of Lockstep's, as other programs write them: what a file holds is said where
# inputs and targets are missing or wrong, and links are never followed.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1 jobs=$3/jobs
export LOCKSTEP=$lockstep
need_python h5py

"$python" - <<'END'
import h5py
import numpy as np

draw = np.random.RandomState(1)
x = draw.randn(600, 12)
with h5py.File("table.h5", "w") as file:
    file["x"], file["y"], file["price"] = x, (x[:, 0] > 0).astype("i8"), 3 * x[:, 0]
    file["more/z"] = x[:, :3].astype("f4")
    file["more/names"] = [b"a"] * 600
    file.create_dataset("more/kind", data=np.zeros(600, "i1"), dtype=h5py.enum_dtype({"A": 0, "B": 1, "C": 2}))
    file["more/\x1b[31mred"] = 1.0
    file["more/again"], file["more/root"] = file["more"], file["/"]
    file["soft"], file["out"] = h5py.SoftLink("/x"), h5py.ExternalLink("table.h5", "/x")
with h5py.File("empty.h5", "w") as file:
    file.create_group("nothing/here")
with h5py.File("wide.h5", "w") as file:
    for i in range(300):
        file["%s%03d" % ("n" * 200, i)] = x[:2]
with h5py.File("virtual.h5", "w") as file:
    layout = h5py.VirtualLayout(shape=(600, 12), dtype="f8")
    layout[:] = h5py.VirtualSource("table.h5", "x", shape=(600, 12))
    file.create_virtual_dataset("v", layout)
    file["x"] = x
# Groups that hold each other: 2 to the power of the depth paths.
with h5py.File("web.h5", "w") as file:
    groups = [file.create_group("g%d" % i) for i in range(24)]
    for upper, lower in zip(groups, groups[1:]):
        upper["a"], upper["b"] = lower, lower
    groups[-1]["x"] = x
END

# info lists the datasets of any file.
"$lockstep" info table.h5 >out
check "info describes any HDF5 file" [ $? = 0 ]
check "with shape and type" has out '^ +/x +\[600,12\] +float64$'
check "also of groups" has out '^ +/more/names +\[600\] +strings$'
check "enumerations are named" has out '^ +/more/kind +\[600\] +enum values$'
check "names are made printable" has out '^ +/more/\?\[31mred '
check "links are not followed" [ "$(grep -cE 'soft|out' out)" = 0 ]
check "a group within itself is listed once" [ "$(grep -c 'again' out)" = 0 ]
"$lockstep" info table.h5 --json >out
check "info gives JSON, too" "$python" -c 'import json, sys
d = json.load(open("out"))
sys.exit(d["kind"] != "HDF5 file" or {"path": "/y", "shape": "[600]", "type": "int64"} not in d["datasets"])'
"$lockstep" info wide.h5 --json >out
check "the number of listed datasets is bounded" "$python" -c 'import json, sys
d = json.load(open("out"))
sys.exit(len(d["datasets"]) != 200 or d["more"] != 100)'
"$lockstep" info virtual.h5 >out
check "a virtual dataset is not read" has out "^ +/v +can't be read$"
timeout 20 "$lockstep" info web.h5 >out
check "a web of groups ends" [ $? = 0 ]
refuses 2 "table.h5: --verify needs --inputs and --targets" "$lockstep" info table.h5 --verify

# Other commands say what there is.
holds="it holds /more/.\[31mred \[\] float64, /more/kind \[600\] enum values, /more/names \[600\] strings"
refuses 3 "table.h5: not a data set .* give --inputs and --targets; $holds.* and [0-9]+ more$" \
    "$lockstep" train --data table.h5 --model dense:2
refuses 3 "empty.h5: not a data set .* it holds no dataset$" "$lockstep" train --data empty.h5 --model dense:2
refuses 3 "wide.h5: not a data set .* it holds /n+000 .*, /n+001 .* and 298 more$" "$lockstep" train --data wide.h5
refuses 3 "table.h5: has no dataset '/nosuch': it holds /more/.* more$" \
    "$lockstep" train --data table.h5 --inputs /nosuch --targets /y --model dense:2
refuses 3 "table.h5: '/more/kind' holds enum values" \
    "$lockstep" train --data table.h5 --inputs /x --targets /more/kind --model dense:2
"$lockstep" train --help >out
check "the common options have --inputs and --targets" [ "$(grep -cE '^ +--(inputs|targets) ' out)" = 2 ]

# Values of 0 and 1 with --loss bce are divided by class, as the classes themselves are.
"$python" -c 'import h5py
with h5py.File("table.h5", "a") as f:
    for name, kind in ("u", "u1"), ("f", "f4"), ("b", "?"):
        f[name] = f["y"][()].astype(kind)'
for targets in /y /u /f /b; do
    loss=(--loss bce --model dense:1)
    mpirun -n 2 "$lockstep" train --data table.h5 --inputs /x --targets $targets --hold-out stratified --validation 0.2 "${loss[@]}" \
        --epochs 2 --threads 1 --reproducible --run "s$targets" --quiet >out 2>err
    check "$targets is divided by class: $(cat err)" [ $? = 0 ]
    check "$targets has the training of /y" same_bits s/y "s$targets"
    "$lockstep" eval --data table.h5 --checkpoint "s$targets" --split validation --json >"s$targets.json" 2>err
done
check "the shares of the classes are equal" "$python" -c 'import h5py, json, sys
y = h5py.File("table.h5")["y"][()]
support = [c["support"] for c in json.load(open("s/f.json"))["scores"]["of_class"]]
sys.exit(not all(abs(n - 0.2 * (y == k).sum()) < 1 for k, n in enumerate(support)))'
refuses 2 "--hold-out stratified needs classes.* or for two classes --loss bce" \
    "$lockstep" train --data table.h5 --inputs /x --targets /price --hold-out stratified --model dense:1

# Errors name the fault and what to do, in every command.
"$python" - <<'END'
import h5py
import numpy as np

with h5py.File("table.h5", "a") as f, h5py.File("narrow.h5", "w") as narrow:
    y, x = f["y"][()], f["x"][()]
    f["sign"], f["from1"], x[3, 2] = 2 * y - 1, y + 1, -1e300
    f["large"] = x
    f["goal"] = x[:, 2]
    narrow["x"], narrow["y"] = x[:, :5], y
    narrow["x"][3, 2] = 0
END
table() { # CODE PATTERN OPTION ...
    local code=$1 pattern=$2
    shift 2
    refuses "$code" "$pattern" "$lockstep" train --data table.h5 --epochs 1 --threads 1 "$@"
}
table 2 "--class-weights needs classes, but the targets are values, and the loss is not bce: give --loss bce" \
    --inputs /x --targets /price --class-weights balanced --model dense:1
table 3 "table.h5: '/large' is too large for float32 in row 3, column 2$" --inputs /large --targets /y --model dense:2
table 3 "table.h5: '/goal' is too large for float32 in row 3$" --inputs /x --targets /goal --model dense:1
table 3 "table.h5: '/sign' row [0-9]+ is -1, but classes are numbered 0, 1, .*: number them so; values are for --loss mse" \
    --inputs /x --targets /sign --model dense:2
table 2 "--test-rows last:600: there are 600 rows; to evaluate all of them give --test-rows all" \
    --inputs /x --targets /y --test-rows last:600 --model dense:2
table 3 "narrow.h5: '/x' differs in shape from table.h5: '/x': rows of 5 and of 12" \
    --inputs /x --targets /y --test-data narrow.h5 --model dense:2
for named in --input:--inputs --features:--inputs --labels:--targets --y:--targets; do
    refuses 2 "no option ${named%:*}; did you mean ${named#*:}\?" "$lockstep" train --data table.h5 "${named%:*}" x
done
for meant in loss:binary_crossentropy:bce loss:BCEWithLogits:bce loss:BinaryCrossentropy:bce monitor:f1:val_macro_f1 monitor:AUC:val_auc \
    monitor:balanced_accuracy:val_balanced_accuracy; do
    IFS=: read -r option value answer <<<"$meant"
    refuses 2 "--$option: '$value' is not one of: .*; did you mean $answer\?" "$lockstep" train --data table.h5 "--$option" "$value"
done

"$lockstep" train --data table.h5 --inputs /x --targets /y --epochs 1 --threads 1 --model dense:2 --run classes --quiet 2>err
"$lockstep" train --data table.h5 --inputs /x --targets /price --epochs 1 --threads 1 --model dense:1 --run values --quiet 2>err
refuses 3 "'/price' row 0 is .*, which is no class: values are for networks trained with --loss mse" \
    "$lockstep" eval --data table.h5 --checkpoint classes --targets /price
refuses 3 "table.h5: has no test rows: give --split validation for those held out in training, or --test-rows all" \
    "$lockstep" eval --data table.h5 --checkpoint classes
refuses 3 "table.h5: inputs of size 3 and 2 classes don't fit the checkpoint's network, which takes size 12 and 2 classes" \
    "$lockstep" eval --data table.h5 --checkpoint classes --inputs /more/z --test-rows all
cp table.h5 other.h5
"$python" -c 'import h5py
with h5py.File("other.h5", "a") as f:
    f["x"][0, 0] += 1'
refuses 3 "the training rows of other.h5 differ from those it was trained on; --resume-anyway continues with these rows" \
    "$lockstep" train --data other.h5 --inputs /x --targets /y --epochs 2 --threads 1 --model dense:2 --run classes --resume auto
for file in table.h5 other.h5; do
    "$jobs/report.sh" classes $file '' page.html >out 2>err
    echo "$file $?" >>codes
done
check "a page takes the file of the training, and no other: $(xargs <codes)" [ "$(xargs <codes)" = "table.h5 0 other.h5 3" ]
check "the line says what differs: $(cat err)" has err '^lockstep: other.h5: its train rows are not those that classes/.* was trained on$'
for out in net.onnx net.h5 net.safetensors; do
    "$lockstep" export --checkpoint values --out $out >/dev/null 2>err
    check "$out: a vector is a number of values" has err 'takes 12 numbers as in the data set'
done
"$lockstep" eval --data table.h5 --checkpoint values --split validation --predictions p.h5 >out 2>err
printf '\211PNG\r\n\032\n' >picture.png
while read -r file what; do
    refuses 3 "$file: not a checkpoint, but $what: give the run folder" "$lockstep" eval --data table.h5 --checkpoint "$file"
done <<'KINDS'
net.onnx an ONNX network
net.h5 a Keras network
net.safetensors a file of safetensors
p.h5 a file of predictions
table.h5 another HDF5 file
picture.png a picture
values/summary.json a text file
KINDS
"$lockstep" info values >out
check "info of a regression has its inputs and outputs" [ "$(grep -cE '^inputs +12$|^outputs +1$' out)" = 2 ]
check "and no classes, no empty fields" [ "$(grep -cE '^classes|^[a-z_]+ *$' out)" = "$(grep -cE '^(metrics|layers|parameters|config)$' out)" ]

# Options that other options make useless are refused; config.conf, which has all of them, is read.
table 2 "--fold chooses the validation rows: leave --validation out" --inputs /x --targets /y --model dense:2 --fold 1/5 --validation 0.3
table 2 "--split chooses the validation rows: leave --validation out" --inputs /x --targets /y --model dense:2 --split .8,.1,.1 \
    --validation 0.5
table 2 "--memory is for --stream" --inputs /x --targets /y --model dense:2 --memory 1G
refuses 2 "--fold chooses the validation rows" "$lockstep" info table.h5 --inputs /x --targets /y --fold 1/5 --validation 0.3
"$lockstep" train --data table.h5 --inputs /x --targets /y --epochs 1 --threads 1 --model dense:2 --fold 1/5 --run folded --quiet 2>err
"$lockstep" train --config folded/config.conf --run folded --epochs 2 --resume auto --quiet 2>err
check "a run with --fold continues from its config.conf: $(cat err)" [ $? = 0 ]

# Notes on what is probably not meant.
"$python" -c 'import h5py, os
with h5py.File("table.h5", "a") as f:
    x = f["x"][()]
    x[:, [2, 5, 7]], x[:, 3] = 7, 0
    f["flat"] = x
    f["onehot"] = [[1.0 - v, v] for v in f["y"][()]]
os.link("table.h5", "same.h5")'
notes() { # OPTION ... -> notes
    "$lockstep" train --epochs 1 --threads 1 --quiet "$@" 2>err
    grep '^note' err >notes
}
notes --data table.h5 --inputs /flat --targets /f --model dense:1 --standardize fit
check "constant columns are named: $(cat err)" has notes ' 4 columns of equal numbers .*: they become 0 \(inputs 2, 3, 5, 7\)$'
check "values that look like classes are noticed" has notes 'all targets are 0 or 1, .* --loss mse: give --loss bce if they are classes$'
notes --data table.h5 --inputs /x --targets /onehot --model dense:2
check "so are one-hot rows" has notes 'give --loss bce, or cross-entropy for one-hot rows, if'
notes --data table.h5 --inputs /x --targets /f --model dense:1 --loss mse
check "a loss that was chosen is no matter for a note" [ ! -s notes ]
notes --data table.h5,same.h5 --inputs /x --targets /y --model dense:2
check "a file that is named twice is noticed" has notes '^note: --data names same.h5 twice'
notes --data table.h5 --test-data ./same.h5 --inputs /x --targets /y --model dense:2
check "so are test rows that are trained on" has notes '^note: --test-data: ./same.h5 is a file of --data, too'
cp table.h5 copy.h5
notes --data table.h5 --test-data copy.h5 --inputs /x --targets /y --model dense:2
check "another file is not" [ ! -s notes ]

# Several files agree in the shape of a row, and in the types of inputs as in memory; training and test rows in datasets of
# their own.
"$python" -c 'import h5py
y, x = (h5py.File("table.h5")[name][()] for name in "yx")
for name, kind, labels in ("f4", "f4", "i1"), ("i2", "i2", "i8"), ("real", "f8", "f8"):
    with h5py.File(name + ".h5", "w") as f:
        f["x"], f["y"] = x.astype(kind), y.astype(labels)
with h5py.File("parts.h5", "w") as f:
    f["x_train"], f["y_train"], f["x_test"], f["y_test"] = x[:400], y[:400], x[400:], y[400:]'
both=(--inputs /x --targets /y --epochs 1 --threads 1 --model dense:2)
"$lockstep" train --data table.h5,f4.h5 "${both[@]}" --quiet 2>err
check "float64 and float32, int64 and int8 are read as one: $(cat err)" [ $? = 0 ]
refuses 3 "i2.h5: '/x' differs in type from table.h5: '/x': int16 and float32" "$lockstep" train --data table.h5,i2.h5 "${both[@]}"
refuses 3 "real.h5: the targets of '/x' differ from those of table.h5: '/x': 1 and 0 values" \
    "$lockstep" train --data table.h5,real.h5 "${both[@]}"
"$lockstep" train --data parts.h5 --inputs /x_train --targets /y_train --epochs 1 --threads 1 --model dense:2 --run parts --quiet 2>err
"$lockstep" eval --data parts.h5 --inputs /x_test --targets /y_test --test-rows all --checkpoint parts >out 2>err
check "test rows in datasets of their own are evaluated" has out '^test loss .* of 200 rows right$'
finish
