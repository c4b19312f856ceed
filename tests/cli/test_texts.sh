#!/usr/bin/env bash
# No command prints control sequences from files or command lines to a terminal.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
make_data=$2
# It clears the screen, sets a title, rings, forges a line, colours by C1 in UTF-8 and as a byte, deletes.
evil=$'x\e[2J\e]0;title\a\nlockstep: done\r\xc2\x9b31m\x9b32m\x7f'
line=${evil//$'\n'/} line=${line//$'\r'/} # as an option takes it, which is no more than a line
folder=$'evil \e[31m\xc2\x9b32m'
"$make_data" data
"$make_data" "$folder" texts "$evil"
mkdir -p "$folder/runs"

# Runs a command and checks its whole output.
harmless() { # COMMAND ...
    timeout 60 "$@" >out 2>err </dev/null
    code=$?
    check "prints something: ${*@Q}" [ -s out -o -s err ]
    check "ends: ${*@Q}" [ $code -lt 6 ]
    if LC_ALL=C grep -aqP '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' out err; then
        check "no control character: ${*@Q}" false
        LC_ALL=C sed -n l out err
    fi
    check "no forged line: ${*@Q}" [ "$(grep -ac '^lockstep: done' err out | tr '\n' ' ')" = "err:0 out:0 " ]
}

# The fields of a data set and of checkpoints.
data=$folder/data.h5
small=(--model dense:5 --epochs 1 --batch 4)
harmless "$lockstep" info "$data"
check "the rest of a name is shown" has out '^name +x\?\[2J\?\]0;title\? lockstep: done \?\?31m\?32m\?$'
harmless "$lockstep" info "$data" --json
check "JSON says it all" has out '"name":"x\\u001B\[2J.*\\u0007\\nlockstep: done\\r'
harmless mpirun -n 2 "$lockstep" train --data "$data" "${small[@]}" --run "$folder/runs/run"
check "it trains" [ $code = 0 ]
check "the start-up table has the name" has err '^  data +x\?\[2J.*title.*9 training and 1 validation row, '
for file in described model; do
    harmless "$lockstep" info "$folder/$file.h5"
    harmless "$lockstep" info "$folder/$file.h5" --json
    harmless "$lockstep" eval --data data/data.h5 --checkpoint "$folder/$file.h5"
    harmless mpirun -n 2 "$lockstep" train --data data/data.h5 --model "dense:5" --resume "$folder/$file.h5" --run other
done

# A run folder and the files made from it.
run=$folder/runs/run
harmless "$lockstep" eval --data "$data" --checkpoint "$run" --split train --errors 2 --errors-file "$folder/errors.png"
harmless "$lockstep" eval --data "$data" --checkpoint "$run" --split train --json
harmless mpirun -n 2 "$lockstep" train --config "$run/config.conf" --resume auto --epochs 2
harmless mpirun -n 2 "$lockstep" train --config "$run/config.conf" --resume auto --batch 5
harmless mpirun -n 2 "$lockstep" train --config "$run/config.conf" --resume auto --batch 5 --resume-anyway --epochs 3
harmless "$lockstep" report "$run" --out "$folder/page.html"
harmless "$lockstep" scaling "$folder"
harmless "$lockstep" scaling "$folder" --json --warmup 0
harmless "$lockstep" scaling "$folder" --warmup 0
cp -R "$run" "$folder/runs/$line"
sed -i "s/\"batch\": \"[0-9]*\"/\"batch\": \"3\"/; s/\"dense:5\"/\"\\\\u001b\\\\u009b\"/" "$folder/runs/$line/summary.json"
harmless "$lockstep" scaling "$folder" --warmup 0
for file in summary.json metrics.csv events.jsonl config.conf; do
    printf '%s' "$evil" >"$run/$file"
    harmless "$lockstep" report "$run" --out "$folder/page.html"
    harmless "$lockstep" scaling "$folder"
done
harmless "$lockstep" train --config "$run/config.conf"
printf '%s = 1\n' "$line" >"$run/config.conf"
harmless "$lockstep" train --config "$run/config.conf"
echo "${evil//$'\n'/}" >>"$run/checkpoints/last"
harmless mpirun -n 2 "$lockstep" train --data "$data" "${small[@]}" --run "$run" --resume auto

# Command lines.
harmless "$lockstep" "$line"
for command in train info import scaling report augment-preview; do
    harmless "$lockstep" $command "--$line" 1
    harmless "$lockstep" $command "$line" "$line" "$line"
done
for option in data config model augment loss lr normalize resume memory scale-lr run; do
    harmless "$lockstep" train --data "$data" "${small[@]}" "--$option" "$line"
done
harmless "$lockstep" import --idx "$line" --out "$folder/x.h5"
harmless "$lockstep" import --idx data --out "$folder/x.h5" --name "$line"
harmless "$lockstep" import --synthetic "$line" --out "$folder/x.h5"
harmless "$lockstep" augment-preview --data data/data.h5 --augment shift:1 --out "$folder/preview.png"
harmless "$lockstep" augment-preview --data data/data.h5 --augment "$line"
harmless "$lockstep" bench --steps 5 --data "$data" --model "$line"
harmless mpirun -n 2 "$lockstep" bench --steps 5 --data "$data" --model $'dense:5 \t relu dense:5'
HDF5_USE_FILE_LOCKING=$line harmless mpirun -n 2 "$lockstep" doctor --data "$data" --run "$folder"
LOCKSTEP_FAULT=$line harmless "$lockstep" train --data "$data"
finish
