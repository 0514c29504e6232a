#compdef hap
# Completion of `hap` for zsh, from `hap completions zsh`.

_hap() {
  local hap=${(Q)words[1]} line
  local -a reply candidates
  local -i from
  reply=("${(@f)$("${~hap}" __complete -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
  # In `--option=value` only the value is completed.
  [[ $PREFIX == --*=* ]] && compset -P '*='
  case $reply[1] in
    files) _files ;;
    directories) _files -/ ;;
    command\ *)
      from=${reply[1]#command }+1
      shift $from words
      ((CURRENT -= from))
      _normal
      ;;
    values)
      for line in "${(@)reply[2,-1]}"; do
        line=${line//\\/\\\\}
        candidates+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
      done
      _describe -V -t values 'hap' candidates
      ;;
  esac
}

# Read from a file of fpath this is the function's first call; sourced, it only announces itself.
if [[ $funcstack[1] == _hap ]]; then
  _hap "$@"
else
  compdef _hap hap
fi
