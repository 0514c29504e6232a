# Completion of `hap` for bash, from `hap completions bash`.

_hap() {
  local IFS=$' \t\n' line=${COMP_LINE:0:COMP_POINT} cur='' from i word
  local -a words=() starts=()
  # COMP_WORDBREAKS tears words apart at ':' and '=': what no space separates is one word.
  line=${line#*"${COMP_WORDS[0]}"}
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ $line == [[:space:]]* ]] || ((${#words[@]} == 0)); then
      line=${line#"${line%%[![:space:]]*}"}
      words+=('') starts+=("$i")
    fi
    # What stands behind the cursor is no part of the word.
    ((i == COMP_CWORD)) && word=$line
    words[${#words[@]} - 1]+=$word
    line=${line#"$word"}
  done
  cur=${words[${#words[@]} - 1]}

  local -a reply=()
  mapfile -t reply < <("${1/#\~\//$HOME/}" __complete -- "${words[@]}" 2>/dev/null)
  case ${reply[0]} in
    files) compopt -o default ;;
    directories) compopt -o dirnames ;;
    command\ *)
      from=${starts[${reply[0]#command }]}
      if declare -F _comp_command_offset >/dev/null; then
        _comp_command_offset "$from"
      elif declare -F _command_offset >/dev/null; then
        _command_offset "$from"
      elif ((from == COMP_CWORD)) && [[ $cur != */* ]]; then
        mapfile -t COMPREPLY < <(compgen -c -- "$cur" | sort -u)
      else
        compopt -o default
      fi
      ;;
    values) _hap_offer "$cur" "${reply[@]:1}" ;;
  esac
}

# Each candidate is a value, a tab and what it is.
_hap_offer() {
  local cur=$1 line value quoted option='' prefix='' width=0 room i
  local -a values=() meanings=()
  shift
  # A candidate for the value of `--option=value` is the whole word.
  [[ $cur == --*=* ]] && option=${cur%%=*}=
  for line; do
    value=$option${line%%$'\t'*}
    [[ $value == "$cur"* ]] || continue
    values+=("$value") meanings+=("${line#*$'\t'}")
    ((${#value} > width)) && width=${#value}
  done
  # When it only lists, bash shows what it is given and inserts nothing of it.
  if ((${#values[@]} > 1)) && [[ $COMP_TYPE == 63 ]]; then
    room=$((${COLUMNS:-80} - width - 5))
    for i in "${!values[@]}"; do
      printf -v line '%-*s  %s' "$width" "${values[i]}" "(${meanings[i]:0:room > 0 ? room : 0})"
      [[ -n ${meanings[i]} ]] || line=${values[i]}
      COMPREPLY+=("$line")
    done
  else
    # It replaces only what stands after the last of these characters.
    [[ $COMP_WORDBREAKS == *[:=]* && $cur == *[:=]* ]] && prefix=${cur%"${cur##*[:=]}"}
    for value in "${values[@]}"; do
      printf -v quoted %q "${value#"$prefix"}"
      COMPREPLY+=("$quoted")
    done
  fi
  compopt -o nosort 2>/dev/null
}

complete -F _hap hap
