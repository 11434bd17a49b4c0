//! Identities for a plane on one machine: an authority for services, one for nodes, and a certificate per service.
//!
//! Made once into a folder and kept. Production brings its own certificates; a service only reads the files its
//! configuration names.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use fluxplane_envelope::{RootRing, SystemEntropy};

use super::authority::{Authority, Issued};
use crate::keyring;

/// Life of everything made here; a development plane is not renewed.
const LIFE: TimeDelta = TimeDelta::days(365);

/// Name of the services' authority: `ca.pem`, `ca.key`.
const PLANE_CA: &str = "ca";

/// Name of the nodes' authority: `node-ca.pem`, `node-ca.key`.
const NODE_CA: &str = "node-ca";

/// Name of the file with the root keys.
pub const ROOT_KEYS: &str = "root-keys";

/// Makes what is missing in `dir`: `<name>.pem` and `<name>.key` for both authorities and each service, and the root keys.
pub fn ensure(dir: &Path, services: &[&str], now: DateTime<Utc>) -> anyhow::Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("make {}", dir.display()))?;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
    let plane = authority(dir, PLANE_CA, now)?;
    authority(dir, NODE_CA, now)?;
    let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST)];
    for service in services {
        if !dir.join(format!("{service}.pem")).exists() {
            write(
                dir,
                service,
                &plane.issue_service(service, &loopback, now, LIFE)?,
            )?;
        }
    }
    let root_keys = dir.join(ROOT_KEYS);
    if !root_keys.exists() {
        keyring::save(&root_keys, &RootRing::generate(&SystemEntropy)?)?;
    }
    Ok(())
}

fn authority(dir: &Path, name: &str, now: DateTime<Utc>) -> anyhow::Result<Authority> {
    let (cert, key) = (
        dir.join(format!("{name}.pem")),
        dir.join(format!("{name}.key")),
    );
    if cert.exists() {
        return Authority::load(&cert, &key);
    }
    let (authority, issued) =
        Authority::create(&format!("Fluxplane development {name}"), now, LIFE)?;
    write(dir, name, &issued)?;
    Ok(authority)
}

/// The key first: a certificate without its key would count as made.
fn write(dir: &Path, name: &str, issued: &Issued) -> anyhow::Result<()> {
    let key_file = dir.join(format!("{name}.key"));
    let mut options = fs::OpenOptions::new();
    let mut key = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&key_file)?;
    std::io::Write::write_all(&mut key, issued.key_pem.as_bytes())?;
    fs::write(dir.join(format!("{name}.pem")), &issued.cert_pem)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::Credentials;

    #[test]
    fn a_second_call_changes_nothing_and_a_new_service_is_added() {
        let dir = tempfile::tempdir().unwrap();
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        ensure(dir.path(), &["billing"], now).unwrap();
        let before = fs::read_to_string(dir.path().join("billing.pem")).unwrap();
        ensure(dir.path(), &["billing", "gateway"], now).unwrap();
        assert_eq!(
            fs::read_to_string(dir.path().join("billing.pem")).unwrap(),
            before
        );
        let files = |name: &str| dir.path().join(name);
        Credentials::load(&crate::config::Tls {
            ca_file: files("ca.pem"),
            cert_file: files("gateway.pem"),
            key_file: files("gateway.key"),
        })
        .unwrap();
    }
}
