//! Floor 2: the state directory. The only place that knows what its files are called.
//!
//! Readers take no lock and believe nothing: whatever they find, they answer with data or with the
//! file and the reason. A hap is written only by who holds its `lock`; ids and names are given out
//! only under the lock of the `haps` directory. `docs/state-format.md` describes the files.

pub mod adoption_file;
mod hap_dir;
mod layout;
mod log_times;
mod logs;
mod names;
mod numbers;
mod record_file;
mod renames;
mod rerun;
mod staging;
mod state_dir;
mod trash;
mod warned;

pub use hap_dir::{HapDir, LockRefused};
pub use log_times::{GRAIN, Times, TimesWriter};
pub use logs::open_log_to_free;
pub use record_file::{Flaw, is_record_of, replace, seal};
pub use rerun::Rerun;
pub use staging::{Contents, Naming, Published, RunFiles, Staged};
pub use state_dir::{StateDir, locate};
pub use warned::{is_logout_warned, set_logout_warned};
