//! The Debian package: built from what Cargo.toml says of it, installed into a root of its own, used and removed.
//! By cargo-deb where there is one, else by dpkg-deb from the same list of files.
#![allow(missing_docs)] // a test

mod world;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use world::{World, finish, json};

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The package beside which a world stages its own files: `target` is its, all else is ours.
fn copy_of_package(world: &World) -> PathBuf {
    let copy = world.path("package");
    fs::create_dir(&copy).expect("a new directory");
    fs::copy(package().join("Cargo.toml"), copy.join("Cargo.toml")).expect("it can be read");
    for name in ["Cargo.lock", "USAGE.md", "README.md", "build.rs", "src", "tests", "examples", "benches", "packaging"]
    {
        if package().join(name).exists() {
            std::os::unix::fs::symlink(package().join(name), copy.join(name)).expect("a new link");
        }
    }
    let mut stage = world.program(package().join("packaging/stage"));
    stage.arg(world::HAP).arg(copy.join("target/package"));
    finish(stage).ok();
    copy
}

/// A program that `cargo install` may have put where tests do not look.
fn cargo_deb() -> Option<PathBuf> {
    let of_cargo =
        std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let of_cargo = of_cargo.map(|home| home.join("bin/cargo-deb")).filter(|path| path.is_file());
    world::tools::find("cargo-deb").or(of_cargo)
}

fn metadata() -> Value {
    let mut cargo = std::process::Command::new(env!("CARGO"));
    cargo.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]).current_dir(package());
    let package = json(&finish(cargo).ok())["packages"][0].clone();
    assert_eq!(package["name"], "hapless");
    package
}

fn build(world: &World, copy: &Path) -> PathBuf {
    let target = world.path("hapless.deb");
    match cargo_deb() {
        Some(cargo_deb) => {
            let mut build = std::process::Command::new(cargo_deb);
            build.args(["--no-build", "--no-strip", "--fast", "--quiet", "--output"]).arg(&target).current_dir(copy);
            build.env("CARGO", env!("CARGO")).env("CARGO_NET_OFFLINE", "true");
            let outcome = finish(build);
            assert_eq!(outcome.code, 0, "{outcome:?}");
        }
        None => build_by_hand(world, copy, &target),
    }
    target
}

/// What cargo-deb does with the list of files, without it.
fn build_by_hand(world: &World, copy: &Path, target: &Path) {
    let package = metadata();
    let deb = &package["metadata"]["deb"];
    let root = world.path("by-hand");
    let mut steps = vec!["set -e".to_owned()];
    for asset in deb["assets"].as_array().expect("a list") {
        let [from, to, mode] = [0, 1, 2].map(|index| asset[index].as_str().expect("text"));
        let directory = to.rsplit_once('/').expect("a path").0;
        steps.push(format!("mkdir -p {0}/{directory}; install -m {mode} {from} {0}/{to}", root.display()));
    }
    let control = format!(
        "Package: hapless\nVersion: {}-1\nArchitecture: all\nMaintainer: {}\nDescription: {}\n",
        package["version"].as_str().expect("text"),
        deb["maintainer"].as_str().expect("text"),
        package["description"].as_str().expect("text")
    );
    fs::create_dir_all(root.join("DEBIAN")).expect("a new directory");
    fs::write(root.join("DEBIAN/control"), control).expect("a new file");
    steps.push(format!("dpkg-deb -Zgzip -z1 --root-owner-group --build {} {}", root.display(), target.display()));
    let mut build = world.script(&steps.join("; "));
    build.current_dir(copy);
    let outcome = finish(build);
    assert_eq!(outcome.code, 0, "{outcome:?}");
}

/// Whatever lies below a directory and is no directory.
fn files_below(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .flat_map(|entry| if entry.path().is_dir() { files_below(&entry.path()) } else { vec![entry.path()] })
        .collect()
}

#[test]
fn the_debian_package_is_installed_used_and_removed() {
    needs!("dpkg");
    needs!("dpkg-deb");
    if !world::tools::is_root() {
        skip!("only root can install a package, also into a root of its own");
    }
    let world = World::new();
    let deb = build(&world, &copy_of_package(&world));
    let root = world.path("root");
    for directory in ["updates", "info", "triggers"] {
        fs::create_dir_all(root.join("var/lib/dpkg").join(directory)).expect("a new directory");
    }
    for file in ["status", "available"] {
        fs::write(root.join("var/lib/dpkg").join(file), "").expect("a new file");
    }
    let dpkg = |arguments: &str| {
        let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let outcome = world.sh(&format!("{path} dpkg --root={} --log=/dev/null {arguments}", root.display()));
        assert_eq!(outcome.code, 0, "{outcome:?}");
    };

    dpkg(&format!("--install {}", deb.display()));
    let installed = |path: &str| root.join(path);
    let hap = installed("usr/bin/hap");
    let mut version = world.program(&hap);
    version.arg("--version");
    assert_eq!(finish(version).ok(), format!("hapless, version {}\n", env!("CARGO_PKG_VERSION")));
    let mut run = world.program(&hap);
    run.args(["run", "--wait", "-q", "true"]);
    assert_eq!(finish(run).code, 0);

    for (path, word) in [
        ("usr/share/bash-completion/completions/hap", "complete -F _hap hap"),
        ("usr/share/zsh/vendor-completions/_hap", "#compdef hap"),
        ("usr/share/fish/vendor_completions.d/hap.fish", "complete -c hap"),
        ("usr/share/doc/hapless/USAGE.md", "# Using hap"),
    ] {
        assert!(fs::read_to_string(installed(path)).expect("it is installed").contains(word), "{path}");
    }
    let page = world.sh(&format!("gzip -dc {}", installed("usr/share/man/man1/hap-run.1.gz").display())).ok();
    assert!(page.starts_with(".TH HAP-RUN 1"), "{page}");

    dpkg("--purge hapless");
    assert_eq!(files_below(&root.join("usr")), Vec::<PathBuf>::new());
}

#[test]
fn what_the_package_lists_is_what_is_staged() {
    let world = World::new();
    let copy = copy_of_package(&world);
    let staged: Vec<PathBuf> = files_below(&copy.join("target/package"));
    let metadata = metadata();
    let assets = metadata["metadata"]["deb"]["assets"].as_array().expect("a list");
    let patterns: Vec<&str> = assets.iter().map(|asset| asset[0].as_str().expect("text")).collect();
    for file in staged {
        let path = file.strip_prefix(&copy).expect("below it").to_str().expect("text");
        let is_listed = patterns.iter().any(|pattern| match pattern.split_once('*') {
            Some((start, end)) => path.starts_with(start) && path.ends_with(end),
            None => path == *pattern,
        });
        assert!(is_listed, "{path} is staged and not packaged");
    }
    for pattern in patterns.iter().filter(|pattern| !pattern.contains('*')) {
        assert!(copy.join(pattern).exists(), "{pattern} is packaged and not there");
    }
}
