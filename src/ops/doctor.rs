//! `doctor`: looks at all that `hap` depends on. Decides nothing: that is in `core::health`.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::core::alias::Alias;
use crate::core::error::{Error, Result};
use crate::core::health::{Ability, BrokenRecord, Finding, Privacy};
use crate::core::id::Id;
use crate::core::status::Watch;
use crate::ops::find::Haps;
use crate::ops::hap::{Broken, Entry, Hap, observe};
use crate::store::StateDir;
use crate::supervisor::marked::Marked;
use crate::supervisor::probe::probe;
use crate::sys::{login, storage};

/// All that was found.
#[derive(Clone, Debug)]
pub struct Checkup {
    /// The state directory.
    pub root: PathBuf,
    /// In the order in which it is told.
    pub findings: Vec<Finding>,
}

/// Looks at everything, for the state directory at this path.
pub fn checkup(root: &Path) -> Result<Checkup> {
    let mut findings = Vec::new();
    let state = match StateDir::open(root) {
        Err(Error::UnsafeStateDir { reason, .. }) => {
            findings.push(Finding::Directory(Privacy::Unsafe(reason)));
            None
        }
        opened => {
            findings.push(Finding::Directory(privacy(root)?));
            opened?
        }
    };
    findings.extend(of_storage(root));
    findings.extend(of_kernel());
    findings.push(Finding::Logout(login::facts().fate()));
    if let Some(state) = state {
        let haps = Haps::new(state)?;
        findings.extend(of_haps(&haps)?);
    }
    Ok(Checkup { root: root.to_owned(), findings })
}

fn privacy(root: &Path) -> Result<Privacy> {
    match root.metadata() {
        Ok(metadata) => Ok(Privacy::of(metadata.mode())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Privacy::Missing),
        Err(error) => Err(Error::file("open", root)(error)),
    }
}

/// Of the directory itself, or of what it will be made in.
fn of_storage(root: &Path) -> Vec<Finding> {
    let Some(place) = root.ancestors().find(|place| fs::metadata(place).is_ok()) else { return Vec::new() };
    let left = storage::room(place).map_or_else(|error| Finding::NoRoomKnown(error.to_string()), Finding::Room);
    storage::kind(place).ok().map(Finding::Storage).into_iter().chain([left]).collect()
}

fn of_kernel() -> Vec<Finding> {
    match probe() {
        Ok(abilities) => vec![
            Finding::Kernel(Ability::Handles, abilities.handles),
            Finding::Kernel(Ability::GroupSignals, abilities.group_signals),
            Finding::Kernel(Ability::ExitStatus, abilities.exit_status),
        ],
        Err(error) => vec![Finding::KernelUntried(error.to_string())],
    }
}

/// What is wrong with single haps, or that nothing is.
fn of_haps(haps: &Haps) -> Result<Vec<Finding>> {
    let ids = haps.state().ids()?;
    let mut supervisors = Vec::new();
    let mut records = Vec::new();
    let mut active = 0;
    let marked = Marked::default();
    for id in &ids {
        match observe(haps.state(), *id, haps.here(), &marked) {
            Some(Entry::Whole(hap)) => {
                active += usize::from(hap.status.is_active());
                supervisors.extend(supervision(haps, &hap));
            }
            Some(Entry::Broken(broken)) => records.push(Finding::Broken(broken_record(haps, broken))),
            None => {}
        }
    }
    if supervisors.is_empty() {
        supervisors.push(Finding::Supervised(active));
    }
    let litter = haps.state().litter()?;
    records.extend((litter > 0).then_some(Finding::Litter(litter)));
    if records.is_empty() {
        records.push(Finding::Sound(ids.len()));
    }
    Ok(supervisors.into_iter().chain(records).collect())
}

/// Looking at a hap gives it a supervisor if it has none.
fn supervision(haps: &Haps, hap: &Hap) -> Option<Finding> {
    if hap.watch != Watch::Missing {
        return None;
    }
    match haps.entry(&Alias::Id(hap.id)) {
        Ok(Entry::Whole(healed)) if healed.watch != Watch::Missing => Some(Finding::Healed(hap.title())),
        _ => Some(Finding::Unsupervised(hap.title())),
    }
}

fn broken_record(haps: &Haps, Broken { id, path, reason }: Broken) -> BrokenRecord {
    BrokenRecord { id, path, reason, spare: spare(haps, id) }
}

fn spare(haps: &Haps, id: Id) -> Option<PathBuf> {
    haps.state().hap(id).whole_spare()
}
