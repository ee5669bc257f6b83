"""`pldns completion SHELL`: prints the script that connects a shell with `completion`.

A script runs the command line that was typed, up to the unfinished word, with the variable `_PLDNS_COMPLETE`. It offers
file names where the output is empty.
"""

from typing import Final

from resolver.cli import output
from resolver.cli.options import Shell

_BASH: Final = r"""# Completion of pldns for bash.
# For you alone: pldns completion bash >~/.local/share/bash-completion/completions/pldns
_pldns() {
    local IFS=$'\n' line
    COMPREPLY=()
    while read -r line; do
        COMPREPLY+=("${line%%$'\t'*}")
    done < <(_PLDNS_COMPLETE=1 "$1" "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
    return 0
}
complete -o bashdefault -o default -F _pldns pldns
"""
_ZSH: Final = r"""#compdef pldns
# Completion of pldns for zsh.
# For you alone: pldns completion zsh >DIR/_pldns, where DIR is a folder in $fpath
_pldns() {
    local -a found
    local line
    for line in "${(@f)$(_PLDNS_COMPLETE=1 "${(Q)words[1]}" "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
        [[ -n $line ]] && found+=("${${line%%$'\t'*}//:/\\:}:${${line#*$'\t'}//:/\\:}")
    done
    if (( ${#found} )); then
        _describe pldns found
    else
        _files
    fi
}
if [[ $funcstack[1] == _pldns ]]; then _pldns "$@"; else compdef _pldns pldns; fi
"""
_FISH: Final = r"""# Completion of pldns for fish.
# For you alone: pldns completion fish >~/.config/fish/completions/pldns.fish
function __pldns_complete
    set -l words (commandline -opc)
    set -l found (env _PLDNS_COMPLETE=1 $words[1] $words[2..-1] (commandline -ct) 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete --command pldns --no-files --arguments '(__pldns_complete)'
"""
_SCRIPTS: Final = {Shell.BASH: _BASH, Shell.ZSH: _ZSH, Shell.FISH: _FISH}


def run(shell: Shell) -> int:
    """Print the script; return 0."""
    output.line(_SCRIPTS[shell].rstrip())
    return 0
