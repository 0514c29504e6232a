//! `clean`: removes what is over, and sweeps up what crashes left.

use crate::core::error::Result;
use crate::core::id::Id;
use crate::core::name::Name;
use crate::core::record::Record;
use crate::core::status::{Kind, Status};
use crate::ops::find::Haps;
use crate::ops::hap::{Entry, Hap, is_over};
use crate::supervisor::marked::Marked;
use crate::sys::fork;

/// What went.
#[derive(Clone, Debug, Default)]
pub struct Cleaned {
    /// The removed ones, by ascending id.
    pub removed: Vec<Removed>,
    /// How many have ended while descendants of theirs live on: they stay, or nothing could reach those.
    pub leftover: usize,
    /// How many belong to other machines and containers, and stay.
    pub elsewhere: usize,
}

/// Which of those that are over go as well, or stay.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extent {
    /// Those that did not succeed stay.
    pub keep_failed: bool,
    /// Those of other machines and containers go if nobody there watches over them.
    pub elsewhere: bool,
}

/// A hap that was removed.
#[derive(Clone, Debug)]
pub struct Removed {
    /// Its number, not given out again while other haps are there.
    pub id: Id,
    /// Its name, free again.
    pub name: Name,
    /// What it was.
    pub kind: Kind,
}

/// Removes every hap that is over.
pub fn clean(haps: &Haps, extent: Extent) -> Result<Cleaned> {
    let _private = fork::private_umask();
    let mut cleaned = Cleaned::default();
    let marked = Marked::default();
    for entry in haps.all()? {
        let Entry::Whole(hap) = entry else { continue };
        let is_kept = extent.keep_failed && hap.status.kind() != Kind::Success;
        if hap.leftover > 0 {
            cleaned.leftover += 1;
        } else if hap.status == Status::Elsewhere {
            let removed = if extent.elsewhere { remove_elsewhere(haps, &hap)? } else { None };
            cleaned.elsewhere += usize::from(removed.is_none());
            cleaned.removed.extend(removed);
        } else if hap.is_over() && !is_kept {
            cleaned.removed.extend(remove(haps, &hap, &marked)?);
        }
    }
    haps.state().sweep()?;
    Ok(cleaned)
}

fn remove(haps: &Haps, hap: &Hap, marked: &Marked) -> Result<Option<Removed>> {
    let removed = haps.state().remove(hap.id, |record| is_over(haps.state(), record, haps.here(), marked))?;
    Ok(removed.map(|record| gone(hap, record)))
}

fn remove_elsewhere(haps: &Haps, hap: &Hap) -> Result<Option<Removed>> {
    let removed = haps.state().remove_unwatched(hap.id, |record| record.place == hap.record.place)?;
    Ok(removed.map(|record| gone(hap, record)))
}

fn gone(hap: &Hap, record: Record) -> Removed {
    Removed { id: hap.id, name: record.name, kind: hap.status.kind() }
}
