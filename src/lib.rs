//! `hapless` runs any command in the background and keeps track of it.
//!
//! The house, floor by floor; a module uses only what is below it:
//!
//! | floor | module | what it is for |
//! | --- | --- | --- |
//! | 4 | [`cli`] | arguments in, text and exit code out: the only place that prints or exits |
//! | 3 | [`view`] | data in, text out: tables, panels, JSON, messages |
//! | 3 | [`ops`] | one verb per file: returns data |
//! | 2 | `supervisor` | starting a command, waiting for its end, reaching its process tree |
//! | 2 | `store` | the state directory: the only place that knows file names |
//! | 1 | `sys` | the kernel behind safe functions: the only place with `unsafe` |
//! | 0 | [`core`] | pure data and decisions |

pub mod cli;
pub mod core;
pub mod ops;
pub mod store;
pub mod supervisor;
pub mod sys;
pub mod view;
