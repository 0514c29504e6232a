//! What can be done with a key, and which key it is: what the footer shows is what is obeyed.

use crate::core::id::Id;

/// What whoever runs the model is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Give the terminal back and end.
    Quit,
    /// Do this to that hap.
    Act(Verb, Id),
}

/// What can be done to a hap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Nothing of it runs until it is resumed.
    Pause,
    /// It goes on.
    Resume,
    /// It is asked to end, and made to after a while.
    Stop,
    /// It is ended at once.
    Kill,
    /// It is stopped and started again.
    Restart,
}

impl Verb {
    /// All of them, in the order of the footer.
    pub(super) const ALL: [Self; 5] = [Self::Pause, Self::Resume, Self::Stop, Self::Kill, Self::Restart];

    /// Its key.
    pub(super) fn key(self) -> char {
        match self {
            Self::Pause => 'p',
            Self::Resume => 'r',
            Self::Stop => 's',
            Self::Kill => 'k',
            Self::Restart => 'R',
        }
    }

    /// The verb of the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Stop => "stop",
            Self::Kill => "kill",
            Self::Restart => "restart",
        }
    }

    /// What it ends cannot be had back: so it asks first.
    pub(super) fn is_asked_first(self) -> bool {
        match self {
            Self::Pause | Self::Resume => false,
            Self::Stop | Self::Kill | Self::Restart => true,
        }
    }
}

/// The footer while haps are looked at.
pub(super) const LIST: [(&str, &str); 11] = [
    ("q", "quit"),
    ("↑↓", "select"),
    ("p", "pause"),
    ("r", "resume"),
    ("s", "stop"),
    ("k", "kill"),
    ("R", "restart"),
    ("f", "follow"),
    ("e", "stderr"),
    ("PgUp", "scroll"),
    ("/", "filter"),
];

/// The footer while a question is open.
pub(super) const QUESTION: [(&str, &str); 2] = [("y", "yes"), ("n", "no")];

/// The footer while a filter is typed.
pub(super) const TYPING: [(&str, &str); 2] = [("Enter", "keep"), ("Esc", "show all")];
