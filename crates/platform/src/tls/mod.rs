//! Mutual TLS: who a peer is, loading a service's own identity, and the development authority.
//!
//! An identity is a SPIFFE URI in the certificate: `spiffe://fluxplane/service/<name>` for services,
//! `spiffe://fluxplane/node/<uuid>` for machines of operators. Services and nodes have authorities of their own.

use std::{path::Path, sync::Once};

use fluxplane_core::id::NodeId;
use tonic::transport::{Certificate, ClientTlsConfig, Identity as TonicIdentity, ServerTlsConfig};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use crate::config;

pub mod authority;
pub mod development;

/// DNS name in every service certificate, so that a caller verifies the service and not the host it happens to run on.
const SERVICE_DOMAIN: &str = "fluxplane.internal";

/// Trust domain of the SPIFFE URIs.
const TRUST_DOMAIN: &str = "spiffe://fluxplane/";

/// Makes ring the process's crypto provider; the first call wins.
pub fn install_crypto_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that another provider was installed before, which no code of ours does.
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
    });
}

/// Who is at the other end of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Peer {
    /// A service of the plane, by name.
    Service(String),
    /// The agent of a node.
    Node(NodeId),
    /// Nobody we know: no client certificate.
    Anonymous,
}

impl Peer {
    /// The URI that stands for this peer in certificates.
    pub fn uri(&self) -> String {
        match self {
            Self::Service(name) => format!("{TRUST_DOMAIN}service/{name}"),
            Self::Node(id) => format!("{TRUST_DOMAIN}node/{id}"),
            Self::Anonymous => String::new(),
        }
    }

    /// Reads the peer out of a certificate that was verified already. `None` when it carries no identity of ours.
    pub fn from_certificate(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let names = certificate.subject_alternative_name().ok()??;
        names
            .value
            .general_names
            .iter()
            .find_map(|name| match name {
                GeneralName::URI(uri) => Self::from_uri(uri),
                _ => None,
            })
    }

    fn from_uri(uri: &str) -> Option<Self> {
        let (kind, name) = uri.strip_prefix(TRUST_DOMAIN)?.split_once('/')?;
        match kind {
            "service" => Some(Self::Service(name.to_owned())),
            "node" => name.parse().ok().map(Self::Node),
            _ => None,
        }
    }
}

/// Raw public key of a certificate, as its owner signs with it.
pub fn public_key(der: &[u8]) -> Option<Vec<u8>> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(certificate.public_key().subject_public_key.data.to_vec())
}

/// A service's own identity and the authority it trusts, in memory.
#[derive(Clone)]
pub struct Credentials {
    identity: TonicIdentity,
    ca: Certificate,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl Credentials {
    pub fn load(config: &config::Tls) -> anyhow::Result<Self> {
        let ca = read("tls.ca_file", &config.ca_file)?;
        let cert = read("tls.cert_file", &config.cert_file)?;
        let key = read("tls.key_file", &config.key_file)?;
        Ok(Self::from_pem(&cert, &key, &ca))
    }

    pub fn from_pem(cert: &str, key: &str, ca: &str) -> Self {
        install_crypto_provider();
        Self {
            identity: TonicIdentity::from_pem(cert, key),
            ca: Certificate::from_pem(ca),
        }
    }

    /// For a listener that only services reach: a client certificate is required.
    pub fn server(&self) -> ServerTlsConfig {
        ServerTlsConfig::new()
            .identity(self.identity.clone())
            .client_ca_root(self.ca.clone())
    }

    /// For a listener that nodes reach: a client certificate of `node_ca` is checked when there is one.
    pub fn node_facing_server(&self, node_ca_pem: &str) -> ServerTlsConfig {
        ServerTlsConfig::new()
            .identity(self.identity.clone())
            .client_ca_root(Certificate::from_pem(node_ca_pem))
            .client_auth_optional(true)
    }

    /// For calls to other services.
    pub fn client(&self) -> ClientTlsConfig {
        ClientTlsConfig::new()
            .identity(self.identity.clone())
            .ca_certificate(self.ca.clone())
            .domain_name(SERVICE_DOMAIN)
    }
}

/// Client configuration of a machine that has no certificate yet.
pub fn anonymous_client(ca_pem: &str) -> ClientTlsConfig {
    install_crypto_provider();
    ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(ca_pem))
        .domain_name(SERVICE_DOMAIN)
}

fn read(key: &str, path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path)
        .map_err(|err| anyhow::anyhow!("{key}: read `{}`: {err}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_lead_back_to_peers() {
        let service = Peer::Service("billing".to_owned());
        assert_eq!(Peer::from_uri(&service.uri()), Some(service));
        assert_eq!(Peer::from_uri("spiffe://elsewhere/service/billing"), None);
        assert_eq!(Peer::from_uri("spiffe://fluxplane/node/not-a-uuid"), None);
    }
}
