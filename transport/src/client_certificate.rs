//! The client's own certificate, for gateways that want one.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use crate::tls_options::{TlsOptionsError, sections};
use crate::tls_words::{pem_problem, problem};

/// A certificate with those that lead to its authority, and its key.
#[derive(Clone)]
pub(crate) struct ClientCertificate(Arc<CertifiedKey>);

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientCertificate(...)")
    }
}

impl ClientCertificate {
    /// From PEM: the chain, its own certificate first, and the key, which may stand in one text.
    pub(crate) fn from_pem(chain: &[u8], key: &[u8], provider: &CryptoProvider) -> Result<Self, TlsOptionsError> {
        let wrong = |problem: String| TlsOptionsError::BadClientCertificate { problem };
        // Nothing but certificates is decoded: what else was, such as the key in the same text, would be left in memory.
        let chain: Vec<_> = sections(chain)
            .map(CertificateDer::from_pem_slice)
            .collect::<Result<_, _>>()
            .map_err(|error| wrong(format!("the certificate: {}", pem_problem(&error))))?;
        if chain.is_empty() {
            return Err(wrong("the certificate: there is none (-----BEGIN CERTIFICATE-----)".into()));
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| {
            let text = String::from_utf8_lossy(key);
            wrong(if text.contains("ENCRYPTED") {
                "the key is encrypted: decrypt it first (openssl pkey -in KEY -out PLAIN)".into()
            } else {
                format!("the key (-----BEGIN PRIVATE KEY-----): {}", pem_problem(&error))
            })
        })?;
        let key = CertifiedKey::from_der(chain, key, provider).map_err(|error| wrong(problem(&error)))?;
        Ok(ClientCertificate(Arc::new(key)))
    }

    pub(crate) fn resolver(&self) -> Arc<SingleCertAndKey> {
        Arc::new(SingleCertAndKey::from((*self.0).clone()))
    }
}
