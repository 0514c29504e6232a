//! The mark that a command hands on to all that it starts: which run of which hap it is of, as a variable in its
//! environment (`HAP_RUN`).
//!
//! It finds what has left its session and lost its supervisor as well, when nothing else connects it with its
//! command any more. It proves little by itself: who clears its environment loses it. So it is only asked for
//! where the process tree has no root.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::members::is_supervisor;
use crate::core::record::ProcessId;
use crate::sys::proc::{self, Stat};

/// The variable, as it begins in an environment.
pub(super) const RUN: &[u8] = b"HAP_RUN=";

/// The value that it has for all of a command.
pub(super) fn mark(command: ProcessId) -> String {
    format!("{}.{}", command.pid, command.start_ticks)
}

/// Every process that has a mark, looked up once, when it is first asked for.
#[derive(Debug, Default)]
pub struct Marked(OnceCell<HashMap<Vec<u8>, Vec<Stat>>>);

impl Marked {
    /// Those with the mark of this command, but for supervisors: one that a `hap` has started from within is
    /// marked as that was.
    pub(super) fn of(&self, command: ProcessId) -> Vec<Stat> {
        let all = self.0.get_or_init(look_up);
        let found = all.get(mark(command).as_bytes()).cloned().unwrap_or_default();
        found.into_iter().filter(|stat| !is_supervisor(stat.id.pid)).collect()
    }
}

fn look_up() -> HashMap<Vec<u8>, Vec<Stat>> {
    let mut found: HashMap<Vec<u8>, Vec<Stat>> = HashMap::new();
    for stat in proc::all() {
        if let Some(mark) = proc::variable(stat.id.pid, RUN) {
            found.entry(mark).or_default().push(stat);
        }
    }
    found
}

/// Whether anything of this command lives, other than itself.
pub(super) fn lives_on(command: ProcessId) -> bool {
    let is_other = |stat: &Stat| stat.id != command.as_in_stat() && !stat.is_zombie();
    Marked::default().of(command).iter().any(is_other)
}
