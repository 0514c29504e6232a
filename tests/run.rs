//! `hap run`: what it starts, what it refuses, what it says.

mod world;

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;

use world::{World, finish, json};

/// Nothing is left of a hap that did not come to be.
#[track_caller]
fn assert_nothing_left(world: &World) {
    assert_eq!(world.list(), Vec::<serde_json::Value>::new());
    for directory in ["haps", "names", "trash"] {
        assert_eq!(world.entries(directory), Vec::<String>::new(), "{directory}");
    }
}

/// The arguments that a hap's command got, as one list of C strings.
fn arguments_seen(world: &World, options: &[&str], arguments: &[OsString]) -> Vec<u8> {
    let words = options.iter().chain(&["sh", "-c", "cat /proc/$$/cmdline", "sh"]).map(OsString::from);
    let id = world.run(&words.chain(arguments.iter().cloned()).collect::<Vec<_>>());
    world.until_ended(&id);
    let all = fs::read(world.file(&id, "stdout.log")).expect("a log");
    all.strip_prefix(b"sh\0-c\0cat /proc/$$/cmdline\0sh\0").expect("our own words first").to_vec()
}

#[test]
fn it_says_id_name_and_pid() {
    let world = World::new();
    let said = world.hap(&["run", "-n", "train", "sleep", "60"]).ok();
    let pid = world.status("1")["pid"].to_string();
    for part in ["1", "train", &pid] {
        assert!(said.contains(part), "{part:?} in {said:?}");
    }
    assert_eq!(said.lines().count(), 1, "{said:?}");
}

#[test]
fn quiet_prints_the_id_alone() {
    let world = World::new();
    assert_eq!(world.hap(&["run", "-q", "true"]).ok(), "1\n");
    assert_eq!(world.hap(&["run", "--quiet", "true"]).ok(), "2\n");
}

#[test]
fn json_prints_the_record() {
    let world = World::new();
    let record = json(&world.hap(&["run", "--json", "-n", "train", "sleep", "60"]).ok());
    let status = world.status("train");
    for field in ["hid", "name", "pid", "cmd", "argv", "workdir", "start_time", "stdout_file", "stderr_file"] {
        assert_eq!(record[field], status[field], "{field}");
    }
    assert_eq!((record["hid"].as_u64(), record["name"].as_str()), (Some(1), Some("train")));
    assert_eq!(record["status"], "running");
}

#[test]
fn a_generated_name_is_hap_and_six_letters_or_digits() {
    let world = World::new();
    let id = world.run(&["true"]);
    let name = world.status(&id)["name"].as_str().expect("a name").to_owned();
    let random = name.strip_prefix("hap-").expect("hap- first");
    assert_eq!(random.len(), 6);
    assert!(random.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), "{name}");
}

#[test]
fn a_name_can_be_given_and_is_an_alias() {
    let world = World::new();
    world.run(&["-n", "train", "sleep", "60"]);
    world.run(&["--name=訓練", "sleep", "60"]);
    assert_eq!(world.status("train")["hid"], 1);
    assert_eq!(world.status("訓練")["hid"], 2);
}

#[test]
fn a_name_that_is_taken_is_refused_and_nothing_is_started() {
    let world = World::new();
    world.run(&["-n", "train", "true"]);
    world.until_ended("train");
    let refused = world.hap(&["run", "-n", "train", "sh", "-c", "echo ran > marker"]).fails(1);
    assert!(refused.contains("train") && refused.contains('1'), "{refused}");
    assert_eq!(world.ids(), ["1"]);
    assert!(!world.work("marker").exists());
    assert_eq!(world.entries("haps"), ["1"]);
}

#[test]
fn a_name_is_free_again_after_clean() {
    let world = World::new();
    world.run(&["-n", "train", "true"]);
    world.until_ended("train");
    world.hap(&["clean"]).ok();
    world.run(&["-n", "train", "true"]);
}

#[test]
fn an_id_is_not_given_out_again_while_the_list_holds_any_hap() {
    let world = World::new();
    let long = world.run(&["sleep", "60"]);
    let short = world.run(&["true"]);
    world.until_ended(&short);
    world.hap(&["clean"]).ok();
    assert_eq!((long.as_str(), short.as_str()), ("1", "2"));
    assert_eq!(world.run(&["true"]), "3");
}

#[test]
fn numbers_begin_again_once_the_list_is_empty() {
    let world = World::new();
    for _ in 0..3 {
        let id = world.run(&["true"]);
        world.until_ended(&id);
    }
    world.hap(&["clean"]).ok();
    assert_eq!(world.run(&["true"]), "1");
}

#[test]
fn a_command_that_could_not_start_uses_up_no_id() {
    let world = World::new();
    world.hap(&["run", "no-such-command-anywhere"]).fails(127);
    assert_eq!(world.run(&["true"]), "1");
}

#[test]
fn stdout_and_stderr_go_to_their_own_logs() {
    let world = World::new();
    let id = world.run_sh("echo out; echo err >&2");
    let status = world.until_ended(&id);
    let contents = |field: &str| fs::read_to_string(status[field].as_str().expect("a path")).expect("a log");
    assert_eq!((contents("stdout_file"), contents("stderr_file")), ("out\n".into(), "err\n".into()));
}

#[test]
fn merge_keeps_the_order_of_both_in_one_log() {
    let world = World::new();
    let id = world.run(&["--merge", "sh", "-c", "echo 1; echo 2 >&2; echo 3; echo 4 >&2"]);
    let status = world.until_ended(&id);
    assert_eq!(world.hap(&["logs", &id]).ok(), "1\n2\n3\n4\n");
    assert_eq!(world.hap(&["errors", &id]).ok(), "1\n2\n3\n4\n");
    assert_eq!(status["stdout_file"], status["stderr_file"]);
}

#[test]
fn a_variable_merges_as_well() {
    let world = World::new();
    let mut command = world.command(&["run", "-q", "sh", "-c", "echo 1; echo 2 >&2"]);
    command.env("HAPLESS_REDIRECT_STDERR", "1");
    let id = world::id_in(&finish(command));
    world.until_ended(&id);
    assert_eq!(world.hap(&["logs", &id]).ok(), "1\n2\n");
}

#[test]
fn a_variable_that_makes_no_sense_is_an_error_that_names_it() {
    let world = World::new();
    for variable in ["HAPLESS_REDIRECT_STDERR", "HAPLESS_DEBUG"] {
        let mut command = world.command(&["run", "-q", "true"]);
        command.env(variable, "perhaps");
        let refused = finish(command).fails(1);
        assert!(refused.contains(variable) && refused.contains("perhaps"), "{refused}");
    }
    assert_eq!(world.list().len(), 0);
}

#[test]
fn it_runs_where_it_was_called_or_in_the_directory_given() {
    let world = World::new();
    fs::create_dir(world.work("deep")).expect("a new directory");
    let cases: [(&[&str], _); 4] = [
        (&[], world.work("")),
        (&["-d", "deep"], world.work("deep")),
        (&["--workdir", "./deep/.."], world.work("")),
        (&["-d", "/"], "/".into()),
    ];
    for (options, directory) in cases {
        let directory = directory.canonicalize().expect("it is there").to_string_lossy().into_owned();
        let id = world.run(&[options, &["sh", "-c", "pwd -P"]].concat());
        let status = world.until_ended(&id);
        assert_eq!(world.hap(&["logs", &id]).ok(), format!("{directory}\n"));
        assert_eq!(status["workdir"], directory.as_str());
    }
}

#[test]
fn a_relative_program_is_sought_in_the_directory_given() {
    let world = World::new();
    fs::create_dir(world.work("deep")).expect("a new directory");
    world.executable("deep/tool", "#!/bin/sh\necho found\n");
    let id = world.run(&["-d", "deep", "./tool"]);
    assert_eq!(world.until_ended(&id)["rc"], 0);
    assert_eq!(world.hap(&["logs", &id]).ok(), "found\n");
}

#[test]
fn a_bad_directory_is_exit_126_and_leaves_nothing() {
    let world = World::new();
    fs::write(world.work("file"), "").expect("a new file");
    for directory in ["no/such/directory", "file"] {
        let refused = world.hap(&["run", "-d", directory, "true"]).fails(126);
        assert!(refused.contains(directory), "{refused}");
        assert_nothing_left(&world);
    }
}

#[test]
fn a_command_that_is_not_found_is_exit_127_and_leaves_nothing() {
    let world = World::new();
    for command in ["no-such-command-anywhere", "./no/such/file", "/no/such/file"] {
        let refused = world.hap(&["run", command, "argument"]).fails(127);
        assert!(refused.contains(command), "{refused}");
        assert_nothing_left(&world);
    }
    world.hap(&["run", ""]).fails(127);
    assert_nothing_left(&world);
}

#[test]
fn a_file_that_cannot_be_executed_is_exit_126_and_leaves_nothing() {
    let world = World::new();
    fs::create_dir(world.work("directory")).expect("a new directory");
    fs::write(world.work("plain file"), "echo hello\n").expect("a new file");
    world.executable("lost interpreter", "#!/no/such/interpreter\n");
    world.executable("broken", "\u{7f}ELF\u{1}\u{1}");
    for command in ["./directory", "./plain file", "./lost interpreter"] {
        let refused = world.hap(&["run", command]).fails(126);
        assert!(refused.contains(command), "{refused}");
        assert_eq!(refused.contains("chmod"), command == "./plain file", "{refused}");
        assert_nothing_left(&world);
    }
}

#[test]
fn a_file_without_execute_permission_on_the_path_is_exit_126() {
    let world = World::new();
    fs::write(world.work("tool"), "#!/bin/sh\n").expect("a new file");
    let mut command = world.command(&["run", "tool"]);
    command.env("PATH", world.work(""));
    finish(command).fails(126);
    assert_nothing_left(&world);
}

#[test]
fn a_later_directory_of_path_is_tried_when_the_first_denies() {
    let world = World::new();
    for directory in ["first", "second"] {
        fs::create_dir(world.work(directory)).expect("a new directory");
        world.executable(&format!("{directory}/tool"), "#!/bin/sh\necho from $0\n");
    }
    fs::set_permissions(world.work("first/tool"), fs::Permissions::from_mode(0o644)).expect("our own file");
    let mut command = world.command(&["run", "-q", "tool"]);
    command.env("PATH", format!("{}:{}", world.work("first").display(), world.work("second").display()));
    let id = world::id_in(&finish(command));
    world.until_ended(&id);
    assert_eq!(world.hap(&["logs", &id]).ok(), format!("from {}\n", world.work("second/tool").display()));
}

#[test]
fn arguments_arrive_byte_for_byte() {
    let world = World::new();
    let arguments: Vec<OsString> = [
        &b""[..],
        b"two words",
        b"  ",
        b"'single' \"double\" `back` \\",
        b"two\nlines\n",
        b"$HOME * ? [a] ~ # ! && | ; > <",
        b"tab\tand\rreturn and \x1b[31m",
        b"not UTF-8: \xff\xfe\x80",
        "ünï 訓練 \u{1f409}".as_bytes(),
        b"-",
        b"--",
        b"-n",
        b"",
    ]
    .map(|bytes| OsString::from_vec(bytes.to_vec()))
    .to_vec();
    let expected: Vec<u8> = arguments.iter().flat_map(|one| [one.as_encoded_bytes(), b"\0"].concat()).collect();
    assert_eq!(arguments_seen(&world, &[], &arguments), expected);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_arguments_arrive_byte_for_byte(arguments in proptest::collection::vec(proptest::collection::vec(1..=255_u8, 0..40), 0..8)) {
        let world = World::new();
        let expected: Vec<u8> = arguments.iter().flat_map(|one| [one.as_slice(), b"\0"].concat()).collect();
        let arguments: Vec<OsString> = arguments.into_iter().map(OsString::from_vec).collect();
        proptest::prop_assert_eq!(arguments_seen(&world, &[], &arguments), expected);
    }
}

#[test]
fn options_after_the_command_belong_to_it() {
    let world = World::new();
    let words = ["--name", "y", "-v", "-q", "--json", "-d", "/", "--help", "--version", "--", "-e", "A=1"];
    let arguments = words.map(OsString::from).to_vec();
    let expected: Vec<u8> = words.iter().flat_map(|word| [word.as_bytes(), b"\0"].concat()).collect();
    assert_eq!(arguments_seen(&world, &[], &arguments), expected);
    assert_eq!(arguments_seen(&world, &["--"], &arguments), expected);
    assert_eq!(arguments_seen(&world, &["-n", "mine", "--"], &arguments), expected);
    assert_eq!(world.status("mine")["hid"], 3);
}

#[test]
fn a_double_dash_before_the_command_is_not_passed_on() {
    let world = World::new();
    let id = world.run(&["--", "echo", "a", "--", "b"]);
    world.until_ended(&id);
    assert_eq!(world.hap(&["logs", &id]).ok(), "a -- b\n");
}

#[test]
fn a_command_may_begin_with_a_dash_after_a_double_dash() {
    let world = World::new();
    world.executable("-tool", "#!/bin/sh\necho mine\n");
    let mut command = world.command(&["run", "-q", "--", "-tool", "-x"]);
    command.env("PATH", format!("{}:{}", world.work("").display(), world::PATH));
    let id = world::id_in(&finish(command));
    world.until_ended(&id);
    assert_eq!(world.hap(&["logs", &id]).ok(), "mine\n");
}

#[test]
fn the_longest_arguments_that_the_system_takes_are_taken() {
    let world = World::new();
    let long = "x".repeat(100_000);
    let id = world.run(&["sh", "-c", "echo ${#1} $#", "sh", &long, "b"]);
    world.until_ended(&id);
    assert_eq!(world.hap(&["logs", &id]).ok(), "100000 2\n");
    assert_eq!(world.status(&id)["argv"][4].as_str().map(str::len), Some(100_000));
}

#[test]
fn variables_are_set_and_replaced() {
    let world = World::new();
    let show = "echo \"[$A] [$B] [$C] [$HOME]\"";
    let id = world.run(&["-e", "A=1", "--env", "B=x=y z", "-e", "A=2", "-e", "C=", "-e", "HOME=/x", "sh", "-c", show]);
    world.until_ended(&id);
    assert_eq!(world.hap(&["logs", &id]).ok(), "[2] [x=y z] [] [/x]\n");
}

#[test]
fn path_given_as_variable_finds_the_command() {
    let world = World::new();
    world.executable("tool", "#!/bin/sh\necho mine\n");
    let path = format!("PATH={}:/usr/bin:/bin", world.work("").display());
    let id = world.run(&["-e", &path, "tool"]);
    assert_eq!(world.until_ended(&id)["rc"], 0);
}

#[test]
fn what_is_no_variable_is_a_usage_error() {
    let world = World::new();
    for entry in ["A", "=x", ""] {
        assert_eq!(world.hap(&["run", "-e", entry, "true"]).code, 2, "{entry:?}");
    }
    assert_eq!(world.list().len(), 0);
}

#[test]
fn no_command_at_all_is_a_usage_error() {
    let world = World::new();
    for arguments in [&["run"][..], &["run", "-n", "x"], &["run", "--"]] {
        let refused = world.hap(arguments);
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.stderr.to_lowercase().contains("usage"), "{refused:?}");
    }
}

#[test]
fn an_invalid_name_is_refused_with_the_reason() {
    let world = World::new();
    let long = "x".repeat(65);
    let wide = "\u{1f409}".repeat(51);
    for name in ["", "12", ".x", "..", "a/b", "a@2", "a b", "a\tb", "a\nb", "a\u{1b}[31m", "a\u{202e}b", &long, &wide] {
        let refused = world.hap(&["run", &format!("--name={name}"), "true"]);
        assert!([1, 2].contains(&refused.code) && refused.stdout.is_empty(), "{name:?}: {refused:?}");
        assert!(refused.stderr.contains("name"), "{refused:?}");
        let sent = refused.stderr.replace('\n', "");
        assert!(!sent.contains(|c: char| c.is_control() || c == '\u{202e}'), "nothing raw: {refused:?}");
    }
    assert_eq!(world.hap(&["run", "--name=-x", "true"]).code, 1);
    let bytes = [b"--name=a\xff".to_vec()].map(OsString::from_vec);
    assert_eq!(world.hap(&["run".into(), bytes[0].clone(), "true".into()]).code, 1);
    assert_eq!(world.list().len(), 0);
}

#[test]
fn names_of_any_script_are_welcome() {
    let world = World::new();
    let long = "訓".repeat(64);
    for name in ["a", "b2", "ünïcode", "x.y-z_1", "hap-23i0lo", "100%", "a:b", "\u{1f409}", &long] {
        world.run(&["-n", name, "true"]);
        assert_eq!(world.until_ended(name)["name"], name);
    }
}

#[test]
fn debug_says_what_is_done_with_the_state_directory_first() {
    let world = World::new();
    let mut command = world.command(&["run", "-q", "true"]);
    command.env("HAPLESS_DEBUG", "1");
    let outcome = finish(command);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, "1\n"));
    let first = outcome.stderr.lines().next().expect("it says something");
    assert!(first.contains(&*world.path("state").to_string_lossy()), "{outcome:?}");
}

#[test]
fn the_state_directory_may_be_given_relative_and_is_used_from_everywhere() {
    let world = World::new();
    let mut command = world.command(&["run", "-q", "-d", "/", "sleep", "60"]);
    command.env("HAPLESS_DIR", "../state");
    assert_eq!(finish(command).ok(), "1\n");
    assert_eq!(world.word("1"), "running");
}

#[test]
fn an_empty_state_directory_variable_counts_as_unset() {
    let world = World::new();
    let mut command = world.command(&["run", "-q", "true"]);
    command.env("HAPLESS_DIR", "");
    assert_eq!(finish(command).ok(), "1\n");
    assert!(world.path("home/.local/state/hapless/haps/1").is_dir());
    let mut command = world.command(&["run", "-q", "true"]);
    command.env("HAPLESS_DIR", "").env("XDG_STATE_HOME", world.path("xdg"));
    assert_eq!(finish(command).ok(), "1\n");
    assert!(world.path("xdg/hapless/haps/1").is_dir());
}

#[test]
fn what_else_lies_in_the_state_directory_is_not_touched() {
    let world = World::new();
    for directory in ["state", "state/haps", "state/haps/notes", "state/haps/01"] {
        fs::create_dir(world.path(directory)).expect("a new directory");
    }
    fs::set_permissions(world.path("state"), fs::Permissions::from_mode(0o700)).expect("our own");
    fs::write(world.path("state/mine.txt"), "mine").expect("a new file");
    fs::write(world.path("state/haps/notes/mine.txt"), "mine").expect("a new file");
    let id = world.run(&["true"]);
    world.until_ended(&id);
    assert_eq!(world.ids(), ["1"]);
    world.hap(&["clean"]).ok();
    for file in ["state/mine.txt", "state/haps/notes/mine.txt"] {
        assert_eq!(fs::read_to_string(world.path(file)).expect("still there"), "mine");
    }
    assert!(world.path("state/haps/01").is_dir());
}
