//! A certificate authority: signs the certificates of services in development and of nodes in production.

use std::{net::IpAddr, path::Path};

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ED25519, SanType,
};
use sha2::{Digest as _, Sha256};

use super::{Peer, SERVICE_DOMAIN};

/// Certificates begin this much in the past, so that a peer whose clock lags accepts them.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(5);

/// A certificate and its key, PEM.
#[derive(Debug, Clone)]
pub struct Issued {
    pub cert_pem: String,
    pub key_pem: String,
}

/// A certificate authority with its key in memory.
#[derive(Debug)]
pub struct Authority {
    cert_pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Makes a new authority. Returns it with its own certificate and key.
    pub fn create(
        name: &str,
        now: DateTime<Utc>,
        life: TimeDelta,
    ) -> anyhow::Result<(Self, Issued)> {
        let key = KeyPair::generate_for(&PKCS_ED25519)?;
        let mut params = params(name, now, life)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let cert_pem = params.self_signed(&key)?.pem();
        let issued = Issued {
            cert_pem: cert_pem.clone(),
            key_pem: key.serialize_pem(),
        };
        Ok((
            Self {
                cert_pem,
                issuer: Issuer::new(params, key),
            },
            issued,
        ))
    }

    pub fn from_pem(cert_pem: &str, key_pem: &str) -> anyhow::Result<Self> {
        let key = KeyPair::from_pem(key_pem).context("read authority key")?;
        let issuer =
            Issuer::from_ca_cert_pem(cert_pem, key).context("read authority certificate")?;
        Ok(Self {
            cert_pem: cert_pem.to_owned(),
            issuer,
        })
    }

    pub fn load(cert_file: &Path, key_file: &Path) -> anyhow::Result<Self> {
        let read = |path: &Path| {
            std::fs::read_to_string(path).with_context(|| format!("read `{}`", path.display()))
        };
        Self::from_pem(&read(cert_file)?, &read(key_file)?)
    }

    pub fn cert_pem(&self) -> &str {
        &self.cert_pem
    }

    /// Makes a key and a certificate for a service. `addresses` are further names a listener is reached by.
    pub fn issue_service(
        &self,
        name: &str,
        addresses: &[IpAddr],
        now: DateTime<Utc>,
        life: TimeDelta,
    ) -> anyhow::Result<Issued> {
        let key = KeyPair::generate_for(&PKCS_ED25519)?;
        let mut params = leaf(&Peer::Service(name.to_owned()), now, life)?;
        params
            .subject_alt_names
            .push(SanType::DnsName(SERVICE_DOMAIN.try_into()?));
        params
            .subject_alt_names
            .extend(addresses.iter().copied().map(SanType::IpAddress));
        let cert = params.signed_by(&key, &self.issuer)?;
        Ok(Issued {
            cert_pem: cert.pem(),
            key_pem: key.serialize_pem(),
        })
    }

    /// Certifies the key of a signing request as the node's. Everything else the request asks for is ignored.
    pub fn certify_node(
        &self,
        csr: &Csr,
        peer: &Peer,
        now: DateTime<Utc>,
        life: TimeDelta,
    ) -> anyhow::Result<String> {
        let params = leaf(peer, now, life)?;
        Ok(params.signed_by(&csr.0.public_key, &self.issuer)?.pem())
    }
}

/// A certificate signing request whose own signature was checked.
#[derive(Debug)]
pub struct Csr(CertificateSigningRequestParams, [u8; 32]);

impl Csr {
    /// Parses PEM and checks that the requester has the key. Only Ed25519 keys are taken.
    pub fn from_pem(pem: &str) -> anyhow::Result<Self> {
        let params = CertificateSigningRequestParams::from_pem(pem)?;
        anyhow::ensure!(
            params.public_key.algorithm() == &PKCS_ED25519,
            "the key must be Ed25519"
        );
        let digest = csr_digest(pem)?;
        Ok(Self(params, digest))
    }

    /// SHA-256 of the request's DER, which a node key signs to prove that the request is its own.
    pub const fn digest(&self) -> [u8; 32] {
        self.1
    }

    /// Raw Ed25519 public key.
    pub fn public_key(&self) -> &[u8] {
        rcgen::PublicKeyData::der_bytes(&self.0.public_key)
    }
}

/// Makes a key and a request to have it certified. Returns the key and the request, PEM.
pub fn request(name: &str) -> anyhow::Result<(KeyPair, String)> {
    let key = KeyPair::generate_for(&PKCS_ED25519)?;
    let pem = request_for(name, &key)?;
    Ok((key, pem))
}

/// A request for a key that exists already.
pub fn request_for(name: &str, key: &KeyPair) -> anyhow::Result<String> {
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name(name);
    Ok(params.serialize_request(key)?.pem()?)
}

/// SHA-256 of the DER inside a PEM request.
pub fn csr_digest(pem: &str) -> anyhow::Result<[u8; 32]> {
    let (_, block) = x509_parser::pem::parse_x509_pem(pem.as_bytes())
        .map_err(|err| anyhow::anyhow!("not a PEM block: {err}"))?;
    Ok(Sha256::digest(&block.contents).into())
}

fn leaf(peer: &Peer, now: DateTime<Utc>, life: TimeDelta) -> anyhow::Result<CertificateParams> {
    let uri = peer.uri();
    let mut params = params(&uri, now, life)?;
    params.subject_alt_names = vec![SanType::URI(uri.as_str().try_into()?)];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ClientAuth,
        ExtendedKeyUsagePurpose::ServerAuth,
    ];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn params(name: &str, now: DateTime<Utc>, life: TimeDelta) -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name(name);
    params.not_before = to_offset(now - CLOCK_SKEW)?;
    params.not_after = to_offset(now + life)?;
    Ok(params)
}

fn common_name(name: &str) -> DistinguishedName {
    let mut dn = DistinguishedName::new();
    dn.push(DnType::CommonName, name);
    dn
}

/// rcgen speaks the `time` crate, we speak chrono.
fn to_offset(at: DateTime<Utc>) -> anyhow::Result<time::OffsetDateTime> {
    time::OffsetDateTime::from_unix_timestamp(at.timestamp()).context("certificate time")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: TimeDelta = TimeDelta::days(1);

    fn der(pem: &str) -> Vec<u8> {
        x509_parser::pem::parse_x509_pem(pem.as_bytes())
            .unwrap()
            .1
            .contents
    }

    #[test]
    fn a_node_certificate_names_the_node_and_carries_the_requested_key() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let (authority, _) = Authority::create("nodes", now, DAY).unwrap();
        let (key, pem) = request("anything").unwrap();
        let csr = Csr::from_pem(&pem).unwrap();
        let peer = Peer::Node(uuid::Uuid::from_u128(7).into());
        let cert = der(&authority.certify_node(&csr, &peer, now, DAY).unwrap());
        assert_eq!(Peer::from_certificate(&cert), Some(peer));
        assert_eq!(
            super::super::public_key(&cert).unwrap(),
            key.public_key_raw()
        );
        assert_eq!(csr.public_key(), key.public_key_raw());
    }

    #[test]
    fn a_request_with_a_foreign_signature_is_refused() {
        let (_, pem) = request("a").unwrap();
        let mut der = der(&pem);
        // The last byte belongs to the signature.
        *der.last_mut().unwrap() ^= 1;
        let csr = rustls::pki_types::CertificateSigningRequestDer::from(der);
        assert!(CertificateSigningRequestParams::from_der(&csr).is_err());
    }

    #[test]
    fn a_reloaded_authority_signs_for_the_same_name() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let (_, issued) = Authority::create("plane", now, DAY).unwrap();
        let authority = Authority::from_pem(&issued.cert_pem, &issued.key_pem).unwrap();
        let service = authority.issue_service("billing", &[], now, DAY).unwrap();
        let peer = Peer::from_certificate(&der(&service.cert_pem));
        assert_eq!(peer, Some(Peer::Service("billing".to_owned())));
    }
}
