//! What the environment says. Nothing else reads it, besides the arguments that name their variable in the help.

use std::{
    ffi::OsString,
    io::{IsTerminal as _, stderr, stdin, stdout},
    path::PathBuf,
};

/// The process's surroundings.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about the process"
)]
pub struct Environment {
    xdg_config_home: Option<PathBuf>,
    home: Option<PathBuf>,
    /// Whether colours are unwelcome: `NO_COLOR` (no-color.org), or a terminal without them.
    plain: bool,
    pub stdin_terminal: bool,
    pub stdout_terminal: bool,
    pub stderr_terminal: bool,
}

impl Environment {
    pub fn read() -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value: &OsString| !value.is_empty());
        Self {
            // The XDG specification says to ignore a relative path.
            xdg_config_home: set("XDG_CONFIG_HOME")
                .map(PathBuf::from)
                .filter(|p| p.is_absolute()),
            home: set("HOME").map(PathBuf::from),
            plain: set("NO_COLOR").is_some() || set("TERM").is_some_and(|term| term == "dumb"),
            stdin_terminal: stdin().is_terminal(),
            stdout_terminal: stdout().is_terminal(),
            stderr_terminal: stderr().is_terminal(),
        }
    }

    /// Where our files go.
    pub fn config_dir(&self) -> Option<PathBuf> {
        let base = self.xdg_config_home.clone();
        let base = base.or_else(|| self.home.as_ref().map(|home| home.join(".config")));
        base.map(|base| base.join("fluxctl"))
    }

    pub const fn stdout_colors(&self) -> bool {
        self.stdout_terminal && !self.plain
    }

    pub const fn stderr_colors(&self) -> bool {
        self.stderr_terminal && !self.plain
    }
}
