#!/usr/bin/env bash
# The commands as a user runs them: import, train, eval, info, on one and on several ranks.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
make_data=$2
"$make_data" data

# Help and version, without MPI.
"$lockstep" --help >out
check "help lists the commands" has out 'mpirun -n N lockstep train'
"$lockstep" --version >out
check "--version prints a version number" has out '^lockstep [0-9]+\.[0-9]+\.[0-9]+$'
mpirun -n 3 "$lockstep" --version >out
check "--version is printed once under mpirun" [ "$(grep -c '^lockstep ' out)" = 1 ]

# Import: a folder, single files, limited, compressed.
"$lockstep" import --idx data --out mine.h5 --name mine 2>err
check "import reports rows, shape and classes" has err '400 training and 100 test rows of 1x8x8, 5 classes'
"$lockstep" import --idx data --out odd.h5 --name $'odd\xff' 2>/dev/null
check "a name that is not UTF-8 is valid JSON in info" [ "$("$lockstep" info odd.h5 --json | grep -c '"name":"odd?"')" = 1 ]
"$lockstep" info mine.h5 --json >info.json
check "info --json has rows and the verification" has info.json '"rows":\{"train":400,"test":100\}.*"verified":true'
"$lockstep" import --train-images data/train-images-idx3-ubyte --out some.h5 --limit 30 --compress \
    --train-labels data/train-labels-idx1-ubyte 2>err
check "--limit limits the rows" has err '30 training and 0 test rows'
"$lockstep" info some.h5 >out
check "info prints that the file is verified" has out '^verified +true'
"$lockstep" info some.h5 --verify >out
check "info --verify reads all rows" has out '^rows_verified +true'

# Synthetic data, without input files.
"$lockstep" import --synthetic 1200,1,12,12,4 --out made.h5 2>err
check "import --synthetic reports rows, shape and classes" has err '1200 training and 200 test rows of 1x12x12, 4 classes'
mpirun -n 2 "$lockstep" train --data made.h5 --model "dense:32 relu dense:4" --epochs 4 --run run/made --quiet 2>err
mpirun -n 2 "$lockstep" eval --data made.h5 --checkpoint run/made >out
check "synthetic data can be learned" has out 'accuracy (0\.9|1)'
refuses 2 "'9,1,8,8' is not N,C,H,W,CLASSES" "$lockstep" import --synthetic 9,1,8,8 --out x.h5
refuses 2 '--idx and --synthetic: give one source' "$lockstep" import --synthetic 9,1,8,8,2 --idx data --out x.h5
refuses 2 'leave out --limit' "$lockstep" import --synthetic 9,1,8,8,2 --limit 3 --out x.h5

# Channels-last images: never guessed; stored for eval and resumed runs.
"$lockstep" import --synthetic 300,8,8,3,4 --out last.h5 2>/dev/null
last=(--data last.h5 --model dense:4 --quiet)
ask="'/train/images' is \[300,8,8,3\]: give --layout nhwc"
refuses 2 "$ask" mpirun -n 2 "$lockstep" train "${last[@]}" --read root
refuses 2 "$ask" "$lockstep" augment-preview --data last.h5 --augment shift:1
refuses 2 "$ask" mpirun -n 2 "$lockstep" bench --data last.h5 --model dense:4
"$lockstep" info last.h5 >out
check "info reports a doubtful layout" has out '^layout +taken for nchw, but it looks like nhwc'
"$lockstep" info last.h5 --layout nhwc --json >out
check "info --layout nhwc prints channels first" has out '"image":\[3,8,8\]'
"$lockstep" augment-preview --data last.h5 --augment shift:1 --layout nhwc --out last.png 2>/dev/null
check "augment-preview takes --layout nhwc" [ $? = 0 ]
mpirun -n 2 "$lockstep" train "${last[@]}" --layout nhwc --epochs 1 --run run/last 2>/dev/null
check "images with channels last can be trained on" [ $? = 0 ]
mpirun -n 2 "$lockstep" train "${last[@]}" --layout nhwc --epochs 1 --shuffle local --stream --memory 2M --run run/last2 2>/dev/null
check "streamed images with channels last can be trained on" [ $? = 0 ]
mpirun -n 2 "$lockstep" eval --data last.h5 --checkpoint run/last --errors 2 --errors-file last.png >out 2>/dev/null
check "eval takes the layout from the checkpoint" has out '^test loss'
refuses 2 'layout is nchw, was nhwc' mpirun -n 2 "$lockstep" train "${last[@]}" --layout nchw --epochs 2 --run run/last --resume auto

# Streamed rows: a run that is resumed within an epoch has the same result.
stream=(--data made.h5 --model "dense:32 relu dense:4" --batch 100 --epochs 4 --shuffle local --stream --memory 300K
    --reduce fused --quiet --checkpoint-every 5steps)
mpirun -n 2 "$lockstep" train "${stream[@]}" --run run/stream 2>err
check "a run with streamed rows succeeds" [ $? = 0 ]
LOCKSTEP_FAULT=step:1:28 mpirun -n 2 "$lockstep" train "${stream[@]}" --run run/part >/dev/null 2>&1
mpirun -n 2 "$lockstep" train "${stream[@]}" --run run/part --resume auto >/dev/null 2>&1
check "a resumed run with streamed rows has the same bits" same_bits run/part run/stream
mpirun -n 3 "$lockstep" train "${stream[@]}" --run run/three 2>/dev/null
mpirun -n 2 "$lockstep" eval --data made.h5 --checkpoint run/three >out
check "a run with streamed rows on 3 ranks learns" has out 'accuracy (0\.9|1)'
refuses 2 'give --shuffle local' mpirun -n 2 "$lockstep" train --data made.h5 --stream
refuses 2 "'many' is not a size" mpirun -n 2 "$lockstep" train --data made.h5 --memory many
refuses 2 'too few for two windows' mpirun -n 2 "$lockstep" train --data made.h5 --stream --shuffle local --memory 9K
LOCKSTEP_FAULT=read:1:2 refuses 1 "rank 1: injected fault at 'read'" mpirun -n 2 "$lockstep" train "${stream[@]}"

# A file of another type is not replaced.
echo precious >note.txt
refuses 2 'note.txt: this file exists and is not a data set: not overwritten' "$lockstep" import --synthetic 9,1,8,8,2 --out note.txt
refuses 2 'note.txt: this file exists and is not of type PNG by Lockstep: not overwritten' "$lockstep" augment-preview --data made.h5 --augment shift:1 --out note.txt
check "the file is unchanged" has note.txt '^precious$'
refuses 2 'run/made/checkpoints/last: .* not a data set' "$lockstep" import --synthetic 9,1,8,8,2 --out run/made/checkpoints/last

# A changed pixel: the digest shows it, unless the file is trusted.
cp mine.h5 changed.h5
printf '\001' | dd of=changed.h5 bs=1 seek=8000 conv=notrunc 2>/dev/null
refuses 3 'changed.h5: damaged or cut short' mpirun -n 2 "$lockstep" train --data changed.h5 --model dense:5 --epochs 1
mpirun -n 2 "$lockstep" train --data changed.h5 --model dense:5 --epochs 1 --trust-data 2>err
check "a trusted file is not verified" has err '^epoch 1/1'

# Train, eval, info.
mpirun -n 2 "$lockstep" train --data mine.h5 --model "dense:20 relu dense:5" --epochs 4 --batch 16 \
    --run run/a --lr 0.01 2>err
check "train succeeds" [ $? = 0 ]
cp err run.err
check "start-up table: data" has err 'data .*mine, mine.h5: 360 training and 40 validation rows, 1x8x8, 5 classes'
check "start-up table: network" has err 'network +dense:20 +1x8x8 -> 20, 1,300 parameters'
check "start-up table: total number of parameters" has err '1,405 parameters in total'
check "start-up table: ranks" has err 'ranks .*: 2 ranks \(0..1\), each on [0-9]+ core'
check "a line per epoch is printed" [ "$(grep -c '^epoch [1-4]/4  loss .*val_loss .*samples/s' err)" = 4 ]
check "no progress bar is written to a file" [ "$(grep -c $'\r' err)" = 0 ]
for file in config.conf metrics.csv events.jsonl summary.json checkpoints/last checkpoints/best; do
    check "the run folder has $file" [ -e run/a/$file ]
done
check "metrics.csv has a header and a row per epoch" [ "$(wc -l <run/a/metrics.csv)" = 5 ]
check "summary.json: the run is completed" has run/a/summary.json '"outcome": "completed"'
check "summary.json has the number of ranks" has run/a/summary.json '"ranks": 2'
check "events.jsonl has an event per epoch" [ "$(grep -c '"event":"epoch"' run/a/events.jsonl)" = 4 ]

"$lockstep" train --data mine.h5 --model dense:5 --dry-run 2>err
cores=$(sed -nE 's/^  ranks .*: 1 rank, on ([0-9]+) cores? with 1 thread$/\1/p' err)
check "one rank without mpirun: a hint about mpirun is printed if cores are idle" \
    [ "$(grep -cE '^  hint +1 of [0-9]+ cores used: .mpirun -n [0-9]+ lockstep train \.\.\.. uses all$' err)" = $((cores > 1)) ]
mpirun -n 1 "$lockstep" train --data mine.h5 --model dense:5 --dry-run 2>err
check "one rank under mpirun: no hint about mpirun is printed" [ "$(grep -c 'hint.*mpirun' err)" = 0 ]
(unset OPENBLAS_CORETYPE && "$lockstep" train --data mine.h5 --model dense:5 --dry-run 2>err)
check "no hint about kernels is printed unless the environment chooses them" [ "$(grep -c 'hint.*CORETYPE' err)" = 0 ]
if grep -q avx2 /proc/cpuinfo && OPENBLAS_CORETYPE=Prescott "$lockstep" --version | grep -q '^BLAS.*Prescott'; then
    OPENBLAS_CORETYPE=Prescott "$lockstep" train --data mine.h5 --model dense:5 --dry-run 2>err
    check "a hint names slow kernels of the environment" has err '^  hint +OPENBLAS_CORETYPE=Prescott is set: unset it, [A-Za-z]+ is faster here$'
else
    echo "skipped: no slower kernels here"
fi

# Notes and hints at the start.
"$lockstep" train --data mine.h5 --model dense:5 --dry-run --batch 400 2>err
check "a hint says that the batch is above the rows" has err '^  hint +--batch 400 is above the 360 training rows: an epoch is one step$'
"$lockstep" train --data mine.h5 --model dense:5 --dry-run --quiet --batch 360 2>err
check "a dry run says that the configuration is valid" [ "$(cat err)" = "dry run: the configuration is valid" ]
"$lockstep" train --data mine.h5 --model dense:5 --dry-run --quiet --max-time 9 2>err
check "a note says that a time limit without a run folder saves nothing" has err '^note: a time limit without --run: nothing is saved'
refuses 2 "mine.h5: exists and differs only in its name, 'mine': not overwritten; give this name, or replace it with --force" \
    "$lockstep" import --idx data --out mine.h5 --name yours

# A resumed run: its settings, its last lines, its events.
cp -a run/a run/again
again=(mpirun -n 2 "$lockstep" train --data mine.h5 --model "dense:20  relu dense:5" --batch 16 --run run/again --resume auto)
check "the closing line gives epochs and seconds" has run.err '^done: 4 epochs in [0-9.]+ s$'
"${again[@]}" --lr 0.01 --epochs 5 2>err
check "after a resume the closing line says what it counts" has err '^done: 5 epochs, [0-9.]+ s since the resume$'
"${again[@]}" --lr 0.01 --epochs 5 2>err
check "a finished run has nothing to do" has err '^nothing to do: '
check "also a run with nothing to do ends with the event end" [ "$(tail -n 1 run/again/events.jsonl | grep -c '"event":"end"')" = 1 ]
refuses 2 'lr is 0.02, was 0.01; give the same options again \(or --config run/again/config.conf\), or --resume-anyway to change them$' \
    "${again[@]}" --lr 0.02 --epochs 6
refuses 2 'optimizer is sgd, was adam; give the same options again \(or --config run/again/config.conf\)$' \
    "${again[@]}" --lr 0.01 --epochs 6 --optimizer sgd
"$lockstep" train --data mine.h5 --model mlp --epochs 1 --run run/named --quiet 2>/dev/null
"$lockstep" train --data mine.h5 --model "dense:512 relu dense:5" --epochs 2 --run run/named --resume auto --quiet 2>/dev/null
check "a network by name resumes by its layers" [ $? = 0 ]
"$lockstep" train --data mine.h5 --model mlp --epochs 3 --run run/named --resume auto --quiet 2>/dev/null
check "a network by its layers resumes by name" [ $? = 0 ]

for n in 1 2 3; do
    mpirun -n $n "$lockstep" eval --data mine.h5 --checkpoint run/a --json >eval$n.json
    check "eval on $n ranks prints rows, loss and accuracy" has eval$n.json '"split":"test","rows":100,"loss":0\.[0-9]+,"accuracy":(0\.9[0-9]*|1\.0)'
done
sed 's/"loss":[0-9.]*//' eval1.json >one
sed 's/"loss":[0-9.]*//' eval3.json >three
check "eval has the same accuracy and confusion matrix on 1 and 3 ranks" cmp -s one three
"$lockstep" eval --data mine.h5 --checkpoint run/a/checkpoints/last --split validation >out
check "eval prints the confusion matrix" has out '^confusion matrix'
check "eval --split validation evaluates the 40 held-out rows" has out '^validation loss .* of 40 rows right$'
"$lockstep" info run/a >out
check "info prints a line for each layer" has out '^    dense1 +dense:20 +1x8x8 -> 20, 1,300 parameters$'
check "info prints what the steps are" [ "$(grep -cE '^(step of epoch  0|steps in all   92)$' out)" = 2 ]
check "info leaves out what is not known" [ "$(grep -c null out)" = 0 ]
check "info prints the shapes of the parameters" has out 'dense1/weight +.64, 20.'

# Misclassified rows of highest confidence: a list and a picture, the same on any number of ranks.
png_size() { od -An -tu1 -j16 -N8 "$1" | awk '{ print $3 * 256 + $4 "x" $7 * 256 + $8 }'; }
# shellcheck disable=SC2317
is_png() { [ "$(head -c 8 "$1" | od -An -tx1)" = " 89 50 4e 47 0d 0a 1a 0a" ]; }
"$lockstep" train --data mine.h5 --model dense:5 --epochs 1 --lr 0 --run run/poor --quiet 2>err
for n in 1 3; do
    mpirun -n $n "$lockstep" eval --data mine.h5 --split train --checkpoint run/poor --errors 7 --errors-file wrong$n.png \
        --json >eval$n.json
    grep -o '"errors":.*' eval$n.json >wrong$n
done
check "eval --errors 7 lists 7 errors" [ "$(grep -o '"probability":0\.[0-9]*' wrong1 | wc -l)" = 7 ]
check "the errors are the same on 1 and 3 ranks" cmp -s wrong1 wrong3
check "the picture of the errors is the same on 1 and 3 ranks" cmp -s wrong1.png wrong3.png
check "the picture of the errors is a PNG" is_png wrong1.png
# 3 x 3 images of 8x8, enlarged 16 times, with captions, frames and gaps.
check "the picture of the errors has the expected size" [ "$(png_size wrong1.png)" = 438x501 ]
(cd run && "$lockstep" eval --data ../mine.h5 --checkpoint poor --errors 2 >../out)
check "eval --errors prints a table" has out '^ +[0-9]+ +[0-4] +[0-4] +0\.[0-9]{6}$'
check "errors.png is the default" is_png run/errors.png
(mkdir -p none && cd none && "$lockstep" eval --data ../mine.h5 --checkpoint ../run/poor --errors 2 --errors-file none >/dev/null)
check "--errors-file none makes no picture" [ -z "$(ls none)" ]
"$lockstep" import --synthetic 60,1,8,8,2 --out easy.h5 2>/dev/null
"$lockstep" train --data easy.h5 --model dense:2 --epochs 30 --lr 0.02 --batch 10 --run run/easy --quiet 2>/dev/null
"$lockstep" eval --data easy.h5 --checkpoint run/easy --errors 3 --errors-file easy.png >out 2>err
check "without misclassified rows no picture is written: $(cat err)" has err '^note: easy.png is not written: no row is misclassified$'
check "nor a table" has out '^no row is misclassified$'
check "none is there" [ ! -e easy.png ]

# The preview of augmentation.
"$lockstep" augment-preview --data mine.h5 --augment "rotate:20 shift:1" --samples 3 --variants 4 --first 5 2>err
check "augment-preview reports images and epochs" has err '^preview.png: 3 training images, augmented as in 4 epochs'
check "the preview is a PNG" is_png preview.png
check "the preview has the expected size" [ "$(png_size preview.png)" = 734x501 ]
"$lockstep" augment-preview --data mine.h5 --augment "rotate:20 shift:1" --samples 3 --variants 4 --first 5 --out again.png 2>err
check "the same seed gives the same preview" cmp -s preview.png again.png
"$lockstep" augment-preview --data mine.h5 --augment "rotate:20 shift:1" --samples 3 --variants 4 --first 5 --seed 1 --out again.png 2>err
check "another seed gives another preview" [ "$(cmp -s preview.png again.png; echo $?)" = 1 ]

# The HDF Group's h5dump reads checkpoints.
if command -v h5dump >/dev/null; then
    h5dump -d /parameters/dense1/bias run/a/checkpoints/best >out
    check "h5dump prints parameters as 32-bit floats" has out 'H5T_IEEE_F32LE'
fi

# A parameter average: validation and eval use it by default.
mpirun -n 2 "$lockstep" train --data mine.h5 --model "dense:20 relu dense:5" --epochs 2 --batch 16 \
    --run run/ema --lr 0.01 --optimizer lamb --clip-norm 0.5 --ema 0.99 2>err
check "train with LAMB, clipping and an average succeeds" [ $? = 0 ]
check "start-up table: lamb" has err 'cross-entropy, lamb, lr 0.01'
check "start-up table: clipping" has err 'clipped at norm 0.5$'
check "start-up table: average" has err 'average of the parameters, decay 0.99$'
"$lockstep" eval --data mine.h5 --checkpoint run/ema/checkpoints/last --split validation --json >average.json
"$lockstep" eval --data mine.h5 --checkpoint run/ema/checkpoints/last --split validation --json --raw >raw.json
check "eval evaluates the average" has average.json '"averaged":true'
check "eval --raw evaluates the parameters" has raw.json '"averaged":false'
loss() { grep -oE "\"$1\": ?[0-9.]{8}" "$2" | tail -1 | grep -oE '[0-9.]{8}'; }
check "the run's validation loss is the loss of the average" [ "$(loss loss average.json)" = "$(loss val_loss run/ema/summary.json)" ]
check "the loss of the parameters is different" [ "$(loss loss average.json)" != "$(loss loss raw.json)" ]
"$lockstep" info run/ema >out
check "info reports the average" has out '^average +true'
"$lockstep" eval --data mine.h5 --checkpoint run/ema >out
check "eval prints that the parameters are averaged" has out 'of dense:20 relu dense:5, epoch [12], averaged parameters$'

# The resolved configuration is a valid --config; the command line overrides it.
mpirun -n 2 "$lockstep" train --config run/a/config.conf --run run/b --quiet 2>err
check "train --config succeeds" [ $? = 0 ]
check "--quiet prints no line per epoch" [ "$(grep -c '^epoch' err)" = 0 ]
check "the stored configuration gives the same bits" same_bits run/a run/b
diff <(grep -v '^run = ' run/a/config.conf) <(grep -v '^run = ' run/b/config.conf) >differences
check "the resolved configuration is the same again" [ ! -s differences ]

# Resuming: with more epochs, and without epochs left.
mpirun -n 2 "$lockstep" train --config run/a/config.conf --run run/c --epochs 2 --resume auto 2>err
check "--resume auto starts a new run in an empty folder" [ $? = 0 ]
mpirun -n 2 "$lockstep" train --config run/a/config.conf --run run/c --resume auto 2>err
check "--resume auto continues after the last checkpoint" has err 'resumed .*step-00000046.h5, 2 epochs done'
check "the resumed run has the same bits" same_bits run/a run/c
check "metrics.csv of a resumed run has all epochs" [ "$(cut -d, -f1 run/c/metrics.csv | tail -n +2 | sort -u | wc -l)" = 4 ]
check "metrics.csv of a resumed run has each epoch once" [ "$(wc -l <run/c/metrics.csv)" = 5 ]
diff <(cut -d, -f1-6 run/a/metrics.csv) <(cut -d, -f1-6 run/c/metrics.csv) >differences
check "the resumed run has the same metrics" [ ! -s differences ]
mpirun -n 2 "$lockstep" train --config run/a/config.conf --run run/c --resume auto 2>err
check "resuming a finished run reports that nothing is left to do" has err '^nothing to do: the run that was resumed has finished'

# A schedule: its rates are in the metrics. If they depend on the number of epochs, that number can't change.
cosine=(--data mine.h5 --model dense:5 --batch 40 --lr 0.01 --schedule cosine --warmup 1 --lr-final 0.1
    --scale-lr linear:20)
mpirun -n 2 "$lockstep" train "${cosine[@]}" --run run/cosine --epochs 3 2>err
check "start-up table: schedule" has err 'schedule cosine, warmup of 1 epoch, lr scaled from 0.01 for a batch of 20'
check "start-up table: scaled rate" has err 'adam, lr 0.02, global batch 40'
check "metrics.csv has the rate of each epoch's last step" [ "$(tail -n +2 run/cosine/metrics.csv | cut -d, -f6 | xargs printf '%.5f ')" = "0.02000 0.01256 0.00214 " ]
refuses 2 'other settings: --epochs is 4, was 3' mpirun -n 2 "$lockstep" train "${cosine[@]}" --run run/cosine --epochs 4 --resume auto
mpirun -n 2 "$lockstep" train "${cosine[@]}" --run run/cosine --epochs 4 --resume auto --resume-anyway 2>err
check "--resume-anyway changes the number of epochs, with a note" has err 'note: resuming .* with other settings: --epochs is 4, was 3'
check "and in the events" has run/cosine/events.jsonl '"event":"resume".*"changed":"--epochs is 4, was 3"'

# Random labels can only be memorised: overfitting, reported once, also by a run that is resumed before and
# after the report.
{
    head -c 8 data/train-labels-idx1-ubyte
    for ((i = 0; i < 400; i++)); do printf '%b' "\\0$((i * i / 7 % 5))"; done
} >senseless
"$lockstep" import --train-images data/train-images-idx3-ubyte --train-labels senseless --out senseless.h5 2>err
by_heart=(train --data senseless.h5 --model "dense:128 relu dense:5" --batch 8 --lr 0.003 --normalize '0.5,0.25'
    --validation 0.3 --reduce fused)
mpirun -n 2 "$lockstep" "${by_heart[@]}" --run run/heart --epochs 24 2>err
check "overfitting is reported once" [ "$(grep -cE '^note: overfitting: the validation loss has risen from .* while .* \(medians of 3 epochs\); .*--patience' err)" = 1 ]
mpirun -n 2 "$lockstep" "${by_heart[@]}" --run run/parts --epochs 4 2>err
check "overfitting is not reported in the first 4 epochs" [ "$(grep -c overfitting err)" = 0 ]
mpirun -n 2 "$lockstep" "${by_heart[@]}" --run run/parts --epochs 16 --resume auto 2>err
check "the resumed run reports overfitting" [ "$(grep -c "overfitting: the validation loss" err)" = 1 ]
mpirun -n 2 "$lockstep" "${by_heart[@]}" --run run/parts --epochs 24 --resume auto 2>err
check "a run that is resumed after the report does not repeat it" [ "$(grep -c overfitting err)" = 0 ]
for run in heart parts; do sed -n 's/.*\("event":"diagnosis".*overfitting.*\)/\1/p' run/$run/events.jsonl >$run; done
check "the events have the overfitting" has heart '"what":"overfitting"'
check "the event is the same in a resumed run" cmp heart parts
for run in heart parts; do sed -n '/"diagnosis"/,/}/p' run/$run/summary.json >$run; done
check "the summary has the overfitting" has heart '"what": "overfitting"'
check "the summary is the same in a resumed run" cmp heart parts
mpirun -n 2 "$lockstep" train --data mine.h5 --model dense:5 --lr 1e-6 --epochs 3 --run run/slow 2>err
check "underfitting is reported at the end" has err '^note: underfitting: the training accuracy is 0\.[0-9]+, the validation accuracy 0\.[0-9]+ \(medians of the latest 3 epochs\), .* larger --model'
check "the events have the underfitting" has run/slow/events.jsonl '"event":"diagnosis","epoch":3,"what":"underfitting"'
check "the summary has the underfitting" has run/slow/summary.json '"what": "underfitting"'
check "a run without either has no diagnosis in the summary" has run/a/summary.json '"what": null'

# A run in a subfolder of another run's folder is a separate run.
mpirun -n 2 "$lockstep" train --config run/a/config.conf --run run/c/inner --epochs 1 2>err
check "a run in a subfolder of another run succeeds" [ $? = 0 ]
before=$(ls run/c/checkpoints)
mpirun -n 2 "$lockstep" train --config run/a/config.conf --run run/c --resume run/c/inner 2>err
check "the outer run does not resume from the run in its subfolder" [ $? = 2 ]
check "the checkpoints of the outer run are unchanged" [ "$(ls run/c/checkpoints)" = "$before" ]
# A run folder whose newest checkpoint is damaged.
echo damage >>run/c/checkpoints/last
mpirun -n 2 "$lockstep" train --config run/a/config.conf --run run/f --resume run/c 2>err
check "resuming from a folder skips a damaged checkpoint" has err '^note: .*step-00000092.h5: damaged.*resuming from .*step-00000069.h5'

# Early stopping.
mpirun -n 2 "$lockstep" train --data mine.h5 --model dense:5 --mode max --patience 2 --epochs 99 \
    --run run/d --restore-best 2>err
check "early stopping prints metric, patience and best epoch" has err '^early stopping: val_loss has not improved for 2 epochs, it was best in epoch 1'
check "summary.json: the run is stopped early" has run/d/summary.json '"outcome": "stopped early"'

# Too little shared memory: an error if requested, otherwise another reducer is used. Needs root.
with_little_shm() { unshare -m sh -c 'mount -t tmpfs -o size=64k tmpfs /dev/shm && exec "$@"' sh "$@"; }
if with_little_shm true 2>/dev/null; then
    little() { OMPI_MCA_btl=self,tcp UCX_TLS=self,tcp with_little_shm timeout 50 mpirun -n 2 "$lockstep" "$@" --data mine.h5 --model "dense:2000 relu dense:5"; }
    little train --epochs 1 --reduce hierarchical 2>err
    check "--reduce hierarchical fails with little shared memory" [ $? = 1 ]
    check "the message names /dev/shm" has err '^lockstep: --reduce hierarchical: /dev/shm has no room for [0-9]+ bytes'
    little train --epochs 1 2>err
    check "--reduce auto uses another algorithm" has err '^done: 1 epoch'
    little bench --steps 5 --predict 1,2 >out
    check "bench measures the other algorithms" [ "$(grep -cE '^  (fused|overlap|hierarchical|exact) ' out)" = 3 ]
    check "bench predicts for fused" has out '^prediction for 2 ranks a node, fused'
fi

# A dry run.
mpirun -n 2 "$lockstep" train --data mine.h5 --model dense:5 --run run/e --dry-run 2>err
check "--dry-run prints the start-up table" has err 'network +dense:5'
check "--dry-run writes nothing" [ ! -e run/e ]

# Augmentation is printed, and can't change in a resumed run.
mpirun -n 2 "$lockstep" train --data mine.h5 --model dense:5 --augment "rotate:9 shift:1" --epochs 1 --run run/g 2>err
check "start-up table: augmentation" has err '^ +augmented by rotate:9 shift:1'
mpirun -n 2 "$lockstep" train --config run/g/config.conf --run run/g --epochs 2 --resume auto --augment none 2>err
check "another augmentation is refused on resuming" [ $? = 2 ]
check "the message names the augmentations" has err '--augment is none, was rotate:9 shift:1'

# More ranks than cores and than rows in a batch give the same bits as one rank.
many=(train --data mine.h5 --model "dense:20 relu dense:5" --batch 16 --epochs 2 --reproducible)
mpirun -n 1 "$lockstep" "${many[@]}" --run run/one 2>err
mpirun -n 32 "$lockstep" "${many[@]}" --run run/many 2>err
check "32 ranks train with batches of 16" has err '^epoch 2/2'
check "32 ranks have the bits of one rank" same_bits run/many run/one

# A network with branches: the values that its layers read are printed and stored.
mpirun -n 2 "$lockstep" train --data mine.h5 --model "dense:9 relu :a dense:9 +a @a dense:9 :b @a +b dense:5" --epochs 1 --run branch >out 2>err
check "a layer that nothing reads is refused" [ $? = 2 ]
mpirun -n 2 "$lockstep" train --data mine.h5 --model "dense:9 relu :a dense:9 :b @a dense:9 +b &a dense:5" --epochs 1 --run branch >out 2>err
check "a network with branches trains" [ $? = 0 ]
check "the table names the value that a layer reads" has err ' dense:9 +9 -> 9, 90 parameters, from relu1$'
check "the table names the value that is added" has err ' \+b +9 -> 9, with dense2$'
check "the table names the value that is concatenated" has err ' &a +9 -> 18, with relu1$'
"$lockstep" info branch --json >out
check "info lists the layers that each layer reads" has out '"concat1": ?\{"word": ?"&a", ?"kind": ?"concat", ?"reads": ?\["add1", ?"relu1"\]'
mpirun -n 1 "$lockstep" eval --data mine.h5 --checkpoint branch >out 2>err
check "a network with branches can be evaluated" [ $? = 0 ]
finish
