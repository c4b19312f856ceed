#!/usr/bin/env bash
# The manual and the README match the program; shells complete command lines.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
make_data=$2
source=$3
manual=$4/manual
"$lockstep" --help >help
mapfile -t commands < <(sed -nE 's/^ +(mpirun -n N +)?lockstep ([a-z-]+) .*/\2/p' help)
mapfile -t topics < <(sed -nE 's/^ {20,}([a-z]+) {2,}.*/\1/p' help)
check "--help lists the commands" [ ${#commands[@]} -ge 10 ]
check "--help lists the topics" [ ${#topics[@]} -ge 6 ]
mapfile -t pages < <(ls "$source"/src/cli/man/*.md)
mapfile -t markdown < <(find "$source" -name '*.md' -not -path "$source/build/*" -not -path '*/.git/*')
cat "${pages[@]}" >pages

# Succeeds if a file contains a fixed text.
# shellcheck disable=SC2317
contains() { grep -qF -- "$2" "$1"; } # FILE TEXT

# Prints the options of a command, from its help.
list_options() { "$lockstep" "$1" --help --all | grep -oE '^  --[a-z0-9-]+' | tr -d ' '; } # COMMAND

# Prints the complete command lines in a page's code blocks.
# shellcheck disable=SC2016
list_command_lines() { # FILE
    sed -n '/^```/,/^```/p' "$1" | sed -E ':a; /\\$/{N; s/\\\n//; ba}' | grep -E 'lockstep [a-z-]+ '
}

# Each command has a help text and a manual page with each of its options, and is named in the README.
for command in "${commands[@]}"; do
    "$lockstep" "$command" --help >out
    check "$command --help prints the usage" has out "^usage: .*lockstep $command"
    "$lockstep" help "$command" >again
    check "help $command prints the same text" cmp -s out again
    check "the README names $command" has "$source/README.md" "lockstep $command"
    page=$manual/man/man1/lockstep-$command.1
    check "$command has a manual page" [ -s "$page" ]
    "$lockstep" help --man "$command" | cmp -s - "$page"
    check "help --man $command prints the page" [ $? = 0 ]
    list_options "$command" >"options.$command"
    sed 's/\\//g' "$page" >plain
    while read -r option; do
        check "the manual page of $command has $option" has plain "^fB${option}fR"
    done <"options.$command"
    check "lockstep(1) names $command" has "$manual/man/man1/lockstep.1" "^.fB${command/-/..}.fR"
done
for page in "$source"/src/cli/man/lockstep-*.md; do
    topic=$(sed -E 's/.*lockstep-(.*)\.[57]\.md/\1/' <<<"$page")
    "$lockstep" help "$topic" >out
    check "help $topic prints ${page##*/}" cmp -s out "$page"
    check "there is a manual page $topic" [ -n "$(find "$manual/man" -name "lockstep-$topic.[57]")" ]
done
"$lockstep" train --help --all | sed -n '/^Layers$/,/^$/p' | grep '^  ' >layers
aligned=$(awk 'NR == 1 { match($0, /^  [^ ]+ +/); at = RLENGTH } substr($0, at, 2) ~ /^ [^ ]/' layers | wc -l)
check "what each layer does is in a column of its own" [ "$aligned" = "$(wc -l <layers)" ]
sort -u options.* >options
check "the help texts list 80 options or more" [ "$(wc -l <options)" -ge 80 ]

# train --help is short: examples, and the most common options.
"$lockstep" train --help >short
"$lockstep" train --help --all >all
check "train --help has two examples" [ "$(grep -c '^  mpirun -n [0-9]* lockstep train' short)" = 2 ]
common=$(grep -c '^  --' short)
check "train --help has 12 options or more" [ "$common" -ge 12 ]
check "train --help has 20 options or fewer" [ "$common" -le 20 ]
check "the options of train --help are in train --help --all" [ -z "$(comm -23 <(grep '^  --' short | sort) <(grep '^  --' all | sort))" ]
check "train --help fits on a screen" [ "$(wc -l <short)" -le 40 ]
for command in "${commands[@]}"; do
    mapfile -t words < <("$lockstep" "$command" --help --all | grep '^  [^- ]' | awk '{ print $1 }' | grep -E '^[a-z-]+(:[A-Z].*)?$')
    for word in "${words[@]}"; do
        case $command in
            train | augment-preview) # the page lists them from the same table
                check "the manual page of $command has the word $word" has <(sed 's/\\//g' "$manual/man/man1/lockstep-$command.1") "^${word//[\[\]]/.} " ;;
        esac
    done
done
# The prose explains each word of a model string and of an augmentation.
mapfile -t words < <("$lockstep" train --help --all | sed -nE '/^(Layers|Augmentation|Corruption)/,/^$/s/^  ([a-z-]+).*/\1/p')
check "train --help --all lists words" [ ${#words[@]} -ge 20 ]
for word in "${words[@]}"; do
    check "the manual explains the word $word" contains pages "\`$word"
done
check "train --help --all lists the layers" has <("$lockstep" train --help --all) '^  dense:UNITS'

# The choices of options are in the commands' pages by construction; the prose explains the important ones.
for option in reduce schedule optimizer hold-out shuffle; do
    read -ra choices < <(sed -nE "s/^ +train:--$option\) echo '(.*)' ;;/\1/p" "$manual/completion.bash")
    check "--$option has choices" [ ${#choices[@]} -ge 3 ]
    for choice in "${choices[@]}"; do
        check "the manual explains --$option $choice" contains pages "\`$choice\`"
    done
done

# Columns, events and exit codes are documented.
"$make_data" data
"$lockstep" import --idx data --out data.h5 2>/dev/null
mpirun -n 2 "$lockstep" train --data data.h5 --model dense:5 --epochs 2 --run run --quiet 2>/dev/null
for column in $(head -n 1 run/metrics.csv | tr ',' ' '); do
    check "lockstep-files(5) has the column $column" contains "$source/src/cli/man/lockstep-files.5.md" "\`$column\`"
done
{
    sed -n 's/.*"event":"\([a-z_]*\)".*/\1/p' run/events.jsonl
    grep -rh -A 40 'define LS_EVENT_LIST' "$source/include" "$source/src" | grep -oE 'X\(LS_EVENT_[A-Z_]+, *"[a-z_]+"' | sed 's/.*"\(.*\)"/\1/'
} | sort -u >events
check "the sources list the events" [ "$(wc -l <events)" -ge 4 ]
while read -r event; do
    check "lockstep-files(5) has the event $event" contains "$source/src/cli/man/lockstep-files.5.md" "\`$event\`"
done <events
mapfile -t codes < <(sed -nE '/^Exit codes/,$s/^ +([0-9]+)  .*/\1/p' help)
check "--help lists the exit codes" [ ${#codes[@]} -ge 7 ]
for code in "${codes[@]}"; do
    check "the README has code $code" has "$source/README.md" "^\| $code \|"
    check "lockstep(1) has code $code" has "$manual/man/man1/lockstep.1" "^.fB$code.fR"
done

# Options that the documentation names exist: in the program, in its scripts, or in programs used with it.
others='--(oversubscribe|bind-to|map-by|preset|build|install|logdir|prefix|nodes|ntasks|ntasks-per-node|cpus-per-task|hint|wrap|array|signal|exclusive|exclude|mem|mpi|cflags|libs|no-install|help|version|all|output-on-failure|print-labels|parallel|label-regex)'
grep -hoE -- '--[a-z][a-z0-9-]+' "$source"/jobs/*.{sh,sbatch,pbs,lsf,flux} "$source"/tests/*.sh | sort -u >scripts
cat options scripts >known
for file in "${markdown[@]}"; do
    while read -r option; do
        check "${file#"$source"/} names $option, which exists" grep -qxF -- "$option" known
    done < <(grep -oE '(^|[^-a-zA-Z0-9])--[a-z][a-z0-9-]+' "$file" | grep -oE -- '--.*' | sort -u | grep -vxE -- "$others")
    # Options in a command line are options of that command.
    while read -r line; do
        command=$(sed -nE 's/.*lockstep ([a-z-]+) .*/\1/p' <<<"$line")
        [ -f "options.$command" ] || continue
        while read -r option; do
            check "${file#"$source"/}: $command has $option" grep -qxE -- "$option" "options.$command"
        done < <(sed -E 's/.*lockstep [a-z-]+ //' <<<"$line" | grep -oE '(^| )--[a-z0-9-]+' | grep -vE -- '--(help|all)$')
    done < <(list_command_lines "$file")
done

# Link targets exist.
for file in "${markdown[@]}"; do
    while read -r link; do
        check "${file#"$source"/}: the target of the link $link exists" [ -e "$(dirname "$file")/${link%%#*}" ]
    done < <(grep -oE '\]\([^)]+\)' "$file" | sed 's/^](//; s/)$//' | grep -vE '^(https?|mailto):|^#')
done
check "the README has 250 lines or fewer" [ "$(wc -l <"$source/README.md")" -le 250 ]
check "the README has 16 KiB or less" [ "$(wc -c <"$source/README.md")" -le 16384 ]
for page in "${pages[@]}"; do
    check "the README links to ${page##*/}" contains "$source/README.md" "${page##*/}"
done

# Manual pages have no errors. Pages in prose are built only where their converter is installed.
if command -v mandoc >/dev/null; then
    for page in "$manual"/man/man[157]/*; do
        check "${page##*/}: no word is hyphenated or stretched" [ "$(grep -cxE '\.nh|\.ad l' "$page")" = 2 ]
    done
    check "mandoc reports no errors in the manual pages" [ -z "$(mandoc -T lint -W warning "$manual"/man/man[157]/*)" ]
else
    echo "skipped: mandoc is not installed"
fi
for topic in "${topics[@]}"; do
    file=$(ls "$source/src/cli/man/lockstep-$topic".[57].md)
    "$lockstep" help "$topic" | cmp -s - "$file"
    check "help $topic prints the page" [ $? = 0 ]
    ! command -v lowdown >/dev/null ||
        check "$topic is a manual page" [ -s "$(ls "$manual/man/man"?/"lockstep-$topic".[57])" ]
done
refuses 2 "there is no topic 'netwroks'; did you mean 'networks'" "$lockstep" help netwroks
mpirun -n 3 "$lockstep" help >out
check "help is printed once under mpirun" cmp -s out help

# Build information.
"$lockstep" --version >out
for what in compiler commit MPI BLAS HDF5 libraries options; do
    check "--version names $what" has out "^$what +[^ ]"
done

# Completion in bash. Like bash, `try` sets COMP_WORDS and calls the function with command, word and previous word.
{
    echo '_other() { COMPREPLY=(--from-elsewhere); }; complete -F _other srun; complete -W "one two" orterun'
    "$lockstep" help --completion bash
    cat <<'END'
try() { # WORD ... -> completions of the last word
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    local spec
    spec=$(complete -p "$1")
    "$(sed -E 's/.*-F ([^ ]+) .*/\1/' <<<"$spec")" "$1" "${!#}" "${*: -2:1}"
    echo "${COMPREPLY[*]}"
}
END
} >complete.bash
check_completion() { # EXPECTED WORD ...
    local expected=$1 got
    shift
    got=$(bash --norc -c '. ./complete.bash && try "$@"' bash "$@" 2>&1)
    check "completes '$*' to '$expected', not '$got'" [ "$got" = "$expected" ]
}
mkdir -p files/folder
touch "files/data set.h5"
check_completion train lockstep tr
check_completion 'last random stratified' lockstep train --hold-out ''
check_completion stratified mpirun -n 4 lockstep train --hold-out s
check_completion stratified mpirun -n 4 ./build/lockstep train --hold-out = s
check_completion --hold-out srun --mpi=pmix lockstep train --ho
check_completion 'files/data set.h5 files/folder' mpirun lockstep train --data files/
check_completion 'files/folder' lockstep train --run files/
check_completion auto lockstep train --resume au
check_completion 'files/data set.h5' lockstep info files/d
check_completion networks lockstep help net
check_completion 'mlp lenet5 cnn resnet lstm transformer vae' lockstep train --model ''
check_completion --all lockstep train --help ''
check_completion '' lockstep train --seed ''
check_completion '--help' lockstep --he
check_completion --from-elsewhere srun --n
check_completion two orterun t
check_completion '' mpirun -n
"$lockstep" bench --help >out
check_completion "$(grep -oE '^  --[a-z-]+' out | tr -d ' ' | grep -e '--l' | tr '\n' ' ' | sed 's/ $//')" lockstep bench --l
if command -v shellcheck >/dev/null; then
    shellcheck -s bash "$manual/completion.bash" >out
    check "shellcheck reports no errors in the completion" [ $? = 0 ]
fi

# Completion in zsh, in a pseudo-terminal.
if command -v zsh >/dev/null; then
    cat >keys.zsh <<'END'
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'PS1=; TERM=dumb; autoload -Uz compinit; compinit -u -D; unsetopt auto_list list_beep'
zpty -w z "source $1; lockstep() { print -r -- GOT: \$* }; mpirun() { print -r -- GOT: \$* }; print READY\$((1))"
zpty -r -m z text '*READY1*'
while read -r line; do
    zpty -w z "$line"$'\t'
    zpty -r -m z text $'*GOT:*\n*'
    print -r -- "$text"
done
END
    timeout 60 zsh -f keys.zsh "$manual/completion.zsh" >out <<'END'
lockstep train --hold-out str
mpirun -n 4 lockstep train --hold-o
mpirun -n 4 ./lockstep train --reduce=hier
lockstep aug
lockstep info files/d
END
    tr -d '\r' <out | grep -a -o 'GOT: .*' >got
    cat >expected <<'END'
GOT: train --hold-out stratified
GOT: -n 4 lockstep train --hold-out
GOT: -n 4 ./lockstep train --reduce=hierarchical
GOT: augment-preview
GOT: info files/data set.h5
END
    check "zsh completes commands, options and files" diff expected <(sed 's/ *$//' got)
else
    echo "skipped: zsh is not installed"
fi
finish
