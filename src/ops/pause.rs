//! `pause` and `resume`: the whole tree stops, the whole tree goes on.

use crate::core::error::{Error, Result};
use crate::core::status::Status;
use crate::ops::find::Haps;
use crate::ops::hap::Hap;
use crate::sys::{clock, proc, tree};

/// Stops all of an active hap. Returns when nothing of it runs: how many processes that is.
pub fn pause(haps: &Haps, hap: &Hap) -> Result<usize> {
    let members = haps.members(hap);
    let halted = tree::halt(&|| members.list(), &|group| members.owns_group(group));
    let halted = halted.map_err(Error::system("pause it"))?;
    if halted.running > 0 {
        return Err(Error::WillNotHalt { hap: hap.title(), count: halted.running });
    }
    Ok(halted.members.len())
}

/// Continues all of a paused hap: how many processes that is.
pub fn resume(haps: &Haps, hap: &Hap) -> Result<usize> {
    if hap.status != Status::Paused {
        return Err(Error::NotPaused { hap: hap.title(), status: hap.status.kind().word() });
    }
    let members: Vec<_> = haps.members(hap).list().into_iter().map(|stat| stat.id).collect();
    tree::resume(&members).map_err(Error::system("resume it"))?;
    clock::wait_until(clock::soon(), || proc::stat_of(hap.record.process).is_none_or(|stat| !stat.is_halted()));
    Ok(members.len())
}
