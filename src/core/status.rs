//! From facts to a status. The one place that decides; everybody else only asks.

use super::record::{End, Loss, Outcome};

/// Where a record was made, seen from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This host, this boot, this pid namespace: its process ids mean something.
    Here,
    /// This host before it was restarted: none of its processes can be alive.
    EarlierBoot,
    /// Another host or pid namespace: nothing can be known of its processes.
    Elsewhere,
}

/// What is seen of a process, looked up by pid and start time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// No such process, or its pid now is another's.
    Gone,
    /// It has ended like this, and its parent has not fetched it yet.
    Zombie(Option<Outcome>),
    /// It is stopped by a signal or a tracer.
    Stopped,
    /// It is alive and not stopped.
    Alive,
}

/// All that a status depends on.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// The end that the record has.
    pub end: Option<End>,
    /// Where the record was made.
    pub origin: Origin,
    /// The command.
    pub command: Presence,
    /// Its supervisor.
    pub supervisor: Presence,
}

/// The status of a hap with what belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Recorded, its command not yet started.
    Unbound,
    /// Its command is alive.
    Running,
    /// Its command is stopped.
    Paused,
    /// Its end is recorded.
    Ended(End),
    /// It has ended, and its supervisor is about to record it.
    Ending(Outcome),
    /// It is gone and nobody saw its end.
    Lost(Loss),
    /// It belongs to another host, which alone can tell.
    Elsewhere,
}

/// Whether a status means success, for colour, filters and exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `unbound`
    Unbound,
    /// `running`
    Running,
    /// `paused`
    Paused,
    /// `success`
    Success,
    /// `failed`
    Failed,
    /// `lost`
    Lost,
    /// `elsewhere`
    Elsewhere,
}

/// Whether somebody waits for the end of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    /// Somebody does, or there is nothing to wait for.
    Kept,
    /// Its supervisor has been stopped and sees nothing.
    Stopped,
    /// The command lives and its supervisor does not.
    Missing,
}

impl Facts {
    /// The status that these facts amount to.
    pub fn status(&self) -> Status {
        if let Some(end) = self.end {
            return match end.outcome {
                Outcome::Lost(loss) => Status::Lost(loss),
                Outcome::Exited(_) | Outcome::Signaled(_) | Outcome::NotStarted(_) => Status::Ended(end),
            };
        }
        match self.origin {
            Origin::Elsewhere => Status::Elsewhere,
            Origin::EarlierBoot => Status::Lost(Loss::Rebooted),
            Origin::Here => match self.command {
                Presence::Alive => Status::Running,
                Presence::Stopped => Status::Paused,
                Presence::Zombie(Some(outcome)) => Status::Ending(outcome),
                // Its supervisor has its end and is about to record it: a slow disk may take its time.
                Presence::Zombie(None) | Presence::Gone if self.has_supervisor() => Status::Running,
                Presence::Zombie(None) | Presence::Gone => Status::Lost(Loss::Unwatched),
            },
        }
    }

    /// The command has ended while its supervisor lives: the end is on its way into the record,
    /// and a reader that asks again will find it there.
    pub fn is_end_on_its_way(&self) -> bool {
        let command_over = matches!(self.command, Presence::Gone | Presence::Zombie(_));
        self.end.is_none() && self.origin == Origin::Here && command_over && self.has_supervisor()
    }

    /// Whether somebody waits for the command's end.
    pub fn watch(&self) -> Watch {
        if self.end.is_some() || self.origin != Origin::Here {
            return Watch::Kept;
        }
        match self.supervisor {
            Presence::Alive => Watch::Kept,
            // Also if the command has ended: nobody else can record it.
            Presence::Stopped => Watch::Stopped,
            Presence::Gone | Presence::Zombie(_) if self.command == Presence::Gone => Watch::Kept,
            Presence::Gone | Presence::Zombie(_) => Watch::Missing,
        }
    }

    /// The supervisor is alive, stopped or not.
    pub fn has_supervisor(&self) -> bool {
        matches!(self.supervisor, Presence::Alive | Presence::Stopped)
    }
}

impl Status {
    /// The kind of this status.
    pub fn kind(self) -> Kind {
        match self {
            Self::Unbound => Kind::Unbound,
            Self::Running => Kind::Running,
            Self::Paused => Kind::Paused,
            Self::Ended(End { outcome, .. }) | Self::Ending(outcome) => match outcome {
                Outcome::Exited(0) => Kind::Success,
                Outcome::Exited(_) | Outcome::Signaled(_) | Outcome::NotStarted(_) => Kind::Failed,
                Outcome::Lost(_) => Kind::Lost,
            },
            Self::Lost(_) => Kind::Lost,
            Self::Elsewhere => Kind::Elsewhere,
        }
    }

    /// What became of the command, if anyone knows.
    pub fn outcome(self) -> Option<Outcome> {
        match self {
            Self::Ended(End { outcome, .. }) | Self::Ending(outcome) => Some(outcome),
            Self::Unbound | Self::Running | Self::Paused | Self::Lost(_) | Self::Elsewhere => None,
        }
    }

    /// The command is alive, or will be.
    pub fn is_active(self) -> bool {
        self.kind().is_active()
    }
}

impl Kind {
    /// The word that users and scripts see.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unbound => "unbound",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Lost => "lost",
            Self::Elsewhere => "elsewhere",
        }
    }

    /// The command is alive, or will be.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Unbound | Self::Running | Self::Paused)
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::{End, Loss, Outcome};
    use super::{Facts, Kind, Origin, Presence, Status, Watch};

    const ORIGINS: [Origin; 3] = [Origin::Here, Origin::EarlierBoot, Origin::Elsewhere];
    const PRESENCES: [Presence; 5] = [
        Presence::Gone,
        Presence::Zombie(None),
        Presence::Zombie(Some(Outcome::Exited(3))),
        Presence::Stopped,
        Presence::Alive,
    ];

    fn end(outcome: Outcome) -> End {
        End { outcome, unix_ns: 1, runtime_ns: 1, survivors: false, usage: None }
    }

    #[test]
    fn a_recorded_end_is_final_whatever_else_is_seen() {
        let ends = [
            (Outcome::Exited(0), Kind::Success),
            (Outcome::Exited(1), Kind::Failed),
            (Outcome::Signaled(15), Kind::Failed),
            (Outcome::NotStarted(2), Kind::Failed),
            (Outcome::Lost(Loss::Unreadable), Kind::Lost),
        ];
        for (outcome, kind) in ends {
            for origin in ORIGINS {
                for command in PRESENCES {
                    for supervisor in PRESENCES {
                        let facts = Facts { end: Some(end(outcome)), origin, command, supervisor };
                        assert_eq!(facts.status().kind(), kind, "{facts:?}");
                        assert!(!facts.is_end_on_its_way() && facts.watch() == Watch::Kept, "{facts:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn without_an_end_the_command_decides_but_only_here_and_now() {
        for supervisor in PRESENCES {
            for command in PRESENCES {
                let facts = |origin| Facts { end: None, origin, command, supervisor };
                assert_eq!(facts(Origin::Elsewhere).status(), Status::Elsewhere);
                assert_eq!(facts(Origin::EarlierBoot).status(), Status::Lost(Loss::Rebooted));
                let is_supervised = matches!(supervisor, Presence::Alive | Presence::Stopped);
                let expected = match command {
                    Presence::Gone | Presence::Zombie(None) if is_supervised => Status::Running,
                    Presence::Gone | Presence::Zombie(None) => Status::Lost(Loss::Unwatched),
                    Presence::Zombie(Some(outcome)) => Status::Ending(outcome),
                    Presence::Stopped => Status::Paused,
                    Presence::Alive => Status::Running,
                };
                assert_eq!(facts(Origin::Here).status(), expected);
            }
        }
    }

    #[test]
    fn an_end_is_awaited_only_from_a_live_supervisor_and_a_live_command_only_without_one() {
        for origin in ORIGINS {
            for command in PRESENCES {
                for supervisor in PRESENCES {
                    let facts = Facts { end: None, origin, command, supervisor };
                    let here = origin == Origin::Here;
                    let supervised = matches!(supervisor, Presence::Alive | Presence::Stopped);
                    let over = matches!(command, Presence::Gone | Presence::Zombie(_));
                    assert_eq!(facts.is_end_on_its_way(), here && supervised && over);
                    assert_eq!(facts.watch() == Watch::Missing, here && !supervised && command != Presence::Gone);
                    assert_eq!(facts.watch() == Watch::Stopped, here && supervisor == Presence::Stopped);
                }
            }
        }
    }
}
