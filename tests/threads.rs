//! The library in a program of many threads. Alone in its file: the file mode creation mask is one for
//! the whole process, and no other test may change it meanwhile.

mod world;

use std::fs;
use std::thread;

use hapless::{Hapless, Request};
use world::World;
use world::process::status_line;

fn umask() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("a Linux kernel");
    let mask = status_line(&status, "Umask").expect("Linux 4.7");
    u64::from_str_radix(&mask, 8).expect("an octal number")
}

#[test]
fn each_thread_may_start_haps_and_the_mask_stays_what_it_was() {
    let world = World::new();
    let haps = Hapless::at(world.path("state"));
    let request = Request { command: ["sh", "-c", "exit 7"].map(Into::into).to_vec(), ..Request::default() };
    let before = umask();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..5).for_each(|_| drop(haps.run(&request).expect("it starts"))));
        }
    });
    assert_eq!(umask(), before);
    let ids: Vec<String> = haps.list().expect("a list").iter().map(|entry| entry.id().to_string()).collect();
    assert_eq!(ids.len(), 40);
    for id in ids {
        assert_eq!(world.until_ended(&id)["rc"], 7);
        assert_eq!(world.record(&id)["umask"], before, "each command was given the mask of the program");
    }
}
