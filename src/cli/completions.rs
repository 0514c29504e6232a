//! `hap completions`: the script with which a shell asks `hap __complete` what may stand at the cursor.
//!
//! The scripts know nothing of verbs, options or haps: they carry words and candidates to and fro.

use clap::{Args, ValueEnum};

use super::context::Context;
use crate::core::error::Result;

const EXAMPLES: &str = "\
Examples:
  bash         hap completions bash > ~/.local/share/bash-completion/completions/hap
               or in ~/.bashrc: source <(hap completions bash)
  zsh          hap completions zsh > \"${fpath[1]}/_hap\"
               or in ~/.zshrc, below compinit: source <(hap completions zsh)
  fish         hap completions fish > ~/.config/fish/completions/hap.fish
  elvish       hap completions elvish >> ~/.config/elvish/rc.elv
  powershell   hap completions powershell >> $PROFILE

Verbs, options and names of haps are completed, only those that fit: `hap resume` offers what is paused.
After `hap run` the command completes as it does without hap.";

/// Print the completion script for a shell
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct CompletionsArguments {
    /// The shell
    shell: Shell,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "lower")]
enum Shell {
    Bash,
    Zsh,
    Fish,
    Elvish,
    Powershell,
}

impl Shell {
    fn script(self) -> &'static str {
        match self {
            Self::Bash => include_str!("completions/hap.bash"),
            Self::Zsh => include_str!("completions/hap.zsh"),
            Self::Fish => include_str!("completions/hap.fish"),
            Self::Elvish => include_str!("completions/hap.elv"),
            Self::Powershell => include_str!("completions/hap.ps1"),
        }
    }
}

pub(super) fn completions(context: &Context, arguments: &CompletionsArguments) -> Result<u8> {
    context.print(arguments.shell.script())?;
    Ok(0)
}
