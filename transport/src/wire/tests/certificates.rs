//! Certificates as owners of small servers make them, and the client's own.

use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, SanType};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};

use super::tls::SUMMER;
use super::*;
use crate::clock::WallClock;
use crate::test_peer::Ca;
use crate::tls_error::TlsError;
use crate::tls_options::{TlsConfig, TlsOptions, TlsOptionsError, Trust};

/// Shows one certificate, whatever it is.
#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl ResolvesServerCert for Shows {
    fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

fn server(certificate: CertificateDer<'static>, key: &PrivateKeyDer<'static>) -> Arc<ServerConfig> {
    let key = default_provider().key_provider.load_private_key(key.clone_key()).unwrap();
    let shows = Shows(Arc::new(CertifiedKey::new(vec![certificate], key)));
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(shows));
    Arc::new(config)
}

/// What `openssl req -x509` makes: its own authority, valid through 2026.
fn self_signed(name: &str) -> (CertificateDer<'static>, Arc<ServerConfig>) {
    let mut params = CertificateParams::default();
    params.subject_alt_names.push(SanType::DnsName(name.try_into().unwrap()));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2027, 1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap().der().clone();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    (certificate.clone(), server(certificate, &key))
}

fn options(trust: Trust) -> TlsOptions {
    TlsOptions::new().trust(trust).wall_clock(WallClock::fixed(SUMMER))
}

fn connect(url: &str, tls: TlsConfig, server: &Arc<ServerConfig>) -> Result<(), TlsError> {
    let config = ConnectionConfig { tls, ..ConnectionConfig::default() };
    let mut link = Link::new(url, &config, Peer::tls(server.clone()));
    match <[Got; 1]>::try_from(link.shake_hands()) {
        Ok([Got::Open]) => Ok(()),
        Ok([Got::Closed(ConnectionEnd::Lost(WireError::Tls(error)))]) => Err(error),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_given_root_that_is_the_servers_certificate_is_accepted() {
    let (certificate, server) = self_signed("localhost");
    for trust in [Trust::GivenOnly, Trust::Platform] {
        let with = |options: TlsOptions| options.root_der(&certificate).unwrap().build().unwrap();
        assert_eq!(connect("wss://localhost", with(options(trust)), &server), Ok(()), "{trust:?}");
        // Its name and its dates count as ever.
        let error = connect("wss://example.com", with(options(trust)), &server).unwrap_err();
        assert!(matches!(error, TlsError::WrongName { .. }), "{error:?}");
        let late = options(trust).wall_clock(WallClock::fixed(SUMMER + secs(365 * 24 * 3600)));
        let error = connect("wss://localhost", with(late), &server).unwrap_err();
        assert!(matches!(error, TlsError::Expired { .. }), "{error:?}");
        // Another one of the same kind is not the same.
        let other = options(trust).root_der(&self_signed("localhost").0).unwrap().build().unwrap();
        let error = connect("wss://localhost", other, &server).unwrap_err();
        assert!(error.to_string().contains("root certificate"), "{error}");
    }
}

#[test]
fn a_name_in_the_wrong_place_is_told_apart() {
    let (certificate, server) = self_signed("127.0.0.1");
    let tls = options(Trust::GivenOnly).root_der(&certificate).unwrap().build().unwrap();
    let error = connect("wss://127.0.0.1", tls, &server).unwrap_err().to_string();
    assert!(error.contains("not for 127.0.0.1 but for the DNS name \"127.0.0.1\""), "{error}");
}

#[test]
fn any_certificate_means_any() {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("certificates/version-1.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("certificates/version-1-key.pem")).unwrap();
    let server = server(certificate, &key);
    let tls = options(Trust::Platform).dangerous_accept_any_certificate().build().unwrap();
    assert_eq!(connect("wss://localhost", tls, &server), Ok(()));
    let tls = options(Trust::GivenOnly).root_der(&Ca::get().der).unwrap().build().unwrap();
    let error = connect("wss://localhost", tls, &server).unwrap_err();
    assert!(error.to_string().contains("version 1"), "{error}");
}

#[test]
fn one_broken_certificate_does_not_refuse_the_others() {
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let torn = "-----BEGIN CERTIFICATE-----\n!!!\n";
    for bundle in [
        format!("{broken}{}", Ca::get().pem),
        format!("{}{broken}", Ca::get().pem),
        format!("# of ours\n{torn}{}{torn}", Ca::get().pem),
    ] {
        let tls = options(Trust::GivenOnly).roots_pem(bundle.as_bytes()).unwrap().build().unwrap();
        assert_eq!(connect("wss://localhost", tls, &Ca::get().server()), Ok(()), "{bundle}");
    }
    for bundle in [broken, torn] {
        let error = options(Trust::GivenOnly).roots_pem(bundle.as_bytes()).unwrap_err();
        assert!(matches!(error, TlsOptionsError::BadCertificate { .. }), "{error:?}");
    }
}

#[test]
fn a_client_certificate_is_shown_to_who_asks() {
    let mut roots = RootCertStore::empty();
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(["a client".to_owned()]).unwrap().self_signed(&key).unwrap();
    roots.add(own.der().clone()).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::new(default_provider()));
    let (certificate, plain) = self_signed("localhost");
    let asks = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_cert_resolver(plain.cert_resolver.clone());
    let asks = Arc::new(asks);
    let trusting = || options(Trust::GivenOnly).root_der(&certificate).unwrap();
    let (chain, key_pem) = (own.pem(), key.serialize_pem());
    let with = trusting().client_certificate_pem(chain.as_bytes(), key_pem.as_bytes()).unwrap();
    assert!(!format!("{with:?}").contains(&key_pem[40..60]));
    assert_eq!(connect("wss://localhost", with.build().unwrap(), &asks), Ok(()));
    let one_text = format!("{key_pem}{chain}");
    let with = trusting().client_certificate_pem(one_text.as_bytes(), one_text.as_bytes()).unwrap();
    assert_eq!(connect("wss://localhost", with.build().unwrap(), &asks), Ok(()));
    let error = connect("wss://localhost", trusting().build().unwrap(), &asks).unwrap_err();
    assert!(matches!(error, TlsError::ClientCertificate { .. }), "{error:?}");

    let other_key = KeyPair::generate().unwrap().serialize_pem();
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    for (chain, key, expected) in [
        (chain.as_str(), "", "the key"),
        (&chain, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", ""),
        (&chain, &other_key, "not that of the certificate"),
        (&chain, encrypted, "openssl pkey"),
        ("", &key_pem, "the certificate"),
    ] {
        let error = TlsOptions::new().client_certificate_pem(chain.as_bytes(), key.as_bytes()).unwrap_err();
        assert!(matches!(error, TlsOptionsError::BadClientCertificate { .. }), "{error:?}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn keys_are_logged_where_the_host_says() {
    let (certificate, server) = self_signed("localhost");
    let lines = Arc::new(Mutex::new(Vec::new()));
    let log = lines.clone();
    let tls = options(Trust::GivenOnly).root_der(&certificate).unwrap();
    let tls = tls.key_log(move |line| log.lock().unwrap().push(line.to_owned())).build().unwrap();
    connect("wss://localhost", tls, &server).unwrap();
    let logged = lines.lock().unwrap().clone();
    assert!(logged.iter().any(|line| line.starts_with("CLIENT_TRAFFIC_SECRET_0 ")), "{logged:?}");

    let path = std::env::temp_dir().join(format!("chatnio-keys-{}", std::process::id()));
    let tls = options(Trust::GivenOnly).root_der(&certificate).unwrap().key_log_file(&path).unwrap();
    connect("wss://localhost", tls.build().unwrap(), &server).unwrap();
    let written = std::fs::read_to_string(&path).unwrap();
    assert_eq!(written.lines().count(), logged.len());
    std::fs::remove_file(&path).unwrap();
    let error = TlsOptions::new().key_log_file(path.join("not a folder")).unwrap_err();
    assert!(matches!(error, TlsOptionsError::KeyLog { .. }), "{error:?}");
}
