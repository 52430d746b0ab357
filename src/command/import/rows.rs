//! Files row by row, in a thread of its own: whoever imports is slower, and the reader waits for it.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

use tokio::sync::mpsc::Sender;

use super::{json_lines, sdk_csv};
use crate::{
    config::Config,
    vault::import::{Import, draft::Defaults},
};

/// A row with the line it begins on; or what is wrong with it, in words that repeat none of its values.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) line: u64,
    /// The tenant as it is named, and what is to be imported.
    pub(super) wanted: Result<(String, Import), String>,
}

#[derive(Debug, Clone)]
pub(super) enum Source {
    SdkCsv(PathBuf),
    JsonLines(PathBuf),
}

/// Standard input's name.
const STANDARD_INPUT: &str = "-";

impl Source {
    /// Sends each row; ends early where nobody takes them any more.
    pub(super) fn read(&self, config: &Config, defaults: &Defaults, to: &Sender<Row>) -> Result<(), String> {
        let mut send = |row| to.blocking_send(row).is_ok();
        match self {
            Self::SdkCsv(path) => sdk_csv::read(open(path)?, &config.zoho, defaults, &mut send),
            Self::JsonLines(path) => json_lines::read(open(path)?, defaults, &mut send),
        }
    }

    /// How many rows there are, where that can be known before they are read.
    pub(super) fn count(&self) -> Option<u64> {
        let (Self::SdkCsv(path) | Self::JsonLines(path)) = self;
        // A pipe would be used up by counting.
        if !std::fs::metadata(path).ok()?.is_file() {
            return None;
        }
        match self {
            Self::SdkCsv(path) => sdk_csv::count(open(path).ok()?),
            Self::JsonLines(path) => json_lines::count(open(path).ok()?),
        }
    }
}

fn open(path: &Path) -> Result<BufReader<Box<dyn Read>>, String> {
    let file: Box<dyn Read> = if path == Path::new(STANDARD_INPUT) {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path).map_err(|error| format!("{} ({error})", path.display()))?)
    };
    Ok(BufReader::new(file))
}
