//! What `doctor` found, in words: for each finding its subject, what was seen, and what to do about it.
//!
//! Must not judge: the verdict comes with the finding.

use std::path::Path;

use serde::Serialize;

use super::json;
use super::look::{ERROR, FAINT, GOOD, HINT, Look, Paint, WARNING};
use super::sanitize::visible;
use super::wording::haps;
use crate::core::command_line::quoted;
use crate::core::health::{Ability, BrokenRecord, Finding, Privacy, Room, Storage, Verdict, worst};
use crate::core::logout::Fate;
use crate::core::size;
use crate::ops::doctor::Checkup;

const VERSION: u32 = 1;

/// The report for programs.
#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    verdict: &'static str,
    state_dir: String,
    findings: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    subject: &'a str,
    verdict: &'static str,
    what: String,
    remedy: Option<String>,
}

/// For people: a line for each finding, and one below it if there is something to do.
pub fn text(checkup: &Checkup, look: &Look) -> String {
    checkup.findings.iter().map(|finding| entry(finding, &checkup.root, look)).collect()
}

/// For programs.
pub fn json(checkup: &Checkup) -> String {
    let Checkup { root, findings } = checkup;
    let line = |finding| Line {
        subject: subject(finding),
        verdict: word(finding.verdict()),
        what: what(finding, root),
        remedy: remedy(finding, root),
    };
    json::text(&Report {
        version: VERSION,
        verdict: word(worst(findings)),
        state_dir: root.display().to_string(),
        findings: findings.iter().map(line).collect(),
    })
}

fn entry(finding: &Finding, root: &Path, look: &Look) -> String {
    let verdict = finding.verdict();
    let badge = if look.boxes { format!("{} {}", glyph(verdict), word(verdict)) } else { word(verdict).to_owned() };
    let width = if look.boxes { 9 } else { 7 };
    let badge = look.paint(paint(verdict), &format!("{badge:width$}"));
    let subject = look.paint(FAINT, &format!("{:15}", subject(finding)));
    let line = format!("{badge}  {subject}  {}\n", visible(&what(finding, root)));
    match remedy(finding, root) {
        Some(remedy) => format!("{line}{:width$}  {} {}\n", "", look.paint(HINT, "hint:"), visible(&remedy)),
        None => line,
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Warning => "warning",
        Verdict::Problem => "problem",
    }
}

fn glyph(verdict: Verdict) -> char {
    match verdict {
        Verdict::Ok => '✓',
        Verdict::Warning => '!',
        Verdict::Problem => '✗',
    }
}

fn paint(verdict: Verdict) -> Paint {
    match verdict {
        Verdict::Ok => GOOD,
        Verdict::Warning => WARNING,
        Verdict::Problem => ERROR,
    }
}

fn subject(finding: &Finding) -> &'static str {
    match finding {
        Finding::Directory(_) => "state directory",
        Finding::Storage(_) => "file system",
        Finding::Room(_) | Finding::NoRoomKnown(_) => "room",
        Finding::Kernel(Ability::Handles, _) | Finding::KernelUntried(_) => "pidfd",
        Finding::Kernel(Ability::ExitStatus, _) => "exit status",
        Finding::Kernel(Ability::GroupSignals, _) => "group signals",
        Finding::Logout(_) => "logout",
        Finding::Supervised(_) | Finding::Healed(_) | Finding::Unsupervised(_) => "supervisors",
        Finding::Sound(_) | Finding::Broken(_) | Finding::Litter(_) => "records",
    }
}

fn what(finding: &Finding, root: &Path) -> String {
    match finding {
        Finding::Directory(privacy) => directory(*privacy, &root.display().to_string()),
        Finding::Storage(storage) => on(*storage),
        Finding::Room(left) => what_is_left(*left),
        Finding::NoRoomKnown(reason) => format!("the file system does not say what is left on it: {reason}"),
        Finding::Kernel(ability, is_there) => kernel(*ability, *is_there).to_owned(),
        Finding::KernelUntried(reason) => format!("the kernel could not be tried: {reason}"),
        Finding::Logout(fate) => logout(*fate).to_owned(),
        Finding::Supervised(0) => "nothing is running".to_owned(),
        Finding::Supervised(count) => format!("{} running, each with its supervisor", haps(*count)),
        Finding::Healed(hap) => format!("hap {hap} had lost its supervisor and now has a new one"),
        Finding::Unsupervised(hap) => format!("hap {hap} has no supervisor: nobody will see how it ends"),
        Finding::Sound(0) => "there are none".to_owned(),
        Finding::Sound(count) => format!("{}, all in order", haps(*count)),
        Finding::Broken(BrokenRecord { id, path, reason, .. }) => {
            format!("hap {id} cannot be read: {}: {reason}", path.display())
        }
        Finding::Litter(1) => "1 thing lies about that a killed hap left half-made or half-removed".to_owned(),
        Finding::Litter(count) => format!("{count} things lie about that a killed hap left half-made or half-removed"),
    }
}

fn directory(privacy: Privacy, path: &str) -> String {
    match privacy {
        Privacy::Missing => format!("{path} is not there yet; the first `hap run` makes it"),
        Privacy::Private => format!("{path} is yours alone"),
        Privacy::Readable(mode) => {
            format!("{path} can be read by others (mode {mode:03o}): output, commands, environments")
        }
        Privacy::Unsafe(reason) => format!("{path} is not safe and will not be used: {reason}"),
    }
}

fn on(storage: Storage) -> String {
    match storage {
        Storage::Local(name) => format!("{name}, on this machine"),
        Storage::Memory(name) => format!("{name}: it is memory, and a reboot forgets all haps"),
        Storage::Network(name) => format!("{name}: other machines see these haps but not their processes"),
        Storage::Program(name) => format!("{name}: a program makes it, perhaps from another machine's files"),
        Storage::Unknown(magic) => format!("of an unknown kind, {magic:#x}"),
    }
}

fn what_is_left(room: Room) -> String {
    let files = room.files.map(|files| format!(" and {files} files")).unwrap_or_default();
    if room.is_read_only {
        return "nothing can be written there: it is mounted read-only".to_owned();
    }
    format!("{}{files} left", size::short(room.bytes))
}

fn kernel(ability: Ability, is_there: bool) -> &'static str {
    match (ability, is_there) {
        (Ability::Handles, true) => "the kernel has it: no signal can reach a process that was given an old pid",
        (Ability::Handles, false) => "the kernel has no pidfd_open: nothing can be signalled for sure",
        (Ability::ExitStatus, true) => "by pidfd: an end is known even if the supervisor was killed before",
        (Ability::ExitStatus, false) => "not by pidfd: a command whose supervisor is killed ends as lost",
        (Ability::GroupSignals, true) => "by pidfd",
        (Ability::GroupSignals, false) => "not by pidfd: the group's number is checked just before it is used",
    }
}

/// What a logout does, in words.
pub(super) fn logout(fate: Fate) -> &'static str {
    match fate {
        Fate::NoSystemd => "haps live on: no systemd here that would end them",
        Fate::NoLogin => "haps live on: what is started here belongs to no login session",
        Fate::LeftAlone => "haps live on: logind leaves your processes alone",
        Fate::Lingers => "haps live on: you linger, so your systemd manager stays",
        Fate::Unknown => "no logind.conf says whether your processes are killed",
        Fate::KilledWithSession { .. } => "haps are killed: KillUserProcesses=yes ends all that a session has started",
        Fate::KilledWithManager => {
            "haps are killed: this terminal belongs to your systemd manager, which ends with you"
        }
    }
}

fn remedy(finding: &Finding, root: &Path) -> Option<String> {
    match finding {
        Finding::Directory(privacy) => make_private(*privacy, &quoted(&[root.display().to_string()])),
        Finding::Logout(fate) => outlive(*fate),
        Finding::Broken(record) => Some(repair(record)),
        Finding::Unsupervised(hap) => {
            Some(format!("`hap wait {}` watches it from now on; `hap restart {0}` starts it again", hap.id))
        }
        _ if finding.verdict() == Verdict::Ok => None,
        Finding::Storage(_) => Some("choose a directory on a disk of this machine with HAPLESS_DIR".to_owned()),
        Finding::Room(Room { is_read_only: true, .. }) => {
            Some("choose a directory that can be written to with HAPLESS_DIR".to_owned())
        }
        Finding::Room(_) => {
            Some("`hap clean` removes what has ended; or choose another place with HAPLESS_DIR".to_owned())
        }
        Finding::Kernel(Ability::Handles, _) => {
            Some("it takes Linux 5.3, and a sandbox that lets it through".to_owned())
        }
        Finding::Kernel(Ability::ExitStatus, _) => {
            Some("Linux 6.15 can; until then do not kill supervisors".to_owned())
        }
        Finding::Kernel(Ability::GroupSignals, _) => Some("Linux 6.9 can; there is nothing to do".to_owned()),
        Finding::Litter(_) => Some("`hap clean` sweeps it up".to_owned()),
        Finding::NoRoomKnown(_)
        | Finding::KernelUntried(_)
        | Finding::Supervised(_)
        | Finding::Healed(_)
        | Finding::Sound(_) => None,
    }
}

fn make_private(privacy: Privacy, path: &str) -> Option<String> {
    match privacy {
        Privacy::Missing | Privacy::Private => None,
        Privacy::Readable(_) => Some(format!("`chmod 700 {path}`")),
        Privacy::Unsafe(_) => Some(format!(
            "make it a directory of yours, `chown $(id -u) {path}; chmod 700 {path}`, or choose another with HAPLESS_DIR"
        )),
    }
}

/// How a hap outlives a logout that would end it.
pub(super) fn outlive(fate: Fate) -> Option<String> {
    const OWN_SCOPE: &str = "`systemd-run --user --scope hap run ...` starts haps outside the session";
    match fate {
        Fate::NoSystemd | Fate::NoLogin | Fate::LeftAlone | Fate::Lingers => None,
        Fate::Unknown => Some("`busctl get-property org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager KillUserProcesses` asks it".to_owned()),
        Fate::KilledWithManager => Some("`loginctl enable-linger`".to_owned()),
        Fate::KilledWithSession { lingers: true } => Some(OWN_SCOPE.to_owned()),
        Fate::KilledWithSession { lingers: false } => Some(format!("`loginctl enable-linger`, and then {OWN_SCOPE}")),
    }
}

fn repair(record: &BrokenRecord) -> String {
    let text = |path: &Path| path.display().to_string();
    let directory = record.path.parent().unwrap_or(&record.path);
    if let Some(spare) = &record.spare {
        let command = quoted(&["cp".to_owned(), text(spare), text(&record.path)]);
        return format!("`{command}` puts back the record from before its end");
    }
    let command = quoted(&["rm".to_owned(), "-r".to_owned(), text(directory)]);
    format!("its logs lie beside that file; `{command}` forgets it with them")
}

#[cfg(test)]
mod tests {
    use super::{json, text};
    use crate::core::health::{Ability, BrokenRecord, Finding, Privacy, Room, Storage};
    use crate::core::logout::Fate;
    use crate::ops::doctor::Checkup;
    use crate::view::look::Look;
    use crate::view::samples::{id, piped, running, terminal};
    use std::path::PathBuf;

    fn checkup(findings: Vec<Finding>) -> Checkup {
        Checkup { root: PathBuf::from("/home/ada/my state"), findings }
    }

    fn broken(spare: Option<PathBuf>) -> Finding {
        let path = PathBuf::from("/state/haps/1/record.json");
        Finding::Broken(BrokenRecord { id: id(1), path, reason: "it is empty".to_owned(), spare })
    }

    fn said(findings: Vec<Finding>) -> String {
        text(&checkup(findings), &piped())
    }

    #[test]
    fn the_state_directory_and_what_it_lies_on() {
        let room = |bytes, is_read_only| Finding::Room(Room { bytes, files: Some(5_000_000), is_read_only });
        assert_eq!(
            said(vec![
                Finding::Directory(Privacy::Missing),
                Finding::Directory(Privacy::Readable(0o755)),
                Finding::Directory(Privacy::Unsafe("it is a symbolic link")),
                Finding::Storage(Storage::Local("ext4")),
                Finding::Storage(Storage::Network("NFS")),
                Finding::Storage(Storage::Unknown(0xabc)),
                room(71 << 30, false),
                room(3 << 20, false),
                room(0, true),
            ]),
            "\
ok       state directory  /home/ada/my state is not there yet; the first `hap run` makes it
problem  state directory  /home/ada/my state can be read by others (mode 755): output, commands, environments
         hint: `chmod 700 '/home/ada/my state'`
problem  state directory  /home/ada/my state is not safe and will not be used: it is a symbolic link
         hint: make it a directory of yours, `chown $(id -u) '/home/ada/my state'; chmod 700 '/home/ada/my state'`, \
or choose another with HAPLESS_DIR
ok       file system      ext4, on this machine
warning  file system      NFS: other machines see these haps but not their processes
         hint: choose a directory on a disk of this machine with HAPLESS_DIR
ok       file system      of an unknown kind, 0xabc
ok       room             71.0 GiB and 5000000 files left
problem  room             3.0 MiB and 5000000 files left
         hint: `hap clean` removes what has ended; or choose another place with HAPLESS_DIR
problem  room             nothing can be written there: it is mounted read-only
         hint: choose a directory that can be written to with HAPLESS_DIR
"
        );
    }

    #[test]
    fn the_kernel_and_the_logout() {
        assert_eq!(
            said(vec![
                Finding::Kernel(Ability::Handles, true),
                Finding::Kernel(Ability::Handles, false),
                Finding::Kernel(Ability::GroupSignals, true),
                Finding::Kernel(Ability::ExitStatus, false),
                Finding::Logout(Fate::LeftAlone),
                Finding::Logout(Fate::KilledWithManager),
                Finding::Logout(Fate::KilledWithSession { lingers: false }),
            ]),
            "\
ok       pidfd            the kernel has it: no signal can reach a process that was given an old pid
problem  pidfd            the kernel has no pidfd_open: nothing can be signalled for sure
         hint: it takes Linux 5.3, and a sandbox that lets it through
ok       group signals    by pidfd
warning  exit status      not by pidfd: a command whose supervisor is killed ends as lost
         hint: Linux 6.15 can; until then do not kill supervisors
ok       logout           haps live on: logind leaves your processes alone
problem  logout           haps are killed: this terminal belongs to your systemd manager, which ends with you
         hint: `loginctl enable-linger`
problem  logout           haps are killed: KillUserProcesses=yes ends all that a session has started
         hint: `loginctl enable-linger`, and then `systemd-run --user --scope hap run ...` starts haps outside \
the session
"
        );
    }

    #[test]
    fn the_haps() {
        assert_eq!(
            said(vec![
                Finding::Supervised(0),
                Finding::Supervised(2),
                Finding::Healed(running(1, "train").title()),
                Finding::Unsupervised(running(1, "train").title()),
                Finding::Sound(1),
                broken(Some(PathBuf::from("/state/haps/1/record.next"))),
                broken(None),
                Finding::Litter(2),
            ]),
            "\
ok       supervisors      nothing is running
ok       supervisors      2 haps running, each with its supervisor
warning  supervisors      hap 1 (train) had lost its supervisor and now has a new one
problem  supervisors      hap 1 (train) has no supervisor: nobody will see how it ends
         hint: `hap wait 1` watches it from now on; `hap restart 1` starts it again
ok       records          1 hap, all in order
problem  records          hap 1 cannot be read: /state/haps/1/record.json: it is empty
         hint: `cp /state/haps/1/record.next /state/haps/1/record.json` puts back the record from before its end
problem  records          hap 1 cannot be read: /state/haps/1/record.json: it is empty
         hint: its logs lie beside that file; `rm -r /state/haps/1` forgets it with them
warning  records          2 things lie about that a killed hap left half-made or half-removed
         hint: `hap clean` sweeps it up
"
        );
    }

    #[test]
    fn a_terminal_has_symbols_and_colours_beside_the_words() {
        let findings = vec![Finding::Supervised(0), Finding::Litter(1), broken(None)];
        let plain = text(&checkup(findings.clone()), &terminal(80));
        let begins: Vec<&str> = plain.lines().filter_map(|line| line.split("  ").next()).collect();
        assert_eq!(begins, ["✓ ok", "! warning", "", "✗ problem", ""]);
        let coloured = text(&checkup(findings), &Look { colour: true, ..terminal(80) });
        assert!(coloured.starts_with("\u{1b}[32m✓ ok"), "{coloured}");
    }

    #[test]
    fn programs_get_the_same_and_the_worst_verdict() {
        let report = json(&checkup(vec![Finding::Supervised(0), Finding::Litter(1)]));
        let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
        assert_eq!((&report["verdict"], &report["version"]), (&"warning".into(), &1.into()));
        assert_eq!(report["state_dir"], "/home/ada/my state");
        assert_eq!(report["findings"][0]["remedy"], serde_json::Value::Null);
        assert_eq!(report["findings"][1]["remedy"], "`hap clean` sweeps it up");
    }
}
