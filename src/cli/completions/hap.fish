# Completion of `hap` for fish, from `hap completions fish`.

function __hap_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l hap (string replace -r '^~/' $HOME/ -- $words[1])
    set -e words[1]
    set -l reply ($hap __complete -- $words $current 2>/dev/null)
    # A candidate for the value of `--option=value` is the whole word.
    set -l option (string match -r '^--[^=]+=' -- $current)
    set -l value (string replace -r '^--[^=]+=' '' -- $current)
    switch "$reply[1]"
        case files
            printf '%s\n' "$option"(__fish_complete_path $value)
        case directories
            printf '%s\n' "$option"(__fish_complete_directories $value)
        case 'command *'
            set -l from (math (string replace 'command ' '' -- $reply[1]) + 1)
            set -l command
            test $from -le (count $words); and set command (string escape -- $words[$from..-1])
            complete -C (string join ' ' -- $command $current)
        case values
            set -e reply[1]
            printf '%s\n' "$option"$reply
    end
end

complete -c hap -f -a '(__hap_complete)'
