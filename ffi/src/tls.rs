//! What the server has shown in its TLS handshake, for connections and clients.

use std::mem::MaybeUninit;

use chatnio_transport::TlsSession;

use crate::failure::Failure;
use crate::view::{chatnio_bytes, chatnio_text};

/// Shows what TLS has agreed on.
pub(crate) fn put_tls(
    tls: Option<&TlsSession>,
    version: Option<&mut MaybeUninit<chatnio_text>>,
    cipher: Option<&mut MaybeUninit<chatnio_text>>,
) -> Result<(), Failure> {
    let (Some(version), Some(cipher)) = (version, cipher) else {
        return Err(Failure::invalid("an out-parameter is NULL"));
    };
    let tls = tls.ok_or_else(Failure::absent)?;
    version.write(chatnio_text::new(tls.version));
    cipher.write(chatnio_text::new(tls.cipher));
    Ok(())
}

/// Shows one of the server's certificates.
pub(crate) fn put_certificate(
    tls: Option<&TlsSession>,
    at: usize,
    der: Option<&mut MaybeUninit<chatnio_bytes>>,
) -> Result<(), Failure> {
    let der = der.ok_or(Failure::invalid("the out-parameter is NULL"))?;
    let certificate = tls.and_then(|tls| tls.certificates.get(at)).ok_or_else(Failure::absent)?;
    der.write(chatnio_bytes::new(certificate));
    Ok(())
}
