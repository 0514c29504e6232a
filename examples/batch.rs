//! Two commands at once, each in the background and remembered: waits for both, shows their output
//! and how they ended. `cargo run --example batch`, then `hap` shows them as well.

use std::io::{self, Read, Write};
use std::time::Duration;

use hapless::{Hapless, Kind, Request, Result, Signal, Stream, Waited};

/// Long enough for what this example runs.
const LIMIT: Duration = Duration::from_secs(60);

fn main() -> Result<()> {
    let report = batch(&Hapless::new()?)?;
    io::stdout().write_all(report.as_bytes()).map_err(hapless::Error::Output)
}

/// Runs the batch and says what became of it.
pub fn batch(haps: &Hapless) -> Result<String> {
    let count = haps.run(&shell("for i in 1 2 3; do echo line $i; done; exit 3"))?;
    let sleeper = haps.run(&shell("exec sleep 1000"))?;
    haps.signal(&sleeper, Signal::TERM)?;

    let mut report = Vec::new();
    for hap in [count, sleeper] {
        let Waited::Ended(hap) = haps.wait(&hap, Some(LIMIT))? else { continue };
        assert_eq!(hap.status.kind(), Kind::Failed);
        let code = hap.status.outcome().and_then(hapless::Outcome::return_code);
        let mut output = String::new();
        haps.logs(&hap, Stream::Stdout)?.read_to_string(&mut output).map_err(hapless::Error::Output)?;
        report.push(format!("{output}hap {} ended with {code:?}\n", hap.id));
    }
    report.push(format!("{} in the list\n", haps.list()?.len()));
    Ok(report.concat())
}

fn shell(text: &str) -> Request {
    Request { command: ["sh", "-c", text].map(Into::into).to_vec(), ..Request::default() }
}
