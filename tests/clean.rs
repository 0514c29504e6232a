//! `hap clean` and `hap cleanall`: what has ended goes, what is active stays.

mod world;

use std::fs;

use world::World;

fn varied() -> World {
    let world = World::new();
    world.run(&["-n", "good", "true"]);
    world.run(&["-n", "bad", "sh", "-c", "exit 3"]);
    world.run(&["-n", "shot", "sh", "-c", "kill -TERM $$"]);
    world.run(&["-n", "busy", "sleep", "60"]);
    world.run(&["-n", "idle", "sleep", "60"]);
    for name in ["good", "bad", "shot"] {
        world.until_ended(name);
    }
    world.hap(&["pause", "idle"]).ok();
    world
}

fn names(world: &World) -> Vec<String> {
    world.list().iter().map(|hap| hap["name"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn what_has_ended_goes_with_its_logs_and_what_is_active_stays() {
    for arguments in [&["clean"][..], &["clean", "-a"], &["clean", "--all"], &["cleanall"]] {
        let world = varied();
        let said = world.hap(arguments).ok();
        assert!(said.contains('3'), "how many went: {said}");
        assert!(said.contains("bad") && said.contains("shot"), "those that had failed: {said}");
        assert_eq!(names(&world), ["busy", "idle"]);
        assert_eq!(world.entries("haps"), ["4", "5"]);
        assert_eq!(world.entries("names"), ["busy", "idle"]);
        assert_eq!(world.entries("trash"), Vec::<String>::new());
    }
}

#[test]
fn skip_failed_keeps_those_to_look_into() {
    let world = varied();
    let said = world.hap(&["clean", "--skip-failed"]).ok();
    assert!(said.contains('1'), "{said}");
    assert_eq!(names(&world), ["bad", "shot", "busy", "idle"]);
}

#[test]
fn skip_failed_keeps_the_lost_ones() {
    let world = World::new();
    let id = world.run(&["sleep", "60"]);
    if !world.lose(&id) {
        skip!("the init here reaps nobody");
    }
    assert_eq!(world.word(&id), "lost");
    world.hap(&["clean", "--skip-failed"]).ok();
    assert_eq!(world.word(&id), "lost");
    world.hap(&["clean"]).ok();
    assert_eq!(names(&world), Vec::<String>::new());
}

#[test]
fn nothing_to_clean_is_no_error() {
    let world = World::new();
    world.hap(&["clean"]).ok();
    world.run(&["sleep", "60"]);
    world.hap(&["clean"]).ok();
    assert_eq!(world.list().len(), 1);
}

#[test]
fn what_a_crashed_run_left_half_made_is_swept_up() {
    let world = World::new();
    world.run(&["-n", "busy", "sleep", "60"]);
    for (name, has_lock) in [(".new-999999999-0123456789abcdef", false), (".new-999999999-0123456789abcdee", true)] {
        fs::create_dir(world.state("haps").join(name)).expect("a new directory");
        fs::write(world.file(name, "stdout.log"), "half").expect("a new file");
        if has_lock {
            fs::write(world.file(name, "lock"), "").expect("a new file");
        }
    }
    fs::create_dir_all(world.state("trash").join("7-0123456789abcdef")).expect("a new directory");
    assert_eq!(names(&world), ["busy"]);
    world.hap(&["clean"]).ok();
    assert_eq!(world.entries("haps"), ["1"]);
    assert_eq!(world.entries("trash"), Vec::<String>::new());
}

#[test]
fn what_another_run_is_just_making_is_left_alone() {
    let world = World::new();
    world.run(&["sleep", "60"]);
    let staged = format!(".new-{}-0123456789abcdef", std::process::id());
    fs::create_dir(world.state("haps").join(&staged)).expect("a new directory");
    world.hap(&["clean"]).ok();
    assert_eq!(world.entries("haps"), [staged.clone(), "1".into()]);
    let lock = fs::File::create(world.file(&staged, "lock")).expect("a new file");
    lock.lock().expect("nobody has it");
    world.hap(&["clean"]).ok();
    assert_eq!(world.entries("haps"), [staged, "1".into()]);
    drop(lock);
    world.hap(&["clean"]).ok();
    assert_eq!(world.entries("haps"), ["1"]);
}

#[test]
fn cleaning_while_others_launch_loses_none_of_theirs() {
    let world = World::new();
    std::thread::scope(|scope| {
        let launchers: Vec<_> =
            (0..4).map(|_| scope.spawn(|| (0..10).map(|_| world.run(&["sleep", "60"])).collect::<Vec<_>>())).collect();
        for _ in 0..20 {
            world.run(&["true"]);
            world.hap(&["clean"]).ok();
        }
        let mut launched: Vec<u32> = Vec::new();
        for launcher in launchers {
            launched.extend(launcher.join().expect("it launches").iter().map(|id| id.parse::<u32>().expect("an id")));
        }
        launched.sort_unstable();
        world::wait_for("the short ones to end", || {
            world.list().iter().all(|hap| hap["cmd"] == "sleep 60" || hap["status"] == "success")
        });
        world.hap(&["clean"]).ok();
        let listed: Vec<u32> = world.ids().iter().map(|id| id.parse().expect("an id")).collect();
        assert_eq!(listed, launched);
        launched.dedup();
        assert_eq!(launched.len(), 40);
    });
}

#[test]
fn two_cleaners_at_once_remove_each_hap_once() {
    let world = World::new();
    for _ in 0..20 {
        let id = world.run(&["true"]);
        world.until_ended(&id);
    }
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| world.hap(&["clean"]).ok());
        }
    });
    assert_eq!(world.list().len(), 0);
    assert_eq!(world.entries("trash"), Vec::<String>::new());
}
