//! What rustls reports, in the words of those who use a server: its own texts are partly the names of Rust's variants.

use std::net::IpAddr;

use rustls::pki_types::pem;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, OtherError, PeerIncompatible};

use crate::tls_error::TlsError;

impl TlsError {
    /// What rustls says through an I/O error of a TLS stream to `host`: for who has such a stream of
    /// [`TlsConfig::rustls`](crate::TlsConfig::rustls).
    ///
    /// # Errors
    /// The error itself, where it is none of TLS.
    pub fn of_io(error: std::io::Error, host: &str) -> Result<Self, std::io::Error> {
        let kind = error.kind();
        match error.downcast::<rustls::Error>() {
            Ok(error) => Ok(explain(error, host)),
            // The server hung up in the middle of the handshake: nobody on the other side spoke TLS, as a rule.
            Err(error) if kind == std::io::ErrorKind::UnexpectedEof => {
                Ok(TlsError::Other { host: host.to_owned(), problem: error.to_string() })
            }
            Err(error) => Err(error),
        }
    }
}

/// Why a handshake or a connection failed.
pub(crate) fn explain(error: Error, host: &str) -> TlsError {
    let host = host.to_owned();
    match error {
        Error::InvalidCertificate(error) => match error {
            CertificateError::UnknownIssuer => TlsError::UnknownIssuer { host },
            CertificateError::NotValidForName => TlsError::WrongName { host, presented: Vec::new() },
            CertificateError::NotValidForNameContext { presented, .. } => {
                let presented = presented.iter().map(|name| name_in(name)).collect();
                TlsError::WrongName { host, presented }
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsError::Expired { host },
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                TlsError::NotYetValid { host }
            }
            error => TlsError::Certificate { host, problem: certificate_problem(&error) },
        },
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => TlsError::NotTls { host },
        Error::AlertReceived(AlertDescription::CertificateRequired) => TlsError::ClientCertificate { host },
        Error::AlertReceived(alert) => TlsError::Alert { host, alert: alert_name(alert) },
        error => TlsError::Other { host, problem: problem(&error) },
    }
}

/// Why a connection failed that had been made: what came is no TLS, but its server speaks it.
pub(crate) fn explain_later(error: Error, host: &str) -> TlsError {
    match error {
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            TlsError::Other { host: host.to_owned(), problem: problem(&error) }
        }
        error => explain(error, host),
    }
}

/// What is wrong, as half a sentence.
pub(crate) fn problem(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(error) => certificate_problem(error),
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            "a message came where TLS has none".to_owned()
        }
        Error::InvalidMessage(what) => format!("a message is broken: {}", words(&format!("{what:?}"))),
        Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13) => {
            "the server speaks neither TLS 1.2 nor 1.3".to_owned()
        }
        Error::PeerIncompatible(what) => format!("the server's TLS is too different: {}", words(&format!("{what:?}"))),
        Error::PeerMisbehaved(what) => format!("the server broke the TLS protocol: {}", words(&format!("{what:?}"))),
        Error::AlertReceived(alert) => format!("the server sent the alert {}", alert_name(*alert)),
        Error::InvalidCertRevocationList(what) => {
            format!("a list of revoked certificates is broken: {}", words(&format!("{what:?}")))
        }
        Error::InvalidEncryptedClientHello(what) => words(&format!("{what:?}")),
        Error::InconsistentKeys(_) => "the key is not that of the certificate".to_owned(),
        Error::DecryptError => "what came cannot be decrypted: it was changed on the way".to_owned(),
        Error::NoCertificatesPresented => "the server showed no certificate".to_owned(),
        Error::Other(error) => inner(error),
        // The others have plain texts.
        error => error.to_string(),
    }
}

fn certificate_problem(error: &CertificateError) -> String {
    match error {
        CertificateError::BadEncoding => "it cannot be read".to_owned(),
        CertificateError::BadSignature => {
            "its signature is wrong: it was not signed by whom it names, or by a key that is too short".to_owned()
        }
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "it is signed in a way that is not accepted (SHA-1, or a key on the curve P-521, for instance)".to_owned()
        }
        CertificateError::Revoked => "it was revoked".to_owned(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "it is not made for servers (its extended key usage lacks serverAuth)".to_owned()
        }
        CertificateError::Other(error) => inner(error),
        error => words(&format!("{error:?}")),
    }
}

fn alert_name(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::Unknown(number) => format!("number {number}"),
        alert => words(&format!("{alert:?}")),
    }
}

/// What comes from the library below.
fn inner(error: &OtherError) -> String {
    match error.0.downcast_ref() {
        Some(webpki::Error::CaUsedAsEndEntity) => {
            "it is one of an authority (CA:TRUE) and used as a server's: give exactly it as a root certificate, or make it \
             anew without CA:TRUE"
                .to_owned()
        }
        Some(webpki::Error::UnsupportedCertVersion) => {
            "it is of X.509 version 1: make one of version 3, with the server's name in subjectAltName".to_owned()
        }
        Some(error) => words(&format!("{error:?}")),
        None => error.to_string(),
    }
}

/// Why a PEM text cannot be read.
pub(crate) fn pem_problem(error: &pem::Error) -> String {
    match error {
        pem::Error::MissingSectionEnd { .. } => "a section has no end (-----END ...-----)".to_owned(),
        pem::Error::IllegalSectionStart { .. } => "a section's first line is broken".to_owned(),
        pem::Error::Base64Decode(_) => "a section is not base64".to_owned(),
        pem::Error::SectionTooLarge => "a section is too large".to_owned(),
        pem::Error::Io(error) => error.to_string(),
        pem::Error::NoItemsFound => "it holds none".to_owned(),
        _ => "it is not PEM".to_owned(),
    }
}

/// The first name in a debug text as words: those names are English, written together.
fn words(debug: &str) -> String {
    let name: &str = &debug[..debug.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(debug.len())];
    let mut text = String::with_capacity(name.len() + 8);
    for (i, c) in name.char_indices() {
        let starts_a_word =
            c.is_ascii_uppercase() && !text.is_empty() && !name[..i].ends_with(|c: char| c.is_ascii_uppercase());
        if c == '_' || starts_a_word {
            text.push(' ');
        }
        if c != '_' {
            text.push(c.to_ascii_lowercase());
        }
    }
    text
}

/// A name in a certificate, from rustls' notation: `DnsName("a.example")`, `IpAddress(127.0.0.1)`.
fn name_in(notation: &str) -> String {
    let (kind, rest) = notation.split_once('(').unwrap_or((notation, ""));
    let value = rest.trim_end_matches(')').trim_matches('"');
    match kind {
        // Looks right, and is in the wrong place.
        "DnsName" if value.parse::<IpAddr>().is_ok() => format!("the DNS name \"{value}\""),
        "DnsName" | "UniformResourceIdentifier" if !value.is_empty() => value.to_owned(),
        "IpAddress" => format!("the address {value}"),
        _ => "a name of another kind".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::{CertRevocationListError, ContentType, HandshakeType, InconsistentKeys, PeerMisbehaved};

    use super::*;

    fn looks_like_rust(text: &str) -> bool {
        let camel = text.as_bytes().windows(2).any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase());
        // The words of X.509 and of programs.
        let known = text.contains("serverAuth") || text.contains("subjectAltName");
        (camel && !known)
            || ["(\"", "{ ", "Some(", "::", "OtherError", "signature algorithm", "alert description"]
                .iter()
                .any(|mark| text.contains(mark))
    }

    #[test]
    fn no_text_shows_the_names_of_variants() {
        let other = |error: webpki::Error| OtherError(Arc::new(error));
        let certificate = [
            CertificateError::BadEncoding,
            CertificateError::BadSignature,
            CertificateError::Revoked,
            CertificateError::UnsupportedSignatureAlgorithmContext {
                signature_algorithm_id: Vec::new(),
                supported_algorithms: Vec::new(),
            },
            CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
                signature_algorithm_id: Vec::new(),
                public_key_algorithm_id: Vec::new(),
            },
            CertificateError::UnhandledCriticalExtension,
            CertificateError::UnknownRevocationStatus,
            CertificateError::ExpiredRevocationList,
            CertificateError::InvalidPurpose,
            CertificateError::InvalidOcspResponse,
            CertificateError::ApplicationVerificationFailure,
            CertificateError::Other(other(webpki::Error::CaUsedAsEndEntity)),
            CertificateError::Other(other(webpki::Error::UnsupportedCertVersion)),
            CertificateError::Other(other(webpki::Error::MaximumSignatureChecksExceeded)),
            CertificateError::Other(other(webpki::Error::EmptyEkuExtension)),
            CertificateError::Other(OtherError(Arc::new(std::io::Error::other("plain words")))),
            CertificateError::NotValidForNameContext {
                expected: rustls::pki_types::ServerName::try_from("a.example").unwrap(),
                presented: vec!["DnsName(\"b.example\")".into(), "IpAddress(127.0.0.1)".into(), "DirectoryName".into()],
            },
            CertificateError::UnknownIssuer,
            CertificateError::NotValidForName,
            CertificateError::Expired,
            CertificateError::NotValidYet,
        ];
        let errors = certificate.into_iter().map(Error::InvalidCertificate).chain([
            Error::InappropriateMessage {
                expect_types: vec![ContentType::Handshake],
                got_type: ContentType::ApplicationData,
            },
            Error::InappropriateHandshakeMessage {
                expect_types: vec![HandshakeType::ServerHello],
                got_type: HandshakeType::Finished,
            },
            Error::InvalidMessage(InvalidMessage::InvalidContentType),
            Error::InvalidMessage(InvalidMessage::MissingData("ServerHello")),
            Error::NoCertificatesPresented,
            Error::UnsupportedNameType,
            Error::DecryptError,
            Error::EncryptError,
            Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13),
            Error::PeerMisbehaved(PeerMisbehaved::AttemptedDowngradeToTls12WhenTls13IsSupported),
            Error::AlertReceived(AlertDescription::HandshakeFailure),
            Error::AlertReceived(AlertDescription::CertificateRequired),
            Error::AlertReceived(AlertDescription::Unknown(200)),
            Error::InvalidCertRevocationList(CertRevocationListError::ParseError),
            Error::General("plain words".into()),
            Error::FailedToGetCurrentTime,
            Error::FailedToGetRandomBytes,
            Error::HandshakeNotComplete,
            Error::PeerSentOversizedRecord,
            Error::NoApplicationProtocol,
            Error::BadMaxFragmentSize,
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch),
            Error::Other(other(webpki::Error::BadDer)),
        ]);
        for error in errors {
            for text in [problem(&error), explain(error.clone(), "a.example").to_string()] {
                // What is explained is never asked for as a half sentence.
                let is_explained = text.contains("certificate not valid for name");
                assert!(is_explained || !looks_like_rust(&text), "{error:?}: {text}");
            }
        }
        assert!(looks_like_rust("bare HandshakeFailure") && looks_like_rust("IpAddress(127.0.0.1)"));
    }

    #[test]
    fn names_are_told_from_addresses() {
        assert_eq!(name_in("DnsName(\"a.example\")"), "a.example");
        assert_eq!(name_in("IpAddress(127.0.0.1)"), "the address 127.0.0.1");
        assert_eq!(name_in("DnsName(\"127.0.0.1\")"), "the DNS name \"127.0.0.1\"");
        assert_eq!(name_in("Unsupported(0xa0)"), "a name of another kind");
    }

    #[test]
    fn names_become_words() {
        assert_eq!(words("HandshakeFailure"), "handshake failure");
        assert_eq!(words("Unknown(200)"), "unknown");
        assert_eq!(words("UnknownRevocationStatus { a: 1 }"), "unknown revocation status");
        assert_eq!(alert_name(AlertDescription::Unknown(200)), "number 200");
    }
}
