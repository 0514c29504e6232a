//! Links a static binary at a fixed address: without relocations nothing is copied at start, so it
//! starts sooner and a supervisor has fewer pages of its own. `tools/rustc` decides what is static.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is_gnu = std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "gnu");
    if is_gnu && cfg!(target_feature = "crt-static") {
        println!("cargo:rustc-link-arg-bins=-static");
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
