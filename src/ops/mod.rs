//! Floor 3: one verb per file. Arguments come in as data, effects happen below, data goes out.
//! Nothing here prints.

pub mod adopt;
mod adoptable;
pub mod clean;
pub mod details;
pub mod doctor;
pub mod find;
pub mod hap;
pub mod hapless;
pub mod heal;
pub mod kill;
pub mod list;
pub mod live;
pub mod load;
pub mod logout;
pub mod logs;
pub mod man;
pub mod pause;
pub mod rename;
pub mod restart;
pub mod run;
pub mod signal;
pub mod tail;
pub mod unbuffered;
pub mod unknown;
pub mod wait;
