//! `hap rename`.

use std::ffi::OsString;
use std::slice;

use clap::Args;

use super::context::{Context, zone};
use super::run::read_name;
use super::targets::Form;
use crate::core::error::Result;
use crate::ops::rename;
use crate::view::json::{self, Deed};
use crate::view::message;

/// Give a hap another name
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  hap rename 3 train\n  hap rename hap-23i0lo nightly-build")]
pub(super) struct RenameArguments {
    /// Print the hap as JSON
    #[arg(long)]
    json: bool,

    /// Id or name of a hap
    alias: String,

    /// Its name from now on
    new_name: OsString,
}

pub(super) fn rename(context: &Context, arguments: &RenameArguments) -> Result<u8> {
    let name = read_name(arguments.new_name.clone())?;
    context.for_each(slice::from_ref(&arguments.alias), Form::of(arguments.json, true), |haps, alias| {
        let hap = haps.hap(alias)?;
        rename::rename(haps, &hap, &name)?;
        if !arguments.json {
            return Ok(message::renamed(&hap, &name));
        }
        let deed = Deed { previous_name: Some(hap.record.name.as_str()), ..Deed::default() };
        Ok(json::acted(&haps.again(&hap)?, deed, &zone()))
    })
}
