//! TLS: certificates that are no good, and bytes that are no TLS.

use super::certificates::Certificate;
use super::step::{Step, answering, asked, rest, then};
use super::{Fault, Over};

pub(super) fn faults() -> Vec<Fault> {
    let mut faults = certificates();
    faults.extend(in_place_of_tls());
    faults.extend(records());
    faults
}

/// Who takes the certificate gets a whole answer.
fn certificates() -> Vec<Fault> {
    let answer = || then(answering(), rest());
    [
        ("tls-1-2", "TLS 1.2 is the newest version", Certificate::OldTls),
        ("tls-expired", "the certificate has expired", Certificate::Expired),
        ("tls-not-yet-valid", "the certificate is not valid yet", Certificate::NotYetValid),
        ("tls-wrong-name", "the certificate is for another name", Certificate::WrongName),
        ("tls-unknown-authority", "nobody trusted signed the certificate", Certificate::UnknownAuthority),
        ("tls-forged-authority", "who signed has a trusted name, and another key", Certificate::ForgedAuthority),
        ("tls-signed-by-a-server", "a trusted server's certificate signed it", Certificate::ByAServer),
        ("tls-no-intermediate", "the authority below the root is not shown", Certificate::NoIntermediate),
        ("tls-self-signed", "a certificate that has signed itself, and is a root", Certificate::SelfSigned),
        ("tls-self-signed-authority", "the same, and an authority (CA:TRUE)", Certificate::SelfSignedAuthority),
        ("tls-no-alternative-name", "the name stands in the subject alone", Certificate::NoAlternativeName),
        ("tls-for-clients", "the certificate is for clients", Certificate::ForClients),
        ("tls-wrong-key", "the server has not the certificate's key", Certificate::OfAnotherKey),
        ("tls-client-certificate", "the client is to show a certificate", Certificate::ClientsToo),
        ("tls-v1", "a certificate of X.509 version 1", Certificate::Version1),
        ("tls-sha-1", "the certificate is signed by SHA-1", Certificate::Sha1),
        ("tls-rsa-1024", "the authority's key is of RSA with 1024 bits", Certificate::Rsa1024),
        ("tls-p-521", "the authority's key is on the curve P-521", Certificate::P521),
    ]
    .into_iter()
    .map(|(name, what, certificate)| Fault::new(name, what, answer()).over(Over::Tls(certificate)))
    .collect()
}

/// A record: its type, what is inside.
fn record(kind: u8, version: u8, inside: &[u8]) -> Vec<u8> {
    let length = u16::try_from(inside.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&[kind, 3, version], &length[..], inside].concat()
}

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const DATA: u8 = 23;

/// What is said where a ServerHello should be.
fn in_place_of_tls() -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut says = |name: &str, what: &str, steps: Vec<Step>| {
        faults.push(Fault::new(name, what, then(vec![Step::Hello], steps)).over(Over::InPlaceOfTls));
    };
    let raw = |bytes: Vec<u8>| vec![Step::Raw(bytes.into())];
    for (name, what, alert) in [
        ("tls-alert-40", "the alert handshake_failure", 40),
        ("tls-alert-70", "the alert protocol_version", 70),
        ("tls-alert-80", "the alert internal_error", 80),
        ("tls-alert-112", "the alert unrecognized_name", 112),
        ("tls-alert-116", "the alert certificate_required", 116),
        ("tls-alert-200", "an alert that there is not", 200),
    ] {
        says(name, what, raw(record(ALERT, 3, &[2, alert])));
    }
    says("tls-goodbye", "TLS ends before it has begun, and the stream does not", raw(record(ALERT, 3, &[1, 0])));
    // A ServerHello: its version, 32 bytes of chance, no session, a cipher, no compression.
    let hello = |version: u8| {
        let body = [&[3, version][..], &[7; 32], &[0, 0xc0, 0x2b, 0]].concat();
        [&[2, 0, 0, u8::try_from(body.len()).unwrap_or_default()][..], &body].concat()
    };
    says("tls-1-1", "the server speaks TLS 1.1", raw(record(HANDSHAKE, 2, &hello(2))));
    says("tls-ssl-3", "the server speaks SSL 3", raw(record(HANDSHAKE, 0, &hello(0))));
    says("tls-http", "the server speaks HTTP", raw(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_vec()));
    says("tls-ssh", "the server speaks another protocol", raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()));
    says("tls-garbage", "bytes of nothing in particular", raw(vec![0xa5; 100]));
    says("tls-record-too-long", "a record over the limit", raw(record(HANDSHAKE, 3, &[0; 40_000])));
    says("tls-record-empty", "an empty record", raw(record(HANDSHAKE, 3, &[])));
    says("tls-data-first", "data before the handshake", raw(record(DATA, 3, b"hello")));
    says("tls-message-too-long", "a message that announces 16 MB", {
        raw(record(HANDSHAKE, 3, &[&[2, 0xff, 0xff, 0xff][..], &[0; 1000]].concat()))
    });
    says("tls-message-endless", "messages of the handshake without an end", {
        vec![Step::Flood { bytes: record(HANDSHAKE, 3, &[0, 0, 0, 0].repeat(100)).into(), read: true }]
    });
    says("tls-change-cipher-endless", "ChangeCipherSpec without an end", {
        vec![Step::Flood { bytes: record(20, 3, &[1]).repeat(100).into(), read: true }]
    });
    let half = || raw(record(HANDSHAKE, 3, &hello(3))[..20].to_vec());
    says("tls-half-silence", "half of a ServerHello, then nothing more", half());
    says("tls-half-fin", "half of a ServerHello, then the stream ends", then(half(), [Step::Fin]));
    says("tls-half-reset", "half of a ServerHello, then the connection is reset", then(half(), [Step::Reset]));
    faults
}

/// What is no record of the connection, once that is made.
fn records() -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut breaks = |name: &str, what: &str, bytes: Vec<u8>| {
        let steps = then(answering(), [Step::Raw(bytes.into())].into_iter().chain(rest()));
        faults.push(Fault::new(name, what, steps).over(Over::Tls(Certificate::Good)));
    };
    breaks("tls-bad-record", "a record that cannot be decrypted", record(DATA, 3, &[0x5a; 64]));
    breaks("tls-short-record", "a record that is shorter than its seal", record(DATA, 3, &[1, 2, 3]));
    breaks("tls-plain-alert", "an alert that is not encrypted", record(ALERT, 3, &[2, 40]));
    breaks("tls-plain-record", "a record of a type that there is not", record(99, 3, b"x"));
    breaks("tls-long-record", "a record over the limit, in mid-answer", record(DATA, 3, &[0; 40_000]));
    faults.push(
        Fault::new("tls-goodbye-and-more", "an answer goes on behind the end of TLS", {
            then(asked(), [Step::Goodbye].into_iter().chain([Step::Raw(record(DATA, 3, &[0x5a; 64]).into())]))
        })
        .over(Over::Tls(Certificate::Good)),
    );
    faults
}
