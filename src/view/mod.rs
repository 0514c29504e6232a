//! Floor 3: data in, text out. Tables, panels, JSON and messages, each ending with a newline.
//!
//! Nothing here prints or reads the environment, the terminal, a file or the clock: all that comes
//! in as a value. Whatever a user or a record chose passes through [`sanitize`] on its way out.

mod align;
mod columns;
pub mod completion;
pub mod doctor;
mod frame;
pub mod json;
pub mod look;
pub mod mark;
pub mod message;
pub mod panel;
#[cfg(test)]
mod samples;
pub mod sanitize;
pub mod table;
pub mod time;
pub mod top;
pub mod width;
mod wording;

fn text_of(lines: impl IntoIterator<Item = String>) -> String {
    lines.into_iter().fold(String::new(), |text, line| text + &line + "\n")
}
