//! `rename`: another name for a hap, running or not.

use crate::core::error::Result;
use crate::core::name::Name;
use crate::ops::find::Haps;
use crate::ops::hap::Hap;
use crate::sys::fork;

/// Gives the hap this name, if it is free.
pub fn rename(haps: &Haps, hap: &Hap, name: &Name) -> Result<()> {
    let _private = fork::private_umask();
    haps.state().rename(hap.id, &hap.record.name, name)
}
