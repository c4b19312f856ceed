#!/usr/bin/env bash
# HDF5 files without attributes or groups of Lockstep's, as other programs write them: what a file holds is said where
# inputs and targets are missing or wrong, and links are never followed.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
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
finish
