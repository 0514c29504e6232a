//! What `doctor` finds, and how bad that is.

use std::path::PathBuf;

use super::id::Id;
use super::logout::Fate;
use super::title::Title;

const MIB: u64 = 1 << 20;

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, with a limit that is worth knowing.
    Warning,
    /// It needs attention.
    Problem,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Who can get at the state directory.
    Directory(Privacy),
    /// What it lies on.
    Storage(Storage),
    /// What is left there.
    Room(Room),
    /// Whether the room could not be asked for, and why.
    NoRoomKnown(String),
    /// Whether the kernel can do this.
    Kernel(Ability, bool),
    /// Whether the kernel could not be tried, and why.
    KernelUntried(String),
    /// What a logout does to a hap.
    Logout(Fate),
    /// So many commands are alive, each with its supervisor.
    Supervised(usize),
    /// This command had no supervisor and got one.
    Healed(Title),
    /// This command has no supervisor and cannot be given one.
    Unsupervised(Title),
    /// So many records were read, and all else is in order.
    Sound(usize),
    /// This record cannot be read.
    Broken(BrokenRecord),
    /// So many things lie about that a killed `hap` left half-made or half-removed.
    Litter(usize),
}

/// Who can get at the state directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privacy {
    /// It is not there yet.
    Missing,
    /// Only its owner.
    Private,
    /// Others can read it: its mode.
    Readable(u32),
    /// It is not safe to use at all, for this reason.
    Unsafe(&'static str),
}

/// What the state directory lies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// A disk of this machine.
    Local(&'static str),
    /// Memory: nothing outlives a reboot.
    Memory(&'static str),
    /// Another machine.
    Network(&'static str),
    /// What a program makes of it, which may be anything.
    Program(&'static str),
    /// A file system with this magic number that nobody has told us of.
    Unknown(u64),
}

/// What is left on a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Bytes that this user can still write.
    pub bytes: u64,
    /// Files that this user can still make; `None` where they are not counted.
    pub files: Option<u64>,
    /// Nothing can be written at all.
    pub is_read_only: bool,
}

/// What makes `hap` impossible to fool, and not every kernel can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ability {
    /// A handle of a process that no other one can inherit: `pidfd_open`, Linux 5.3.
    Handles,
    /// The exit status of a process that is not a child: `PIDFD_GET_INFO` with `PIDFD_INFO_EXIT`, Linux 6.15.
    ExitStatus,
    /// A signal to a group by a handle: `PIDFD_SIGNAL_PROCESS_GROUP`, Linux 6.9.
    GroupSignals,
}

/// A record that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenRecord {
    /// Of this hap.
    pub id: Id,
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
    /// The same record, ready for its end, which is whole.
    pub spare: Option<PathBuf>,
}

impl Finding {
    /// How bad it is.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Directory(Privacy::Missing | Privacy::Private) | Self::Supervised(_) | Self::Sound(_) => Verdict::Ok,
            Self::Storage(storage) => storage.verdict(),
            Self::Room(room) => room.verdict(),
            Self::Kernel(ability, is_there) => ability.verdict(*is_there),
            Self::Logout(fate) if fate.is_death() => Verdict::Problem,
            Self::Logout(fate) if *fate != Fate::Unknown => Verdict::Ok,
            Self::Logout(_) | Self::NoRoomKnown(_) | Self::KernelUntried(_) | Self::Healed(_) | Self::Litter(_) => {
                Verdict::Warning
            }
            Self::Directory(Privacy::Readable(_) | Privacy::Unsafe(_)) | Self::Unsupervised(_) | Self::Broken(_) => {
                Verdict::Problem
            }
        }
    }
}

impl Privacy {
    /// By the mode of a directory.
    pub fn of(mode: u32) -> Self {
        const OTHERS: u32 = 0o077;
        match mode & OTHERS {
            0 => Self::Private,
            _ => Self::Readable(mode & 0o777),
        }
    }
}

impl Storage {
    /// By the magic number of statfs(2).
    pub fn of(magic: u64) -> Self {
        match magic {
            0xef53 => Self::Local("ext4"),
            0x5846_5342 => Self::Local("xfs"),
            0x9123_683e => Self::Local("btrfs"),
            0x2fc1_2fc1 => Self::Local("zfs"),
            0xf2f5_2010 => Self::Local("f2fs"),
            0xca45_1a4e => Self::Local("bcachefs"),
            0x794c_7630 => Self::Local("overlayfs"),
            0x4d44 => Self::Local("vfat"),
            0x0102_1994 => Self::Memory("tmpfs"),
            0x8584_58f6 => Self::Memory("ramfs"),
            0x6969 => Self::Network("NFS"),
            0xff53_4d42 | 0xfe53_4d42 | 0x517b => Self::Network("SMB"),
            0x00c3_6400 => Self::Network("Ceph"),
            0x0102_1997 => Self::Network("9p"),
            0x5346_414f | 0x6b41_4653 => Self::Network("AFS"),
            0x7375_7245 => Self::Network("Coda"),
            0x0bd0_0bd0 => Self::Network("Lustre"),
            0x4750_4653 => Self::Network("GPFS"),
            0x0116_1970 => Self::Network("GFS2"),
            0x7461_636f => Self::Network("OCFS2"),
            0x6573_5546 => Self::Program("FUSE"),
            _ => Self::Unknown(magic),
        }
    }

    fn verdict(self) -> Verdict {
        match self {
            Self::Local(_) | Self::Unknown(_) => Verdict::Ok,
            Self::Memory(_) | Self::Program(_) | Self::Network(_) => Verdict::Warning,
        }
    }
}

impl Room {
    /// A launch needs ten files and some ten KiB, and a log may grow by any amount.
    fn verdict(self) -> Verdict {
        let files = self.files.unwrap_or(u64::MAX);
        if self.is_read_only || self.bytes < 16 * MIB || files < 256 {
            Verdict::Problem
        } else if self.bytes < 256 * MIB || files < 5_000 {
            Verdict::Warning
        } else {
            Verdict::Ok
        }
    }
}

impl Ability {
    /// Without handles no process can be signalled for sure; without the others there is another way.
    fn verdict(self, is_there: bool) -> Verdict {
        match (is_there, self) {
            (true, _) => Verdict::Ok,
            (false, Self::Handles) => Verdict::Problem,
            (false, Self::ExitStatus | Self::GroupSignals) => Verdict::Warning,
        }
    }
}

/// The worst of all verdicts.
pub fn worst(findings: &[Finding]) -> Verdict {
    findings.iter().map(Finding::verdict).max().unwrap_or(Verdict::Ok)
}

#[cfg(test)]
mod tests {
    use super::{Ability, BrokenRecord, Finding, MIB, Privacy, Room, Storage, Verdict, worst};
    use crate::core::id::Id;
    use crate::core::logout::Fate;
    use crate::core::name::Name;
    use crate::core::title::Title;
    use std::path::PathBuf;

    fn id() -> Id {
        Id::new(1).expect("not zero")
    }

    fn title() -> Title {
        Title { id: id(), name: Name::new("train").expect("valid") }
    }

    #[test]
    fn every_finding_has_its_verdict() {
        use Verdict::{Ok, Problem, Warning};
        let record = || BrokenRecord { id: id(), path: PathBuf::new(), reason: String::new(), spare: None };
        let table = [
            (Finding::Directory(Privacy::Missing), Ok),
            (Finding::Directory(Privacy::Private), Ok),
            (Finding::Directory(Privacy::Readable(0o755)), Problem),
            (Finding::Directory(Privacy::Unsafe("it is a symbolic link")), Problem),
            (Finding::Storage(Storage::Local("ext4")), Ok),
            (Finding::Storage(Storage::Unknown(1)), Ok),
            (Finding::Storage(Storage::Memory("tmpfs")), Warning),
            (Finding::Storage(Storage::Network("NFS")), Warning),
            (Finding::Storage(Storage::Program("FUSE")), Warning),
            (Finding::NoRoomKnown(String::new()), Warning),
            (Finding::KernelUntried(String::new()), Warning),
            (Finding::Kernel(Ability::Handles, true), Ok),
            (Finding::Kernel(Ability::Handles, false), Problem),
            (Finding::Kernel(Ability::ExitStatus, false), Warning),
            (Finding::Kernel(Ability::GroupSignals, false), Warning),
            (Finding::Logout(Fate::NoSystemd), Ok),
            (Finding::Logout(Fate::NoLogin), Ok),
            (Finding::Logout(Fate::LeftAlone), Ok),
            (Finding::Logout(Fate::Lingers), Ok),
            (Finding::Logout(Fate::Unknown), Warning),
            (Finding::Logout(Fate::KilledWithManager), Problem),
            (Finding::Logout(Fate::KilledWithSession { lingers: true }), Problem),
            (Finding::Supervised(3), Ok),
            (Finding::Healed(title()), Warning),
            (Finding::Unsupervised(title()), Problem),
            (Finding::Sound(0), Ok),
            (Finding::Broken(record()), Problem),
            (Finding::Litter(1), Warning),
        ];
        for (finding, verdict) in &table {
            assert_eq!(finding.verdict(), *verdict, "{finding:?}");
        }
        let findings: Vec<Finding> = table.into_iter().map(|(finding, _)| finding).collect();
        assert_eq!(worst(&[]), Ok);
        assert_eq!(worst(&findings[..2]), Ok);
        assert_eq!(worst(&findings[4..8]), Warning);
        assert_eq!(worst(&findings), Problem);
    }

    #[test]
    fn a_directory_is_private_if_its_mode_gives_others_nothing() {
        assert_eq!(Privacy::of(0o40700), Privacy::Private);
        assert_eq!(Privacy::of(0o41755), Privacy::Readable(0o755));
        assert_eq!(Privacy::of(0o40701), Privacy::Readable(0o701));
    }

    #[test]
    fn room_runs_out_by_bytes_or_by_files() {
        let verdict = |bytes, files, is_read_only| Room { bytes, files, is_read_only }.verdict();
        assert_eq!(verdict(256 * MIB, None, false), Verdict::Ok);
        assert_eq!(verdict(256 * MIB, Some(5_000), false), Verdict::Ok);
        assert_eq!(verdict(256 * MIB - 1, None, false), Verdict::Warning);
        assert_eq!(verdict(u64::MAX, Some(4_999), false), Verdict::Warning);
        assert_eq!(verdict(16 * MIB - 1, None, false), Verdict::Problem);
        assert_eq!(verdict(u64::MAX, Some(255), false), Verdict::Problem);
        assert_eq!(verdict(u64::MAX, None, true), Verdict::Problem);
    }

    #[test]
    fn file_systems_are_told_by_their_numbers() {
        assert_eq!(Storage::of(0xef53), Storage::Local("ext4"));
        assert_eq!(Storage::of(0x6969), Storage::Network("NFS"));
        assert_eq!(Storage::of(0xff53_4d42), Storage::Network("SMB"));
        assert_eq!(Storage::of(0x0102_1994), Storage::Memory("tmpfs"));
        assert_eq!(Storage::of(0x6573_5546), Storage::Program("FUSE"));
        assert_eq!(Storage::of(7), Storage::Unknown(7));
    }
}
