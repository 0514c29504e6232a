//! `signal`: one signal to the command or to its process group.

use std::io;

use crate::core::error::{Error, Result};
use crate::core::signal::{Signal, Target};
use crate::ops::find::{Haps, not_active};
use crate::ops::hap::Hap;
use crate::sys::pidfd::Handle;
use crate::sys::{proc, tree};

/// Sends the signal to an active hap.
pub fn signal(haps: &Haps, hap: &Hap, signal: Signal, target: Target) -> Result<()> {
    let failed = |source| Error::NotSignalled { hap: hap.title(), signal: signal.to_string(), source };
    let command = Handle::open(hap.record.process).map_err(failed)?.ok_or_else(|| not_active(hap))?;
    let reached = match target {
        Target::Main => command.send(signal),
        Target::Group if hap.record.adopted.is_some() => send_to_job(haps, hap, signal),
        Target::Group => command.send_to_group(signal),
    };
    if reached.map_err(failed)? { Ok(()) } else { Err(not_active(hap)) }
}

/// To those of its process group that belong to it: an adopted command need not lead its group, nor be alone
/// in it.
fn send_to_job(haps: &Haps, hap: &Hap, signal: Signal) -> io::Result<bool> {
    let Some(command) = proc::stat_of(hap.record.process) else { return Ok(false) };
    for member in haps.members(hap).list().iter().filter(|stat| stat.group == command.group) {
        tree::send(member.id, signal)?;
    }
    Ok(true)
}
