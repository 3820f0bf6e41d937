//! Certificates made on the spot, and rustls settings that use them.

use core::fmt;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::options::Certificate;

/// Why no certificate could be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate could not be made or signed.
    #[error("the loopback server's certificate could not be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// rustls does not take the certificate.
    #[error("rustls refused the loopback server's certificate: {0}")]
    Config(#[from] rustls::Error),
}

/// A throw-away CA with one server certificate. Its keys are made anew each time and never stored.
#[derive(Clone)]
pub struct Tls {
    ca_pem: String,
    config: Arc<ServerConfig>,
}

impl Tls {
    /// Makes a CA and signs a certificate with it.
    ///
    /// # Errors
    /// When the system has no randomness, or a library refuses what the other made.
    pub fn new(certificate: Certificate) -> Result<Self, TlsError> {
        let mut ca = CertificateParams::default();
        ca.distinguished_name.push(DnType::CommonName, "chatnio loopback CA");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate()?)?;

        let names = match certificate {
            Certificate::Valid | Certificate::Expired => vec!["localhost", "127.0.0.1"],
            Certificate::WrongName => vec!["elsewhere.invalid"],
        };
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let mut leaf = CertificateParams::new(names)?;
        leaf.distinguished_name.push(DnType::CommonName, "chatnio loopback server");
        // Python 3.13 takes no certificate without.
        leaf.use_authority_key_identifier_extension = true;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.not_before = date_time_ymd(2020, 1, 1);
        leaf.not_after = match certificate {
            Certificate::Expired => date_time_ymd(2020, 2, 1),
            Certificate::Valid | Certificate::WrongName => date_time_ymd(4000, 1, 1),
        };
        let key = KeyPair::generate()?;
        let leaf = leaf.signed_by(&key, &ca)?;

        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        // The provider is named: the process may have none installed, or several.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)?;
        Ok(Self { ca_pem: ca.pem(), config: Arc::new(config) })
    }

    /// The CA's certificate in PEM, for the client to trust.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// With other settings, and what is to be trusted for them.
    pub(crate) fn with(ca_pem: String, config: Arc<ServerConfig>) -> Self {
        Self { ca_pem, config }
    }

    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }
}

/// Without the keys.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}
