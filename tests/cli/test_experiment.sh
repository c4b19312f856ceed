#!/usr/bin/env bash
# A scaling experiment, from one command to the figures: interrupted, resumed, extended. The form of the results is
# tested, not the times.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
export LOCKSTEP=$1
make_data=$2
scaling=$3/jobs/scaling.sh
"$make_data" data
net=(--data data/data.h5 --model "dense:20 relu dense:5" --batch 24)
options=("${net[@]}" --epochs 3)
launch=(--launch mpirun)

"$scaling" --out strong "${launch[@]}" --ranks 1,3 --repeats 2 --target 0.3 -- "${options[@]}" >out 2>err
check "a scaling experiment succeeds" [ $? = 0 ]
check "2 runs are made on each number of ranks" [ "$(find strong/runs -name summary.json | wc -l)" = 4 ]
check "the table has a row with the efficiency of 3 ranks" has out '^ +3[* ] +2 .* %'
check "scaling.csv has a row per number of ranks" [ "$(wc -l <strong/scaling.csv)" = 3 ]
check "the mode is recognised" has strong/scaling.json '"mode": "strong"'
check "scaling --json has the speed-up" [ "$("$LOCKSTEP" scaling strong --json | grep -c '"rows":\[{"ranks":1,.*"speedup":{"median":')" = 1 ]
check "a line per run is printed" [ "$(grep -cE 'ranks?, run' err)" = 4 ]
if command -v gnuplot >/dev/null; then
    check "the figure is written as SVG" has strong/scaling.svg '</svg>'
    check "the figure is written as PNG" [ "$(head -c 4 strong/scaling.png | tail -c 3)" = PNG ]
    check "the figure is written as PDF" [ "$(head -c 4 strong/scaling.pdf)" = %PDF ]
    check "the figure names the workload and the machine" [ "$(grep -cE 'Strong scaling on .*: dense|global batch 24, 3 epochs|1 thread a rank; OpenBLAS' strong/scaling.svg)" = 3 ]
    check "the figure names the baseline of the speed-up" has strong/scaling.svg 'speed-up over the median of the runs on 1 rank'
fi

check "the speed-up of the baseline is 1" [ "$(awk -F, 'NR == 2 { print $11, $14 }' strong/scaling.csv)" = "1 1" ]
# Options of the evaluation are stored, and may be changed.
"$scaling" --out strong --evaluate >out 2>err
check "the target accuracy is stored" has strong/scaling.json '"target": 0.3'
"$LOCKSTEP" scaling strong >out
check "lockstep scaling uses the stored target" has out 's to target$'
"$LOCKSTEP" scaling strong --target 0.2 --warmup 2 >out
check "the options of the evaluation can be changed" has strong/scaling.json '"warmup_epochs": 2'
cp -r strong wrong
sed -i 's/"processor": ".*"/"processor": "another one"/' wrong/runs/p00003-002/summary.json
"$LOCKSTEP" scaling wrong >out
check "runs on different processors are reported" has out '^disturbed\? p00001-001 and p00003-002 differ in processor'
rm -r wrong
# A prediction with a large error, or from a disturbed machine, is reported and not drawn.
cp -r strong wrong
echo '{"prediction":{"strong":[{"ranks":1,"step":1}]},"doubts":[]}' >wrong/prediction.json
"$LOCKSTEP" scaling wrong >out
check "a prediction with a large error is reported" has out '^disturbed\? 1 rank: the prediction is \+[0-9]+ % off'
check "a prediction with a large error is not in scaling.csv" [ "$(awk -F, 'NR == 2 { print $27 }' wrong/scaling.csv)" = "" ]
echo '{"prediction":{"strong":[{"ranks":1,"step":1e-4}]},"doubts":["a busy machine"]}' >wrong/prediction.json
"$LOCKSTEP" scaling wrong >out
check "a prediction of a disturbed machine is reported" has out '^disturbed\? the prediction is not usable: a busy machine'
check "a prediction of a disturbed machine is not in scaling.csv" [ "$(awk -F, 'NR == 2 { print $27 }' wrong/scaling.csv)" = "" ]

# More ranks and repeats extend the experiment; other changed options are rejected.
"$scaling" --out strong "${launch[@]}" --ranks 1,2,3 --repeats 2 -- "${options[@]}" >out 2>err
check "more ranks extend the experiment" [ "$(find strong/runs -name summary.json | wc -l)" = 6 ]
check "existing runs are not repeated" [ "$(grep -cE 'ranks?, run' err)" = 2 ]
"$scaling" --out strong "${launch[@]}" --ranks 1,2 -- "${options[@]}" --lr 0.5 >out 2>err
check "other options of the training are refused" [ $? = 2 ]
check "the message says that options differ" has err '^scaling.sh: strong holds runs with other options'
"$scaling" --out strong --launch 'mpirun --bind-to none' --ranks 1,2 -- "${options[@]}" >out 2>err
check "another launch command is refused" [ $? = 2 ]

"$LOCKSTEP" import --idx data --out other.h5 2>/dev/null
cp data/data.h5 kept.h5
cp other.h5 data/data.h5
"$scaling" --out strong "${launch[@]}" --ranks 1,2 --repeats 2 -- "${options[@]}" >out 2>err
check "other data of the same name are refused" [ $? = 2 ]
check "the message names the changed data" has err '^scaling.sh: strong holds runs on other data or another configuration: data/data.h5'
cp kept.h5 data/data.h5
"$scaling" --out strong --target 1.5 -- "${options[@]}" >out 2>err
check "a target above 1 is refused" [ $? = 2 ]

# Weak scaling: the batch grows with the ranks.
"$scaling" --out weak "${launch[@]}" --mode weak --ranks 1,2 --repeats 1 -- "${options[@]}" >out 2>err
check "weak scaling succeeds" [ $? = 0 ]
check "weak scaling is recognised" has out '^weak scaling, 2 runs'
check "the global batch of weak scaling is proportional to the ranks" has weak/runs/p00002-001/config.conf '^batch = 48$'

# After a mistake in the first command the folder can be used.
"$scaling" --out typo "${launch[@]}" --ranks 1 --repeats 1 -- "${options[@]}" --epoch 3 >out 2>err
check "a mistyped option is refused" [ $? = 2 ]
"$scaling" --out typo "${launch[@]}" --ranks 1 --repeats 1 -- "${options[@]}" >out 2>err
check "the corrected command succeeds in the same folder" [ $? = 0 ]
check "one rank gives no prediction" [ ! -e typo/prediction.json ]
"$scaling" --out exact "${launch[@]}" --ranks 1,2 --repeats 1 -- "${options[@]}" --reproducible >out 2>err
check "a note says that --reproducible is not predicted" has err '^no prediction: there is no model for --reproducible'

# A signal to all processes of the experiment, as a terminal sends it: the run in progress writes a checkpoint.
setsid "$scaling" --out cut "${launch[@]}" --ranks 2 --repeats 1 -- "${net[@]}" --epochs 20000 >out 2>err &
job=$!
for ((i = 0; i < 200; i++)); do
    ! grep -qs '^3,' cut/runs/p00002-001/metrics.csv || break
    sleep 0.1
done
kill -TERM -- -$job
wait $job
check "a signal ends the experiment with code 75" [ $? = 75 ]
check "the interrupted run has a checkpoint" [ -e cut/runs/p00002-001/checkpoints/last ]
refuses 3 'no run is finished' "$LOCKSTEP" scaling cut

# Folders that are not experiments.
refuses 3 'nowhere/runs: can.t be listed' "$LOCKSTEP" scaling nowhere
cp -r strong mixed
sed -i 's/"batch": "24"/"batch": "25"/' mixed/runs/p00003-001/summary.json
refuses 3 'neither strong nor weak' "$LOCKSTEP" scaling mixed
sed -i 's/"batch": "25"/"batch": "24"/; s/"lr": "[0-9.]*"/"lr": "7"/' mixed/runs/p00003-001/summary.json
refuses 3 'p00001-001 and p00003-001 differ in lr' "$LOCKSTEP" scaling mixed
sed -i 's/"lr": "7"/"lr": "0.001"/; s/"fingerprint": "[0-9a-f]*"/"fingerprint": "0"/' mixed/runs/p00003-001/summary.json
refuses 3 'p00001-001 and p00003-001 were trained on other data' "$LOCKSTEP" scaling mixed
echo nonsense >strong/prediction.json
refuses 3 'strong/prediction.json: line 1' "$LOCKSTEP" scaling strong
refuses 3 'and the first 3 are left out' "$LOCKSTEP" scaling weak --warmup 3
for wrong in "--ranks 1,x" "--mode odd" "--repeats 0" "--speed 9"; do
    # shellcheck disable=SC2086
    "$scaling" --out wrong $wrong -- "${options[@]}" >out 2>err
    check "$wrong is refused" [ $? = 2 ]
done
finish
