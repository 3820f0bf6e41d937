//! `TlsError`: why TLS failed.

use thiserror::Error;

/// Why TLS failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// Nobody trusted signed the server's certificate.
    #[error(
        "the certificate of {host} is signed by nobody this machine trusts: if it is your own server, give its certificate, or its authority's, as a root certificate"
    )]
    UnknownIssuer {
        /// The host as it stands in the URL.
        host: String,
    },
    /// The certificate is for other names.
    #[error("the certificate is not for {host}{}: use the name it was made for", presented_names(.presented))]
    WrongName {
        /// The host as it stands in the URL.
        host: String,
        /// The names in the certificate, where known.
        presented: Vec<String>,
    },
    /// The certificate has expired.
    #[error("the certificate of {host} has expired: the server must renew it (or this machine's clock is wrong)")]
    Expired {
        /// The host as it stands in the URL.
        host: String,
    },
    /// The certificate is not valid yet.
    #[error("the certificate of {host} is not valid yet: check this machine's clock")]
    NotYetValid {
        /// The host as it stands in the URL.
        host: String,
    },
    /// The certificate is wrong in another way.
    #[error("the certificate of {host} cannot be accepted: {problem}")]
    Certificate {
        /// The host as it stands in the URL.
        host: String,
        /// What was wrong.
        problem: String,
    },
    /// What came is not TLS.
    #[error("{host} does not speak TLS on this port: check the port, or use ws:// if the server has no TLS")]
    NotTls {
        /// The host as it stands in the URL.
        host: String,
    },
    /// The server wants a certificate of the client.
    #[error("{host} wants a client certificate: give one, with its key")]
    ClientCertificate {
        /// The host as it stands in the URL.
        host: String,
    },
    /// The server ended TLS with an alert.
    #[error("{host} refused TLS with the alert \"{alert}\"")]
    Alert {
        /// The host as it stands in the URL.
        host: String,
        /// The alert's name.
        alert: String,
    },
    /// The host cannot be the subject of a certificate.
    #[error("{host} is not a name that a certificate can be checked for: use a DNS name or an IP address")]
    Host {
        /// The host as it stands in the URL.
        host: String,
    },
    /// The platform's root certificates could not be loaded, and no others were given.
    #[error(
        "this machine has no usable root certificates ({problem}): install them (ca-certificates), or give a root file"
    )]
    NoPlatformRoots {
        /// What was wrong.
        problem: String,
    },
    /// The system gave no random bytes.
    #[error("the system's random number generator failed: TLS cannot be set up")]
    NoRandom,
    /// TLS cannot be set up at all.
    #[error("TLS cannot be set up on this machine: {problem}")]
    Setup {
        /// What was wrong.
        problem: String,
    },
    /// Everything else.
    #[error("TLS with {host} failed: {problem}")]
    Other {
        /// The host as it stands in the URL.
        host: String,
        /// What was wrong.
        problem: String,
    },
}

fn presented_names(names: &[String]) -> String {
    if names.is_empty() {
        " (it names no host in its subjectAltName)".to_owned()
    } else {
        format!(" but for {}", names.join(", "))
    }
}
