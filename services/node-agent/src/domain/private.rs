//! What only this machine may know of an instance: the environment of its containers, and credentials for their images.

use std::fmt;

use fluxplane_envelope::Zeroizing;

/// The private part of an instance.
#[derive(Debug, Default)]
pub struct Private {
    pub components: Vec<PrivateComponent>,
}

/// Of one container.
#[derive(Default)]
pub struct PrivateComponent {
    pub name: String,
    /// `NAME=value`.
    pub environment: Vec<Zeroizing<String>>,
    pub credentials: Option<Credentials>,
}

impl fmt::Debug for PrivateComponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateComponent")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// With which an image is pulled.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Empty for the registry of the image.
    pub registry: String,
    pub username: Zeroizing<String>,
    pub password: Zeroizing<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(***)")
    }
}

impl Private {
    pub fn of(&self, component: &str) -> Option<&PrivateComponent> {
        self.components.iter().find(|one| one.name == component)
    }
}
