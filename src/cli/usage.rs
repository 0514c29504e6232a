//! What is said about a command line that cannot be read: what clap says, and which hap was meant if a
//! name stands where a verb belongs.

use std::io::{self, Write};

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::FAILED;
use super::context::{self, Context};
use crate::core::alias::Alias;
use crate::core::error::Error;
use crate::view::message;
use crate::view::sanitize::visible_lines;

/// Help was asked for, or is needed. `is_printable` says whether all that was typed is. Returns the exit code.
pub(super) fn explain(usage: &clap::Error, is_printable: bool) -> u8 {
    let code = u8::try_from(usage.exit_code()).unwrap_or(FAILED);
    if !is_printable {
        // clap repeats what was typed as it is.
        visible_lines(&usage.to_string()).for_each(|line| context::say(&format!("{line}\n")));
        return code;
    }
    match usage.print().and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe && !usage.use_stderr() => {
            Context::new().explain(&Error::Output(error));
            return FAILED;
        }
        _ => {}
    }
    if let Some(hint) = misplaced(usage).and_then(|word| hap_hint(&word)) {
        context::say(&hint);
    }
    code
}

/// What stands where a verb belongs and is not even nearly one.
fn misplaced(usage: &clap::Error) -> Option<String> {
    let is_near_a_verb = usage.get(ContextKind::SuggestedSubcommand).is_some();
    match usage.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(word)) if usage.kind() == ErrorKind::InvalidSubcommand && !is_near_a_verb => {
            Some(word.clone())
        }
        _ => None,
    }
}

fn hap_hint(word: &str) -> Option<String> {
    // Whatever is wrong with the state directory, it is not what the user has to hear now.
    let haps = context::haps().ok().flatten();
    match haps.map(|haps| haps.entry(&Alias::from(word))) {
        Some(Ok(_)) => Some(message::verb_of_hap(word)),
        Some(Err(Error::Misspelt { near, .. })) => Some(message::verb_of_hap(near.first()?)),
        _ => Some(message::verb_of_command(word)),
    }
}
