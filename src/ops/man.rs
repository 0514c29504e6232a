//! `man`: puts the pages of the manual where `man` looks for them.

use std::fs;
use std::path::Path;

use crate::core::error::{Error, Result};

/// One page of the manual.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its file name, as `hap-run.1`.
    pub name: String,
    /// Its text, for man(1).
    pub text: Vec<u8>,
}

/// Writes the pages into a directory, which is made if it is missing.
pub fn write(directory: &Path, pages: &[Page]) -> Result<()> {
    fs::create_dir_all(directory).map_err(Error::file("create", directory))?;
    for Page { name, text } in pages {
        let path = directory.join(name);
        fs::write(&path, text).map_err(Error::file("write", path))?;
    }
    Ok(())
}
