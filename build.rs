//! Links a static binary at a fixed address: without relocations nothing is copied at start, so it
//! starts sooner and a supervisor has fewer pages of its own. `tools/rustc` decides what is static.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if cfg!(target_feature = "crt-static") {
        println!("cargo:rustc-link-arg-bins=-static");
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
