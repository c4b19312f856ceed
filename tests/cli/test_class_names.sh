#!/usr/bin/env bash
# Names of classes go from the data set into checkpoints, and from there into all results; long names, names in any
# script, and names with commas, quotes and control characters, too. Data sets and checkpoints without names stay as
# they were.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
make_sources=$(dirname "$0")/make_sources.py
need_python h5py

cat >make.py <<PYTHON
import sys

import h5py
import numpy as np

sys.path.insert(0, "$(dirname "$make_sources")")
from make_sources import png

draw = np.random.default_rng(0)
labels = draw.integers(0, 5, 600)
x = draw.integers(0, 200, (600, 8, 8)).astype("u1")
x[np.arange(600), labels] = 255
x[:80] = draw.integers(0, 200, (80, 8, 8))
names = ["cat", 'a "big", dog', "日本語の名前がとても長い場合はどうなりますか", "x" * 5000, "e\x1b[31m\nvil"]


def write(path, names):
    with h5py.File(path, "w") as file:
        file.attrs.update(format="lockstep-dataset", version=1, classes=5)
        if names is not None:
            file.attrs["class_names"] = np.array(names, dtype=h5py.string_dtype())
        for group, rows in ("train", slice(0, 400)), ("test", slice(400, 600)):
            file[group + "/images"] = x[rows]
            file[group + "/labels"] = labels[rows]


write("named.h5", names)
write("long.h5", [name * 20 for name in "abcd"] + ["y" * 20000])
write("plain.h5", None)
write("few.h5", names[:4])
write("swapped.h5", [names[1], names[0]] + names[2:])
open("digit.png", "wb").write(png(8, 8, 1, lambda row, column, channel: int(x[500, row, column])))
PYTHON
check "data sets are made: $("$python" make.py 2>&1)" [ -e plain.h5 ]
for data in named long plain; do
    mpirun -n 2 "$lockstep" train --data $data.h5 --model dense:5 --epochs 2 --run $data --quiet 2>err
    check "a network learns $data.h5: $(cat err)" [ -e $data/checkpoints/best ]
done
refuses 3 "attribute 'class_names' has 4 names, but there are 5 classes" "$lockstep" train --data few.h5 --model dense:5

# A label means the same in all files, and as in the network's training; a file without names is trusted.
plain=(--model dense:5 --epochs 1 --dry-run)
refuses 3 "swapped.h5: class 0 is 'a .big., dog', but 'cat' in the files before" mpirun -n 2 "$lockstep" train --data plain.h5,named.h5,swapped.h5 "${plain[@]}"
mpirun -n 2 "$lockstep" train --data plain.h5,named.h5,plain.h5 "${plain[@]}" 2>err
check "some files may have no names: $(cat err)" [ $? = 0 ]
refuses 3 "swapped.h5: class 0 is 'a .big., dog', but 'cat' in the checkpoint" mpirun -n 2 "$lockstep" eval --data swapped.h5 --checkpoint named
refuses 3 "swapped.h5: class 0 is 'a .big., dog', but 'cat' in the checkpoint" "$lockstep" predict --data swapped.h5 --checkpoint named --out out.csv
for pair in "plain named" "named plain"; do
    read -r data run <<<"$pair"
    "$lockstep" eval --data "$data.h5" --checkpoint "$run" >out 2>err
    check "eval accepts $data.h5 and the network of $run.h5: $(cat err)" [ $? = 0 ]
done
# shellcheck disable=SC2317
holds() { "$python" -c "
import csv, json, sys, h5py
names = [n if isinstance(n, str) else n.decode() for n in h5py.File('named.h5').attrs['class_names']]
shown = names[:4] + [r'e\\x1b[31m\\nvil']
$1" 2>problem || { tail -n 1 problem; return 1; }; }

check "a checkpoint has the names" holds '
assert [n.decode() for n in h5py.File("named/checkpoints/best").attrs["class_names"]] == names'
check "it has names that are too long to be padded" holds '
assert h5py.File("long/checkpoints/best").attrs["class_names"][4] == "y" * 20000'
check "a checkpoint of classes without names has none" holds '
assert "class_names" not in h5py.File("plain/checkpoints/best").attrs'

check "info shows them" [ "$("$lockstep" info named --json | grep -c '"class_names": *\["cat",')" = 1 ]

# eval.
"$lockstep" eval --data named.h5 --checkpoint named --errors 9 --errors-file errors.png >out 2>err
check "eval names the classes" has out '^  0 cat  +[01]\.[0-9]{4} '
check "a long name is cut" has out '^  3 x{21}…  +[01]\.[0-9]{4} '
check "control characters are escaped" has out '^  4 e.x1b\[31m.nvil  +[01]\.[0-9]{4} '
check "the matrix has the names" has out '^  1 a "big", dog  +[0-9]+ +[0-9]+ +[0-9]+ +[0-9]+ +[0-9]+$'
check "misclassified rows have names" has out '^ +[0-9]+  [0-4] .*  [0-4] .* +[01]\.[0-9]{6}$'
columns() { LC_ALL=C.UTF-8 "$python" -c '
import sys, unicodedata
lines = open("out", encoding="utf8").read().split("\n")
first = next(i for i, line in enumerate(lines) if line.startswith("  class "))
wide = lambda line: sum(2 if unicodedata.east_asian_width(c) == "W" else 1 for c in line)
print(len({wide(line) for line in lines[first:first + 8]}))'; }
check "all lines of the table are equally wide" [ "$(columns)" = 1 ]
for ranks in 1 3; do
    mpirun -n $ranks "$lockstep" eval --data named.h5 --checkpoint named --threads 1 --json --errors 9 --errors-file none \
        --predictions eval$ranks.csv >eval$ranks.json 2>err
done
check "the names do not depend on the ranks" cmp eval1.json eval3.json
check "nor do those of predictions" cmp eval1.csv eval3.csv
check "JSON has the whole names" holds 'assert json.load(open("eval1.json"))["class_names"] == names'
check "JSON of classes without names has none" [ "$("$lockstep" eval --data plain.h5 --checkpoint plain --json 2>err | grep -c class_names)" = 0 ]
"$lockstep" eval --data plain.h5 --checkpoint plain >out 2>err
check "classes without names are numbers" has out '^  3  +[01]\.[0-9]{4} '

# predict. In tables a name is on one line.
"$lockstep" predict --checkpoint named --data named.h5 --out rows.csv 2>err
"$lockstep" predict --checkpoint named --data named.h5 --out rows.h5 2>err
check "predictions of rows have names" holds '
rows = list(csv.DictReader(open("rows.csv", newline="", encoding="utf8")))
assert len(rows) == 200 and all(r["class_name"] == shown[int(r["class"])] for r in rows)
labels = h5py.File("named.h5")["test/labels"]
rows = list(csv.DictReader(open("eval1.csv", newline="", encoding="utf8")))
assert all(r["label_name"] == shown[int(r["label"])] and int(r["label"]) == l for r, l in zip(rows, labels))
assert [n.decode() for n in h5py.File("rows.h5").attrs["class_names"]] == names'
"$lockstep" predict --checkpoint named --data named.h5 --out rows.csv 2>err
check "predictions with names are replaced by others: $(cat err)" has err '^rows.csv: 200 test rows'
"$lockstep" predict --checkpoint named digit.png >out 2>err
check "a picture has a class with a name" has out '^digit.png: class [0-4] \(.*\), probability [01]\.'
"$lockstep" predict --checkpoint named digit.png --csv >out.csv 2>err
"$lockstep" predict --checkpoint named digit.png --json >out.json 2>err
check "and in CSV and JSON" holds '
(row,) = csv.DictReader(open("out.csv", newline="", encoding="utf8"))
(one,) = json.load(open("out.json"))
assert row["class_name"] == shown[one["class"]] and one["class_name"] == names[one["class"]]'
"$lockstep" predict --checkpoint plain digit.png --csv >out.csv 2>err
check "without names there is no column for them" has out.csv '^file,class,probability,p0'

# report: names are cut and escaped.
"$lockstep" report named --evaluation eval1.json --errors errors.png 2>err
page=named/report.html
check "the matrix of the report has names" has $page '<title>[0-4] [^:]* taken for [0-4] [^:]*: [0-9]+ of [0-9]+ rows'
check "names are escaped" has $page 'text-anchor="end">1 a &quot;big&quot;, dog</text>'
check "the worst errors have names" has $page '<td>[0-9]+</td><td class="text">[0-4] .*</td><td class="text">[0-4] .*</td><td>[01]\.'
check "long names are cut" [ "$(grep -c xxxxxxxxxxxxxxxxxxxxxxxx $page)" = 0 ]

# export.
for file in named.onnx keras.h5 named.safetensors; do
    "$lockstep" export --checkpoint named --out $file >out 2>err
done
check "Keras' file has the names" holds 'assert json.loads(h5py.File("keras.h5").attrs["lockstep_class_names"]) == names'
check "safetensors have the names" holds '
data = open("named.safetensors", "rb").read()
header = json.loads(data[8:8 + int.from_bytes(data[:8], "little")])
assert json.loads(header["__metadata__"]["class_names"]) == names'
if "$python" -c 'import onnx' 2>/dev/null && [ -e named.onnx ]; then
    check "ONNX has the names" holds '
import onnx
facts = {p.key: p.value for p in onnx.load("named.onnx").metadata_props}
assert json.loads(facts["class_names"]) == names'
fi

# A resumed run keeps the names.
mpirun -n 2 "$lockstep" train --data named.h5 --model dense:5 --epochs 3 --run named --resume auto --quiet 2>err
check "a resumed run keeps the names" holds '
assert [n.decode() for n in h5py.File("named/checkpoints/last").attrs["class_names"]] == names'
finish
