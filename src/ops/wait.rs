//! `wait`: sleeps until a command has ended. The kernel wakes it.

use std::time::{Duration, Instant};

use crate::core::error::{Error, Result};
use crate::core::status::Status;
use crate::ops::find::Haps;
use crate::ops::hap::Hap;
use crate::sys::pidfd::Handle;

/// How a wait ended.
#[derive(Clone, Debug)]
pub enum Waited {
    /// The hap is no longer active: this is it now.
    Ended(Box<Hap>),
    /// The time was up first.
    TimedOut,
    /// A signal to this process came first (`sys::interrupt`).
    Interrupted,
}

/// Waits until the hap is no longer active, but not beyond the deadline.
pub fn wait(haps: &Haps, hap: &Hap, deadline: Option<Instant>) -> Result<Waited> {
    let mut now = haps.again(hap)?;
    while now.status.is_active() {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            return Ok(Waited::TimedOut);
        }
        match sleep(&now, left) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => return Ok(Waited::Interrupted),
            slept => slept.map_err(Error::system("wait for it"))?,
        }
        now = haps.again(&now)?;
    }
    if now.status == Status::Elsewhere { Err(super::find::not_active(&now)) } else { Ok(Waited::Ended(Box::new(now))) }
}

/// Sleeps until the command has ended or the time is up.
fn sleep(hap: &Hap, limit: Option<Duration>) -> std::io::Result<()> {
    match Handle::open(hap.record.process)? {
        Some(command) => command.wait_interruptibly(limit).map(drop),
        None => Ok(()),
    }
}
