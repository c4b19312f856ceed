#!/usr/bin/env bash
# HDF5 files of other programs: --inputs and --targets name the datasets; the same rows give the same network in any
# layout and on any number of ranks.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
need_python h5py

"$python" - <<'END_OF_PYTHON'
import h5py
import numpy as np

draw = np.random.RandomState(3)
N = 230

def write(name, **datasets):
    with h5py.File(name + ".h5", "w") as file:
        for path, data in datasets.items():
            options = {}
            if isinstance(data, tuple):
                data, options = data
            file.create_dataset(path.replace("__", "/"), data=data, **options)

# Jets: features and a one-hot class in the columns of one dataset; particles beside.
jets = draw.randint(-50, 50, (N, 59)).astype("f4") / 8
kind = (np.abs(jets[:, 5:12].sum(1)).astype(int) % 5)
jets[:, 53:58] = np.eye(5)[kind]
particles = draw.randint(-9, 9, (N, 6, 4)).astype("f8") / 4
write("jets", jets=jets, jetConstituentList=particles, cls=kind, few=kind % 2 + 1)
x = jets[:, 5:12]
chunked = dict(chunks=(7, 10), maxshape=(None, 59), compression="gzip")
write("jets_chunked", jets=(jets, chunked))
write("jets_big", jets=jets.astype(">f4"), deep__cls=kind.astype(">i2").reshape(N, 1))
write("jets_half", jets=jets.astype("f2"), cls=kind.astype("u8"))
write("plain", x=x, cls=kind, hot=np.eye(5, dtype="i1")[kind])
write("other", x=x + np.outer(np.arange(N) == 9, np.arange(7) == 6).astype("f4"), cls=kind)
write("parts", a=x[:, :3].astype("f8"), b=np.pad(x[:, 3:], ((0, 0), (2, 1))), cls=kind)
write("ints", a=(8 * x[:, :3]).astype("i2"), b=x[:, 3:], scaled=np.hstack([8 * x[:, :3], x[:, 3:]]), cls=kind)

# Column-major arrays as MATLAB and R write them: dimensions are reversed, and a vector has two.
by_columns = dict(chunks=(10, 7), maxshape=(59, None), compression="gzip")
write("matlab", jets=jets.T, cls=kind[None].astype("i4"), hot=np.eye(5)[kind].T, double=kind[None] * 1.0, few=x[:5].T, energy=x[None, :, 0])
write("matlab_chunked", jets=(jets.T.astype(">f8"), by_columns), cls=kind)

# Showers and their energies; a simulation of which a slice in time is the input and another the target.
showers = draw.rand(N, 368).astype("f4")
energies = showers.sum(1, keepdims=True) / 300
write("showers", showers=showers, incident_energies=energies, layers=showers[:, :9].astype("f8"))
tensor = draw.rand(N, 8, 12).astype("f4")
write("pde", tensor=tensor, x_coordinate=np.linspace(0, 1, 12))
write("pde_flat", x=tensor[:, :6], y=tensor[:, 6], y2=tensor[:, 6:7, :].reshape(N, 12), z=tensor[:, -1, 3])

# A table as of HIGGS: the class, as a float, then features.
table = np.hstack([(x.sum(1, keepdims=True) > 0), x])
write("higgs", higgs=table.astype("f8"), signal=table[:, 0].astype(bool))

# A chunk whose content does not match its checksum.
write("flipped", x=(np.tile(x, (9, 1)), dict(chunks=(100, 7), fletcher32=True)))
content = bytearray(open("flipped.h5", "rb").read())
content[content.index(x[200].tobytes()) + 5] ^= 1
open("flipped.h5", "wb").write(content)

# Images, channels last, and their columns.
images = draw.randint(0, 255, (N, 6, 5, 3)).astype("u1")
write("images", rgb=images, rgb_first=images.transpose(0, 3, 1, 2), cls=kind)
write("matlab_images", rgb=(images.T, dict(chunks=(2, 5, 3, 50))), cls=kind[None])
with h5py.File("matlab_own.h5", "w") as file:
    file.attrs.update(format="lockstep-dataset", version=1, classes=5)
    file["train/inputs"], file["train/labels"] = x[:180].T, kind[None, :180]
    file["test/inputs"], file["test/labels"] = x[180:].T, kind[None, 180:]

# Bad ones.
bad = np.eye(5, dtype="f4")[kind]
bad[17] = 0
nan = x.copy()
nan[:, 2] = kind
nan[200, 2] = np.nan
negative = kind.copy()
negative[3] = -1
write("bad", x=x, hot=bad, cls=kind, nan=nan, negative=negative, zeros=0 * kind, short=kind[:99], names=np.full(N, b"a"),
      records=np.zeros(N, dtype=[("x", "f4")]), columns=nan.T, five=np.zeros((N, 1, 1, 1, 2), "f4"), hot2=bad.reshape(N, 5, 1))
END_OF_PYTHON

# Trains a run: train RUN RANKS FILE INPUTS TARGETS OPTION ...
train() {
    local run=$1 ranks=$2 data=$3 inputs=$4 targets=$5
    shift 5
    mpirun -n "$ranks" "$lockstep" train --data "$data.h5" --inputs "$inputs" --targets "$targets" --batch 32 --epochs 2 \
        --threads 1 --run "$run" --quiet "$@" >"$run.out" 2>"$run.err" </dev/null
    check "$data: $inputs, $targets trains on $ranks ranks" [ $? = 0 ]
}
# Trains while the script goes on, until `wait`, some runs at a time: most of a short run is its start.
start() {
    while [ "$(jobs -rp | wc -l)" -ge 4 ]; do wait -n; done
    train "$@" &
}
classes=(--model "dense:9 tanh dense:5" --reproducible --loss cross-entropy)
runs=()
train plain 1 plain /x /cls "${classes[@]}"
while read -r run data inputs targets; do
    for ranks in 1 2 3; do
        start "$run-$ranks" $ranks "$data" "$inputs" "$targets" "${classes[@]}"
        runs+=("$run-$ranks")
    done
done <<'END'
slices jets /jets[:,5:12] /jets[:,53:58]
chunked jets_chunked jets[:,5:-47] jets[:,-6:-1]
columns matlab /jets[:,5:12] /cls
columns-chunked matlab_chunked /jets[:,5:12] /cls
END
while read -r run data inputs targets; do
    start "$run" 1 "$data" "$inputs" "$targets" "${classes[@]}"
    runs+=("$run")
done <<'END'
hot plain x hot
big jets_big /jets[:,5:12] /deep/cls
half jets_half /jets[:,5:12] /cls
column jets_big /jets[:,5:12] /deep/cls[:,0]
joined parts /a,/b[:,2:-1] /cls
columns-hot matlab /energy,/jets[:,6:12] /hot
columns-double matlab /jets[:,5:12] /double
END
start columns-one 2 matlab_chunked "/jets[:,5:12]" "/jets[:,53:58]" "${classes[@]}" --order column-major
runs+=(columns-one)
start mixed 2 ints /a,/b cls "${classes[@]}"
start scaled 2 ints /scaled cls "${classes[@]}"
wait
check "all lists were read to their ends" [ "${#runs[@]}" = 20 ]
for run in "${runs[@]}"; do
    check "$run gives the network of the plain file" same_bits plain "$run"
done
check "joined inputs of different types are float32" same_bits mixed scaled
fingerprint() { grep -o '"fingerprint": "[0-9a-f]*"' "$1/summary.json"; } # RUN
for how in "--read root" "--read node" "--trust-data"; do
    # shellcheck disable=SC2086
    train "how$how" 3 jets "/jets[:,5:12]" "/jets[:,53:58]" "${classes[@]}" $how
    check "$how gives the same network" same_bits plain "how$how"
    check "$how: the rows are those of the plain file" [ "$(fingerprint plain)" = "$(fingerprint "how$how")" ]
done
for run in jets plain; do
    inputs=/x targets=/cls
    [ $run = plain ] || inputs="/jets[:,5:12]" targets="/jets[:,53:58]"
    train "stream-$run" 2 $run "$inputs" "$targets" --model "dense:9 tanh dense:5" --loss cross-entropy --stream --shuffle local --memory 2M --reduce fused
done
check "streamed slices give the network of the plain file" same_bits stream-jets stream-plain
for layout in nchw nhwc; do
    from=/rgb
    [ $layout = nhwc ] || from=/rgb_first
    train $layout 1 images $from /cls --layout $layout --model "conv:4x3 relu dense:5" --reproducible
done
check "images with their channels last give the network of channels first" same_bits nchw nhwc
train images-columns 2 matlab_images /rgb /cls --layout nhwc --model "conv:4x3 relu dense:5" --reproducible
check "images whose dimensions are reversed give the same network" same_bits nchw images-columns

# Values.
train_values() {
    values=(--model "dense:9 tanh dense:12" --loss mse --reproducible)
    train pde-flat 1 pde_flat /x /y "${values[@]}"
    train pde 2 pde "/tensor[:,:6]" "/tensor[:,6]" "${values[@]}"
    train pde-joined 1 pde_flat "/x" "/y2[:,:4],/y2[:,4:]" "${values[@]}"
    check "slices of one dataset are inputs and targets" same_bits pde-flat pde
    check "targets are joined, too" same_bits pde-flat pde-joined
    values[1]="dense:9 tanh dense:1"
    for ranks in 1 2 3; do
        train "showers-$ranks" $ranks showers /showers,/layers /incident_energies "${values[@]}"
        check "two inputs give the same network on $ranks ranks" same_bits showers-1 "showers-$ranks"
    done
    train showers-column 1 showers /showers,/layers "/incident_energies[:,0]" "${values[@]}"
    check "targets [N] and [N,1] give the same network" same_bits showers-1 showers-column
    train higgs-value 1 higgs "/higgs[:,1:]" "/higgs[:,0]" "${values[@]}"
    train higgs-class 1 higgs "/higgs[:,1:]" /signal --model "dense:9 tanh dense:2"
}
train_values

# Test and validation rows: others train as if they were not in the file.
"$python" - <<'END'
import h5py
with h5py.File("plain.h5") as all:
    def part(name, rows):
        with h5py.File(name + ".h5", "w") as file:
            for key in all:
                file[key] = all[key][rows]
    part("begin", slice(0, 180))
    part("end", slice(50, 230))
    part("middle", slice(50, 140))
END
train begin 1 begin /x /cls "${classes[@]}"
for ranks in 1 2; do
    train last-$ranks $ranks plain /x /cls "${classes[@]}" --test-rows last:50
    check "the last rows are no training rows on $ranks ranks" same_bits begin last-$ranks
done
train end 1 end /x /cls "${classes[@]}"
train first 1 plain /x /cls "${classes[@]}" --test-rows first:50
check "the first rows are no training rows" same_bits end first
train middle 1 middle /x /cls "${classes[@]}" --validation 0 --standardize fit
train both 3 plain /x /cls "${classes[@]}" --test-rows first:50 --validation 0.5 --standardize fit
check "neither are the validation rows, nor do they change what the inputs are standardised by" same_bits middle both
"$python" - <<'END'
import h5py
with h5py.File("plain.h5") as plain, h5py.File("stats.h5", "w") as file:
    columns = plain["x"].shape[1]
    for name, number in ("zero", 0.0), ("tiny", 1e-300), ("huge", 1e300):
        file[name] = [number] * columns
END
for columns in huge,zero zero,tiny zero,huge; do
    refuses 3 "stats.h5:$columns: a mean of .* in column 0: standardised numbers would not be finite" \
        mpirun -n 2 "$lockstep" train --data plain.h5 --inputs /x --targets /cls "${classes[@]}" --standardize "file:stats.h5:$columns"
done
for hold_out in last random stratified; do
    train "split-$hold_out" 1 plain /x /cls "${classes[@]}" --split 0.6,0.2,0.2 --hold-out $hold_out
    check "test rows are counted with $hold_out" has <("$lockstep" eval --data plain.h5 --checkpoint "split-$hold_out" --json) '"rows":46,'
    train "split-$hold_out-3" 3 plain /x /cls "${classes[@]}" --split 0.6,0.2,0.2 --hold-out $hold_out --read root
    check "the split is the same on 3 ranks with $hold_out" same_bits "split-$hold_out" "split-$hold_out-3"
    train "fold-$hold_out" 2 plain /x /cls "${classes[@]}" --fold 2/5 --hold-out $hold_out --test-rows last:30
    check "a fold is validated with $hold_out" has <("$lockstep" eval --data plain.h5 --checkpoint "fold-$hold_out" \
        --split validation --json) '"rows":40,'
done
"$lockstep" eval --data begin.h5 --test-rows all --checkpoint slices-1 --json --targets /cls --inputs /x >out 2>err
check "all rows of another file are evaluated" has out '"rows":180,'
plain=(train --data plain.h5 --inputs /x --targets /cls --model dense:5)
refuses 2 "--test-rows last:230: there are 230 rows" "$lockstep" "${plain[@]}" --test-rows last:230
refuses 2 "--test-rows all leaves no rows to train with" "$lockstep" "${plain[@]}" --test-rows all
refuses 2 "--split: '0.8,0.2' is not TRAIN,VALIDATION,TEST" "$lockstep" "${plain[@]}" --split 0.8,0.2

# Several files.
"$python" - <<'CUT'
import h5py
with h5py.File("plain.h5") as all:
    for name, rows in (("run1", slice(0, 7)), ("run2", slice(7, 8)), ("run3", slice(8, 180)), ("rest", slice(180, 230))):
        with h5py.File(name + ".h5", "w") as file:
            for key in all:
                file[key] = all[key][rows]
    with h5py.File("wide.h5", "w") as file:
        file["x"], file["cls"] = all["x"][:, :5], all["cls"][:]
CUT
for ranks in 1 2 3; do
    train "files-$ranks" $ranks "run1.h5,run2.h5,run3" /x /cls "${classes[@]}" --test-data rest.h5
    check "the rows of three files are as one on $ranks ranks" same_bits begin "files-$ranks"
done
train pattern 2 "run*" /x /cls "${classes[@]}" --read root
check "files of a pattern are sorted" same_bits begin pattern
train order 1 "run3.h5,run[12]" /x /cls "${classes[@]}" --hold-out random
train drawn 1 begin /x /cls "${classes[@]}" --hold-out random
check "the order of files matters" [ "$(digest order)" != "$(digest drawn)" ]
train drawn-files 2 "run*" /x /cls "${classes[@]}" --hold-out random
check "rows are drawn from all files" same_bits drawn drawn-files
train stream-files 2 "run*" /x /cls --model "dense:9 tanh dense:5" --loss cross-entropy --stream --shuffle local --memory 2M --reduce fused
train stream-one 2 begin /x /cls --model "dense:9 tanh dense:5" --loss cross-entropy --stream --shuffle local --memory 2M --reduce fused
check "rows of several files are streamed" same_bits stream-one stream-files
"$lockstep" eval --data "run*.h5" --checkpoint files-2 --json >out 2>err
check "test rows of another file are evaluated" has out '"rows":50,'
"$lockstep" eval --data plain.h5 --checkpoint last-1 --json >out2 2>err
check "with the same result as test rows of one file" [ "$(sed 's/.*"loss":\([^,]*\).*/\1/' out)" = "$(sed 's/.*"loss":\([^,]*\).*/\1/' out2)" ]
refuses 3 "nothing\*.h5: no file matches" "$lockstep" train --data "nothing*.h5" --inputs /x --targets /cls
refuses 3 "no.h5: can't open" "$lockstep" train --data "run1.h5,no.h5" --inputs /x --targets /cls
refuses 3 "wide.h5: '/x' differs in shape from run3.h5: '/x': rows of [0-9]+ and of [0-9]+" "$lockstep" train --data "run3.h5,wide.h5" --inputs /x --targets /cls
refuses 3 "wide.h5: '/x' differs in shape from run3.h5: '/x': rows of [0-9]+ and of [0-9]+" "$lockstep" train --data run3.h5 --test-data wide.h5 --inputs /x --targets /cls
refuses 2 "--test-data needs --inputs" "$lockstep" train --data run3.h5 --test-data wide.h5

# Column-major files: a note; selections name dimensions as MATLAB and R do.
plain=(--model dense:5 --loss cross-entropy --epochs 1 --threads 1)
"$lockstep" train --data matlab.h5 --inputs /jets --targets /cls "${plain[@]}" --run note 2>err
check "a note reports column-major files" [ "$(grep -c "^note: matlab.h5 is read as column-major, rows last" err)" = 1 ]
"$lockstep" train --data matlab.h5 --inputs /jets --targets /cls "${plain[@]}" --run no-note --order column-major 2>err
check "info reports column-major files" has <("$lockstep" info matlab.h5 --inputs /jets --targets /cls) '^order +column-major$'
check "no note if --order is given" [ "$(grep -c "^note: matlab" err)" = 0 ]
"$lockstep" eval --data matlab.h5 --checkpoint columns-2 --split validation --json >out 2>err
"$lockstep" eval --data plain.h5 --inputs /x --targets /cls --checkpoint columns-2 --split validation --json >out2 2>err
check "eval reads the order of the training" has out '"rows":23,"loss":[0-9]'
check "eval reads the other order with the same result" diff <(grep -o '"loss.*' out) <(grep -o '"loss.*' out2)
train columns-stream 2 matlab "/jets[:,5:12]" /cls --model "dense:9 tanh dense:5" --loss cross-entropy --stream --shuffle local --memory 2M --reduce fused
check "streamed columns give the network of the plain file" same_bits stream-plain columns-stream
"$lockstep" train --data matlab_own.h5 --model "dense:9 tanh dense:5" --batch 32 --epochs 2 --reproducible --threads 1 --run columns-own --quiet 2>err
check "Lockstep's own layout may be column-major" same_bits begin columns-own
refuses 3 "'/jets' has 59 rows but '/cls' has 1;" "$lockstep" train --data matlab.h5 --inputs /jets --targets /cls "${plain[@]}" --order row-major
refuses 3 "'/jets' is \[59,230\] but '/cls' has 230 rows: the rows come last.*give --order column-major" \
    "$lockstep" train --data matlab_chunked.h5 --inputs /jets --targets /cls "${plain[@]}" --order row-major
refuses 3 "matlab.h5: '/jets' has 59 rows but '/few' has 7" "$lockstep" train --data matlab.h5 --inputs /jets,/few --targets /cls "${plain[@]}"
refuses 3 "plain.h5: '/x' has 7 rows but '/hot' has 5" "$lockstep" train --data plain.h5 --inputs /x --targets /hot "${plain[@]}" --order column-major

# The checkpoint knows the datasets.
"$lockstep" eval --data jets.h5 --checkpoint slices-2 --split validation --json >out 2>err
check "eval reads the datasets of the training" [ $? = 0 ]
"$lockstep" eval --data plain.h5 --inputs /x --targets /hot --checkpoint slices-2 --split validation --json >out2 2>err
check "eval reads other datasets" [ $? = 0 ]
check "with the same result" diff <(grep accuracy out) <(grep accuracy out2)
check "the run folder keeps them" has slices-1/config.conf '^inputs = /jets\[:,5:12\]$'

refuses 3 "the training rows of other.h5 differ from those it was trained on" "$lockstep" train --data other.h5 --inputs /x \
    --targets /cls "${classes[@]}" --batch 32 --epochs 3 --threads 1 --run plain --resume auto --reduce exact
bad() { # CODE PATTERN INPUTS TARGETS OPTION ...
    local code=$1 pattern=$2 inputs=$3 targets=$4
    shift 4
    [ $# -gt 0 ] || set -- --loss cross-entropy
    refuses "$code" "$pattern" "$lockstep" train --data bad.h5 --inputs "$inputs" --targets "$targets" --model dense:5 "$@"
}
bad 2 "--inputs '/x\[1:3\]': expected ':' for the rows .* at '1:3\]'" "/x[1:3]" /cls
bad 2 "--inputs '/x\[:,1:3:2\]': expected no step" "/x[:,1:3:2]" /cls
bad 2 "--inputs '/x\[:,y\]': expected A:B, an index or ':' at 'y\]'" "/x[:,y]" /cls
bad 2 "--inputs '/x,': expected the path of a dataset at the end" "/x," /cls
bad 2 "--targets '/cls\[:': expected ',' or '\]' at the end" /x "/cls[:"
refuses 2 "--inputs needs --targets, too" "$lockstep" train --data bad.h5 --inputs /x --model dense:5
refuses 2 "--targets needs --inputs, too" "$lockstep" train --data bad.h5 --targets /cls --model dense:5
bad 3 "bad.h5: has no dataset '/y'" /y /cls
bad 3 "bad.h5: '/x' has 7 numbers in dimension 1, which '5:12' does not select from: it is \[230,7\]" "/x[:,5:12]" /cls
bad 3 "bad.h5: '/x' has 7 numbers in dimension 1, which '-8' does not select from" "/x[:,-8]" /cls
bad 3 "bad.h5: '/x' has 2 dimensions, but 3 are selected from: it is \[230,7\]" "/x[:,0,0]" /cls
bad 3 "bad.h5: '/hot' row 17 is not a class: one number must be 1" /x /hot
bad 3 "bad.h5: '/nan' is NaN in row 200, column 2" /nan /cls
bad 3 "bad.h5: '/negative' row 3 is -1" /x /negative
bad 3 "bad.h5: '/zeros' has no class but 0" /x /zeros
bad 3 "bad.h5: '/x' has 230 rows but '/short' has 99" /x /short
bad 3 "bad.h5: '/x' has 230 rows but '/short' has 99" /x,/short /cls
bad 3 "bad.h5: '/names' holds strings" /names /cls
bad 3 "bad.h5: '/records' holds compound values" /records /cls
bad 3 "bad.h5: '/columns' is NaN in row 200, column 2" /columns /cls
for how in "" --trust-data "--stream --shuffle local --memory 1M --reduce fused" \
    "--stream --shuffle local --memory 1M --reduce fused --trust-data"; do
    # shellcheck disable=SC2086
    refuses 3 "flipped.h5: can't read 'x': data error detected by Fletcher32 checksum" \
        "$lockstep" train --data flipped.h5 --inputs /x --targets "/x[:,0]" --model dense:1 --quiet $how
done
bad 3 "bad.h5: '/five' has 5 dimensions" /five /cls
bad 3 "bad.h5: '/hot2' is \[230,5,1\]: datasets that are joined must have rows of one dimension" /hot2,/x /cls
bad 3 "bad.h5: '/hot2' is \[230,5,1\]: expected an integer in each row, or a one-hot row" /x /hot2
bad 3 "bad.h5: '/x' row [0-9]+ is -?[0-9]+.[0-9]+, which is no class: values are for networks trained with --loss mse" /x "/x[:,0]"
bad 3 "bad.h5: '/nan' row 200 is nan, which is no class" /x "/nan[:,2]"
bad 3 "bad.h5: '/names' holds strings" /x /names
bad 3 "bad.h5: '/hot2' has 3 dimensions, \[230,5,1\], expected \[N\] or \[N,K\]" /x /hot2 --loss mse
refuses 3 "bad.h5: not a data set" "$lockstep" train --data bad.h5 --model dense:5
finish
