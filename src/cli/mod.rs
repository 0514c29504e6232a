//! Floor 4: arguments to a verb, its data to text, its errors to an exit code. The only place that
//! reads the environment for settings, prints, and decides how the process ends.

mod arguments;
mod clean;
mod complete;
mod completions;
mod context;
mod doctor;
mod kill;
mod logs;
mod man;
mod pause;
mod rename;
mod restart;
mod run;
mod run_then;
mod settings;
mod signal;
mod status;
mod targets;
mod wait;

use std::io;
use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Verb};
use context::Context;

use crate::core::error::{Error, Result};
use crate::sys::mask;

const FAILED: u8 = 1;

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    mask::ignore_file_size_signal();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(usage) => return explain_usage(&usage),
    };
    let mut context = Context::new();
    let result = perform(&mut context, arguments);
    finish(&context, result)
}

/// Help was asked for, or is needed.
fn explain_usage(usage: &clap::Error) -> ExitCode {
    match usage.print() {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe && !usage.use_stderr() => ExitCode::from(FAILED),
        _ => ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(FAILED)),
    }
}

/// What is left to print is printed, what went wrong is said, and the exit code chosen.
fn finish(context: &Context, result: Result<u8>) -> ExitCode {
    let flushed = result.and_then(|code| context.flush().map(|()| code));
    match flushed {
        Ok(code) => ExitCode::from(code),
        // Whoever read our output has seen enough.
        Err(Error::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            context.explain(&error);
            ExitCode::from(error.exit_code())
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
        Verb::Status(arguments) => status::status(context, &arguments),
        Verb::Logs(arguments) => logs::logs(&arguments),
        Verb::Errors(arguments) => logs::logs(&arguments.into_logs()),
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
