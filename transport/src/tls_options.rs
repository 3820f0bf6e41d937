//! Whom to trust: the settings of TLS.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;
use thiserror::Error;

use crate::clock::WallClock;
use crate::error::TlsError;

/// Which root certificates count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trust {
    /// The platform's, and those given.
    #[default]
    Platform,
    /// Only those given.
    GivenOnly,
}

/// The settings of TLS; [`TlsOptions::build`] makes them usable.
///
/// ```no_run
/// use chatnio::{TlsOptions, Trust};
///
/// let tls = TlsOptions::new().trust(Trust::GivenOnly).root_file("my-root.pem")?.build()?;
/// # Ok::<(), chatnio::TlsOptionsError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct TlsOptions {
    trust: Trust,
    roots: Vec<CertificateDer<'static>>,
    accept_any: bool,
    clock: WallClock,
}

/// Why a TLS setting cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsOptionsError {
    /// The root file cannot be read.
    #[error("the root certificate file {} cannot be read: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no certificate where some should be.
    #[error("there is no certificate in {origin}: it must hold PEM (-----BEGIN CERTIFICATE-----) or DER")]
    NoCertificate {
        /// The file, or what else was given.
        origin: String,
    },
    /// A certificate cannot be read.
    #[error("a root certificate in {origin} is broken: {problem}")]
    BadCertificate {
        /// The file, or what else was given.
        origin: String,
        /// What was wrong.
        problem: String,
    },
    /// Only given roots are to count, and none was given: every server would be refused.
    #[error("only given root certificates are to be trusted, but none was given: add one")]
    NoRoots,
}

impl TlsOptions {
    /// The platform's roots and the system's clock.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says which root certificates count.
    #[must_use]
    pub fn trust(mut self, trust: Trust) -> Self {
        self.trust = trust;
        self
    }

    /// Adds one root certificate in DER.
    ///
    /// # Errors
    /// [`TlsOptionsError::BadCertificate`].
    pub fn root_der(self, der: &[u8]) -> Result<Self, TlsOptionsError> {
        self.add_root(CertificateDer::from(der.to_vec()), "the given DER")
    }

    /// Adds every certificate in a PEM text as a root; other kinds of PEM sections are skipped.
    ///
    /// # Errors
    /// [`TlsOptionsError::NoCertificate`] and [`TlsOptionsError::BadCertificate`].
    pub fn roots_pem(self, pem: &[u8]) -> Result<Self, TlsOptionsError> {
        self.add_pem(pem, "the given PEM")
    }

    /// Adds every certificate in a file as a root: any number in PEM, or one in DER.
    ///
    /// # Errors
    /// [`TlsOptionsError::Read`], [`TlsOptionsError::NoCertificate`] and
    /// [`TlsOptionsError::BadCertificate`].
    pub fn root_file(self, path: impl AsRef<Path>) -> Result<Self, TlsOptionsError> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|source| TlsOptionsError::Read { path: path.to_owned(), source })?;
        let origin = path.display().to_string();
        // DER starts with the tag of a sequence, which PEM, being text, cannot.
        if bytes.first() == Some(&0x30) && !bytes.is_ascii() {
            self.add_root(CertificateDer::from(bytes), &origin)
        } else {
            self.add_pem(&bytes, &origin)
        }
    }

    /// Accepts every certificate, so that anybody on the way can read and change everything, tokens
    /// included. For experiments against one's own server only; [`TlsOptions::root_file`] is the
    /// right way.
    #[must_use]
    pub fn dangerous_accept_any_certificate(mut self) -> Self {
        self.accept_any = true;
        self
    }

    /// Sets where the check of certificates gets wall time from.
    #[must_use]
    pub fn wall_clock(mut self, clock: WallClock) -> Self {
        self.clock = clock;
        self
    }

    /// Makes the settings usable. The platform's roots are not loaded yet: see [`TlsConfig::load`].
    ///
    /// # Errors
    /// [`TlsOptionsError::NoRoots`].
    pub fn build(self) -> Result<TlsConfig, TlsOptionsError> {
        if self.trust == Trust::GivenOnly && self.roots.is_empty() && !self.accept_any {
            return Err(TlsOptionsError::NoRoots);
        }
        Ok(TlsConfig::from_options(self))
    }

    fn add_pem(mut self, pem: &[u8], origin: &str) -> Result<Self, TlsOptionsError> {
        let before = self.roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| TlsOptionsError::BadCertificate {
                origin: origin.to_owned(),
                problem: error.to_string(),
            })?;
            self = self.add_root(certificate, origin)?;
        }
        if self.roots.len() == before {
            return Err(TlsOptionsError::NoCertificate { origin: origin.to_owned() });
        }
        Ok(self)
    }

    /// Checks the certificate here, where the error can name its origin.
    fn add_root(mut self, certificate: CertificateDer<'static>, origin: &str) -> Result<Self, TlsOptionsError> {
        RootCertStore::empty().add(certificate.clone()).map_err(|error| TlsOptionsError::BadCertificate {
            origin: origin.to_owned(),
            problem: error.to_string(),
        })?;
        self.roots.push(certificate);
        Ok(self)
    }

    fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
        if self.accept_any {
            return Ok(Arc::new(AcceptAny(provider.clone())));
        }
        match self.trust {
            Trust::Platform => platform_verifier(self.roots.clone(), provider.clone())
                .map(|verifier| Arc::new(verifier) as Arc<dyn ServerCertVerifier>)
                .map_err(|error| TlsError::NoPlatformRoots { problem: error.to_string() }),
            Trust::GivenOnly => {
                let mut store = RootCertStore::empty();
                store.add_parsable_certificates(self.roots.iter().cloned());
                WebPkiServerVerifier::builder_with_provider(store.into(), provider.clone())
                    .build()
                    .map(|verifier| verifier as Arc<dyn ServerCertVerifier>)
                    .map_err(setup)
            }
        }
    }
}

#[cfg(not(target_os = "android"))]
fn platform_verifier(
    roots: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<Verifier, rustls::Error> {
    Verifier::new_with_extra_roots(roots, provider)
}

/// Android's verifier takes no roots beside its own: it goes by what the app declares.
#[cfg(target_os = "android")]
fn platform_verifier(
    roots: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<Verifier, rustls::Error> {
    if roots.is_empty() {
        return Verifier::new(provider);
    }
    Err(rustls::Error::General("Android allows no roots beside its own; use Trust::GivenOnly".into()))
}

/// Usable settings of TLS. Clones are cheap and share everything, loaded roots and resumable
/// sessions included: make one and give it to every connection.
#[derive(Debug, Clone)]
pub struct TlsConfig(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    options: TlsOptions,
    /// Once it could be made: what fails may work later, when there are file descriptors again, for instance.
    client: OnceLock<Arc<ClientConfig>>,
}

impl TlsConfig {
    fn from_options(options: TlsOptions) -> Self {
        Self(Arc::new(Shared { options, client: OnceLock::new() }))
    }

    /// Loads the platform's root certificates now (it takes some milliseconds and reads files),
    /// instead of when the first encrypted connection is made; does nothing the second time. A
    /// connection without TLS never does it, so a machine without roots can still use those.
    ///
    /// # Errors
    /// [`TlsError::NoPlatformRoots`], and [`TlsError::Setup`].
    pub fn load(&self) -> Result<(), TlsError> {
        self.client().map(drop)
    }

    pub(crate) fn client(&self) -> Result<Arc<ClientConfig>, TlsError> {
        if let Some(client) = self.0.client.get() {
            return Ok(client.clone());
        }
        let client = client_config(&self.0.options)?;
        // Another thread may have been faster.
        Ok(self.0.client.get_or_init(|| client).clone())
    }
}

impl Default for TlsConfig {
    /// [`TlsOptions::new`] as it is.
    fn default() -> Self {
        Self::from_options(TlsOptions::new())
    }
}

fn client_config(options: &TlsOptions) -> Result<Arc<ClientConfig>, TlsError> {
    // Named, not the process-wide default: that one depends on what else the host's program links.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    // What follows panics without random bytes.
    provider.secure_random.fill(&mut [0]).map_err(|_| TlsError::NoRandom)?;
    let verifier = options.verifier(&provider)?;
    let config = ClientConfig::builder_with_details(provider, Arc::new(options.clock.clone()))
        .with_safe_default_protocol_versions()
        .map_err(setup)?
        // "Dangerous" is rustls' word for any verifier that is not its own default.
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn setup(problem: impl ToString) -> TlsError {
    TlsError::Setup { problem: problem.to_string() }
}

/// Accepts every certificate, but still checks that the server holds its key.
#[derive(Debug)]
struct AcceptAny(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
