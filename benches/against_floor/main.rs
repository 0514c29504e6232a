//! How fast and how small `hap` is, beside a C program that does only what cannot be avoided (`floor.c`).
//!
//! `cargo bench --bench against_floor` prints one table; words behind `--` choose rows whose first column
//! contains one of them. Whole processes are timed from outside, from before they are started until they are
//! reaped; the two sides take turns, and the ratio is the median of the ratios of the pairs, which holds still when the
//! speed of the machine does not. `docs/performance.md` says what each figure means.
//!
//! Needs `cc` (or `musl-gcc`, whose programs are smaller still). `HAP_BENCH_DIR` says where the state directories are
//! made, else the system's temporary directory.

#![allow(unreachable_pub)] // one file uses what is in another

mod pair;
mod place;
mod scale;
mod start;
mod supervisor;
mod table;

use place::Place;
use table::Table;

fn main() {
    // Cargo adds `--bench` to what the user says.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let place = Place::new();
    let mut table = Table::new(words);
    start::rows(&place, &mut table);
    supervisor::rows(&place, &mut table);
    scale::rows(&place, &mut table);
}
