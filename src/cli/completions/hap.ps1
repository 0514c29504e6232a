# Completion of `hap` for PowerShell, from `hap completions powershell`.

Register-ArgumentCompleter -Native -CommandName hap -ScriptBlock {
    param($current, $commandAst, $cursor)
    $elements = @($commandAst.CommandElements | Where-Object { $_.Extent.StartOffset -lt $cursor } | ForEach-Object { $_.ToString() })
    $words = @($elements | Select-Object -Skip 1)
    # Before 7.3 an empty argument is dropped; any letter has the same candidates.
    if ($current -eq '') { $words += 'x' }
    $reply = @(& $elements[0] __complete '--' @words 2>$null)
    # Without candidates of ours PowerShell completes files by itself.
    if ($reply.Count -eq 0 -or $reply[0] -ne 'values') { return }
    $reply | Select-Object -Skip 1 | ForEach-Object {
        $value, $meaning = $_ -split "`t", 2
        if ($value.StartsWith($current)) {
            if (-not $meaning) { $meaning = $value }
            [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $meaning)
        }
    }
}
