//! Links a static binary at a fixed address: without relocations nothing is copied at start, so it
//! starts sooner and a supervisor has fewer pages of its own. `tools/rustc` decides what is static, or
//! whoever says so in RUSTFLAGS with a `--target`: that does not reach this script itself.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let says = |variable, word| std::env::var(variable).is_ok_and(|value| value.split(',').any(|part| part == word));
    let is_static = cfg!(target_feature = "crt-static") || says("CARGO_CFG_TARGET_FEATURE", "crt-static");
    // Others have a C library that is linked statically by itself.
    if is_static && says("CARGO_CFG_TARGET_ENV", "gnu") {
        println!("cargo:rustc-link-arg-bins=-static");
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
