//! Whom to trust: the settings of TLS.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::client_certificate::ClientCertificate;
use crate::clock::WallClock;
use crate::key_log::KeyLogger;
use crate::os_words::os_words;
use crate::tls_error::TlsError;
use crate::tls_verifier::{AcceptAny, WithPinned};
use crate::tls_words::{pem_problem, problem};

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
    client_certificate: Option<ClientCertificate>,
    key_log: Option<KeyLogger>,
}

/// Why a TLS setting cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsOptionsError {
    /// A file cannot be read.
    #[error("the certificate file {} cannot be read: {}", .path.display(), os_words(source))]
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
    /// The client's certificate or its key cannot be used.
    #[error("the client certificate cannot be used: {problem}")]
    BadClientCertificate {
        /// What was wrong.
        problem: String,
    },
    /// The file for the keys cannot be written.
    #[error("the key log file {} cannot be written: {}", .path.display(), os_words(source))]
    KeyLog {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
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

    /// Adds every certificate in a PEM text as a root; other kinds of PEM sections are skipped, and so is a certificate that
    /// cannot be read, unless there is no other.
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
        let bytes = read(path)?;
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

    /// Shows a certificate to servers that ask for one: in PEM the chain, its own certificate first, and its private key,
    /// not encrypted. Both may be one text.
    ///
    /// # Errors
    /// [`TlsOptionsError::BadClientCertificate`].
    pub fn client_certificate_pem(mut self, chain: &[u8], key: &[u8]) -> Result<Self, TlsOptionsError> {
        self.client_certificate = Some(ClientCertificate::from_pem(chain, key, &provider())?);
        Ok(self)
    }

    /// [`client_certificate_pem`](Self::client_certificate_pem) from two files, which may be one.
    ///
    /// # Errors
    /// [`TlsOptionsError::Read`] and [`TlsOptionsError::BadClientCertificate`].
    pub fn client_certificate_file(
        self,
        chain: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<Self, TlsOptionsError> {
        let key = Zeroizing::new(read(key.as_ref())?);
        // It may be the same file.
        let chain = Zeroizing::new(read(chain.as_ref())?);
        self.client_certificate_pem(&chain, &key)
    }

    /// Hands out the secrets of every TLS session, a line each in the format of NSS (without its end), with which whoever
    /// has it and the packets can read everything. For debugging, as with Wireshark. Called on the thread that drives the
    /// connection.
    #[must_use]
    pub fn key_log(mut self, write: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.key_log = Some(KeyLogger::new(write));
        self
    }

    /// [`key_log`](Self::key_log) to the end of a file, which is made if there is none.
    ///
    /// # Errors
    /// [`TlsOptionsError::KeyLog`].
    pub fn key_log_file(mut self, path: impl AsRef<Path>) -> Result<Self, TlsOptionsError> {
        let path = path.as_ref();
        let log = KeyLogger::to_file(path);
        self.key_log = Some(log.map_err(|source| TlsOptionsError::KeyLog { path: path.to_owned(), source })?);
        Ok(self)
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
        let mut failure = None;
        for section in sections(pem) {
            let certificate = CertificateDer::from_pem_slice(section).map_err(|error| pem_problem(&error));
            match certificate.and_then(checked) {
                Ok(certificate) => self.roots.push(certificate),
                Err(problem) => {
                    failure.get_or_insert(TlsOptionsError::BadCertificate { origin: origin.to_owned(), problem });
                }
            }
        }
        // One that is of no use does not take the others along.
        if self.roots.len() > before {
            return Ok(self);
        }
        Err(failure.unwrap_or(TlsOptionsError::NoCertificate { origin: origin.to_owned() }))
    }

    fn add_root(mut self, certificate: CertificateDer<'static>, origin: &str) -> Result<Self, TlsOptionsError> {
        let bad = |problem| TlsOptionsError::BadCertificate { origin: origin.to_owned(), problem };
        self.roots.push(checked(certificate).map_err(bad)?);
        Ok(self)
    }

    fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
        if self.accept_any {
            return Ok(Arc::new(AcceptAny));
        }
        let usual: Arc<dyn ServerCertVerifier> = match self.trust {
            Trust::Platform => Arc::new(
                platform_verifier(self.roots.clone(), provider.clone())
                    .map_err(|error| TlsError::NoPlatformRoots { problem: problem(&error) })?,
            ),
            Trust::GivenOnly => {
                let mut store = RootCertStore::empty();
                store.add_parsable_certificates(self.roots.iter().cloned());
                WebPkiServerVerifier::builder_with_provider(store.into(), provider.clone()).build().map_err(setup)?
            }
        };
        Ok(Arc::new(WithPinned { usual, given: self.roots.clone() }))
    }
}

/// Checked when it is given, where the error can name its origin.
fn checked(certificate: CertificateDer<'static>) -> Result<CertificateDer<'static>, String> {
    RootCertStore::empty().add(certificate.clone()).map(|()| certificate).map_err(|error| problem(&error))
}

fn read(path: &Path) -> Result<Vec<u8>, TlsOptionsError> {
    std::fs::read(path).map_err(|source| TlsOptionsError::Read { path: path.to_owned(), source })
}

/// A PEM text's certificates, each from its first line to the next one's: what is wrong with one stays with it.
pub(crate) fn sections(pem: &[u8]) -> impl Iterator<Item = &[u8]> {
    const START: &[u8] = b"-----BEGIN CERTIFICATE-----";
    let starts: Vec<usize> = (0..pem.len()).filter(|at| pem[*at..].starts_with(START)).collect();
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([pem.len()]).collect();
    starts.into_iter().zip(ends).map(|(start, end)| &pem[start..end])
}

/// Named, not the process-wide default: that one depends on what else the host's program links.
fn provider() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
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
        self.rustls().map(drop)
    }

    /// Whether [`load`](Self::load) has nothing to do any more.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.0.client.get().is_some()
    }

    /// The settings as `rustls` takes them, made once: for a TLS stream beside the chat's. Such a stream's errors are read by
    /// [`TlsError::of_io`].
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn rustls(&self) -> Result<Arc<ClientConfig>, TlsError> {
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
    let provider = Arc::new(provider());
    // What follows panics without random bytes.
    provider.secure_random.fill(&mut [0]).map_err(|_| TlsError::NoRandom)?;
    let verifier = options.verifier(&provider)?;
    let mut config = ClientConfig::builder_with_details(provider, Arc::new(options.clock.clone()))
        .with_safe_default_protocol_versions()
        .map_err(setup)?
        // "Dangerous" is rustls' word for any verifier that is not its own default.
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    if let Some(certificate) = &options.client_certificate {
        config.client_auth_cert_resolver = certificate.resolver();
    }
    if let Some(log) = &options.key_log {
        config.key_log = Arc::new(log.clone());
    }
    Ok(Arc::new(config))
}

fn setup(problem: impl ToString) -> TlsError {
    TlsError::Setup { problem: problem.to_string() }
}
