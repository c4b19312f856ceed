#!/usr/bin/env bash
# Commands with selected datasets; several files, also empty, different on ranks, and more than may be open; resuming
# with other selections; parts of dimensions; divisions that leave too few rows.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
need_python h5py

"$python" - <<'END'
import os
import h5py
import numpy as np

draw = np.random.RandomState(4)
N = 90

def write(name, **datasets):
    with h5py.File(name, "w") as file:
        for path, data in datasets.items():
            file[path] = data

x = draw.randn(N, 6).astype("f4")
cls, y = (x[:, 0] > 0).astype("i4") + (x[:, 1] > 1), x[:, :2].astype("f8") * 10
picture = draw.randint(0, 256, (N, 5, 6)).astype("u1")
write("all.h5", x=x, y=y, cls=cls, picture=picture, again=x)
write("none.h5", x=x[:0], y=y[:0], cls=cls[:0])
open("zero.h5", "w").close()
os.mkdir("many")
for i in range(N):
    write("many/%02d.h5" % i, x=x[i:i + 1], y=y[i:i + 1], cls=cls[i:i + 1])

def own(name, rows, test):
    with h5py.File(name, "w") as file:
        file.attrs.update(format="lockstep-dataset", version=1, classes=3)
        for group, part in (("train", rows), ("test", test)):
            if part is not None:
                file[group + "/images"], file[group + "/labels"] = picture[part], cls[part]

own("whole.h5", slice(0, 60), slice(60, 90))
own("own1.h5", slice(0, 25), slice(60, 75))
own("own2.h5", slice(25, 25), slice(75, 75))
own("own3.h5", slice(25, 50), None)
own("own4.h5", slice(50, 60), slice(75, 90))
END

# Trains a run: train RUN RANKS OPTION ...
epochs=2
train() {
    local run=$1 ranks=$2
    shift 2
    mpirun -n "$ranks" "$lockstep" train --batch 16 --epochs $epochs --threads 1 --reproducible --run "$run" --quiet "$@" >out 2>err
    check "$run trains on $ranks ranks" [ $? = 0 ]
}
# Prints the loss of an evaluation's or the rows' JSON.
loss() { sed 's/.*"loss":\([^,]*\).*/\1/' "$1"; }

# Files of Lockstep's own layout, one of them without rows.
train whole 2 --data whole.h5 --model dense:3
train own 3 --data "own[1-4].h5" --model dense:3
check "several files of the own layout are as one" same_bits whole own
"$lockstep" eval --data whole.h5 --checkpoint whole --json >out 2>err
"$lockstep" eval --data "own1.h5,own2.h5,own3.h5,own4.h5" --checkpoint own --json >out2 2>err
check "so are their test rows" [ "$(loss out)" = "$(loss out2)" ]

# More files than may be open; an empty one among others.
select=(--inputs /x --targets /y --model dense:2)
train all 1 --data all.h5 "${select[@]}"
train empty 2 --data none.h5,all.h5 "${select[@]}"
check "a file without rows adds none" same_bits all empty
(ulimit -Sn 64 && mpirun -n 1 "$lockstep" train --batch 16 --epochs 2 --threads 1 --reproducible --run many-files \
    --quiet --data "many/*.h5" "${select[@]}" >out 2>err)
check "more files than the soft limit are opened" same_bits all many-files
refuses 1 "the limit on open files is 128, [0-9]+ are needed: raise it with ulimit -n" \
    bash -c 'ulimit -n 128 && exec "$@"' - "$lockstep" train --data "many/*.h5" "${select[@]}"
refuses 3 "none.h5: '/x' has no rows" "$lockstep" train --data none.h5 "${select[@]}"
refuses 3 "none.h5: '/x' has no rows" "$lockstep" train --data none.h5 --inputs /x --targets /cls
refuses 3 "zero.h5: not an HDF5 file" "$lockstep" train --data all.h5,zero.h5 "${select[@]}"

# Ranks that see different files.
mkdir other
cp many/0[12].h5 .
cp 01.h5 other
cat >apart.sh <<'END'
[ "${OMPI_COMM_WORLD_RANK:-$PMI_RANK}" = 0 ] || cd other
exec "$@"
END
mpirun -n 2 bash apart.sh "$lockstep" train --data "0[12].h5" "${select[@]}" >out 2>err
check "ranks that see other files are refused" has err '^lockstep: rank 1: 0\[12\].h5 names 1 files here, but 2 on rank 0'
mpirun -n 2 bash apart.sh "$lockstep" train --data "0[12].h5" "${select[@]}" --read root --quiet >out 2>err
check "unless one rank reads for all" [ $? = 0 ]

# Resuming.
part=(--data all.h5 --inputs "/x[:,:3]" --targets /cls --model dense:3)
epochs=1
train cut 2 "${part[@]}" --fold 2/4 --test-rows last:10
epochs=2
train through 1 "${part[@]}" --fold 2/4 --test-rows last:10
resume=(train --batch 16 --epochs 2 --threads 1 --reproducible --run cut --resume auto --data all.h5 --model dense:3)
refuses 2 "--inputs is /x\[:,3:\], was /x\[:,:3\]" "$lockstep" "${resume[@]}" --inputs "/x[:,3:]" --targets /cls --fold 2/4 --test-rows last:10
refuses 2 "--fold is 3/4, was 2/4" "$lockstep" "${resume[@]}" --inputs "/x[:,:3]" --targets /cls --fold 3/4 --test-rows last:10
refuses 2 "--test-rows is last:9, was last:10" "$lockstep" "${resume[@]}" --inputs "/x[:,:3]" --targets /cls --fold 2/4 --test-rows last:9
refuses 2 "--test-rows is unset, was last:10; --split is 0.5,0.3,0.2, was unset; --fold is unset, was 2/4" \
    "$lockstep" "${resume[@]}" --inputs "/x[:,:3]" --targets /cls --split 0.5,0.3,0.2
train cut 3 "${part[@]}" --fold 2/4 --test-rows last:10 --resume auto
check "the same selection and fold are resumed" same_bits cut through

# Predictions.
for run in "1 --inputs /x[:,:3]" "3 " "2 --targets /cls[:] --inputs /again[:,-6:-3]"; do
    # shellcheck disable=SC2086
    mpirun -n ${run%% *} "$lockstep" predict --data all.h5 --checkpoint cut --out p.csv ${run#* } 2>err
    check "selected rows are predicted: $run" [ "$(wc -l <p.csv)" = 11 ]
    [ -e first.csv ] || cp p.csv first.csv
    check "with the same outputs: $run" cmp -s first.csv p.csv
done
"$lockstep" predict --data "many/*.h5" --test-rows all --checkpoint cut --out p.csv 2>err
check "all rows of many files are predicted" cmp -s <(tail -n 10 p.csv | cut -d, -f2-) <(tail -n 10 first.csv | cut -d, -f2-)
refuses 3 "inputs of size 6 and 3 classes don't fit" "$lockstep" predict --data all.h5 --inputs /x --checkpoint cut --out p.csv

"$python" -c 'import h5py; h5py.File("bare.h5", "w")["x"] = h5py.File("all.h5")["x"][80:]'
refuses 3 "bare.h5: has no dataset '/cls'" "$lockstep" predict --data bare.h5 --test-rows all --checkpoint cut --out p.csv
mpirun -n 2 "$lockstep" predict --data bare.h5 --targets none --test-rows all --checkpoint cut --out p.csv 2>err
check "rows without targets are predicted" cmp -s first.csv p.csv
refuses 2 "--targets none: there is nothing to compare outputs with" "$lockstep" eval --data bare.h5 --targets none --test-rows all --checkpoint cut
refuses 2 "--targets none is for predict" "$lockstep" train --data bare.h5 --inputs /x --targets none

# Other commands.
"$lockstep" info "none.h5,all.h5" --inputs /x --targets /cls --test-rows last:10 --fold 1/4 --json >out 2>err
check "info counts the rows of a selection" has out '"rows":\{"train":60,"validation":20,"test":10\},"type":"float32","image":\[6,1,1\],"classes":3'
counts=$("$python" -c 'import h5py, numpy as np; print(*np.bincount(h5py.File("all.h5")["cls"][80:]), sep=",")')
check "and of its classes" has out "\"rows of classes\":\{.*\"test\":\[$counts\]\}"
"$lockstep" info all.h5 --inputs "/x[:,1:]" --targets inputs --verify >out 2>err
check "info describes an autoencoder's rows" has out '^targets +the inputs$'
"$lockstep" bench --data all.h5 --inputs /picture --targets inputs --steps 5 --model dense:30 --json >out 2>err
check "bench measures autoencoders" has out '"steps"'
"$lockstep" augment-preview --data all.h5 --inputs /picture --augment shift:1 --out p.png 2>err
check "augment-preview shows selected images" [ "$(head -c 4 p.png | tail -c 3)" = PNG ]
"$lockstep" doctor --data all.h5 --inputs /x --targets /y >out 2>err
check "doctor reads selected rows" has out "^HDF5 "

# Parts of dimensions, and divisions.
inputs() { refuses "$1" "$3" "$lockstep" train --data all.h5 --targets /y --model dense:2 --inputs "$2"; } # CODE INPUTS PATTERN
for slice in 2:2 :-6; do
    inputs 3 "/x[:,$slice]" "'/x' has 6 numbers in dimension 1, which '$slice' does not select from"
done
inputs 2 "/x[]" "expected A:B, an index or ':' at ']'"
inputs 2 "/x[:,9999999999999999999:]" "expected A:B, an index or ':' at '9999"
division() { refuses 2 "$1" "$lockstep" train --data all.h5 "${select[@]}" "${@:2}"; } # PATTERN OPTION ...
division "--split 0,0.5,0.5: the fractions must add up to 1, with training rows" --split 0,0.5,0.5
division "--fold 7/500: there are 90 rows" --fold 7/500
division "--fold 1/2: there are 1 rows" --fold 1/2 --test-rows last:89
train least 3 --data all.h5 "${select[@]}" --fold 90/90
check "one row is held out" has least/metrics.csv '^2,'
finish
