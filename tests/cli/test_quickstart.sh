#!/usr/bin/env bash
# The quickstart on small data, without installing and compiling: data sets are distinguished by their content. And what
# all scripts share: --help, and messages about missing tools.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$(realpath "$1")
make_data=$2
jobs=$3/jobs
"$make_data" made
mkdir -p clone/build/release bin A/raw B/raw
cp -r "$jobs" clone
ln -s "$lockstep" clone/build/release/lockstep
printf '#!/bin/sh\n' >bin/cmake
chmod +x bin/cmake
cp made/*ubyte* A/raw
cp made/*ubyte* B/raw
for what in images labels; do # folder B has other test rows: copies of the training rows
    find B/raw -name "t10k-$what*" -delete
done
"$lockstep" import --idx A/raw --out whole.h5 2>/dev/null
cp B/raw/train-images* "B/raw/t10k-images-idx3-ubyte"
cp B/raw/train-labels* "B/raw/t10k-labels-idx1-ubyte"
# Runs the quickstart; the folder may be relative to the working directory.
start() { # FOLDER_OF_IDX_FILES
    PATH=$PWD/bin:$PATH LOCKSTEP_IDX_DIR=$1 clone/jobs/quickstart.sh --no-install >out 2>err
}

start A/raw
check "the quickstart takes a relative folder" [ $? = 0 ]
tail -n 1 out >first
check "the last line has the result" has first '^test accuracy [0-9.]+ on A-[0-9a-f]{8}; results in runs/quickstart-A-'
check "3 commands to continue with are printed" [ "$(grep -cE '^(build/release/lockstep eval|jobs/report.sh|jobs/sweep.sh) ' err)" = 3 ]
! command -v gnuplot >/dev/null || check "the curves are drawn" has err '^drawn: runs/quickstart-A-[0-9a-f]+/curves.svg'
start B/raw
check "the quickstart runs on other data in a folder of the same name" [ $? = 0 ]
check "both data sets have a run" [ "$(find clone/runs -name summary.json | wc -l)" = 2 ]
check "the other data have their own name" has out '^test accuracy [0-9.]+ on B-[0-9a-f]{8};'
mv B C && mv A B && touch B/raw/*
start "$PWD/B/raw"
check "the quickstart runs on the first data in a folder of another name" [ $? = 0 ]
check "the first data in the new folder get a data set of their own name" [ "$(find clone/data -name 'A-*.h5' -o -name 'B-*.h5' | wc -l)" = 3 ]
start "$PWD/B/raw"
tail -n 1 out >second
start B/raw
check "the same command again trains nothing" has err 'nothing to do'
check "the same command again prints the same result" [ "$(tail -n 1 out)" = "$(cat second)" ]
for data in clone/data/*.h5; do cp whole.h5 "$data"; done
"$lockstep" import --force --idx C/raw --out clone/data/"$(sed 's/.* on \(.*\);.*/\1/' second)".h5 2>/dev/null
start B/raw
check "a data set file with other content is refused" [ $? = 3 ]
check "the message names the file with other content" has err '^quickstart.sh: data/B-[0-9a-f]+.h5 holds other data than .*/B/raw: move it away'
start /nonexistent
check "a missing folder is refused before anything is built" [ $? = 3 -a "$(wc -l <err)" = 1 ]
check "the message names the missing folder" has err '^quickstart.sh: LOCKSTEP_IDX_DIR: /nonexistent: no such folder$'
for wrong in "quickstart.sh --bogus" "report.sh" "report.sh a b c d e" "dependencies.sh --bogus" "plot_training.sh" "plot_scaling.sh x" "accuracy.sh" "texts.sh"; do
    # shellcheck disable=SC2086
    "$jobs"/$wrong >out 2>err
    check "$wrong: code 2" [ $? = 2 ]
    check "$wrong: the first line says what is wrong" [ "$(head -n 1 err | grep -cE '^[a-z_]+\.sh: .*(unexpected argument|needed)')" = 1 ]
    check "$wrong: the usage follows" has err "^  *${wrong%% *} "
done
rm C/raw/t10k-labels*
start C/raw
check "a folder without all 4 files is refused" [ $? = 3 ]
check "the message names the incomplete folder" has err '^quickstart.sh: LOCKSTEP_IDX_DIR: .*/C/raw has not all four'

# Every script has --help, which does nothing else.
before=$(find . | sort)
for script in "$jobs"/*.sh "$jobs"/*.sbatch; do
    [ "${script##*/}" != common.sh ] || continue
    "$script" --help >help 2>&1
    check "${script##*/} --help succeeds" [ $? = 0 ]
    check "${script##*/} --help prints 3 lines or more" [ "$(wc -l <help)" -ge 3 ]
done
for script in benchmark benchmark_torch benchmark_table benchmark_sequences benchmark_gan; do
    ! command -v python3 >/dev/null || check "$script.py --help prints a text" [ -n "$(python3 "$jobs/$script.py" --help)" ]
done
rm -f help
check "--help creates no file" [ "$(find . | sort)" = "$before" ]
for script in train requeue sweep scaling; do
    env -u SLURM_JOB_ID "$jobs/$script.sbatch" --data x.h5 >help 2>err
    check "$script.sbatch is refused outside Slurm" [ $? = 2 ]
    check "$script.sbatch says that it needs sbatch" has err 'submit this script by sbatch'
done

# Without dpkg installed packages are unknown; without gnuplot nothing can be drawn.
mkdir tools
for tool in bash dirname id sed mkdir; do ln -s "$(command -v $tool)" tools; done
PATH=$PWD/tools "$jobs/dependencies.sh" >out 2>err
check "without dpkg dependencies.sh ends with code 69" [ $? = 69 ]
check "without dpkg dependencies.sh lists the packages" has err 'Lockstep needs the content of these packages: .*gnuplot-nox'
PATH=$PWD/tools "$jobs/plot_training.sh" curves run >out 2>err
check "without gnuplot plot_training.sh ends with code 2" [ $? = 2 ]
check "without gnuplot plot_training.sh names it" has err 'gnuplot is not installed \(Debian: gnuplot-nox\)'
"$jobs/dependencies.sh" nonsense >out 2>err
check "an unknown set of packages is refused" [ $? = 2 ]
finish
