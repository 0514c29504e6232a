//! Floor 0: what is true of haps on paper. Pure data and decisions: no files, no processes, no clock.

pub mod adoption;
pub mod alias;
pub mod command_line;
pub mod duration;
pub mod error;
pub mod health;
pub mod id;
pub mod logout;
pub mod name;
pub mod record;
pub mod signal;
pub mod similar;
pub mod since;
pub mod size;
pub mod status;
pub mod stream;
pub mod title;
