#!/usr/bin/env bash
# No command prints control characters that come from files or command lines.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
make_data=$2
# Clears the screen, sets the title, rings the bell, forges a line, sets colours by C1 in UTF-8 and as a byte, deletes.
evil=$'x\e[2J\e]0;title\a\nlockstep: done\r\xc2\x9b31m\x9b32m\x7f'
line=${evil//$'\n'/} line=${line//$'\r'/} # for options, whose values have one line
folder=$'evil \e[31m\xc2\x9b32m'
"$make_data" data
"$make_data" "$folder" texts "$evil"
mkdir -p "$folder/runs"

# Runs a command and checks that its output has neither control characters nor forged lines.
check_output() { # COMMAND ...
    timeout 60 "$@" >out 2>err </dev/null
    code=$?
    check "something is printed: ${*@Q}" [ -s out -o -s err ]
    check "the command ends with a code below 6: ${*@Q}" [ $code -lt 6 ]
    if LC_ALL=C grep -aqP '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' out err; then
        check "no control character is printed: ${*@Q}" false
        LC_ALL=C sed -n l out err
    fi
    check "no forged line is printed: ${*@Q}" [ "$(grep -ac '^lockstep: done' err out | tr '\n' ' ')" = "err:0 out:0 " ]
}

# The fields of a data set and of checkpoints.
data=$folder/data.h5
small=(--model dense:5 --epochs 1 --batch 4)
check_output "$lockstep" info "$data"
check "the printable characters of a name are shown" has out '^name +x\?\[2J\?\]0;title\? lockstep: done \?\?31m\?32m\?$'
check_output "$lockstep" info "$data" --json
check "JSON has all characters, escaped" has out '"name":"x\\u001B\[2J.*\\u0007\\nlockstep: done\\r'
check_output mpirun -n 2 "$lockstep" train --data "$data" "${small[@]}" --run "$folder/runs/run"
check "a data set with control characters in its name can be trained on" [ $code = 0 ]
check "the start-up table has the name" has err '^  data +x\?\[2J.*title.*9 training and 1 validation row, '
for file in described model; do
    check_output "$lockstep" info "$folder/$file.h5"
    check_output "$lockstep" info "$folder/$file.h5" --json
    check_output "$lockstep" eval --data data/data.h5 --checkpoint "$folder/$file.h5"
    check_output mpirun -n 2 "$lockstep" train --data data/data.h5 --model "dense:5" --resume "$folder/$file.h5" --run other
done

# A run folder and the files made from it.
run=$folder/runs/run
check_output "$lockstep" eval --data "$data" --checkpoint "$run" --split train --errors 2 --errors-file "$folder/errors.png"
check_output "$lockstep" eval --data "$data" --checkpoint "$run" --split train --json
check_output mpirun -n 2 "$lockstep" train --config "$run/config.conf" --resume auto --epochs 2
check_output mpirun -n 2 "$lockstep" train --config "$run/config.conf" --resume auto --batch 5
check_output mpirun -n 2 "$lockstep" train --config "$run/config.conf" --resume auto --batch 5 --resume-anyway --epochs 3
check_output "$lockstep" report "$run" --out "$folder/page.html"
check_output "$lockstep" scaling "$folder"
check_output "$lockstep" scaling "$folder" --json --warmup 0
check_output "$lockstep" scaling "$folder" --warmup 0
cp -R "$run" "$folder/runs/$line"
sed -i "s/\"batch\": \"[0-9]*\"/\"batch\": \"3\"/; s/\"dense:5\"/\"\\\\u001b\\\\u009b\"/" "$folder/runs/$line/summary.json"
check_output "$lockstep" scaling "$folder" --warmup 0
for file in summary.json metrics.csv events.jsonl config.conf; do
    printf '%s' "$evil" >"$run/$file"
    check_output "$lockstep" report "$run" --out "$folder/page.html"
    check_output "$lockstep" scaling "$folder"
done
check_output "$lockstep" train --config "$run/config.conf"
printf '%s = 1\n' "$line" >"$run/config.conf"
check_output "$lockstep" train --config "$run/config.conf"
echo "${evil//$'\n'/}" >>"$run/checkpoints/last"
check_output mpirun -n 2 "$lockstep" train --data "$data" "${small[@]}" --run "$run" --resume auto

# Command lines.
check_output "$lockstep" "$line"
for command in train info import scaling report augment-preview; do
    check_output "$lockstep" $command "--$line" 1
    check_output "$lockstep" $command "$line" "$line" "$line"
done
for option in data config model augment loss lr normalize resume memory scale-lr run; do
    check_output "$lockstep" train --data "$data" "${small[@]}" "--$option" "$line"
done
check_output "$lockstep" import --idx "$line" --out "$folder/x.h5"
check_output "$lockstep" import --idx data --out "$folder/x.h5" --name "$line"
check_output "$lockstep" import --synthetic "$line" --out "$folder/x.h5"
check_output "$lockstep" augment-preview --data data/data.h5 --augment shift:1 --out "$folder/preview.png"
check_output "$lockstep" augment-preview --data data/data.h5 --augment "$line"
check_output "$lockstep" bench --steps 5 --data "$data" --model "$line"
check_output mpirun -n 2 "$lockstep" bench --steps 5 --data "$data" --model $'dense:5 \t relu dense:5'
HDF5_USE_FILE_LOCKING=$line check_output mpirun -n 2 "$lockstep" doctor --data "$data" --run "$folder"
LOCKSTEP_FAULT=$line check_output "$lockstep" train --data "$data"
finish
