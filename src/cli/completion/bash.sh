# shellcheck shell=bash
# Completes the last word of a command line that begins with the program.
_lockstep_complete() { # WORD ... -> COMPREPLY
    local words=("$@") current=${!#} before='' place kind
    local last=$(($# - 1))
    # bash splits '--option=value' into three words.
    if [ "$current" = = ]; then
        current='' before=${words[last - 1]}
    elif [ "$last" -gt 1 ] && [ "${words[last - 1]}" = = ]; then
        before=${words[last - 2]}
    elif [ "$last" -gt 1 ]; then
        before=${words[last - 1]}
    fi
    COMPREPLY=()
    if [ "$last" -lt 2 ]; then
        place=$(_lockstep_words)
    else
        place=@flag
        [[ $before != --* ]] || place=$(_lockstep_words "${words[1]}" "$before")
        if [ "$place" = @flag ] && [[ $current == -* ]]; then
            place=$(_lockstep_words "${words[1]}")
        elif [ "$place" = @flag ]; then
            place=$(_lockstep_words "${words[1]}" bare)
            [ -n "$place" ] || place=$(_lockstep_words "${words[1]}")
        fi
    fi
    case $place in
        @file* | @folder*)
            compopt -o filenames 2>/dev/null # fails outside of a completion, as in tests
            [[ $place == @file* ]] && kind=-f || kind=-d
            place=${place#@file}
            mapfile -t COMPREPLY < <(compgen $kind -W "${place#@folder}" -- "$current")
            ;;
        *) mapfile -t COMPREPLY < <(compgen -W "$place" -- "$current") ;;
    esac
}

_lockstep() { _lockstep_complete "${COMP_WORDS[@]:0:COMP_CWORD+1}"; }

# Completes a command line of mpirun or srun: after lockstep, its words; else what the launcher's own completion
# gives.
_lockstep_launched() { # LAUNCHER WORD BEFORE, as bash calls it
    local i
    for ((i = 1; i < COMP_CWORD; i++)); do
        if [ "${COMP_WORDS[i]##*/}" = lockstep ]; then
            _lockstep_complete "${COMP_WORDS[@]:i:COMP_CWORD-i+1}"
            return
        fi
    done
    _lockstep_find "$1"
    local was=${_lockstep_was[${1##*/}]}
    if [[ $was =~ (^| )-F\ ([^ ]+) ]]; then
        "${BASH_REMATCH[2]}" "$@"
    elif [ -n "$was" ]; then
        eval "mapfile -t COMPREPLY < <(compgen $was -- \"\$2\")"
    else
        COMPREPLY=()
    fi
}

# Records a launcher's former completion, as options of `complete`, including one that bash-completion would load.
declare -gA _lockstep_was
_lockstep_find() { # LAUNCHER
    local name=${1##*/} spec dir dirs
    [ -z "${_lockstep_was[$name]+set}" ] || return 0
    _lockstep_was[$name]=''
    IFS=: read -ra dirs <<<"${BASH_COMPLETION_USER_DIR:-${XDG_DATA_HOME:-$HOME/.local/share}/bash-completion}:${XDG_DATA_DIRS:-/usr/local/share:/usr/share}"
    for dir in "${dirs[0]}" "${dirs[@]/%//bash-completion}"; do
        # shellcheck source=/dev/null
        if [ -f "$dir/completions/$name" ] && ! grep -q _lockstep_launched "$dir/completions/$name"; then
            . "$dir/completions/$name"
            break
        fi
    done
    _lockstep_note "$name"
    complete -o bashdefault -o default -F _lockstep_launched "$name"
}
_lockstep_note() { # LAUNCHER
    local spec
    spec=$(complete -p "$1" 2>/dev/null) || return 0
    [[ $spec != *" -F _lockstep_launched "* ]] || return 0
    spec=${spec#complete }
    _lockstep_was[$1]=${spec% "$1"}
}

complete -F _lockstep lockstep
for _lockstep_launcher in mpirun mpiexec orterun prterun srun; do
    _lockstep_note "$_lockstep_launcher"
    complete -o bashdefault -o default -F _lockstep_launched "$_lockstep_launcher"
done
unset _lockstep_launcher
