//! What a shell shows of a candidate while a command line is being typed.

use super::look::Badge;
use super::sanitize::visible;
use super::width;
use crate::ops::hap::Entry;

/// What fits beside a candidate; shells cut what does not.
const WIDTH: usize = 100;

/// A candidate, a tab and what it means. Neither can contain a tab or a line end.
pub fn line(value: &str, meaning: &str) -> String {
    let meaning = meaning.lines().next().unwrap_or_default();
    format!("{}\t{}\n", visible(value), width::cut(&visible(meaning), WIDTH))
}

/// What a hap is: its status and its command.
pub fn meaning(entry: &Entry) -> String {
    match entry {
        Entry::Whole(hap) => {
            let command = hap.record.command_line();
            format!("{}: {}", hap.status.kind().word(), visible(&command))
        }
        Entry::Broken(broken) => format!("{}: {}", Badge::BROKEN.word, broken.reason),
    }
}

#[cfg(test)]
mod tests {
    use super::{line, meaning};
    use crate::core::record::Outcome;
    use crate::ops::hap::Entry;
    use crate::view::samples::{broken, ended, running, whole};

    #[test]
    fn a_hap_is_told_by_status_and_command() {
        assert_eq!(meaning(&whole(running(1, "train"))), "running: python train.py --epochs 90");
        assert_eq!(meaning(&whole(ended(1, "train", Outcome::Exited(3)))), "failed: python train.py --epochs 90");
        assert_eq!(meaning(&Entry::Broken(broken(1))), "broken: it has no command");
        let mut hap = running(1, "train");
        hap.record.argv = ["printf", "a\tb\n"].map(str::to_owned).to_vec();
        assert_eq!(meaning(&whole(hap)), r"running: printf 'a\tb\n'");
    }

    #[test]
    fn a_candidate_is_one_line_with_one_tab() {
        assert_eq!(line("train", "running: make"), "train\trunning: make\n");
        assert_eq!(line("--all", "All of them\nand more"), "--all\tAll of them\n");
        assert_eq!(line("a\tb", "\u{1b}[2J"), "a\\tb\t\\x1b[2J\n");
        assert_eq!(line("x", &"y".repeat(101)), format!("x\t{}…\n", "y".repeat(99)));
    }
}
