//! Floor 4: arguments to a verb, its data to text, its errors to an exit code. The only place that
//! reads the environment for settings, prints, and decides how the process ends.

mod adopt;
mod arguments;
mod clean;
mod complete;
mod completions;
mod context;
mod doctor;
mod kill;
mod listing;
mod logs;
mod man;
mod pause;
mod rename;
mod restart;
mod run;
mod run_then;
mod screen;
mod settings;
mod signal;
mod status;
mod targets;
mod top;
mod usage;
mod wait;
mod watch;

use std::ffi::OsString;
use std::io;

use arguments::{Arguments, Verb};
use context::Context;

use crate::core::error::{Error, Result};
use crate::core::name::is_unprintable;
use crate::sys::{interrupt, mask};

const FAILED: u8 = 1;

/// Runs this command line and returns the exit code.
pub fn main(words: Vec<OsString>) -> u8 {
    mask::ignore_file_size_signal();
    let is_printable = !words.iter().any(|word| word.to_string_lossy().contains(is_unprintable));
    let arguments = match arguments::read(words) {
        Ok(arguments) => arguments,
        Err(usage) => return usage::explain(&usage, is_printable),
    };
    let mut context = Context::new();
    let result = perform(&mut context, arguments);
    finish(&context, result)
}

/// What is left to print is printed, what went wrong is said, and the exit code chosen.
fn finish(context: &Context, result: Result<u8>) -> u8 {
    let flushed = result.and_then(|code| context.flush().map(|()| code));
    match flushed {
        Ok(code) => code,
        // Whoever read our output has seen enough.
        Err(Error::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(error) => {
            context.explain(&error);
            if matches!(error, Error::Interrupted { .. }) {
                interrupt::end_by_it();
            }
            error.exit_code()
        }
    }
}

fn perform(context: &mut Context, arguments: Arguments) -> Result<u8> {
    if arguments.version {
        context.print(&format!("hapless, version {}\n", env!("CARGO_PKG_VERSION")))?;
        return Ok(0);
    }
    let Some(verb) = arguments.verb else { return status::list(context, &arguments.list) };
    match verb {
        Verb::Run(arguments) => run::run(context, arguments),
        Verb::Adopt(arguments) => adopt::adopt(context, arguments),
        Verb::Status(arguments) => status::status(context, &arguments),
        Verb::Top(_) => top::top(context),
        Verb::Logs(arguments) => logs::logs(context, &arguments),
        Verb::Errors(arguments) => logs::logs(context, &arguments.into_logs()),
        Verb::Pause(arguments) => pause::pause(context, &arguments),
        Verb::Resume(arguments) => pause::resume(context, &arguments),
        Verb::Signal(arguments) => signal::signal(context, &arguments),
        Verb::Kill(arguments) => kill::kill(context, &arguments),
        Verb::Stop(arguments) => kill::stop(context, &arguments),
        Verb::Wait(arguments) => wait::wait(context, &arguments),
        Verb::Restart(arguments) => restart::restart(context, &arguments),
        Verb::Rename(arguments) => rename::rename(context, &arguments),
        Verb::Clean(arguments) => clean::clean(context, &arguments),
        Verb::Doctor(arguments) => doctor::doctor(context, &arguments),
        Verb::Completions(arguments) => completions::completions(context, &arguments),
        Verb::Man(arguments) => man::man(context, &arguments),
        Verb::Complete(arguments) => complete::complete(context, &arguments),
    }
}
