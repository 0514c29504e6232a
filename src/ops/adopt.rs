//! `adopt`: a command that runs already becomes a hap.

use std::ffi::CString;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::core::adoption::{Adopted, Adoption, Capture, Obstacle};
use crate::core::error::{Error, Result};
use crate::core::name::Name;
use crate::core::record::{Moment, Place, ProcessId, Record, VERSION};
use crate::ops::adoptable::{self, Job};
use crate::ops::find::Haps;
use crate::store::{Contents, Naming, Published, StateDir, adoption_file};
use crate::supervisor::{self, Ward};
use crate::sys::exec::Program;
use crate::sys::pidfd::Handle;
use crate::sys::{clock, file, fork, host, proc, running};

/// How long a supervisor may take to go whose command was not adopted.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is asked of `adopt`.
#[derive(Clone, Debug)]
pub struct Adoptee {
    /// The process.
    pub pid: i32,
    /// Its name as a hap; a generated one if there is none.
    pub name: Option<Name>,
    /// What of its output is taken.
    pub capture: Capture,
    /// It alone, without its job.
    pub only: bool,
}

/// What a program was started with.
struct Origin {
    arguments: Vec<CString>,
    environment: Vec<CString>,
    workdir: PathBuf,
    umask: u32,
}

/// Makes a hap of the process. On an error nothing was changed in it, or everything was changed back.
pub fn adopt(root: &Path, adoptee: &Adoptee) -> Result<Published> {
    let _private = fork::private_umask();
    let state = StateDir::create(root)?;
    let haps = Haps::new(state)?;
    let job = adoptable::job(&haps, adoptee.pid, adoptee.only)?;
    let gone = || Error::NotAdoptable { pid: adoptee.pid, obstacle: Obstacle::Missing };
    let command = Handle::open(job.command).map_err(Error::system("look at the process"))?.ok_or_else(gone)?;
    let origin = origin(job.command).map_err(Error::system("read what it was started with"))?;
    let contents = Contents {
        arguments: &origin.arguments,
        environment: &origin.environment,
        workdir: &origin.workdir,
        merge: false,
    };
    let staged = haps.state().stage(&contents)?;
    let files = staged.files();
    adoption_file::note(&files.directory, &plan(&job, adoptee))
        .map_err(Error::system("note down what is to be done"))?;
    let naming = adoptee.name.clone().map_or(Naming::Generated, Naming::Chosen);
    let own = proc::identify(fork::own_pid()).ok_or_else(gone)?;
    let published = staged.publish(naming, |name| record(name, haps.here(), own, &job, &origin))?;
    let ward = Ward {
        directory: files.directory.as_fd(),
        lock: files.lock.as_fd(),
        command: &command,
        record: &published.record,
    };
    match supervisor::guard(&ward) {
        Ok(_) => {
            Ok(Published { record: haps.state().hap(published.id).record().unwrap_or(published.record), ..published })
        }
        Err(error) => {
            withdraw(&haps, &published)?;
            Err(error)
        }
    }
}

/// Its supervisor holds the directory until it has gone.
fn withdraw(haps: &Haps, published: &Published) -> Result<()> {
    let hap = haps.state().hap(published.id);
    let supervisor = hap.record().map_or(published.record.supervisor, |record| record.supervisor);
    if supervisor.pid != fork::own_pid()
        && let Ok(Some(supervisor)) = Handle::open(supervisor)
    {
        let _ = supervisor.wait_at_most(PATIENCE);
    }
    haps.state().withdraw(published.id, &published.record)
}

fn plan(job: &Job, adoptee: &Adoptee) -> Adoption {
    let processes: Vec<ProcessId> = [job.command].into_iter().chain(job.others.iter().copied()).collect();
    let is_stopped = |process: &ProcessId| proc::stat_of(*process).is_some_and(|stat| stat.is_halted());
    let stopped = processes.iter().copied().filter(is_stopped).collect();
    Adoption { capture: adoptee.capture, processes, stopped, patient: None, failed: false }
}

/// Until it has a supervisor of its own, that is us: should we be killed, the next `hap` sees that it has none.
fn record(name: Name, here: &Place, own: ProcessId, job: &Job, origin: &Origin) -> Record {
    Record {
        version: VERSION,
        name,
        argv: origin.arguments.iter().map(|argument| argument.to_string_lossy().into_owned()).collect(),
        shell: false,
        workdir: origin.workdir.to_string_lossy().into_owned(),
        merge: false,
        umask: origin.umask,
        log_limit: None,
        timestamps: false,
        uid: job.user,
        restarts: 0,
        place: here.clone(),
        supervisor: own,
        process: job.command,
        started: started(job.command),
        adopted: Some(Adopted { group: job.group, others: job.others.clone() }),
        end: None,
    }
}

/// When a process was started, as exactly as the kernel tells.
fn started(process: ProcessId) -> Moment {
    let now = clock::now();
    let boot_ns = u64::try_from(proc::ticks(process.start_ticks).as_nanos()).unwrap_or(0).min(now.boot_ns);
    let age = i64::try_from(now.boot_ns - boot_ns).unwrap_or(0);
    Moment { unix_ns: now.unix_ns.saturating_sub(age), boot_ns }
}

fn origin(process: ProcessId) -> std::io::Result<Origin> {
    let pid = process.pid;
    let workdir = running::workdir(pid)?;
    let environment = running::environment(pid)?;
    let executable = CString::new(running::executable(pid)?.into_os_string().into_vec())?;
    let mut arguments = running::arguments(pid)?;
    let is_found = |arguments: &[CString]| {
        let program = Program::new(arguments.to_vec(), environment.clone());
        file::open_workdir(&workdir).is_ok_and(|workdir| program.exists_in(workdir.as_fd()))
    };
    // What it calls itself need not be a program: `-bash`, or whatever it has written there since.
    if !is_found(&arguments) {
        arguments.splice(..arguments.len().min(1), [executable]);
    }
    let umask = running::facts(pid).map_or(0o022, |facts| facts.umask);
    Ok(Origin { arguments, environment, workdir, umask })
}

/// Whose process it was: whoever else starts it again would start it as himself.
pub fn is_its_user(record: &Record) -> bool {
    record.adopted.is_none() || record.uid == host::own_uid()
}
