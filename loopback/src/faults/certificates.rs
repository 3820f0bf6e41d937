//! The certificates of faults: those of the time of a process, and those that only another program makes.

use std::sync::{Arc, OnceLock};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{RootCertStore, ServerConfig};

use crate::tls::TlsError;

/// What is to be said of a server's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Certificate {
    Good,
    /// Good, and TLS 1.2 is the newest version.
    OldTls,
    Expired,
    NotYetValid,
    WrongName,
    /// Nobody has heard of the authority.
    UnknownAuthority,
    /// The authority has the name of a good one, and another key.
    ForgedAuthority,
    /// Signed by a certificate that is good, and no authority's.
    ByAServer,
    /// The authority between it and the root is not shown.
    NoIntermediate,
    /// Signed by itself, and among the roots.
    SelfSigned,
    /// The same, and an authority.
    SelfSignedAuthority,
    /// Its name stands in the subject alone.
    NoAlternativeName,
    /// Its extended key usage is that of clients.
    ForClients,
    /// The server has not the key of it.
    OfAnotherKey,
    /// Good, and the client is to show one, too.
    ClientsToo,
    Version1,
    Sha1,
    Rsa1024,
    P521,
}

/// Those of the folder `certificates`, each behind the certificate its authority's.
const MADE_BEFORE: [(Certificate, &str); 4] = [
    (Certificate::Version1, include_str!("certificates/v1.pem")),
    (Certificate::Sha1, include_str!("certificates/sha-1.pem")),
    (Certificate::Rsa1024, include_str!("certificates/rsa-1024.pem")),
    (Certificate::P521, include_str!("certificates/p-521.pem")),
];
const THEIR_KEY: &str = include_str!("certificates/leaf.key");

type Authority = CertifiedIssuer<'static, KeyPair>;

/// What all faulty servers of a process share, so that clients need one file of roots.
pub(super) struct Certificates {
    authority: Authority,
    self_signed: (CertificateDer<'static>, KeyPair),
    self_signed_authority: (CertificateDer<'static>, KeyPair),
    roots_pem: String,
}

impl Certificates {
    /// Made on the first call.
    pub(super) fn get() -> Result<&'static Self, TlsError> {
        static MADE: OnceLock<Certificates> = OnceLock::new();
        if let Some(made) = MADE.get() {
            return Ok(made);
        }
        let made = Self::new()?;
        Ok(MADE.get_or_init(|| made))
    }

    fn new() -> Result<Self, TlsError> {
        let authority = authority("chatnio faults CA")?;
        let mut roots_pem = authority.pem();
        let mut self_signed = |is_ca| {
            let key = KeyPair::generate()?;
            let mut params = leaf()?;
            params.is_ca = is_ca;
            let certificate = params.self_signed(&key)?;
            roots_pem += &certificate.pem();
            Ok::<_, TlsError>((certificate.der().clone(), key))
        };
        let plain = self_signed(IsCa::NoCa)?;
        let of_authority = self_signed(IsCa::Ca(BasicConstraints::Unconstrained))?;
        for (_, pem) in MADE_BEFORE {
            // The second is the authority's.
            let at = pem.rfind("-----BEGIN").unwrap_or_default();
            roots_pem += &pem[at..];
        }
        Ok(Self { authority, self_signed: plain, self_signed_authority: of_authority, roots_pem })
    }

    /// What a client is to trust, in PEM: all the roots there are.
    pub(super) fn roots_pem(&self) -> &str {
        &self.roots_pem
    }

    /// The settings of a server that shows such a certificate.
    pub(super) fn config(&self, certificate: Certificate) -> Result<Arc<ServerConfig>, TlsError> {
        // The provider is named: the process may have none installed, or several.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions = match certificate {
            Certificate::OldTls => &[&rustls::version::TLS12][..],
            _ => rustls::DEFAULT_VERSIONS,
        };
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(versions)?;
        let builder = if certificate == Certificate::ClientsToo {
            let mut roots = RootCertStore::empty();
            roots.add(self.authority.der().clone())?;
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
            builder
                .with_client_cert_verifier(verifier.build().map_err(|error| rustls::Error::General(error.to_string()))?)
        } else {
            builder.with_no_client_auth()
        };
        let (chain, key) = self.chain(certificate)?;
        let key = provider.key_provider.load_private_key(key)?;
        // Not `with_single_cert`, which finds fault with them.
        Ok(Arc::new(builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, key))))))
    }

    /// What is shown, and the key that signs.
    fn chain(
        &self,
        certificate: Certificate,
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
        let before = MADE_BEFORE.iter().find(|(of, _)| *of == certificate);
        if let Some((_, pem)) = before {
            let chain = CertificateDer::pem_slice_iter(pem.as_bytes()).take(1).collect::<Result<_, _>>();
            let key = PrivateKeyDer::from_pem_slice(THEIR_KEY.as_bytes());
            return chain
                .and_then(|chain| Ok((chain, key?)))
                .map_err(|error| rustls::Error::General(error.to_string()).into());
        }
        let itself = match certificate {
            Certificate::SelfSigned => Some(&self.self_signed),
            Certificate::SelfSignedAuthority => Some(&self.self_signed_authority),
            _ => None,
        };
        if let Some((certificate, key)) = itself {
            return Ok((vec![certificate.clone()], der(key)));
        }

        let mut params = leaf()?;
        match certificate {
            Certificate::Expired => params.not_after = date_time_ymd(2020, 2, 1),
            Certificate::NotYetValid => params.not_before = date_time_ymd(3999, 1, 1),
            Certificate::WrongName => {
                params.subject_alt_names = CertificateParams::new(["elsewhere.invalid".to_owned()])?.subject_alt_names;
            }
            Certificate::NoAlternativeName => params.subject_alt_names.clear(),
            Certificate::ForClients => params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth],
            _ => {}
        }
        let key = KeyPair::generate()?;
        let signed = match certificate {
            Certificate::UnknownAuthority => params.signed_by(&key, &*authority("a CA that nobody has heard of")?)?,
            Certificate::ForgedAuthority => params.signed_by(&key, &*authority("chatnio faults CA")?)?,
            Certificate::NoIntermediate => params.signed_by(&key, &*self.between(intermediate("between")?)?)?,
            Certificate::ByAServer => {
                let between = self.between(leaf()?)?;
                let signed = params.signed_by(&key, &*between)?;
                return Ok((vec![signed.der().clone(), between.der().clone()], der(&key)));
            }
            _ => params.signed_by(&key, &*self.authority)?,
        };
        let key = if certificate == Certificate::OfAnotherKey { KeyPair::generate()? } else { key };
        Ok((vec![signed.der().clone()], der(&key)))
    }

    /// One that signs, and that the authority has signed.
    fn between(&self, params: CertificateParams) -> Result<Authority, TlsError> {
        Ok(CertifiedIssuer::signed_by(params, KeyPair::generate()?, &*self.authority)?)
    }
}

fn der(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivateKeyDer::Pkcs8(key.serialize_der().into())
}

fn intermediate(name: &str) -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn authority(name: &str) -> Result<Authority, TlsError> {
    Ok(CertifiedIssuer::self_signed(intermediate(name)?, KeyPair::generate()?)?)
}

/// A server's certificate that is good.
fn leaf() -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, "localhost");
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(4000, 1, 1);
    Ok(params)
}
