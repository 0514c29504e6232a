//! `hap logs` and `hap errors`: the output of a hap, byte for byte, and on as it grows.

mod world;

use std::fs::{self, OpenOptions};
use std::io::Write;

use world::following::{Following, echoing, say};
use world::{World, wait_for};

#[test]
fn both_logs_are_printed_byte_for_byte() {
    let world = World::new();
    let id = world.run_sh(r"printf 'a\000\377\033[31mb\r\n\nno end'; printf 'err' >&2");
    world.until_ended(&id);
    assert_eq!(world.hap(&["logs", &id]).bytes, b"a\0\xff\x1b[31mb\r\n\nno end");
    for arguments in [["logs", "-e", &id], ["logs", "--stderr", &id], ["logs", &id, "--stderr"]] {
        assert_eq!(world.hap(&arguments).ok(), "err");
    }
    assert_eq!(world.hap(&["errors", &id]).ok(), "err");
}

#[test]
fn the_last_lines_are_those_that_tail_shows() {
    let world = World::new();
    let id = world.run_sh("seq 1 1000; printf 'no end'");
    world.until_ended(&id);
    let all = world.hap(&["logs", &id]).ok();
    let cases = [("0", ""), ("1", "no end"), ("2", "1000\nno end"), ("3", "999\n1000\nno end")];
    for (count, text) in cases {
        assert_eq!(world.hap(&["logs", "-n", count, &id]).ok(), text);
        assert_eq!(world.hap(&["logs", &id, &format!("--tail={count}")]).ok(), text);
    }
    for count in ["all", "1001", "5000", "18446744073709551615"] {
        assert_eq!(world.hap(&["logs", "-n", count, &id]).ok(), all);
    }
}

#[test]
fn a_number_of_lines_that_is_none_is_a_usage_error() {
    let world = World::new();
    let id = world.run(&["true"]);
    for count in ["x", "-1", "", "1.5"] {
        assert_eq!(world.hap(&["logs", &format!("--tail={count}"), &id]).code, 2, "{count:?}");
    }
}

#[test]
fn no_output_prints_nothing_and_says_nothing_to_a_script() {
    let world = World::new();
    let id = world.run(&["sleep", "60"]);
    assert_eq!(world.hap(&["logs", &id]).ok(), "");
    assert_eq!(world.hap(&["errors", &id]).ok(), "");
}

#[test]
fn an_unknown_alias_is_an_error() {
    let world = World::new();
    world.run(&["true"]);
    for arguments in [["logs", "nobody"], ["errors", "nobody"]] {
        assert!(world.hap(&arguments).fails(1).contains("nobody"));
    }
    world.hap(&["logs", "-f", "nobody"]).fails(1);
}

#[test]
fn following_a_hap_that_has_ended_prints_all_and_ends() {
    let world = World::new();
    let id = world.run_sh("seq 1 5; echo err >&2; exit 3");
    world.until_ended(&id);
    assert_eq!(world.hap(&["logs", "-f", &id]).ok(), "1\n2\n3\n4\n5\n");
    assert_eq!(world.hap(&["logs", "-f", "-n", "2", &id]).ok(), "4\n5\n");
    assert_eq!(world.hap(&["errors", "--follow", &id]).ok(), "err\n");
}

#[test]
fn following_prints_as_the_log_grows_and_ends_with_the_hap() {
    let world = World::new();
    let id = echoing(&world);
    let mut input = say(&world);
    writeln!(input, "one").expect("it reads");
    let mut following = Following::start(&world, &["logs", "-f", &id]);
    assert_eq!(following.line(), "one\n");
    writeln!(input, "two").expect("it reads");
    assert_eq!(following.line(), "two\n");
    writeln!(input, "three\nend").expect("it reads");
    assert_eq!(following.rest(), ("three\n".into(), 0));
    assert_eq!(world.until_ended(&id)["rc"], 3);
}

#[test]
fn following_from_the_last_lines_on() {
    let world = World::new();
    let id = echoing(&world);
    let mut input = say(&world);
    writeln!(input, "one\ntwo\nthree").expect("it reads");
    wait_for("three lines", || world.hap(&["logs", &id]).ok().lines().count() == 3);
    let mut following = Following::start(&world, &["logs", "-f", "-n", "1", &id]);
    assert_eq!(following.line(), "three\n");
    writeln!(input, "four\nend").expect("it reads");
    assert_eq!(following.rest(), ("four\n".into(), 0));
}

#[test]
fn nothing_is_lost_between_the_last_line_and_the_end() {
    let world = World::new();
    for _ in 0..10 {
        let id = world.run_sh("i=0; while [ $i -lt 200 ]; do i=$((i+1)); echo $i; done; printf end");
        let printed = world.hap(&["logs", "-f", &id]).ok();
        assert_eq!((printed.lines().count(), printed.ends_with("200\nend")), (201, true));
    }
}

#[test]
fn following_ends_when_the_hap_is_killed_by_another() {
    let world = World::new();
    let id = echoing(&world);
    writeln!(say(&world), "one").expect("it reads");
    let id2 = world.run_sh("echo one; sleep 60");
    let mut following = Following::start(&world, &["logs", "-f", &id2]);
    assert_eq!(following.line(), "one\n");
    world.hap(&["kill", &id, &id2]);
    assert_eq!(following.rest(), (String::new(), 0));
}

#[test]
fn following_ends_when_supervisor_and_command_are_killed_at_once() {
    let world = World::new();
    let id = world.run_sh("echo one; exec sleep 60");
    let mut following = Following::start(&world, &["logs", "-f", &id]);
    assert_eq!(following.line(), "one\n");
    let (supervisor, command) = (world.supervisor(&id), world.main_process(&id));
    supervisor.signal(libc::SIGSTOP);
    command.kill();
    supervisor.kill();
    assert_eq!(following.rest().1, 0);
}

#[test]
fn following_goes_on_after_the_supervisor_was_killed() {
    let world = World::new();
    let id = echoing(&world);
    let mut input = say(&world);
    let mut following = Following::start(&world, &["logs", "-f", &id]);
    writeln!(input, "one").expect("it reads");
    assert_eq!(following.line(), "one\n");
    world.kill_supervisor(&id);
    writeln!(input, "two").expect("it reads");
    assert_eq!(following.line(), "two\n");
    writeln!(input, "three\nend").expect("it reads");
    assert_eq!(following.rest(), ("three\n".into(), 0));
}

#[test]
fn interrupting_the_follower_leaves_the_hap_alone() {
    let world = World::new();
    let id = world.run_sh("echo one; sleep 60");
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        let mut following = Following::start(&world, &["logs", "-f", &id]);
        assert_eq!(following.line(), "one\n");
        following.hap.process().signal(signal);
        following.hap.end();
        assert_eq!(world.word(&id), "running");
    }
}

#[test]
fn a_truncated_log_is_followed_from_its_beginning() {
    let world = World::new();
    let id = echoing(&world);
    let mut input = say(&world);
    writeln!(input, "one").expect("it reads");
    let mut following = Following::start(&world, &["logs", "-f", &id]);
    assert_eq!(following.line(), "one\n");
    OpenOptions::new().write(true).open(world.file(&id, "stdout.log")).expect("a log").set_len(0).expect("truncated");
    wait_for("it to start again", || {
        writeln!(input, "x").expect("it reads");
        following.line() == "x\n"
    });
    assert!(following.said().contains("the log was truncated"), "{}", following.said());
    writeln!(input, "end").expect("it reads");
    assert_eq!(following.rest().1, 0);
}

#[test]
fn a_rotated_log_is_followed_into_the_new_file() {
    let world = World::new();
    let id = echoing(&world);
    let mut input = say(&world);
    writeln!(input, "one").expect("it reads");
    let mut following = Following::start(&world, &["logs", "-f", &id]);
    assert_eq!(following.line(), "one\n");
    fs::rename(world.file(&id, "stdout.log"), world.file(&id, "stdout.log.1")).expect("rotated");
    fs::write(world.file(&id, "stdout.log"), "from the new file\n").expect("a new log");
    assert_eq!(following.line(), "from the new file\n");
    following.until_said("the log was replaced: it goes on with the new file");
    writeln!(input, "two").expect("it reads");
    assert_eq!(following.line(), "two\n", "what is still written to the old file is not lost");
    writeln!(input, "end").expect("it reads");
    assert_eq!(following.rest(), (String::new(), 0));
}

#[test]
fn a_deleted_log_does_not_end_the_following_before_the_hap_ends() {
    let world = World::new();
    let id = echoing(&world);
    let mut input = say(&world);
    writeln!(input, "one").expect("it reads");
    let mut following = Following::start(&world, &["logs", "-f", &id]);
    assert_eq!(following.line(), "one\n");
    fs::remove_file(world.file(&id, "stdout.log")).expect("deleted");
    following.until_said("the log was moved or deleted: what is still written to it follows");
    writeln!(input, "two").expect("it reads");
    assert_eq!(following.line(), "two\n", "the command goes on writing to it");
    writeln!(input, "end").expect("it reads");
    assert_eq!(following.rest(), (String::new(), 0));
    assert_eq!(world.until_ended(&id)["rc"], 3);
}

#[test]
fn a_hap_that_is_cleaned_while_it_is_followed_ends_the_following() {
    let world = World::new();
    let id = echoing(&world);
    let mut input = say(&world);
    writeln!(input, "one").expect("it reads");
    let mut following = Following::start(&world, &["logs", "-f", &id]);
    assert_eq!(following.line(), "one\n");
    following.hap.process().signal(libc::SIGSTOP);
    writeln!(input, "end").expect("it reads");
    world.until_ended(&id);
    world.hap(&["clean"]).ok();
    following.hap.process().signal(libc::SIGCONT);
    assert_eq!(following.rest(), (String::new(), 0), "it ends as any other");
}

#[test]
fn a_pipe_that_is_closed_ends_it_quietly() {
    let world = World::new();
    let id = world.run_sh("seq 1 200000; sleep 60");
    wait_for("much output", || fs::metadata(world.file(&id, "stdout.log")).is_ok_and(|log| log.len() > 1_000_000));
    let outcome = world.sh(&format!("\"$HAP\" logs {id} | head -n 1"));
    assert_eq!(outcome.ok(), "1\n");
    let outcome = world.sh(&format!("\"$HAP\" logs -f {id} | head -n 1"));
    assert_eq!(outcome.ok(), "1\n");
}

#[test]
fn a_log_of_many_megabytes_is_printed_whole() {
    let world = World::new();
    let id = world.run_sh("seq 1 1000000");
    world.until_ended(&id);
    let outcome = world.hap(&["logs", &id]);
    assert_eq!(outcome.bytes.len(), 6_888_896);
    assert_eq!(world.hap(&["logs", "-n", "2", &id]).ok(), "999999\n1000000\n");
}
