//! Files that arguments name; `-` is the input.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use fluxplane_app_spec::json::{self, Limits};

use crate::error::Error;

/// Whether a path stands for the input.
pub(super) fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// Reads a whole file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    if is_stdin(path) {
        let mut content = Vec::new();
        io::stdin()
            .lock()
            .read_to_end(&mut content)
            .map_err(|err| Error::file("read", path, err))?;
        return Ok(content);
    }
    fs::read(path).map_err(|err| Error::file("read", path, err))
}

/// Opens a file to be read piece by piece.
pub(super) fn open(path: Option<&Path>) -> Result<Box<dyn Read + Send>, Error> {
    match path {
        Some(path) if !is_stdin(path) => {
            let file = File::open(path).map_err(|err| Error::file("open", path, err))?;
            Ok(Box::new(file))
        }
        Some(_) | None => Ok(Box::new(io::stdin())),
    }
}

/// Reads one JSON value as it is written. What is checked and hashed depends on its bytes.
pub(super) fn read_json(argument: &str, path: &Path) -> Result<String, Error> {
    as_json(argument, path, read(path)?)
}

/// The content of a file as one JSON value.
pub(super) fn as_json(argument: &str, path: &Path, bytes: Vec<u8>) -> Result<String, Error> {
    let wrong = |rule: String| {
        let remedy = "`fluxctl spec init` shows how a specification looks";
        Error::input(argument, path.display(), rule, remedy)
    };
    json::parse(&bytes, Limits::default()).map_err(|err| wrong(err.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|err| wrong(err.to_string()))?;
    Ok(text.trim().to_owned())
}
