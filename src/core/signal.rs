//! Signals by number and by name, and whom in a hap each is for.

use std::fmt;

/// First and last real-time signal that glibc leaves to programs (signal(7)).
const RT_MIN: i32 = 34;
const RT_MAX: i32 = 64;

/// The standard signals in the order of their numbers on x86-64 and aarch64 Linux, from 1 on (signal(7)).
const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
    "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO",
    "PWR", "SYS",
];

/// Other names for some of them.
const SYNONYMS: [(&str, i32); 4] = [("IOT", 6), ("CLD", 17), ("POLL", 29), ("UNUSED", 31)];

/// A signal that a process can be sent: 1 to 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal(i32);

/// Whom a signal is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The command's process group: what a terminal or a shell would address as the job.
    Group,
    /// The command itself.
    Main,
}

impl Signal {
    /// SIGCONT
    pub const CONT: Self = Self(18);
    /// SIGKILL
    pub const KILL: Self = Self(9);
    /// SIGSTOP
    pub const STOP: Self = Self(19);
    /// SIGTERM
    pub const TERM: Self = Self(15);

    /// The signal with this number, if there is one.
    pub fn new(number: i32) -> Option<Self> {
        (1..=RT_MAX).contains(&number).then_some(Self(number))
    }

    /// Those with a name of their own, by number.
    pub fn standard() -> impl Iterator<Item = Self> {
        (1..).zip(NAMES).map(|(number, _)| Self(number))
    }

    /// Reads `9`, `KILL` or `SIGKILL` in any case, also `RTMIN+2` and `RTMAX-1`.
    pub fn parse(text: &str) -> Option<Self> {
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().ok().and_then(Self::new);
        }
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        let standard = (1..).zip(NAMES).find(|(_, known)| *known == name).map(|(number, _)| number);
        let synonym = || SYNONYMS.iter().find(|(known, _)| *known == name).map(|(_, number)| *number);
        standard.or_else(synonym).or_else(|| real_time(name)).and_then(Self::new)
    }

    /// The number, for the kernel.
    pub const fn number(self) -> i32 {
        self.0
    }

    /// What a terminal or a shell sends to a job goes to its process group; helpers of the command
    /// may not know the others (USR1 ends a process that does not handle it), so only it gets them.
    pub fn default_target(self) -> Target {
        const FOR_THE_JOB: [&str; 7] = ["INT", "QUIT", "TERM", "KILL", "STOP", "TSTP", "CONT"];
        let is_for_the_job = FOR_THE_JOB.iter().any(|name| Self::parse(name) == Some(self));
        if is_for_the_job { Target::Group } else { Target::Main }
    }
}

fn real_time(name: &str) -> Option<i32> {
    let (base, offset) = match (name.strip_prefix("RTMIN"), name.strip_prefix("RTMAX")) {
        (Some(offset), _) => (RT_MIN, offset),
        (_, Some(offset)) => (RT_MAX, offset),
        _ => return None,
    };
    let offset: i32 = if offset.is_empty() { 0 } else { offset.parse().ok()? };
    let number = base.checked_add(offset)?;
    (RT_MIN..=RT_MAX).contains(&number).then_some(number)
}

impl fmt::Display for Signal {
    /// `SIGTERM`; a real-time signal as `SIGRTMIN+2`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let standard = usize::try_from(self.0 - 1).ok().and_then(|index| NAMES.get(index));
        match (standard, self.0 - RT_MIN) {
            (Some(name), _) => write!(out, "SIG{name}"),
            (None, 0) => out.write_str("SIGRTMIN"),
            (None, offset) if offset > 0 => write!(out, "SIGRTMIN+{offset}"),
            // 32 and 33 belong to the C library.
            (None, _) => write!(out, "signal {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Signal, Target};

    #[test]
    fn every_signal_reads_back_from_its_own_name() {
        for number in (1..=31).chain(34..=64) {
            let signal = Signal::new(number).expect("in range");
            assert_eq!(Signal::parse(&signal.to_string()), Some(signal));
            assert_eq!(Signal::parse(&number.to_string()), Some(signal));
        }
    }

    #[test]
    fn names_are_read_in_any_case_with_or_without_sig() {
        for text in ["9", "kill", "KILL", "SigKill", "SIGKILL", "09"] {
            assert_eq!(Signal::parse(text), Some(Signal::KILL), "{text}");
        }
        assert_eq!(Signal::parse("RTMIN+2"), Signal::new(36));
        assert_eq!(Signal::parse("rtmax-1"), Signal::new(63));
    }

    #[test]
    fn what_is_no_signal_is_refused() {
        for text in ["", "0", "65", "-9", "SIG", "SIGSIG", "9x", "KILLX", "RTMIN-1", "RTMIN+99", "99999999999"] {
            assert_eq!(Signal::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn job_signals_go_to_the_group_and_the_others_to_the_command() {
        for name in ["INT", "QUIT", "TERM", "KILL", "STOP", "TSTP", "CONT"] {
            assert_eq!(Signal::parse(name).map(Signal::default_target), Some(Target::Group), "{name}");
        }
        for name in ["HUP", "USR1", "USR2", "WINCH", "CHLD", "RTMIN"] {
            assert_eq!(Signal::parse(name).map(Signal::default_target), Some(Target::Main), "{name}");
        }
    }
}
