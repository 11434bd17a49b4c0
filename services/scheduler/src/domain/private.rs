//! What only the node of an instance may know: the environment of its containers, values of secrets, credentials for images.
//!
//! It is taken out of the workload before that is stored, and sealed beside it. What stays in the workload, the desired
//! state and every event says that there is something, never what.

use std::{collections::BTreeMap, fmt};

use fluxplane_envelope::Zeroizing;

use super::{Workload, secret::Credentials, workload::Component};

/// Environment of each component, `NAME=value`.
pub type Environments = BTreeMap<String, Vec<String>>;

/// The private part of an instance.
#[derive(Debug, Default)]
pub struct Private {
    pub components: Vec<PrivateComponent>,
}

/// Of one container.
#[derive(Default)]
pub struct PrivateComponent {
    pub name: String,
    /// `NAME=value`, the values of secrets among them.
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

/// What a secret is named for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// The value of a variable.
    Environment,
    /// To pull an image.
    Registry,
}

impl Purpose {
    /// As the store knows it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::Registry => "registry",
        }
    }
}

/// A specification names a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    pub secret: String,
    pub purpose: Purpose,
    /// Where the specification names it.
    pub field: String,
}

impl Workload {
    /// Takes out what is private, and leaves a note that there was something.
    pub fn take_environments(&mut self) -> Environments {
        let mut taken = Environments::new();
        for component in &mut self.components {
            let environment = std::mem::take(&mut component.environment);
            if !environment.is_empty() {
                component.environment_sealed = true;
                taken.insert(component.name.clone(), environment);
            }
        }
        taken
    }

    /// The environments of a workload from before they were taken out.
    pub fn environments(&self) -> Environments {
        let components = self.components.iter();
        components
            .filter(|component| !component.environment.is_empty())
            .map(|component| (component.name.clone(), component.environment.clone()))
            .collect()
    }

    /// Every secret it names.
    pub fn secret_uses(&self) -> Vec<Use> {
        let uses = self.components.iter().flat_map(|component| {
            let at = format!("spec.components.{}", component.name);
            let variables = component.secrets.iter().map({
                let at = at.clone();
                move |(variable, secret)| Use {
                    secret: secret.clone(),
                    purpose: Purpose::Environment,
                    field: format!("{at}.secrets.{variable}"),
                }
            });
            let credentials = component
                .registry_credentials
                .iter()
                .map(move |secret| Use {
                    secret: secret.clone(),
                    purpose: Purpose::Registry,
                    field: format!("{at}.registryCredentials"),
                });
            variables.chain(credentials).collect::<Vec<_>>()
        });
        uses.collect()
    }
}

impl Component {
    /// Tells one private part from another without saying anything about it; empty when nothing is private. A container is
    /// made anew when it changes: that is when a secret of its environment got a new value, counted by `secrets`. With other
    /// credentials an image is the same, and with another environment the revision is another one.
    pub fn private_version(&self, secrets: u64) -> String {
        if !self.secrets.is_empty() {
            format!("secrets-{secrets}")
        } else if self.environment_sealed
            || !self.environment.is_empty()
            || self.registry_credentials.is_some()
        {
            "environment".to_owned()
        } else {
            String::new()
        }
    }
}
