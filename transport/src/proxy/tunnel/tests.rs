//! Tunnels against proxies in memory, at every split of the proxy's bytes.

use super::*;

fn start(proxy: &str, url: &str) -> Tunnel {
    Tunnel::new(&Proxy::parse(proxy).unwrap(), &Endpoint::parse(url).unwrap())
}

fn take(tunnel: &mut Tunnel) -> Vec<u8> {
    let sent = tunnel.pending().to_vec();
    tunnel.transmitted(sent.len());
    sent
}

/// Gives the proxy's answers, each after what the tunnel has sent is `expected`; the end at every split of each.
fn talk(proxy: &str, url: &str, dialogue: &[(&[u8], &[u8])]) -> Result<Vec<u8>, ProxyError> {
    let run = |split: Option<usize>| -> Result<Vec<u8>, ProxyError> {
        let mut tunnel = start(proxy, url);
        for (at, (expected, answer)) in dialogue.iter().enumerate() {
            assert_eq!(String::from_utf8_lossy(&take(&mut tunnel)), String::from_utf8_lossy(expected), "step {at}");
            let pieces = match split {
                Some(split) => answer.split_at(split.min(answer.len())),
                None => (*answer, &[][..]),
            };
            let mut open = tunnel.receive(pieces.0)?;
            match &mut open {
                // From then on the bytes are the server's, and go there.
                Some(rest) => rest.extend_from_slice(pieces.1),
                None if !pieces.1.is_empty() => open = tunnel.receive(pieces.1)?,
                None => {}
            }
            if let Some(rest) = open {
                assert_eq!(at + 1, dialogue.len());
                assert!(tunnel.pending().is_empty());
                return Ok(rest);
            }
        }
        panic!("the tunnel is still not open");
    };
    let whole = run(None);
    let longest = dialogue.iter().map(|(_, answer)| answer.len()).max().unwrap();
    (0..longest).for_each(|split| assert_eq!(run(Some(split)), whole, "split at {split}"));
    whole
}

const CONNECT: &[u8] = concat!(
    "CONNECT chat.example:443 HTTP/1.1\r\nHost: chat.example:443\r\nUser-Agent: chatnio/",
    env!("CARGO_PKG_VERSION"),
    "\r\n\r\n"
)
.as_bytes();

#[test]
fn connect_opens_a_tunnel() {
    for answer in [
        "HTTP/1.1 200 Connection established\r\n\r\nrest",
        "HTTP/1.0 200 OK\r\nContent-Length: 500\r\n\r\nrest",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 x\r\nTransfer-Encoding: chunked\r\n\r\nrest",
    ] {
        let rest = talk("http://proxy.example", "wss://chat.example", &[(CONNECT, answer.as_bytes())]);
        assert_eq!(rest.unwrap(), b"rest", "{answer}");
    }
    let mut tunnel = start("http://u:p%3A@proxy.example", "ws://[2001:db8::1]:8094");
    let request = String::from_utf8(take(&mut tunnel)).unwrap();
    assert!(request.starts_with("CONNECT [2001:db8::1]:8094 HTTP/1.1\r\nHost: [2001:db8::1]:8094\r\n"), "{request}");
    assert!(request.ends_with("\r\nProxy-Authorization: Basic dTpwOg==\r\n\r\n"), "{request}");
}

#[test]
fn connect_is_refused_as_what_it_is() {
    let refused = |proxy: &str, answer: &str| {
        let mut tunnel = start(proxy, "wss://chat.example");
        let error = tunnel.receive(answer.as_bytes()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cret"));
        error
    };
    let wanted = "HTTP/1.1 407 x\r\nProxy-Authenticate: Basic realm=\"a\"\r\n\r\n";
    let error = refused("http://proxy.example:1", wanted);
    let expected = "the proxy http://proxy.example:1 wants a user name and a password (Basic realm=\"a\")";
    assert_eq!((error.to_string().as_str(), error.status()), (expected, Some(407)));
    let error = refused("http://u:s3cret@proxy.example:1", wanted);
    assert!(error.to_string().contains("does not take this user name"), "{error}");
    let error = refused("http://u:s3cret@proxy.example", "HTTP/1.1 401 Unauthorized\r\n\r\n");
    let expected = "the proxy http://proxy.example:1080 does not take this user name and password";
    assert_eq!((error.to_string().as_str(), error.status()), (expected, None));
    let error = refused("http://u:s3cret@proxy.example", "HTTP/1.1 403 Filtered\r\n\r\n<html>");
    assert!(matches!(error, ProxyError::Refused { status: 403, .. }), "{error:?}");
    assert_eq!(error.status(), Some(403));
    let slow = "HTTP/1.1 429 Slow down\r\nRetry-After: 7\r\n\r\n";
    let error = refused("http://u:s3cret@proxy.example", slow);
    assert_eq!((error.status(), error.retry_after()), (Some(429), Some(std::time::Duration::from_secs(7))));
    assert!(error.to_string().ends_with("try again in 7 s"), "{error}");
    let error = refused("http://proxy.example", "HTTP/1.1 503 x\r\n\r\n");
    assert!(error.retry_after().is_none() && error.to_string().ends_with("try again later"), "{error}");
    for answer in ["SSH-2.0-x", "\x05\x00", "HTTP/1.1 abc\r\n\r\n"] {
        let error = refused("http://proxy.example", answer);
        assert!(matches!(error, ProxyError::NotAProxy { .. }), "{answer:?}: {error:?}");
    }
}

#[test]
fn a_realm_that_repeats_the_password_is_shown_without() {
    let realm = |repeated: &str| {
        let mut tunnel = start("http://somebody:s3cr%22et@proxy.example", "wss://chat.example");
        let answer = format!("HTTP/1.1 407 x\r\nProxy-Authenticate: Basic realm=\"{repeated}\"\r\n\r\n");
        let error = tunnel.receive(answer.as_bytes()).unwrap_err();
        let ProxyError::Authentication { wanted: Some(wanted), .. } = &error else { panic!("{error:?}") };
        assert!(error.to_string().contains(wanted.as_str()), "{error}");
        wanted.clone()
    };
    assert_eq!(realm("no s3cr\\\"et for somebody"), "Basic realm=\"no ... for ...\"");
    assert_eq!(realm("not c29tZWJvZHk6czNjciJldA=="), "Basic realm=\"not ...\"");
    assert_eq!(realm("proxy"), "Basic realm=\"proxy\"");
}

#[test]
fn socks_connects_by_name_and_by_address() {
    let by_name = b"\x05\x01\x00\x03\x0cchat.example\x01\xbb";
    let bound = b"\x05\x00\x00\x01\x7f\x00\x00\x01\x12\x34rest";
    let open = talk("socks5h://p", "wss://chat.example", &[(b"\x05\x01\x00", b"\x05\x00"), (by_name, bound)]);
    assert_eq!(open.unwrap(), b"rest");
    // The address that the proxy has bound may be of any kind.
    let named = b"\x05\x00\x00\x03\x03abc\x12\x34rest";
    let open = talk("socks5://p", "wss://chat.example", &[(b"\x05\x01\x00", b"\x05\x00"), (by_name, named)]);
    assert_eq!(open.unwrap(), b"rest");
    let v6 = [&b"\x05\x00\x00\x04"[..], &[0; 18], b"rest"].concat();
    let by_address = b"\x05\x01\x00\x01\xc0\x00\x02\x07\x1f\x9e";
    let open = talk("socks5h://p", "ws://192.0.2.7:8094", &[(b"\x05\x01\x00", b"\x05\x00"), (by_address, &v6)]);
    assert_eq!(open.unwrap(), b"rest");

    let proxy = Proxy::parse("socks5://p").unwrap().with_target([192, 0, 2, 7].into());
    let mut tunnel = Tunnel::new(&proxy, &Endpoint::parse("ws://chat.example:8094").unwrap());
    take(&mut tunnel);
    tunnel.receive(b"\x05\x00").unwrap();
    assert_eq!(take(&mut tunnel), by_address);
}

#[test]
fn socks_takes_a_user_name_and_a_password() {
    let password = b"\x01\x02me\x06s3cret";
    let request = b"\x05\x01\x00\x03\x0cchat.example\x01\xbb";
    let bound = b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00";
    let hello = b"\x05\x02\x00\x02";
    let dialogue: [(&[u8], &[u8]); 3] = [(hello, b"\x05\x02"), (password, b"\x01\x00"), (request, bound)];
    assert_eq!(talk("socks5h://me:s3cret@p", "wss://chat.example", &dialogue).unwrap(), b"");
    let refused = |dialogue: &[(&[u8], &[u8])]| {
        let error = talk("socks5h://me:s3cret@p", "wss://chat.example", dialogue).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cret"));
        error
    };
    let error = refused(&[(hello, b"\x05\x02"), (password, b"\x01\x01")]);
    assert!(matches!(error, ProxyError::Authentication { given: true, .. }), "{error:?}");
    let error = refused(&[(hello, b"\x05\xff")]);
    assert!(matches!(error, ProxyError::Authentication { given: true, .. }), "{error:?}");
    let mut tunnel = start("socks5h://p", "wss://chat.example");
    let error = tunnel.receive(b"\x05\xff").unwrap_err();
    assert!(matches!(error, ProxyError::Authentication { given: false, .. }), "{error:?}");
}

#[test]
fn answers_that_come_early_open_the_tunnel_at_every_split() {
    for (proxy, answers, sent) in [
        ("socks5h://p", &b"\x05\x00\x05\x00\x00\x01abcdpprest"[..], &b""[..]),
        ("socks5h://me:s3cret@p", b"\x05\x02\x01\x00\x05\x00\x00\x03\x02hipprest", b""),
        ("socks5h://me:s3cret@p", b"\x05\x02\x01\x00", b"\x01\x02me\x06s3cret\x05\x01\x00\x03\x01h\x01\xbb"),
    ] {
        for split in 0..answers.len() {
            let mut tunnel = start(proxy, "wss://h");
            take(&mut tunnel);
            let (first, second) = answers.split_at(split);
            let mut open = tunnel.receive(first).unwrap();
            let mut said = tunnel.pending().to_vec();
            match &mut open {
                Some(rest) => rest.extend_from_slice(second),
                None => {
                    take(&mut tunnel);
                    open = tunnel.receive(second).unwrap();
                    said.extend_from_slice(tunnel.pending());
                }
            }
            match sent {
                b"" => assert_eq!(open.as_deref(), Some(&b"rest"[..]), "{proxy}, split at {split}"),
                sent => assert_eq!((open, &*said), (None, sent), "{proxy}, split at {split}"),
            }
        }
    }
}

#[test]
fn socks_is_refused_as_what_it_is() {
    for reply in 1..=9 {
        let mut tunnel = start("socks5h://p", "wss://chat.example");
        assert_eq!(tunnel.receive(b"\x05\x00").unwrap(), None);
        let error = tunnel.receive(&[5, reply]).unwrap_err();
        assert!(matches!(error, ProxyError::Failed { .. }), "{error:?}");
    }
    for (first, second) in
        [(&b"HTTP/1.1 400 Bad"[..], &b""[..]), (b"\x05\x02", b""), (b"\x05\x00", b"\x05\x00\x00\x09\x00")]
    {
        let mut tunnel = start("socks5h://p", "wss://chat.example");
        let error = tunnel.receive(first).and_then(|_| tunnel.receive(second)).unwrap_err();
        assert!(matches!(error, ProxyError::NotAProxy { .. }), "{first:?}: {error:?}");
    }
}
