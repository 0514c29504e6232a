//! Haps for programs.
//!
//! Must not round, cut or leave out anything: every key is always there, what is absent is null.
//! Invariant: valid JSON whose text is printable throughout, so that it is safe on a terminal too.

use std::borrow::Cow;
use std::fmt::Write;
use std::path::Path;

use jiff::tz::TimeZone;
use serde::Serialize;

use super::{time, wording};
use crate::core::duration;
use crate::core::name::is_unprintable;
use crate::core::record::Outcome;
use crate::ops::clean::{Cleaned, Removed};
use crate::ops::details::{Details, EarlierRun};
use crate::ops::hap::{Broken, Entry, Hap};
use crate::ops::list::Item;
use crate::ops::load::Load;

/// Grows only when a field goes or changes its meaning; new fields may come at any time.
const VERSION: u32 = 1;

/// The status of a hap whose record cannot be read.
const BROKEN: &str = "broken";

/// A hap as an object. The order of the fields is that of the output.
#[derive(Default, Serialize)]
struct Object<'a> {
    version: u32,
    hid: u32,
    name: Option<&'a str>,
    pid: Option<i32>,
    rc: Option<i32>,
    signal: Option<String>,
    cmd: Option<String>,
    argv: Option<&'a [String]>,
    workdir: Option<&'a str>,
    status: &'static str,
    runtime: Option<String>,
    runtime_seconds: Option<f64>,
    start_time: Option<String>,
    end_time: Option<String>,
    restarts: Option<u32>,
    stdout_file: Option<Cow<'a, str>>,
    stderr_file: Option<Cow<'a, str>>,
    leftover: Option<usize>,
    host: Option<&'a str>,
    uid: Option<u32>,
    merge: Option<bool>,
    log_limit: Option<u64>,
    timestamps: Option<bool>,
    adopted: Option<bool>,
    reason: Option<String>,
    path: Option<Cow<'a, str>>,
    #[serde(flatten)]
    taken: Option<Taken>,
    #[serde(flatten)]
    closer: Option<Closer<'a>>,
    #[serde(flatten)]
    deed: Option<Deed<'a>>,
}

/// What a verb adds to the hap that it acted on.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Deed<'a> {
    /// `signal`: the signal that was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<&'a str>,
    /// `kill` and `stop`: how many processes had to be killed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub killed: Option<usize>,
    /// `rename`: the name before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_name: Option<&'a str>,
    /// `run --check`: it ended well, or was running when the time was up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthy: Option<bool>,
}

/// What `clean` did.
#[derive(Serialize)]
struct Sweep<'a> {
    version: u32,
    removed: Vec<Gone<'a>>,
    leftover: usize,
    elsewhere: usize,
}

#[derive(Serialize)]
struct Gone<'a> {
    hid: u32,
    name: &'a str,
    status: &'static str,
}

/// What it takes of the machine, in a list that asks for it.
#[derive(Serialize)]
struct Taken {
    cpu_seconds: Option<f64>,
    memory_bytes: Option<u64>,
    log_bytes: u64,
}

/// What a closer look adds.
#[derive(Serialize)]
struct Closer<'a> {
    parent_pid: Option<i32>,
    user: &'a str,
    cpu_seconds: Option<f64>,
    peak_rss_kib: Option<u64>,
    log_bytes: u64,
    environment: Option<&'a [String]>,
    environment_error: Option<&'a str>,
    runs: Vec<Run>,
}

/// A run before the last restart.
#[derive(Serialize)]
struct Run {
    #[serde(rename = "run")]
    number: u32,
    rc: Option<i32>,
    signal: Option<String>,
    status: &'static str,
    runtime: Option<String>,
    runtime_seconds: Option<f64>,
    start_time: String,
    end_time: Option<String>,
}

/// Haps as an array, their times in this zone.
pub fn list(items: &[Item], zone: &TimeZone) -> String {
    let objects: Vec<Object> =
        items.iter().map(|item| Object { taken: item.load.map(taken), ..object(&item.entry, None, zone) }).collect();
    text(&objects)
}

/// One hap as an object; with `details` all about it.
pub fn one(entry: &Entry, details: Option<&Details>, zone: &TimeZone) -> String {
    text(&object(entry, details, zone))
}

/// A hap that a verb acted on, and what the verb did.
pub fn acted(hap: &Hap, deed: Deed<'_>, zone: &TimeZone) -> String {
    text(&Object { deed: Some(deed), ..whole(hap, None, zone) })
}

/// What `clean` removed, as an object.
pub fn cleaned(cleaned: &Cleaned) -> String {
    let removed = cleaned.removed.iter().map(gone).collect();
    text(&Sweep { version: VERSION, removed, leftover: cleaned.leftover, elsewhere: cleaned.elsewhere })
}

fn gone(removed: &Removed) -> Gone<'_> {
    Gone { hid: removed.id.number(), name: removed.name.as_str(), status: removed.kind.word() }
}

/// Objects as the elements of an array. Their strings have no raw line ends, so lines can be indented.
pub fn array(objects: &[String]) -> String {
    if objects.is_empty() {
        return "[]\n".to_owned();
    }
    let indented = |object: &String| object.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n");
    format!("[\n{}\n]\n", objects.iter().map(indented).collect::<Vec<_>>().join(",\n"))
}

fn object<'a>(entry: &'a Entry, details: Option<&'a Details>, zone: &TimeZone) -> Object<'a> {
    match entry {
        Entry::Whole(hap) => whole(hap, details, zone),
        Entry::Broken(broken) => unreadable(broken),
    }
}

fn whole<'a>(hap: &'a Hap, details: Option<&'a Details>, zone: &TimeZone) -> Object<'a> {
    let record = &hap.record;
    let outcome = hap.status.outcome();
    Object {
        version: VERSION,
        hid: hap.id.number(),
        name: Some(record.name.as_str()),
        pid: Some(record.process.pid),
        rc: outcome.and_then(Outcome::return_code),
        signal: outcome.and_then(Outcome::signal).map(|signal| signal.to_string()),
        cmd: Some(record.command_line()),
        argv: Some(&record.argv),
        workdir: Some(&record.workdir),
        status: hap.status.kind().word(),
        runtime: hap.runtime.map(duration::short),
        runtime_seconds: hap.runtime.map(|runtime| runtime.as_secs_f64()),
        start_time: Some(time::rfc3339(record.started.unix_ns, zone)),
        end_time: wording::end(hap).map(|unix_ns| time::rfc3339(unix_ns, zone)),
        restarts: Some(record.restarts),
        stdout_file: Some(lossy(&hap.stdout_file)),
        stderr_file: Some(lossy(&hap.stderr_file)),
        leftover: Some(hap.leftover),
        host: Some(&record.place.host),
        uid: Some(record.uid),
        merge: Some(record.merge),
        log_limit: record.log_limit,
        timestamps: Some(record.timestamps),
        adopted: Some(record.adopted.is_some()),
        reason: wording::reason(hap),
        path: None,
        taken: None,
        closer: details.map(|details| closer(details, zone)),
        deed: None,
    }
}

fn unreadable(broken: &Broken) -> Object<'_> {
    Object {
        version: VERSION,
        hid: broken.id.number(),
        status: BROKEN,
        reason: Some(broken.reason.clone()),
        path: Some(lossy(&broken.path)),
        ..Object::default()
    }
}

fn taken(load: Load) -> Taken {
    Taken { cpu_seconds: load.cpu.map(|cpu| cpu.as_secs_f64()), memory_bytes: load.memory, log_bytes: load.logs }
}

fn closer<'a>(details: &'a Details, zone: &TimeZone) -> Closer<'a> {
    Closer {
        parent_pid: details.parent_pid,
        user: &details.user,
        cpu_seconds: details.cpu.map(|cpu| cpu.as_secs_f64()),
        peak_rss_kib: details.peak_rss_kib,
        log_bytes: details.log_bytes,
        environment: details.environment.as_deref().ok(),
        environment_error: details.environment.as_ref().err().map(String::as_str),
        runs: details.runs.iter().map(|run| earlier(run, zone)).collect(),
    }
}

fn earlier(run: &EarlierRun, zone: &TimeZone) -> Run {
    let outcome = run.status.outcome();
    Run {
        number: run.number,
        rc: outcome.and_then(Outcome::return_code),
        signal: outcome.and_then(Outcome::signal).map(|signal| signal.to_string()),
        status: run.status.kind().word(),
        runtime: run.runtime.map(duration::short),
        runtime_seconds: run.runtime.map(|runtime| runtime.as_secs_f64()),
        start_time: time::rfc3339(run.started.unix_ns, zone),
        end_time: wording::end_of(run.status).map(|unix_ns| time::rfc3339(unix_ns, zone)),
    }
}

fn lossy(path: &Path) -> Cow<'_, str> {
    path.to_string_lossy()
}

/// JSON may contain what a terminal obeys, such as U+009B: it is escaped, which programs read as the same.
pub(super) fn text(value: &impl Serialize) -> String {
    let raw = serde_json::to_string_pretty(value).expect("all keys are strings and all numbers finite");
    if raw.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n')) {
        return raw + "\n";
    }
    let mut text = String::with_capacity(raw.len() + 1);
    for c in raw.chars() {
        // Within its strings serde_json has escaped this one already.
        if c != '\n' && is_unprintable(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(text, "\\u{unit:04x}").expect("writing to a String does not fail");
            }
        } else {
            text.push(c);
        }
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::{Deed, acted, array, cleaned, list, one};
    use crate::core::name::{Name, is_unprintable};
    use crate::core::record::{Loss, Outcome};
    use crate::core::status::Kind;
    use crate::ops::clean::{Cleaned, Removed};
    use crate::ops::details::Details;
    use crate::ops::hap::Entry;
    use crate::ops::load::Load;
    use crate::view::samples::{broken, details, ended, id, item, running, whole};
    use jiff::tz::{Offset, TimeZone};
    use serde_json::{Value, json};
    use std::time::Duration;

    fn read(text: &str) -> Value {
        serde_json::from_str(text).expect("valid JSON")
    }

    fn keys(text: &str) -> Vec<&str> {
        text.lines().filter_map(|line| line.strip_prefix("  \"")?.split('"').next()).collect()
    }

    #[test]
    fn an_ended_hap_field_by_field() {
        let east = TimeZone::fixed(Offset::from_hours(1).expect("valid"));
        let expected = r#"{
  "version": 1,
  "hid": 2,
  "name": "train",
  "pid": 4242,
  "rc": -15,
  "signal": "SIGTERM",
  "cmd": "python train.py --epochs 90",
  "argv": [
    "python",
    "train.py",
    "--epochs",
    "90"
  ],
  "workdir": "/home/ada/model",
  "status": "failed",
  "runtime": "2.5s",
  "runtime_seconds": 2.5,
  "start_time": "2025-11-23T08:20:01.123456+01:00",
  "end_time": "2025-11-23T08:20:03.623456+01:00",
  "restarts": 0,
  "stdout_file": "/state/haps/2/stdout.log",
  "stderr_file": "/state/haps/2/stderr.log",
  "leftover": 0,
  "host": "here",
  "uid": 1000,
  "merge": false,
  "log_limit": null,
  "timestamps": false,
  "adopted": false,
  "reason": null,
  "path": null
}
"#;
        assert_eq!(one(&whole(ended(2, "train", Outcome::Signaled(15))), None, &east), expected);
    }

    #[test]
    fn what_is_absent_is_null() {
        let hap = read(&one(&whole(running(1, "train")), None, &TimeZone::UTC));
        assert_eq!((&hap["rc"], &hap["signal"], &hap["end_time"]), (&Value::Null, &Value::Null, &Value::Null));
        let hap = read(&one(&whole(ended(1, "train", Outcome::Lost(Loss::Rebooted))), None, &TimeZone::UTC));
        assert_eq!((&hap["rc"], &hap["runtime"], &hap["runtime_seconds"]), (&Value::Null, &Value::Null, &Value::Null));
        assert_eq!(hap["status"], "lost");
        assert!(hap["reason"].is_string());
    }

    #[test]
    fn a_broken_one_has_the_same_keys() {
        let text = one(&Entry::Broken(broken(7)), None, &TimeZone::UTC);
        assert_eq!(keys(&text), keys(&one(&whole(running(1, "train")), None, &TimeZone::UTC)));
        let object = read(&text);
        let told = ["version", "hid", "status", "path", "reason"].map(|key| object[key].clone());
        assert_eq!(
            told,
            [json!(1), json!(7), json!("broken"), json!("/state/haps/7/record.json"), json!("it has no command")]
        );
        let nulls = object.as_object().expect("an object").values().filter(|value| value.is_null()).count();
        assert_eq!(nulls, keys(&text).len() - told.len());
    }

    #[test]
    fn a_closer_look_adds_its_keys_at_the_end() {
        let entry = whole(running(1, "train"));
        let text = one(&entry, Some(&details()), &TimeZone::UTC);
        let added = ["parent_pid", "user", "cpu_seconds", "peak_rss_kib", "log_bytes", "environment"];
        let added = [&added[..], &["environment_error", "runs"]].concat();
        assert!(keys(&text).ends_with(&added), "{text}");
        let object = read(&text);
        assert_eq!(object["cpu_seconds"], 1.75);
        assert_eq!(object["environment"], json!(["PATH=/usr/bin:/bin", "COLOUR=\u{1b}[31m"]));
        let details = Details { environment: Err("gone".to_owned()), ..details() };
        let object = read(&one(&entry, Some(&details), &TimeZone::UTC));
        assert_eq!((&object["environment"], &object["environment_error"]), (&Value::Null, &json!("gone")));
    }

    #[test]
    fn what_a_verb_did_comes_last() {
        let hap = ended(2, "train", Outcome::Signaled(9));
        let text = acted(&hap, Deed { killed: Some(3), ..Deed::default() }, &TimeZone::UTC);
        assert!(text.ends_with("  \"path\": null,\n  \"killed\": 3\n}\n"), "{text}");
        let plain = acted(&hap, Deed::default(), &TimeZone::UTC);
        assert_eq!(plain, one(&whole(hap), None, &TimeZone::UTC));
    }

    #[test]
    fn objects_become_an_array_as_if_it_had_been_written_at_once() {
        let entries = [whole(running(1, "train")), whole(running(2, "other"))];
        let objects: Vec<String> = entries.iter().map(|entry| one(entry, None, &TimeZone::UTC)).collect();
        assert_eq!(array(&objects), list(&entries.map(item), &TimeZone::UTC));
        assert_eq!(array(&[]), list(&[], &TimeZone::UTC));
    }

    #[test]
    fn a_clean_says_what_went() {
        let removed = Removed { id: id(3), name: Name::new("train").expect("valid"), kind: Kind::Lost };
        let object = read(&cleaned(&Cleaned { removed: vec![removed], leftover: 1, elsewhere: 2 }));
        let gone = json!({"hid": 3, "name": "train", "status": "lost"});
        assert_eq!(object, json!({"version": 1, "removed": [gone], "leftover": 1, "elsewhere": 2}));
    }

    #[test]
    fn a_list_is_an_array() {
        assert_eq!(list(&[], &TimeZone::UTC), "[]\n");
        let mut items = [whole(running(1, "train")), Entry::Broken(broken(2))].map(item);
        let array = read(&list(&items, &TimeZone::UTC));
        assert_eq!((&array[0]["hid"], &array[1]["hid"]), (&json!(1), &json!(2)));
        assert_eq!(array[0].get("log_bytes"), None);
        items[0].load = Some(Load { cpu: Some(Duration::from_millis(1500)), memory: Some(4096), logs: 512 });
        let array = read(&list(&items, &TimeZone::UTC));
        assert_eq!((&array[0]["cpu_seconds"], &array[0]["memory_bytes"]), (&json!(1.5), &json!(4096)));
        assert_eq!(array[0]["log_bytes"], 512);
    }

    #[test]
    fn nothing_a_terminal_would_obey_is_sent_and_nothing_is_lost() {
        let nasty = "\u{1b}[2J\u{7f}\u{9b}31m\u{202e}\u{10ffff}\n\t\"\\訓 \u{fffd}";
        let mut hap = running(1, "train");
        hap.record.argv = vec![nasty.to_owned()];
        let text = one(&whole(hap), None, &TimeZone::UTC);
        assert!(!text.replace('\n', "").contains(is_unprintable), "{text}");
        assert_eq!(read(&text)["argv"][0], nasty);
    }
}
