//! The program of `tests/adoptee.c`.

use std::path::PathBuf;

use super::{World, finish, tools};

/// Compiles it; `None` without a C compiler that can do this.
pub fn compiled(world: &World, flags: &[&str]) -> Option<PathBuf> {
    let compiler = tools::find("cc")?;
    let (source, program) = (concat!(env!("CARGO_MANIFEST_DIR"), "/tests/adoptee.c"), world.work("adoptee"));
    let mut command = world.program(compiler);
    command.args(["-O1", "-pthread", "-o"]).arg(&program).args(flags).arg(source);
    (finish(command).code == 0).then_some(program)
}
