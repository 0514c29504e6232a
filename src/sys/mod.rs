//! Floor 1: the system, one small file for each part of it, behind safe functions.
//!
//! The only place with `unsafe`. Nothing here knows what a hap is.
#![allow(unsafe_code)]

pub mod changes;
pub mod children;
pub mod clock;
pub mod descriptor;
pub mod entry;
pub mod environment;
pub mod exec;
pub mod file;
pub mod filesystem;
pub mod fork;
pub mod growth;
pub mod heap;
pub mod hole;
pub mod host;
pub mod interrupt;
pub mod lock;
pub mod login;
pub mod mask;
pub mod memory;
pub mod notices;
pub mod open_files;
pub mod output;
pub mod pidfd;
pub mod proc;
pub mod ptrace;
pub mod random;
pub mod readiness;
pub mod running;
pub mod space;
pub mod storage;
pub mod terminal;
pub mod transfer;
pub mod tree;
pub mod wait;
