//! `hap __complete`: what may stand at the cursor, for the scripts of `hap completions`.
//!
//! The first line says what the shell is to do: `values` follow, one a line with a tab and a meaning;
//! or it completes `files` or `directories` by itself; or from word `command N` on, counted from 0,
//! stands a command line of its own. Nothing here ever fails: who presses Tab has asked no question.

mod candidates;
mod cursor;

use std::ffi::OsString;

use clap::{Args, CommandFactory};

use super::arguments::Arguments;
use super::context::Context;
use crate::core::error::Result;
use candidates::Offer;
use cursor::Cursor;

/// Say what may stand at the cursor
#[derive(Args, Debug)]
pub(super) struct CompleteArguments {
    /// The words of the command line from the first one after `hap` up to the cursor
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<OsString>,
}

pub(super) fn complete(context: &Context, arguments: &CompleteArguments) -> Result<u8> {
    let words: Vec<String> = arguments.words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let mut hap = Arguments::command();
    hap.build();
    context.print(&match Cursor::at_the_end_of(&words, &hap) {
        Some(cursor) => Offer::at(&cursor).text(),
        None => Offer::Values(Vec::new()).text(),
    })?;
    Ok(0)
}
