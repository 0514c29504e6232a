//! `hap top`: a full screen of haps, what each takes, and the end of the selected one's log.
//!
//! Invariant: [`Model`] alone decides what is on the screen and what a key means; it touches nothing
//! and knows no terminal. Whoever runs it does what it wishes and tells it what has changed.

mod draw;
mod history;
mod keys;
mod list;
mod log;
mod model;

pub use draw::draw;
pub use keys::{Verb, Wish};
pub use model::Model;
