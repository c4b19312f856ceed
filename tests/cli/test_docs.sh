#!/usr/bin/env bash
# The manual and the README agree with the program; shells complete command lines.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
make_data=$2
source=$3
manual=$4/manual
"$lockstep" --help >help
mapfile -t commands < <(sed -nE 's/^ +(mpirun -n N +)?lockstep ([a-z-]+) .*/\2/p' help)
mapfile -t topics < <(sed -nE 's/^ {20,}([a-z]+) {2,}.*/\1/p' help)
check "there are commands" [ ${#commands[@]} -ge 10 ]
check "there are topics" [ ${#topics[@]} -ge 6 ]
mapfile -t pages < <(ls "$source"/src/cli/man/*.md)
mapfile -t markdown < <(find "$source" -name '*.md' -not -path "$source/build/*" -not -path '*/.git/*')
cat "${pages[@]}" >pages

# Succeeds if a file contains a fixed text.
# shellcheck disable=SC2317
says() { grep -qF -- "$2" "$1"; } # FILE TEXT

# Prints the options of a command, from its help.
options_of() { "$lockstep" "$1" --help --all | grep -oE '^  --[a-z0-9-]+' | tr -d ' '; } # COMMAND

# Prints the complete command lines in a page's code blocks.
# shellcheck disable=SC2016
command_lines() { # FILE
    sed -n '/^```/,/^```/p' "$1" | sed -E ':a; /\\$/{N; s/\\\n//; ba}' | grep -E 'lockstep [a-z-]+ '
}

# Each command has help, a manual page with each of its options, and a place in the README.
for command in "${commands[@]}"; do
    "$lockstep" "$command" --help >out
    check "help of $command" has out "^usage: .*lockstep $command"
    "$lockstep" help "$command" >again
    check "help $command is the same" cmp -s out again
    check "the README names $command" has "$source/README.md" "lockstep $command"
    page=$manual/man/man1/lockstep-$command.1
    check "$command has a manual page" [ -s "$page" ]
    "$lockstep" help --man "$command" | cmp -s - "$page"
    check "help --man prints it" [ $? = 0 ]
    options_of "$command" >"options.$command"
    sed 's/\\//g' "$page" >plain
    while read -r option; do
        check "the manual page of $command has $option" has plain "^fB${option}fR"
    done <"options.$command"
    check "lockstep(1) names $command" has "$manual/man/man1/lockstep.1" "^.fB${command/-/..}.fR"
done
sort -u options.* >options
check "options are found" [ "$(wc -l <options)" -ge 80 ]

# train --help is short: examples and the commonest options, which are some of all.
"$lockstep" train --help >short
"$lockstep" train --help --all >all
check "two examples" [ "$(grep -c '^  mpirun -n [0-9]* lockstep train' short)" = 2 ]
common=$(grep -c '^  --' short)
check "the commonest options are about 15" [ "$common" -ge 12 ]
check "and no more" [ "$common" -le 20 ]
check "they are among all" [ -z "$(comm -23 <(grep '^  --' short | sort) <(grep '^  --' all | sort))" ]
check "short fits a screen" [ "$(wc -l <short)" -le 40 ]
for command in "${commands[@]}"; do
    mapfile -t words < <("$lockstep" "$command" --help --all | grep '^  [^- ]' | awk '{ print $1 }' | grep -E '^[a-z-]+(:[A-Z].*)?$')
    for word in "${words[@]}"; do
        case $command in
            train | augment-preview) # the page lists them from the same table
                check "the manual page of $command has the word $word" has <(sed 's/\\//g' "$manual/man/man1/lockstep-$command.1") "^${word//[\[\]]/.} " ;;
        esac
    done
done
check "words are found" has <("$lockstep" train --help --all) '^  dense:UNITS'

# Choices of options: in the pages of the program by construction; the important ones in prose, too.
for option in reduce schedule optimizer hold-out shuffle; do
    read -ra choices < <(sed -nE "s/^ +train:--$option\) echo '(.*)' ;;/\1/p" "$manual/completion.bash")
    check "--$option has choices" [ ${#choices[@]} -ge 3 ]
    for choice in "${choices[@]}"; do
        check "the manual explains --$option $choice" says pages "\`$choice\`"
    done
done

# Columns, events, exit codes.
"$make_data" data
"$lockstep" import --idx data --out data.h5 2>/dev/null
mpirun -n 2 "$lockstep" train --data data.h5 --model dense:5 --epochs 2 --run run --quiet 2>/dev/null
for column in $(head -n 1 run/metrics.csv | tr ',' ' '); do
    check "lockstep-files(5) has the column $column" says "$source/src/cli/man/lockstep-files.5.md" "\`$column\`"
done
{
    sed -n 's/.*"event":"\([a-z_]*\)".*/\1/p' run/events.jsonl
    grep -rh -A 40 'define LS_EVENT_LIST' "$source/include" "$source/src" | grep -oE 'X\(LS_EVENT_[A-Z_]+, *"[a-z_]+"' | sed 's/.*"\(.*\)"/\1/'
} | sort -u >events
check "events are found" [ "$(wc -l <events)" -ge 4 ]
while read -r event; do
    check "lockstep-files(5) has the event $event" says "$source/src/cli/man/lockstep-files.5.md" "\`$event\`"
done <events
mapfile -t codes < <(sed -nE '/^Exit codes/,$s/^ +([0-9]+)  .*/\1/p' help)
check "exit codes are found" [ ${#codes[@]} -ge 7 ]
for code in "${codes[@]}"; do
    check "the README has code $code" has "$source/README.md" "^\| $code \|"
    check "lockstep(1) has code $code" has "$manual/man/man1/lockstep.1" "^.fB$code.fR"
done

# Options named in the documentation exist: in the program, its scripts, or programs that it is used with.
others='--(oversubscribe|bind-to|map-by|preset|build|install|prefix|nodes|ntasks|ntasks-per-node|cpus-per-task|hint|wrap|array|signal|exclusive|exclude|mem|mpi|cflags|libs|no-install|help|version|all|output-on-failure|print-labels|parallel|label-regex)'
grep -hoE -- '--[a-z][a-z0-9-]+' "$source"/jobs/*.sh "$source"/jobs/*.sbatch "$source"/tests/*.sh | sort -u >scripts
cat options scripts >known
for file in "${markdown[@]}"; do
    while read -r option; do
        check "${file#"$source"/} names $option, which exists" grep -qxF -- "$option" known
    done < <(grep -oE '(^|[^-a-zA-Z0-9])--[a-z][a-z0-9-]+' "$file" | grep -oE -- '--.*' | sort -u | grep -vxE -- "$others")
    # Within a command line they are options of that command.
    while read -r line; do
        command=$(sed -nE 's/.*lockstep ([a-z-]+) .*/\1/p' <<<"$line")
        [ -f "options.$command" ] || continue
        while read -r option; do
            check "${file#"$source"/}: $command has $option" grep -qxE -- "$option" "options.$command"
        done < <(sed -E 's/.*lockstep [a-z-]+ //' <<<"$line" | grep -oE '(^| )--[a-z0-9-]+' | grep -vE -- '--(help|all)$')
    done < <(command_lines "$file")
done

# Link targets exist.
for file in "${markdown[@]}"; do
    while read -r link; do
        check "${file#"$source"/}: the link $link" [ -e "$(dirname "$file")/${link%%#*}" ]
    done < <(grep -oE '\]\([^)]+\)' "$file" | sed 's/^](//; s/)$//' | grep -vE '^(https?|mailto):|^#')
done
check "the README is short" [ "$(wc -l <"$source/README.md")" -le 250 ]
check "in bytes, too" [ "$(wc -c <"$source/README.md")" -le 16384 ]
for page in "${pages[@]}"; do
    check "the README links to ${page##*/}" says "$source/README.md" "${page##*/}"
done

# Manual pages have no errors; without a converter the prose pages are not built.
if command -v mandoc >/dev/null; then
    check "mandoc finds nothing" [ -z "$(mandoc -T lint -W warning "$manual"/man/man[157]/*)" ]
else
    echo "skipped: mandoc, which is not there"
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
check "help comes once under mpirun" cmp -s out help

# Build information.
"$lockstep" --version >out
for what in compiler commit MPI BLAS HDF5 libraries options; do
    check "--version names $what" has out "^$what +[^ ]"
done

# Completion in bash. What bash does: it sets COMP_WORDS and calls a function with command, word and the one before.
{
    echo '_other() { COMPREPLY=(--from-elsewhere); }; complete -F _other srun; complete -W "one two" orterun'
    "$lockstep" help --completion bash
    cat <<'END'
try() { # WORD ... -> what may be the last one
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    local spec
    spec=$(complete -p "$1")
    "$(sed -E 's/.*-F ([^ ]+) .*/\1/' <<<"$spec")" "$1" "${!#}" "${*: -2:1}"
    echo "${COMPREPLY[*]}"
}
END
} >complete.bash
completes() { # EXPECTED WORD ...
    local expected=$1 got
    shift
    got=$(bash --norc -c '. ./complete.bash && try "$@"' bash "$@" 2>&1)
    check "completes '$*' to '$expected', not '$got'" [ "$got" = "$expected" ]
}
mkdir -p files/folder
touch "files/data set.h5"
completes train lockstep tr
completes 'last random stratified' lockstep train --hold-out ''
completes stratified mpirun -n 4 lockstep train --hold-out s
completes stratified mpirun -n 4 ./build/lockstep train --hold-out = s
completes --hold-out srun --mpi=pmix lockstep train --ho
completes 'files/data set.h5 files/folder' mpirun lockstep train --data files/
completes 'files/folder' lockstep train --run files/
completes auto lockstep train --resume au
completes 'files/data set.h5' lockstep info files/d
completes networks lockstep help net
completes '' lockstep train --seed ''
completes '--help' lockstep --he
completes --from-elsewhere srun --n
completes two orterun t
completes '' mpirun -n
"$lockstep" bench --help >out
completes "$(grep -oE '^  --[a-z-]+' out | tr -d ' ' | grep -e '--l' | tr '\n' ' ' | sed 's/ $//')" lockstep bench --l
if command -v shellcheck >/dev/null; then
    shellcheck -s bash "$manual/completion.bash" >out
    check "shellcheck finds nothing in it" [ $? = 0 ]
fi

# And in zsh, in a terminal of its own.
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
    check "zsh completes" diff expected <(sed 's/ *$//' got)
else
    echo "skipped: zsh, which is not there"
fi
finish
