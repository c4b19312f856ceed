# Completes a command line that begins with the program.
_lockstep_complete() {
    if (( CURRENT == 2 )); then
        _describe command _lockstep_commands
        return
    fi
    local command=$words[2]
    shift words
    (( CURRENT-- ))
    (( ! $+functions[_lockstep_$command] )) || _lockstep_$command
}

# Completes lockstep, also after mpirun or srun; other lines of these by their own completion.
_lockstep() {
    if [[ ${service:-lockstep} == lockstep ]]; then
        _lockstep_complete
        return
    fi
    local i
    for ((i = 2; i < CURRENT; i++)); do
        if [[ ${words[i]:t} == lockstep ]]; then
            shift $((i - 1)) words
            (( CURRENT -= i - 1 ))
            _lockstep_complete
            return
        fi
    done
    ${_lockstep_was[$service]:-_default} "$@"
}

typeset -gA _lockstep_was
if [[ ${zsh_eval_context[-1]} == loadautofunc ]]; then
    _lockstep "$@"
elif (( $+functions[compdef] )); then
    for _lockstep_launcher in mpirun mpiexec orterun prterun srun; do
        [[ ${_comps[$_lockstep_launcher]:-_lockstep} == _lockstep ]] || _lockstep_was[$_lockstep_launcher]=${_comps[$_lockstep_launcher]}
    done
    compdef _lockstep lockstep mpirun mpiexec orterun prterun srun
fi
