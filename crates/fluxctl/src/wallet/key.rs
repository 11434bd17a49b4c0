//! A private key from a file.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::Path,
};

use fluxplane_flux_chain::{
    Address, FluxId, PrivateKey,
    address::AddressSpace,
    key::PrivateKeyError,
    message::{CompactSignature, Magic},
};
use ring::rand::{SecureRandom as _, SystemRandom};

use super::Error;

/// No key file is longer.
const MAX_FILE_BYTES: u64 = 4096;

/// A private key, and the networks its text is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    private: PrivateKey,
    space: AddressSpace,
}

impl Key {
    /// Makes a new key from the machine's randomness.
    pub fn generate(space: AddressSpace) -> Result<Self, Error> {
        let random = SystemRandom::new();
        loop {
            let mut secret = [0; 32];
            random.fill(&mut secret).map_err(|_| Error::Random)?;
            // All but one of 2^128 numbers are keys.
            if let Ok(private) = PrivateKey::from_bytes(&secret, true) {
                return Ok(Self { private, space });
            }
        }
    }

    /// Reads the wallet import format of any Flux network. Bitcoin's is that of the main network.
    pub fn parse(wif: &str) -> Result<Self, PrivateKeyError> {
        let read = |space| {
            Ok(Self {
                private: PrivateKey::from_wif(wif, space)?,
                space,
            })
        };
        read(AddressSpace::Main).or_else(|err| match err {
            PrivateKeyError::WrongNetwork { .. } => read(AddressSpace::Test),
            other => Err(other),
        })
    }

    /// Reads a key file. `field` is the argument that names it.
    pub fn read(field: &str, path: &Path) -> Result<Self, Error> {
        let shown = path.display().to_string();
        let unreadable = |err: io::Error| {
            let rule = format!("a key file must be readable ({err})");
            Error::input(
                field,
                &shown,
                rule,
                "name a file made by `fluxctl wallet new`",
            )
        };
        let wrong = |why: String| {
            let remedy = "put the private key alone into the file, as `fluxctl wallet new` does";
            Error::input(field, &shown, why, remedy)
        };
        let size = fs::metadata(path).map_err(unreadable)?.len();
        if size > MAX_FILE_BYTES {
            return Err(wrong(format!(
                "a key file is not larger than {MAX_FILE_BYTES} bytes"
            )));
        }
        let text = fs::read_to_string(path).map_err(unreadable)?;
        // The key itself must not show, whatever is wrong with it.
        Self::parse(text.trim()).map_err(|err| {
            wrong(format!(
                "a key file holds one private key in wallet import format ({err})"
            ))
        })
    }

    /// Whether others than its owner can read a key file.
    pub fn is_exposed(path: &Path) -> bool {
        const OTHERS: u32 = 0o077;
        fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.mode() & OTHERS != 0)
    }

    /// Writes a key file that only its owner can read. An existing file is never overwritten.
    pub fn write(&self, field: &str, path: &Path) -> Result<(), Error> {
        let failed = |err: io::Error| {
            let shown = path.display();
            if err.kind() == io::ErrorKind::AlreadyExists {
                let rule = "a key file is never overwritten, because it may be the only copy";
                return Error::input(field, shown, rule, "name another file");
            }
            let rule = format!("the file must be writable ({err})");
            Error::input(field, shown, rule, "name a file in a folder of yours")
        };
        let mut options = OpenOptions::new();
        let options = options.write(true).create_new(true).mode(0o600);
        let mut file = options.open(path).map_err(failed)?;
        file.write_all(format!("{}\n", self.private.to_wif(self.space)).as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(failed)
    }

    pub const fn private(&self) -> &PrivateKey {
        &self.private
    }

    /// The networks the key's text is for.
    pub const fn space(&self) -> AddressSpace {
        self.space
    }

    /// The id that signs in and owns applications.
    pub fn flux_id(&self) -> FluxId {
        FluxId::of_key(&self.private.public_key())
    }

    /// The address that holds coins.
    pub fn address(&self) -> Address {
        Address::of_key(&self.private.public_key(), self.space)
    }

    /// Signs a text as wallets of Flux users do, with Bitcoin's magic. Base64.
    pub fn sign(&self, text: &str) -> String {
        self.sign_with(Magic::BITCOIN, text)
    }

    pub fn sign_with(&self, magic: Magic<'_>, text: &str) -> String {
        CompactSignature::sign(&self.private, magic, text.as_bytes()).to_base64()
    }
}

#[cfg(test)]
mod tests {
    use fluxplane_app_spec::message::{check_canonical, recover_signer};

    use super::*;

    #[test]
    fn a_key_file_reads_back_and_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("wallet.wif");
        for space in [AddressSpace::Main, AddressSpace::Test] {
            let key = Key::generate(space).unwrap();
            key.write("--key-file", &path).unwrap();
            assert!(!Key::is_exposed(&path));
            assert_eq!(Key::read("--key-file", &path).unwrap(), key);
            let again = key.write("--key-file", &path).unwrap_err().to_string();
            assert!(again.contains("never overwritten"), "{again}");
            fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn what_is_no_key_is_refused_without_showing_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("wallet.wif");
        // A real key with one digit changed.
        fs::write(
            &path,
            "KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWm",
        )
        .unwrap();
        let refused = Key::read("--key-file", &path).unwrap_err().to_string();
        assert!(
            refused.contains("--key-file is `") && !refused.contains("KwDi"),
            "{refused}"
        );
        let missing = Key::read("--key-file", &dir.path().join("none"))
            .unwrap_err()
            .to_string();
        assert!(missing.contains("must be readable"), "{missing}");
    }

    #[test]
    fn flux_apps_take_the_signature() {
        let key = Key::generate(AddressSpace::Test).unwrap();
        let id = key.flux_id().to_string();
        let signature = key.sign("hello");
        assert_eq!(recover_signer("hello", &id, &signature).unwrap(), id);
        check_canonical(&id, &signature).unwrap();
    }
}
