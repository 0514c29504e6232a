//! Floor 1: the system, one small file for each part of it, behind safe functions.
//!
//! The only place with `unsafe`. Nothing here knows what a hap is.
#![allow(unsafe_code)]

pub mod clock;
pub mod descriptor;
pub mod entry;
pub mod environment;
pub mod exec;
pub mod file;
pub mod fork;
mod heap;
pub mod host;
pub mod interrupt;
pub mod lock;
pub mod mask;
pub mod memory;
pub mod pidfd;
pub mod proc;
pub mod random;
pub mod terminal;
pub mod tree;
pub mod wait;
