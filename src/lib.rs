//! `hapless` runs any command in the background and keeps track of it.
//!
//! The `hap` command is one way in, [`Hapless`] the other: the same haps, as typed data.
//!
//! ```no_run
//! use hapless::{Hapless, Request};
//!
//! let haps = Hapless::new()?;
//! let hap = haps.run(&Request { command: vec!["make".into()], ..Request::default() })?;
//! println!("hap {} has pid {}", hap.id, hap.record.process.pid);
//! haps.wait(&hap, None)?;
//! # Ok::<(), hapless::Error>(())
//! ```
//!
//! The house, floor by floor; a module uses only what is below it:
//!
//! | floor | module | what it is for |
//! | --- | --- | --- |
//! | 4 | [`cli`] | arguments in, text and exit code out: the only place that prints or exits |
//! | 3 | [`view`] | data in, text out: tables, panels, JSON, messages |
//! | 3 | [`ops`] | one verb per file: returns data |
//! | 2 | [`supervisor`] | starting a command, waiting for its end, reaching its process tree |
//! | 2 | [`store`] | the state directory: the only place that knows file names |
//! | 1 | [`sys`] | the kernel behind safe functions: the only place with `unsafe` |
//! | 0 | [`core`] | pure data and decisions |

pub mod cli;
pub mod core;
pub mod ops;
pub mod store;
pub mod supervisor;
pub mod sys;
pub mod view;

pub use core::alias::Alias;
pub use core::error::{Error, Result};
pub use core::name::Name;
pub use core::record::Outcome;
pub use core::signal::Signal;
pub use core::status::{Kind, Status, Watch};
pub use core::stream::Stream;
pub use ops::hap::{Entry, Hap};
pub use ops::hapless::Hapless;

pub use ops::run::Request;
pub use ops::wait::Waited;
