//! Which of a hap's two streams of output.

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// What it wrote to stdout, and to stderr where they are merged.
    Stdout,
    /// What it wrote to stderr.
    Stderr,
}
