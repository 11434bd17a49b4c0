//! Where text goes, in which form, and how questions are asked.

use std::{
    fmt::Display,
    io::{self, BufRead as _, Write},
};

use serde::Serialize;

use super::{Paint, Progress, progress::Mode};
use crate::{config::Environment, error::Error};

/// How results are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// For programs: one document, or one a line for what goes on.
    Json,
}

/// The terminal, or what stands in for it.
#[derive(Debug, Clone)]
pub struct Ui {
    format: Format,
    environment: Environment,
    progress: Mode,
}

impl Ui {
    pub fn new(format: Format, environment: Environment, progress: bool) -> Self {
        let progress = match (environment.stderr_terminal, progress) {
            (true, _) => Mode::Spinner,
            (false, true) => Mode::Lines,
            (false, false) => Mode::Off,
        };
        Self {
            format,
            environment,
            progress,
        }
    }

    pub fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// For stdout.
    pub const fn paint(&self) -> Paint {
        Paint::new(self.environment.stdout_colors())
    }

    /// For stderr.
    pub const fn error_paint(&self) -> Paint {
        Paint::new(self.environment.stderr_colors())
    }

    pub const fn stdout_is_terminal(&self) -> bool {
        self.environment.stdout_terminal
    }

    pub const fn progress(&self) -> Progress {
        Progress::new(self.progress)
    }

    /// Prints a result: a document for programs, `text` for people.
    pub fn show(
        &self,
        value: &impl Serialize,
        text: impl FnOnce(Paint) -> String,
    ) -> Result<(), Error> {
        match self.format {
            Format::Json => self.write(&format!("{}\n", json(value, true)?)),
            Format::Table => self.write(&text(self.paint())),
        }
    }

    /// Prints one of several results that come one after the other.
    pub fn line(
        &self,
        value: &impl Serialize,
        text: impl FnOnce(Paint) -> String,
    ) -> Result<(), Error> {
        match self.format {
            Format::Json => self.write(&format!("{}\n", json(value, false)?)),
            Format::Table => self.write(&format!("{}\n", text(self.paint()))),
        }
    }

    /// Prints text as it is, in both forms.
    pub fn write(&self, text: &str) -> Result<(), Error> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())
            .and_then(|()| out.flush())
            .map_err(Error::Output)
    }

    /// Says something beside the result.
    pub fn note(&self, text: impl Display) {
        // Somebody who closed stderr does not want to know.
        writeln!(io::stderr().lock(), "{text}").ok();
    }

    /// Whether somebody is there to answer.
    pub const fn can_ask(&self) -> bool {
        self.environment.stdin_terminal && self.environment.stderr_terminal
    }

    /// Asks for one line.
    pub fn ask(&self, prompt: &str) -> Result<String, Error> {
        let mut err = io::stderr().lock();
        write!(err, "{prompt} ")
            .and_then(|()| err.flush())
            .map_err(Error::Output)?;
        let mut line = String::new();
        let count = io::stdin()
            .lock()
            .read_line(&mut line)
            .map_err(Error::Output)?;
        // Only a person's own line break is on the screen.
        if !self.environment.stdin_terminal {
            writeln!(err).map_err(Error::Output)?;
        }
        if count == 0 {
            let rule = "an answer is needed, and the input has ended";
            return Err(Error::input(
                prompt,
                "",
                rule,
                "answer, or give it as an argument",
            ));
        }
        Ok(line.trim().to_owned())
    }

    /// Asks whether to go on. `yes` answers beforehand; without anybody there, only that can.
    pub fn confirm(&self, question: &str, yes: bool) -> Result<(), Error> {
        if yes {
            return Ok(());
        }
        if !self.can_ask() {
            let rule = "nobody is there to confirm";
            return Err(Error::input(
                "--yes",
                "not given",
                rule,
                "add --yes to go on without asking",
            ));
        }
        let answer = self.ask(&format!("{question} [y/N]"))?;
        if matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes") {
            return Ok(());
        }
        Err(Error::failed("declined", "nothing was done"))
    }
}

fn json(value: &impl Serialize, pretty: bool) -> Result<String, Error> {
    let text = if pretty {
        serde_json::to_string_pretty(value)
    } else {
        serde_json::to_string(value)
    };
    text.map_err(|err| Error::Output(err.into()))
}
