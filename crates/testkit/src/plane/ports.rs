//! Ports of a plane on one machine: free ones, kept from run to run.

use std::{
    collections::BTreeMap,
    fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

/// Ports by what they are for. A kept port that is taken by now is replaced.
#[derive(Debug)]
pub struct Ports {
    file: PathBuf,
    by_name: BTreeMap<String, u16>,
}

impl Ports {
    /// Reads what an earlier run chose.
    pub fn load(file: &Path) -> Result<Self> {
        let text = if file.exists() {
            fs::read_to_string(file)?
        } else {
            String::new()
        };
        let mut by_name = BTreeMap::new();
        for line in text.lines() {
            let parsed = line
                .split_once('=')
                .and_then(|(name, port)| Some((name.trim().to_owned(), port.trim().parse().ok()?)));
            let (name, port) = parsed.with_context(|| format!("{}: `{line}`", file.display()))?;
            by_name.insert(name, port);
        }
        Ok(Self {
            file: file.to_owned(),
            by_name,
        })
    }

    /// The port for `name`: `preferred` (0 for none) or the one of an earlier run if free, else any free one.
    pub fn get(&mut self, name: &str, preferred: u16) -> Result<u16> {
        let kept = self.by_name.get(name).copied().unwrap_or(preferred);
        let port = if kept != 0 && is_free(kept) && !self.taken_by_another(name, kept) {
            kept
        } else {
            self.any_free(name)?
        };
        self.by_name.insert(name.to_owned(), port);
        Ok(port)
    }

    /// Exactly `port` for `name`, because others remember it.
    pub fn fix(&mut self, name: &str, port: u16) -> Result<()> {
        anyhow::ensure!(is_free(port), "port {port} is held by another program");
        self.by_name.insert(name.to_owned(), port);
        Ok(())
    }

    /// Writes the choice down for the next run.
    pub fn save(&self) -> Result<()> {
        let lines = self
            .by_name
            .iter()
            .map(|(name, port)| format!("{name} = {port}\n"));
        fs::write(&self.file, lines.collect::<String>())?;
        Ok(())
    }

    fn taken_by_another(&self, name: &str, port: u16) -> bool {
        self.by_name
            .iter()
            .any(|(other, taken)| other != name && *taken == port)
    }

    fn any_free(&self, name: &str) -> Result<u16> {
        loop {
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
                .local_addr()?
                .port();
            if !self.taken_by_another(name, port) {
                return Ok(port);
            }
        }
    }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_kept_while_it_is_free_and_replaced_when_it_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ports");
        let mut ports = Ports::load(&file).unwrap();
        let first = ports.get("gateway", 0).unwrap();
        ports.save().unwrap();
        let mut again = Ports::load(&file).unwrap();
        assert_eq!(again.get("gateway", 0).unwrap(), first);
        let _squatter = TcpListener::bind((Ipv4Addr::LOCALHOST, first)).unwrap();
        assert_ne!(again.get("gateway", 0).unwrap(), first);
    }

    #[test]
    fn a_port_that_others_remember_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let mut ports = Ports::load(&dir.path().join("ports")).unwrap();
        let squatter = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = squatter.local_addr().unwrap().port();
        let refused = ports.fix("agents", port).unwrap_err().to_string();
        assert!(refused.contains(&port.to_string()), "{refused}");
    }
}
