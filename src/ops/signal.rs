//! `signal`: one signal to the command or to its process group.

use crate::core::error::{Error, Result};
use crate::core::signal::{Signal, Target};
use crate::ops::find::not_active;
use crate::ops::hap::Hap;
use crate::sys::pidfd::Handle;

/// Sends the signal to an active hap.
pub fn signal(hap: &Hap, signal: Signal, target: Target) -> Result<()> {
    let failed = |source| Error::NotSignalled { hap: hap.title(), signal: signal.to_string(), source };
    let command = Handle::open(hap.record.process).map_err(failed)?.ok_or_else(|| not_active(hap))?;
    let reached = match target {
        Target::Main => command.send(signal),
        Target::Group => command.send_to_group(signal),
    };
    if reached.map_err(failed)? { Ok(()) } else { Err(not_active(hap)) }
}
