//! `wait`: sleeps until a command has ended. The kernel wakes it.

use std::time::{Duration, Instant};

use crate::core::error::{Error, Result};
use crate::core::status::Status;
use crate::ops::find::{Haps, not_active};
use crate::ops::hap::Hap;
use crate::sys::interrupt::Interrupt;
use crate::sys::pidfd::{Handle, Woken};

/// How a wait ended.
#[derive(Clone, Debug)]
pub enum Waited {
    /// The hap is no longer active: this is it now.
    Ended(Box<Hap>),
    /// The time was up first: this is it now.
    TimedOut(Box<Hap>),
    /// Ctrl-C came first: this is it now.
    Interrupted(Box<Hap>),
}

/// Waits until the hap is no longer active, but not beyond the deadline, and only until Ctrl-C if
/// that is held back.
pub fn wait(haps: &Haps, hap: &Hap, deadline: Option<Instant>, interrupt: Option<&Interrupt>) -> Result<Waited> {
    let mut now = haps.again(hap)?;
    while now.status.is_active() {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            return Ok(Waited::TimedOut(Box::new(now)));
        }
        if sleep(&now, left, interrupt).map_err(Error::system("wait for it"))? == Woken::Interrupted {
            return Ok(Waited::Interrupted(Box::new(now)));
        }
        now = haps.again(&now)?;
    }
    if now.status == Status::Elsewhere { Err(not_active(&now)) } else { Ok(Waited::Ended(Box::new(now))) }
}

/// Sleeps until the command has ended or the time is up.
fn sleep(hap: &Hap, limit: Option<Duration>, interrupt: Option<&Interrupt>) -> std::io::Result<Woken> {
    match Handle::open(hap.record.process)? {
        Some(command) => command.wait_or(limit, interrupt),
        None => Ok(Woken::Ended),
    }
}
