//! Links a static binary at a fixed address: without relocations nothing is copied at start, so it
//! starts sooner and a supervisor has fewer pages of its own. `tools/rustc` decides what is static, or
//! whoever says so in RUSTFLAGS with a `--target`: that does not reach this script itself.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let features = std::env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    if cfg!(target_feature = "crt-static") || features.split(',').any(|feature| feature == "crt-static") {
        println!("cargo:rustc-link-arg-bins=-static");
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
