# Completion of `hap` for elvish, from `hap completions elvish`.

use str

set edit:completion:arg-completer[hap] = {|@words|
  var reply = [(try { (external $words[0]) __complete -- (all $words[1..]) 2>/dev/null | from-lines } catch { })]
  if (== 0 (count $reply)) {
    put
  } elif (has-value [files directories] $reply[0]) {
    edit:complete-filename $words[-1]
  } elif (str:has-prefix $reply[0] 'command ') {
    var from = (+ 1 (str:trim-prefix $reply[0] 'command '))
    edit:complete-sudo hap (all $words[$from..])
  } else {
    for line $reply[1..] {
      var value meaning = (str:split "\t" $line)
      if (eq $meaning '') {
        put $value
      } else {
        edit:complex-candidate $value &display=$value' ('$meaning')'
      }
    }
  }
}
