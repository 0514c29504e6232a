//! Floor 2: starting a command, waiting for its end, reaching its process tree.
//!
//! ```text
//! caller ── fork ── setsid, fork, exits ── supervisor ── fork ── command
//!    │ ◄──────────── who they are ─────────────┤                   │ waits for the go
//!    │ records, publishes                      │ sleeps in wait4   │
//!    ├─────────────── go: id and name ─────────┼─────────────────► │ execs
//!    │ ◄──── the reason, if it cannot ─────────┼───────────────────┘
//!    └ returns                                 └ records the end
//! ```
//!
//! The command executes nothing before it is recorded, and the supervisor needs nobody from then
//! on. Each may be killed at any instant: that leaves no command, or a recorded one.

mod adoption;
mod command;
pub mod errand;
mod guardian;
mod keeper;
mod launch;
pub mod marked;
pub mod members;
pub mod probe;
mod report;
mod surgery;
#[cfg(test)]
mod surgery_tests;
mod watch;

pub use guardian::{Ward, guard};
pub use keeper::Keeping;
pub use launch::{Job, Refused, Started, Waiting, begin, prepare};
