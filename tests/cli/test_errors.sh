#!/usr/bin/env bash
# Each error ends all ranks with the documented code and one line.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
make_data=$2
"$make_data" data
data=data/data.h5
net="dense:5"

train() { local code=$1 pattern=$2; shift 2; refuses "$code" "$pattern" mpirun -n $n "$lockstep" train "$@"; }

n=3
# Data.
train 3 'missing.h5: can.t open: No such file' --data missing.h5
echo "no HDF5" >text.h5
echo "5,0,0,255" >table.csv
printf '\x93NUMPY\x01\x00' >array.npy
train 3 'train-images-idx3-ubyte: not an HDF5 file, but an IDX file: .lockstep import. converts' --data data/train-images-idx3-ubyte
train 3 't10k-images-idx3-ubyte.gz: not an HDF5 file, but an IDX file, compressed: .lockstep import' --data data/t10k-images-idx3-ubyte.gz
train 3 'table.csv: not an HDF5 file, but a table in text: .lockstep import --csv FILE' --data table.csv
train 3 'array.npy: not an HDF5 file, but a NumPy array: .lockstep import --npy X,Y' --data array.npy
train 3 'data: not an HDF5 file, but a folder; .lockstep import --idx data --out FILE' --data data
train 3 'text.h5: not an HDF5 file, but a text file: .lockstep import --help. describes data sets' --data text.h5
printf '# Überschrift\n\nOne, two; three\nand four.\n' >text.md
train 3 'text.md: not an HDF5 file, but a text file' --data text.md
refuses 3 'text.md: not an HDF5 file, but a text file' "$lockstep" info text.md
printf 'a\tb\n1\t2\n3\t4' >table.tsv
train 3 'table.tsv: not an HDF5 file, but a table in text' --data table.tsv
printf 'text\0with a zero' >zero.txt
train 3 'zero.txt: not an HDF5 file, or damaged' --data zero.txt
mkfifo pipe
train 3 'pipe: a pipe or a device, not a file' --data pipe
train 3 'pipe: a pipe or a device, not a file' --data pipe --trust-data
train 3 'pipe: a pipe or a device, not a file' --data $data --run piped --resume pipe
head -c 3000 $data >short.h5
train 3 'short.h5: damaged or cut short' --data short.h5
train 3 'short.h5: not an HDF5 file, or damaged' --data short.h5 --trust-data
for wrong in "rank has 2 dimensions" "type holds uint64" "label row 9 is 5, expected a class of 0 to 4" \
    "length has 10 rows but '/train/labels' has 11"; do
    "$make_data" wrong "${wrong%% *}"
    train 3 "wrong/data.h5: .*${wrong#* }" --data wrong/data.h5 --model "$net"
done

# Usage.
train 2 'there is no option --bacth; did you mean --batch?' --data $data --bacth 3
train 2 'there is no option --ggg; lockstep train --help --all lists them all' --data $data --ggg
train 2 '--run needs a value: DIR' --data $data --run ""
train 2 'no option --dropout; it is a word of --model: dropout:0.5' --data $data --dropout 0.5
train 2 'no option --activation; it is a word of --model: relu' --data $data --activation relu
train 2 'no option --gpu; Lockstep computes on CPUs' --data $data --gpu
train 2 'no option --device; Lockstep computes on CPUs' --data $data --device=cuda
train 2 'no option --num_workers; each rank reads its rows itself, and needs no workers' --data $data --num_workers 2
printf 'dropout = 0.5\n' >dropout.conf
train 2 'dropout.conf line 1: there is no key dropout; it is a word of --model' --data $data --config dropout.conf
train 2 "--optimizer: 'rmsprop' is not one of: .*; did you mean adam" --data $data --optimizer rmsprop
train 2 "--monitor: 'acc' is not one of: .*; did you mean accuracy" --data $data --monitor acc
refuses 2 "--split: 'val' is not one of: train validation test; did you mean validation" "$lockstep" eval --split val
for wrong in -v -V version; do
    refuses 2 "there is no (option|command) '$wrong'; did you mean '--version'" "$lockstep" $wrong
done
refuses 2 "--completion: 'cmd' is not one of: bash zsh$" "$lockstep" help --completion cmd
refuses 2 'RUN is needed: run folder' "$lockstep" report
refuses 1 '/nonexistent: no such folder$' "$lockstep" import --synthetic 9,1,8,8,2 --out /nonexistent/z.h5
train 2 '--max-time needs a value: TIME' --data $data --max-time=
train 2 'there is no option --al; did you mean --all' --help --al
train 2 'there is no option --foo' --data $data --help --all --foo
refuses 2 'there is no option --foo; lockstep eval --help lists them all' "$lockstep" eval --foo
refuses 2 'there is no option --foo' "$lockstep" --help --foo
refuses 2 "unexpected argument 'foo' after --version" "$lockstep" --version foo
train 2 '--batch 1: batchnorm needs the statistics of 2 rows or more' --data $data --batch 1 --model "dense:5 batchnorm"
train 2 '--momentum is for --optimizer sgd and lars' --data $data --model "$net" --momentum 0.9
train 2 "'12x' is not a whole number" --data $data --batch 12x
train 2 "'fast' is not a number" --data $data --lr fast
train 2 '--data is needed'
train 2 '--run needs a value: DIR' --data $data --run --dry-run
train 2 "word 2, 'rleu': unknown layer; did you mean 'relu'" --data $data --model "dense:5 rleu"
train 2 "the last layer has 4 outputs but the data set has 5 classes" --data $data --model dense:4
train 2 "word 1, 'dense:9,relu,dense:5': separate layers by blanks, not commas" --data $data --model dense:9,relu,dense:5
train 2 "unexpected argument 'relu': a value of several words needs quotes: --model \"dense:9 relu ...\"" --data $data --model dense:9 relu dense:5
train 2 "unexpected argument 'data/data.h5'; did you mean --data data/data.h5" $data --model dense:5
train 2 'no option --batch-size; did you mean --batch' --data $data --batch-size 3
train 2 'no option —lr; did you mean --lr' --data $data —lr 3
train 2 "word 1, 'Linear:5': unknown layer; did you mean 'dense'" --data $data --model "Linear:5"
train 2 "word 2, 'GlobalMaxPooling1D': unknown layer; did you mean 'maxpool'" --data $data --model "rnn:5,all GlobalMaxPooling1D dense:5"
train 2 "word 1, 'bilstm:5': unknown layer; a recurrent layer in both directions is lstm:64,both" --data $data --model "bilstm:5 dense:5"
train 2 "needs an image, but the value before it is a sequence, for which there are conv1d" --data $data --model "rnn:5,all conv:3x3"
train 2 'no option --pad; did you mean --padding' --data $data --pad 3
train 2 'no option --vocab; it is a word of --model: embedding:64' --data $data --vocab 3
train 2 "word 1, 'Conv2d:3x3': unknown layer; did you mean 'conv'" --data $data --model "Conv2d:3x3 relu dense:5"
train 2 "--schedule: 'cosin' is not one of: constant step cosine" --data $data --schedule cosin
train 2 '--schedule onecycle includes a warmup' --data $data --schedule onecycle --warmup 1
train 2 '--warmup 5 leaves none of 5 epochs' --data $data --schedule cosine --warmup 5
train 2 '--lr-gamma: 0 is too small, it must be above 0' --data $data --schedule step --lr-gamma 0
train 2 '--plateau-patience: 0 is too small' --data $data --schedule plateau --plateau-patience 0
for wrong in 128 linear linear: cubic:128 linear:0 sqrt:-3 sqrt:1.5 "linear: 8"; do
    train 2 "--scale-lr: '$wrong' is not a rule and a batch" --data $data --scale-lr "$wrong"
done
train 2 '--label-smoothing: 1 is too large, it must be below 1' --data $data --label-smoothing 1
train 2 '--momentum: 1 is too large, it must be below 1' --data $data --momentum 1
train 2 '--validation: 1 is too large, it must be below 1' --data $data --validation 1
train 2 "--lr is given twice, as '0.1' and as '0.2': leave one out" --data $data --lr 0.1 --lr 0.2
train 2 '--label-smoothing needs --loss cross-entropy' --data $data --label-smoothing 0.1 --loss mse --model $net
train 2 "word 2, 'scal:1': unknown word; did you mean 'scale:S'" --data $data --model $net --augment "rotate:5 scal:1" --dry-run
train 2 "word 1, 'rotate:5,shift:1': separate words by blanks, not commas" --data $data --model $net --augment rotate:5,shift:1 --dry-run
printf 'lr = 1\nbatch = 3\nlr = 2\n' >twice.conf
train 2 "twice.conf line 3: lr is given twice, as '1' and as '2'" --data $data --config twice.conf
printf 'lr = 1\nepocs = 3\n' >bad.conf
train 2 'bad.conf line 2: there is no key epocs; did you mean epochs?' --data $data --config bad.conf
train 2 'none.conf: can.t open' --data $data --config none.conf
train 2 '--patience monitors val_loss, but there are no validation rows' --data $data --model $net \
    --validation 0 --patience 1
train 2 '--resume auto needs --run' --data $data --model $net --resume auto

# NaN and Inf, files, faults: also on one rank only.
for n in 1 3; do
    train 3 'missing.h5: can.t open: No such file' --data missing.h5
    train 4 'step 2 of epoch 1: training diverged; try a smaller --lr' --data $data --model $net --lr 1e9 --quiet
    train 4 'diverged' --data $data --model "dense:20 relu $net" --lr 1e9 --optimizer sgd --quiet
    echo file >file
    train 1 'file: is not a folder' --data $data --model $net --run file
    train 1 'file/run' --data $data --model $net --run file/run
    LOCKSTEP_FAULT=step:$((n - 1)):3 train 1 "injected fault at 'step'" --data $data --model $net --quiet
    for command in "train --data $data --model $net" "eval --data $data --checkpoint none" "bench --data $data --model $net"; do
        # shellcheck disable=SC2086
        LOCKSTEP_FAULT=product:$((n - 1)):5 refuses 1 'OpenBLAS .* computes wrong products on this processor .* OPENBLAS_CORETYPE=' \
            mpirun -n $n "$lockstep" $command
    done
    LOCKSTEP_FAULT=checkpoint:0:1 train 1 "injected fault at 'checkpoint'" --data $data --model $net --run failed --quiet
    rm -rf failed
    LOCKSTEP_FAULT=checkpoint:0:1 mpirun -n "$n" "$lockstep" train --data $data --model $net --run failed \
        --on-save-failure continue --quiet 2>err
    check "--on-save-failure continue: training continues after a failed save" [ $? = 0 ]
    check "--on-save-failure continue: the failed save is noted" has err "^note: .*injected fault at 'checkpoint'; training continues"
    rm -rf failed
    LOCKSTEP_FAULT=stp:0:1 train 2 "unknown fault site 'stp'" --data $data --model $net
done

# Processes that a launcher started without MPI would each run the whole training.
many='4 processes were started, but MPI sees only this one.* use the mpirun of (Open MPI|MPICH) '
for variable in PMI_SIZE OMPI_COMM_WORLD_SIZE "SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS" "SLURM_STEPID=7 SLURM_STEP_NUM_TASKS"; do
    # shellcheck disable=SC2086
    refuses 2 "$many" env $variable=4 "$lockstep" train --data $data
done
# A batch script or the shell of an salloc is not a step of tasks, but has the job's variables.
job=(SLURM_JOB_ID=77 SLURM_NTASKS=4 SLURM_NPROCS=4 SLURM_PROCID=0)
for step in SLURM_LOCALID=0 SLURM_STEP_ID=4294967291 SLURM_STEPID=4294967290; do
    refuses 3 'none.h5: can.t open' env "${job[@]}" $step "$lockstep" train --data none.h5
    refuses 3 'none.h5: can.t open' env "${job[@]}" $step SLURM_STEP_NUM_TASKS=4 "$lockstep" info none.h5
done
SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=4 refuses 3 'none.h5' mpirun -n 1 "$lockstep" train --data none.h5
for _ in 1 2 3; do # rank 0's message is shown, whichever rank ends first
    refuses 2 "'info' runs on one process: start it without mpirun" mpirun -n 4 "$lockstep" info $data
    refuses 2 "there is no command 'trian'; did you mean 'train'" mpirun -n 4 "$lockstep" trian
done

# A full disk: one line, no crash, earlier checkpoints are intact.
mkdir -p full
if mount -t tmpfs -o size=3m none full 2>/dev/null; then
    # A checkpoint has 1.7 MB: there is room for one.
    refuses 1 'full/run/checkpoints/new.h5.*: can.t write: No space left on device' mpirun -n 2 "$lockstep" train \
        --data $data --model "dense:2000 relu dense:5" --run full/run --quiet
    check "a full disk: the first checkpoint is intact" "$lockstep" info full/run/checkpoints/last
    check "a full disk: no temporary file is left" [ -z "$(find full -name '*.tmp')" ]
    check "a full disk: the events name the reason" has full/run/events.jsonl '"event":"failure".*No space left'
    rm -rf full/run
    head -c 3120000 /dev/zero >full/zero
    refuses 1 'can.t write .*: No space left on device' "$lockstep" import --idx data --out full/x.h5
    umount full
else
    echo "skipped: a full disk: no file system can be mounted here"
fi
"$lockstep" info $data >/dev/full 2>err
check "lost output ends with code 1" [ $? = 1 ]
check "lost output is an error" has err 'standard output'

# Commands that run on one process.
for name in evaluate:eval test:eval infer:predict fit:train convert:import benchmark:bench; do
    refuses 2 "there is no command '${name%:*}'; did you mean '${name#*:}'" "$lockstep" "${name%:*}"
done
refuses 2 "there is no command 'trian'; did you mean 'train'" "$lockstep" trian
refuses 2 'give --idx DIR, or --train-images' "$lockstep" import --out x.h5
refuses 2 'classes 1: a classifier needs 2 classes or more' "$lockstep" import --idx data --out x.h5 --classes 1
refuses 3 'nowhere: can.t open this folder' "$lockstep" import --idx nowhere --out x.h5
refuses 3 'has no file train-images-idx3-ubyte' "$lockstep" import --idx . --out x.h5
refuses 1 'no/folder: no such folder' "$lockstep" import --idx data --out no/folder/x.h5
refuses 2 'FILE is needed' "$lockstep" info
refuses 2 '--augment is needed' "$lockstep" augment-preview --data $data
refuses 2 "word 1, 'rotate:x': write it as rotate:DEGREES" "$lockstep" augment-preview --data $data --augment rotate:x
refuses 2 'first 400: .*data.h5 has 400 training rows' "$lockstep" augment-preview --data $data --augment rotate:1 --first 400
refuses 2 'would have .* pixels: ask for fewer' "$lockstep" augment-preview --data $data --augment rotate:1 --samples 400 --variants 9000
refuses 1 'no/folder: no such folder' "$lockstep" augment-preview --data $data --augment rotate:1 --out no/folder/x.png
refuses 3 'missing.h5: can.t open' "$lockstep" augment-preview --data missing.h5 --augment rotate:1
refuses 3 'text.h5: not an HDF5 file' "$lockstep" info text.h5
refuses 3 'this folder holds no checkpoint' "$lockstep" info data
mpirun -n 1 "$lockstep" train --data $data --model $net --epochs 1 --lr 0 --run poor --quiet 2>poor.err
for n in 1 3; do
    refuses 1 'no/folder: no such folder' mpirun -n $n "$lockstep" eval --data $data --checkpoint poor --errors 3 --errors-file no/folder/x.png
done
check "a note says that a learning rate of 0 learns nothing" has poor.err '^note: --lr 0: nothing is learned$'
refuses 2 '--errors: 10001 is too large' mpirun -n 2 "$lockstep" eval --data $data --checkpoint poor --errors 10001
refuses 2 '--checkpoint is needed' mpirun -n 2 "$lockstep" eval --data $data
cp $data unsealed.h5
if command -v python3 >/dev/null && python3 -c 'import h5py' 2>/dev/null; then
    python3 -c 'import h5py, sys
with h5py.File(sys.argv[1]) as a, h5py.File("unsealed.h5", "w") as b:
    for k in a: a.copy(k, b)
    b.attrs.update(a.attrs)' $data
fi
no_rank() { check "the line names no rank: $(cat err)" [ "$(grep -c 'rank 0' err)" = 0 ]; }
for n in 1 2; do # rank 0 acts for all: it is not named
    for file in $data unsealed.h5; do
        refuses 3 "$file: is a data set, not a checkpoint$" mpirun -n $n "$lockstep" eval --data $data --checkpoint "$file"
        no_rank
    done
    refuses 2 '--run: poor holds a run already' mpirun -n $n "$lockstep" train --data $data --run poor
    no_rank
done
refuses 3 'poor: is a run folder, not a data set; the one it was trained on is in poor/config.conf$' \
    mpirun -n 2 "$lockstep" train --data poor
refuses 3 'poor/checkpoints/best: is a checkpoint, not a data set$' mpirun -n 2 "$lockstep" train --data poor/checkpoints/best
finish
