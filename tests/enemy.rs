//! The state directory as an enemy: whatever lies in it, `hap` neither panics nor hangs, hides no
//! healthy hap, deletes no running one, and says which file is wrong and why.

mod world;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use proptest::prelude::*;
use serde_json::Value;
use world::process::Process;
use world::{Outcome, World, finish, finish_within, json, wait_for};

/// No command may take longer, whatever it meets.
const PATIENCE: Duration = Duration::from_secs(10);

/// The files of a hap. `cwd` is a link.
const FILES: [&str; 8] =
    ["record.json", "record.next", "cmdline", "environ", "cwd", "lock", "stdout.log", "stderr.log"];

/// What an enemy does to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Damage {
    Missing,
    Emptied,
    /// Cut at so many hundredths of its length.
    Truncated(u64),
    Garbage,
    Nulls,
    OtherJson,
    NewerVersion,
    Huge,
    Directory,
    FullDirectory,
    Fifo,
    LinkElsewhere,
    LinkToNothing,
    LinkToItself,
    LinkToDevice,
    Unreadable,
}

const DAMAGES: [Damage; 19] = [
    Damage::Missing,
    Damage::Emptied,
    Damage::Truncated(1),
    Damage::Truncated(30),
    Damage::Truncated(60),
    Damage::Truncated(99),
    Damage::Garbage,
    Damage::Nulls,
    Damage::OtherJson,
    Damage::NewerVersion,
    Damage::Huge,
    Damage::Directory,
    Damage::FullDirectory,
    Damage::Fifo,
    Damage::LinkElsewhere,
    Damage::LinkToNothing,
    Damage::LinkToItself,
    Damage::LinkToDevice,
    Damage::Unreadable,
];

impl Damage {
    fn is_of_contents(self) -> bool {
        use Damage::{Emptied, Garbage, Huge, NewerVersion, Nulls, OtherJson, Truncated};
        matches!(self, Emptied | Truncated(_) | Garbage | Nulls | OtherJson | NewerVersion | Huge)
    }

    /// Does it to a file. What `elsewhere` is must never be changed through a link.
    fn inflict(self, path: &Path, elsewhere: &Path) {
        let length = fs::metadata(path).map_or(0, |metadata| metadata.len());
        let write = |bytes: &[u8]| {
            let _ = fs::remove_file(path);
            fs::write(path, bytes).expect("a new file");
        };
        match self {
            Self::Truncated(hundredths) if path.is_file() => {
                fs::OpenOptions::new()
                    .write(true)
                    .open(path)
                    .expect("our own")
                    .set_len(length * hundredths / 100)
                    .expect("cut");
            }
            Self::Emptied | Self::Truncated(_) => write(b""),
            Self::Garbage => write(b"\xff\xfe{]\x1b[31m not a record \x00\n\x07"),
            Self::Nulls => write(&[0; 4096]),
            Self::OtherJson => write(br#"{"version":1,"name":[],"end":{"outcome":{"exited":99999}},"process":null}"#),
            Self::NewerVersion => write(br#"{"version":99,"of":"a time to come"}"#),
            Self::Huge => {
                write(b"{");
                fs::OpenOptions::new()
                    .write(true)
                    .open(path)
                    .expect("our own")
                    .set_len(1 << 40)
                    .expect("holes cost nothing");
            }
            // A link has no mode: chmod(2) would change what it leads to.
            Self::Unreadable if path.is_symlink() => {}
            Self::Unreadable => fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap_or_default(),
            _ => {
                let _ = fs::remove_file(path);
                match self {
                    Self::Directory => fs::create_dir(path).expect("a new directory"),
                    Self::FullDirectory => {
                        fs::create_dir(path).expect("a new directory");
                        fs::write(path.join("file"), "x").expect("a new file");
                    }
                    Self::Fifo => mkfifo(path, Mode::S_IRWXU).expect("a new FIFO"),
                    Self::LinkElsewhere => symlink(elsewhere, path).expect("a new link"),
                    Self::LinkToNothing => symlink("/no/such/file", path).expect("a new link"),
                    Self::LinkToItself => symlink(path, path).expect("a new link"),
                    Self::LinkToDevice => symlink("/dev/zero", path).expect("a new link"),
                    _ => {}
                }
            }
        }
    }
}

/// A world with two healthy haps, one that runs and one that has ended.
struct Siege {
    world: World,
    healthy: Process,
    /// A file outside of the state directory, which nobody may touch.
    elsewhere: PathBuf,
}

const PRECIOUS: &str = "precious\n";

impl Siege {
    fn lay() -> Self {
        let world = World::new();
        world.run(&["-n", "healthy", "sleep", "1000"]);
        let healthy = world.main_process("1");
        let elsewhere = world.path("elsewhere");
        fs::write(&elsewhere, PRECIOUS).expect("a new file");
        Self { world, healthy, elsewhere }
    }

    /// Runs `hap`: it must end soon, in order.
    #[track_caller]
    fn hap(&self, arguments: &[&str], when: &str) -> Outcome {
        let outcome =
            finish_within(self.world.command(arguments), PATIENCE).unwrap_or_else(|hung| panic!("{when}: {hung}"));
        outcome.assert_calm();
        let sent = [&outcome.stdout, &outcome.stderr].into_iter().any(|text| text.contains(['\u{1b}', '\u{7}', '\0']));
        assert!(
            !sent || ["logs", "errors"].contains(&arguments[0]),
            "{when}: hap {arguments:?} sends what a terminal obeys: {outcome:?}"
        );
        outcome
    }

    fn list(&self, when: &str) -> Vec<Value> {
        let outcome = self.hap(&["--json"], when);
        assert_eq!(outcome.code, 0, "{when}: {outcome:?}");
        json(&outcome.stdout).as_array().expect("an array").clone()
    }

    /// All verbs against a damaged hap, with what must hold after each.
    fn storm(&self, victim: &str, process: Option<Process>, path: &Path, damage: Damage) {
        let when = format!("{} {damage:?}", path.display());
        let done = self.world.run(&["-n", "done", "true"]);
        self.world.until_ended(&done);
        let ids = |list: &[Value]| list.iter().map(|hap| hap["hid"].to_string()).collect::<Vec<_>>();

        let list = self.list(&when);
        assert_eq!(ids(&list), ["1", victim, &done], "{when}: nothing is hidden");
        assert_eq!((&list[0]["status"], &list[2]["status"]), (&"running".into(), &"success".into()), "{when}");
        self.check_that_it_is_named(victim, path, &list[1], &when);
        for arguments in
            [&["status"][..], &["-v"], &["status", victim], &["status", "-v", victim], &["status", "--json", victim]]
        {
            let outcome = self.hap(arguments, &when);
            assert!(outcome.code == 0 || !outcome.stderr.is_empty(), "{when}: {outcome:?}");
        }
        for arguments in [["logs", victim], ["errors", victim], ["resume", victim]] {
            // A log that is endless on paper is an answer that never ends.
            if damage != Damage::Huge {
                self.hap(&arguments, &when);
            }
        }
        for arguments in [&["clean", "--skip-failed"][..], &["clean"]] {
            self.hap(arguments, &when);
            self.check_that_runners_stay(victim, process, &when);
        }
        self.hap(&["kill", victim], &when);
        self.hap(&["stop", "-t", "0.1", victim], &when);
        self.hap(&["clean"], &when);
        self.check_that_runners_stay(victim, process, &when);
        assert_eq!(fs::read_to_string(&self.elsewhere).expect("it is there"), PRECIOUS, "{when}");
    }

    /// A hap that cannot be read is shown as broken, with the file and the reason, in the table, in
    /// its panel and in JSON.
    fn check_that_it_is_named(&self, victim: &str, path: &Path, hap: &Value, when: &str) {
        if hap["status"] != "broken" {
            assert!(hap["name"].is_string() && hap["pid"].is_u64(), "{when}: {hap}");
            return;
        }
        let path = path.to_string_lossy();
        assert_eq!(hap["path"].as_str(), Some(&*path), "{when}");
        assert!(hap["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{when}: {hap}");
        for arguments in [&["status"][..], &["status", victim]] {
            let outcome = self.hap(arguments, when);
            assert!(outcome.stdout.contains(&*path) || outcome.stderr.contains(&*path), "{when}: {outcome:?}");
        }
        for verb in ["kill", "pause", "logs"] {
            let refused = self.hap(&[verb, victim], when);
            assert_eq!(refused.code, 1, "{when}: {refused:?}");
            assert!(refused.stderr.contains(&*path), "{when}: {refused:?}");
        }
    }

    fn check_that_runners_stay(&self, victim: &str, process: Option<Process>, when: &str) {
        assert!(self.healthy.is_alive(), "{when}");
        let list = self.list(when);
        assert!(list.iter().any(|hap| hap["name"] == "healthy" && hap["status"] == "running"), "{when}: {list:?}");
        if process.is_some_and(Process::is_alive) {
            assert!(self.world.state("haps").join(victim).exists(), "{when}: a running hap was deleted");
        }
    }

    /// Puts a hap that was a victim out of the world, by hand.
    fn bury(&self, victim: &str, processes: &[Process]) {
        for process in processes {
            process.kill();
        }
        let directory = self.world.state("haps").join(victim);
        let _ = fs::set_permissions(&directory, fs::Permissions::from_mode(0o700));
        let _ = fs::remove_dir_all(directory);
        self.hap(&["clean"], "after a siege");
    }
}

/// Damages this file in every way, of a hap that runs and of one that has ended.
fn besiege(file: &str) {
    let siege = Siege::lay();
    for damage in DAMAGES {
        for is_running in [true, false] {
            let script = if is_running { "echo out; echo err >&2; exec sleep 1000" } else { "echo out; echo err >&2" };
            let victim = siege.world.run(&["-n", "victim", "sh", "-c", script]);
            wait_for("its output", || {
                fs::metadata(siege.world.file(&victim, "stderr.log")).is_ok_and(|log| log.len() > 0)
            });
            let processes = [siege.world.supervisor(&victim), siege.world.main_process(&victim)];
            if !is_running {
                siege.world.until_ended(&victim);
                processes[0].until_gone();
            }
            let path = siege.world.file(&victim, file);
            damage.inflict(&path, &siege.elsewhere);
            siege.storm(&victim, is_running.then_some(processes[1]), &path, damage);
            siege.bury(&victim, &processes);
        }
    }
}

#[test]
fn a_record_may_be_damaged_in_any_way() {
    besiege(FILES[0]);
}

#[test]
fn a_spare_record_may_be_damaged_in_any_way() {
    besiege(FILES[1]);
}

#[test]
fn arguments_may_be_damaged_in_any_way() {
    besiege(FILES[2]);
}

#[test]
fn an_environment_may_be_damaged_in_any_way() {
    besiege(FILES[3]);
}

#[test]
fn a_link_to_the_directory_may_be_damaged_in_any_way() {
    besiege(FILES[4]);
}

#[test]
fn a_lock_may_be_damaged_in_any_way() {
    besiege(FILES[5]);
}

#[test]
fn a_log_may_be_damaged_in_any_way() {
    besiege(FILES[6]);
}

#[test]
fn a_log_of_errors_may_be_damaged_in_any_way() {
    besiege(FILES[7]);
}

#[test]
fn a_record_may_be_cut_at_any_byte() {
    let siege = Siege::lay();
    let victim = siege.world.run(&["-n", "victim", "sh", "-c", "exit 3"]);
    siege.world.until_recorded(&victim);
    let path = siege.world.file(&victim, "record.json");
    let whole = fs::read(&path).expect("a record");
    let text_end = whole.iter().rposition(|&byte| byte == b'}').expect("an object");
    for length in (0..=text_end).step_by(7).chain([1, 2, text_end - 1, text_end]) {
        fs::write(&path, &whole[..length]).expect("our own");
        let list = siege.list(&format!("cut at {length}"));
        assert_eq!(list.len(), 2, "cut at {length}");
        assert_eq!((&list[0]["status"], &list[1]["status"]), (&"running".into(), &"broken".into()), "cut at {length}");
    }
    fs::write(&path, whole).expect("our own");
    assert_eq!(siege.world.status("victim")["rc"], 3);
}

#[test]
fn a_whole_hap_may_be_anything_else() {
    let siege = Siege::lay();
    for damage in DAMAGES {
        let path = siege.world.state("haps").join("7");
        fs::create_dir(&path).expect("a new directory");
        if damage != Damage::Unreadable {
            fs::remove_dir(&path).expect("our own");
        }
        damage.inflict(&path, &siege.elsewhere);
        let when = format!("haps/7 {damage:?}");
        let list = siege.list(&when);
        assert_eq!(list[0]["status"], "running", "{when}");
        if damage != Damage::Missing {
            assert_eq!((list.len(), &list[1]["status"]), (2, &"broken".into()), "{when}");
        }
        for arguments in
            [&["status"][..], &["status", "7"], &["logs", "7"], &["kill", "7"], &["clean"], &["run", "-q", "true"]]
        {
            siege.hap(arguments, &when);
        }
        wait_for("the last one to end", || {
            siege.list(&when).iter().filter(|hap| hap["status"] == "running").count() == 1
        });
        siege.check_that_runners_stay("7", None, &when);
        assert_eq!(fs::read_to_string(&siege.elsewhere).expect("it is there"), PRECIOUS, "{when}");
        let _ = fs::set_permissions(&path, fs::Permissions::from_mode(0o700));
        let _ = fs::remove_file(&path);
        let _ = fs::remove_dir_all(&path);
        siege.hap(&["clean"], &when);
    }
}

#[test]
fn a_hap_may_be_deleted_while_it_runs() {
    let siege = Siege::lay();
    let victim = siege.world.run(&["sleep", "1000"]);
    let process = siege.world.main_process(&victim);
    fs::remove_dir_all(siege.world.state("haps").join(&victim)).expect("our own");
    for arguments in [&["status"][..], &["kill", &victim], &["clean"], &["run", "-q", "true"]] {
        siege.hap(arguments, "deleted");
    }
    assert!(siege.healthy.is_alive());
    process.kill();
    siege.check_that_runners_stay(&victim, None, "deleted");
}

/// Damages one file of the state directory itself and uses it: nothing of the haps may suffer.
fn damage_to_state(file: &str) {
    for damage in DAMAGES {
        let siege = Siege::lay();
        let path = siege.world.state(file);
        let _ = fs::remove_dir_all(&path);
        if !path.exists() && damage == Damage::Unreadable {
            fs::write(&path, "x").expect("a new file");
        }
        damage.inflict(&path, &siege.elsewhere);
        let when = format!("{file} {damage:?}");
        siege.check_that_runners_stay("1", None, &when);
        for arguments in [
            &["status"][..],
            &["status", "healthy"],
            &["logs", "healthy"],
            &["pause", "healthy"],
            &["resume", "healthy"],
        ] {
            let outcome = siege.hap(arguments, &when);
            assert_eq!(outcome.code, 0, "{when}: {outcome:?}");
        }
        let outcome = siege.hap(&["run", "-q", "-n", "new", "sleep", "1000"], &when);
        if outcome.code == 0 {
            assert_ne!(outcome.stdout, "1\n", "{when}: no id twice");
        } else {
            assert!(outcome.stderr.contains(&*siege.world.path("state").to_string_lossy()), "{when}: {outcome:?}");
        }
        siege.hap(&["clean"], &when);
        siege.check_that_runners_stay("1", None, &when);
        assert_eq!(siege.hap(&["kill", "healthy"], &when).code, 0, "{when}");
        assert!(!siege.healthy.is_alive(), "{when}");
        assert_eq!(fs::read_to_string(&siege.elsewhere).expect("it is there"), PRECIOUS, "{when}");
    }
}

#[test]
fn the_last_id_may_be_damaged_in_any_way() {
    damage_to_state("last-id");
}

#[test]
fn the_directory_of_names_may_be_damaged_in_any_way() {
    damage_to_state("names");
}

#[test]
fn the_trash_may_be_damaged_in_any_way() {
    damage_to_state("trash");
}

#[test]
fn a_name_may_lead_to_anything() {
    let siege = Siege::lay();
    let link = siege.world.state("names").join("healthy");
    for damage in DAMAGES {
        let _ = fs::remove_file(&link);
        let _ = fs::remove_dir_all(&link);
        damage.inflict(&link, &siege.elsewhere);
        let when = format!("names/healthy {damage:?}");
        let found = siege.hap(&["status", "--json", "healthy"], &when);
        assert_eq!(json(&found.stdout)["hid"], 1, "{when}: {found:?}");
        let taken = siege.hap(&["run", "-n", "other", "true"], &when);
        assert_eq!(taken.code, 0, "{when}: {taken:?}");
        wait_for("its end", || {
            siege.list(&when).iter().all(|hap| hap["name"] != "other" || hap["status"] == "success")
        });
        siege.hap(&["clean"], &when);
        siege.check_that_runners_stay("1", None, &when);
    }
    for target in ["../haps/99", "../haps/../..", "/etc", "../haps/01", "../haps/-1", "../haps"] {
        let _ = fs::remove_file(&link);
        let _ = fs::remove_dir_all(&link);
        symlink(target, &link).expect("a new link");
        assert_eq!(siege.world.status("healthy")["hid"], 1, "{target}");
    }
}

#[test]
fn a_name_is_not_given_out_twice_when_its_link_is_lost() {
    let siege = Siege::lay();
    fs::remove_file(siege.world.state("names").join("healthy")).expect("our own");
    let refused = siege.hap(&["run", "-n", "healthy", "sleep", "1000"], "its link is lost");
    assert_eq!(refused.code, 1, "two haps have one name: {:?}", siege.world.ids());
}

#[test]
fn names_lead_to_the_right_hap_when_links_are_exchanged() {
    let siege = Siege::lay();
    siege.world.run(&["-n", "second", "sleep", "1000"]);
    for (name, id) in [("healthy", "2"), ("second", "1")] {
        let link = siege.world.state("names").join(name);
        fs::remove_file(&link).expect("our own");
        symlink(format!("../haps/{id}"), link).expect("a new link");
    }
    assert_eq!(
        (siege.world.status("healthy")["hid"].as_u64(), siege.world.status("second")["hid"].as_u64()),
        (Some(1), Some(2))
    );
    siege.hap(&["kill", "second"], "exchanged");
    assert!(siege.healthy.is_alive());
}

#[test]
fn the_directory_of_haps_may_be_anything_else() {
    for damage in [
        Damage::Emptied,
        Damage::Garbage,
        Damage::Fifo,
        Damage::LinkElsewhere,
        Damage::LinkToNothing,
        Damage::LinkToItself,
    ] {
        let siege = Siege::lay();
        let path = siege.world.state("haps");
        fs::rename(&path, siege.world.path("aside")).expect("our own");
        damage.inflict(&path, &siege.elsewhere);
        let when = format!("haps {damage:?}");
        for arguments in [&["status"][..], &["status", "1"], &["kill", "--all"], &["clean"], &["run", "true"]] {
            let outcome = siege.hap(arguments, &when);
            assert_eq!(outcome.code, 1, "{when}: hap {arguments:?}: {outcome:?}");
            assert!(outcome.stderr.contains(&*path.to_string_lossy()), "{when}: hap {arguments:?}: {outcome:?}");
        }
        fs::remove_file(&path).expect("our own");
        fs::rename(siege.world.path("aside"), &path).expect("our own");
        siege.check_that_runners_stay("1", None, &when);
    }
}

// ---- The end is recorded all the same ----

#[test]
fn the_end_is_recorded_whatever_became_of_the_files_meanwhile() {
    for file in FILES {
        for damage in DAMAGES {
            if damage == Damage::Huge {
                continue;
            }
            let siege = Siege::lay();
            let world = &siege.world;
            mkfifo(&world.work("go"), Mode::S_IRWXU).expect("a new FIFO");
            let victim = world.run_sh("read line < go; exit 3");
            let number: u64 = victim.parse().expect("an id");
            let supervisor = world.supervisor(&victim);
            let path = world.file(&victim, file);
            damage.inflict(&path, &siege.elsewhere);
            fs::write(world.work("go"), "go\n").expect("it reads");
            supervisor.until_gone();
            let when = format!("{file} {damage:?}");
            let hap = siege.list(&when).into_iter().find(|hap| hap["hid"] == number).expect("it is listed");
            // Where a spare record cannot be, or a record is in the way, the truth is that nobody knows.
            let may_be_lost = file.starts_with("record") && !damage.is_of_contents() && damage != Damage::Missing;
            let is_known = hap["rc"] == 3 && hap["status"] == "failed";
            assert!(is_known || may_be_lost && hap["status"] != "success", "{when}: {hap}");
            assert_eq!(fs::read_to_string(&siege.elsewhere).expect("it is there"), PRECIOUS, "{when}");
        }
    }
}

// ---- Any bytes at all ----

fn mutations() -> impl Strategy<Value = Vec<(usize, u8)>> {
    proptest::collection::vec((0..2000_usize, any::<u8>()), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]

    #[test]
    fn flipped_bytes_in_a_record_are_survived(flips in proptest::collection::vec(mutations(), 4)) {
        let siege = Siege::lay();
        let victim = siege.world.run(&["-n", "victim", "sh", "-c", "exit 3"]);
        siege.world.until_ended(&victim);
        let path = siege.world.file(&victim, "record.json");
        let whole = fs::read(&path).expect("a record");
        for flips in flips {
            let mut bytes = whole.clone();
            for (at, byte) in flips {
                let at = at % bytes.len();
                bytes[at] = byte;
            }
            fs::write(&path, bytes).expect("our own");
            let list = siege.list("flipped");
            prop_assert_eq!(list.len(), 2);
            prop_assert_eq!(&list[0]["status"], "running");
            prop_assert_ne!(&list[1]["status"], "running");
            siege.hap(&["status", "-v", &victim], "flipped");
            siege.hap(&["kill", &victim], "flipped");
        }
    }
}

#[test]
fn a_directory_that_is_read_only_or_closed_is_an_error_that_says_so() {
    if world::tools::is_root() {
        skip!("root may write everywhere");
    }
    let siege = Siege::lay();
    for mode in [0o500, 0o000] {
        fs::set_permissions(siege.world.state("haps"), fs::Permissions::from_mode(mode)).expect("our own");
        let outcome = siege.hap(&["run", "true"], "closed");
        assert_eq!(outcome.code, 1, "{outcome:?}");
    }
    fs::set_permissions(siege.world.state("haps"), fs::Permissions::from_mode(0o700)).expect("our own");
}

#[test]
fn a_user_who_may_not_read_a_hap_is_told_so() {
    if world::tools::is_root() {
        skip!("root may read everything");
    }
    let siege = Siege::lay();
    fs::set_permissions(siege.world.file("1", "record.json"), fs::Permissions::from_mode(0o000)).expect("our own");
    let panel = finish(siege.world.command(&["status", "1"]));
    assert!(panel.stdout.contains("record.json"), "{panel:?}");
    fs::set_permissions(siege.world.file("1", "record.json"), fs::Permissions::from_mode(0o600)).expect("our own");
}
