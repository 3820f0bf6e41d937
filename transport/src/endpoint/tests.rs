//! Which addresses there are.

use super::*;

#[test]
fn normalizes_every_accepted_form() {
    let cases = [
        ("wss://api.chatnio.net/chat", "wss://api.chatnio.net/chat"),
        ("wss://api.chatnio.net", "wss://api.chatnio.net/chat"),
        ("wss://api.chatnio.net/", "wss://api.chatnio.net/chat"),
        ("WSS://API.chatnio.net:443//", "wss://api.chatnio.net/chat"),
        ("https://example.com/api", "wss://example.com/api/chat"),
        ("https://example.com/api/", "wss://example.com/api/chat"),
        ("https://example.com/api/chat", "wss://example.com/api/chat"),
        ("http://example.com:80", "ws://example.com/chat"),
        ("http://example.com:443", "ws://example.com:443/chat"),
        ("ws://localhost:8094/other/", "ws://localhost:8094/other/"),
        ("ws://example.com/apis", "ws://example.com/apis"),
        ("example.com", "wss://example.com/chat"),
        ("localhost:8094", "wss://localhost:8094/chat"),
        ("example.com:8443/api", "wss://example.com:8443/api/chat"),
        ("  wss://example.com\n", "wss://example.com/chat"),
        ("ws://[::1]:8094/chat", "ws://[::1]:8094/chat"),
        ("[2001:db8::1]", "wss://[2001:db8::1]/chat"),
        ("wss://b\u{fc}cher.example", "wss://xn--bcher-kva.example/chat"),
        ("ws://example.com/a@b", "ws://example.com/a@b"),
    ];
    for (text, expected) in cases {
        let endpoint = Endpoint::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(endpoint.to_string(), expected, "{text}");
        assert_eq!(Endpoint::parse(expected).unwrap(), endpoint, "normalizing twice changes nothing");
    }
}

#[test]
fn gives_the_parts() {
    let endpoint: Endpoint = "ws://[::1]:8094/api".parse().unwrap();
    assert!(!endpoint.is_tls());
    assert_eq!((endpoint.host(), endpoint.port(), endpoint.path()), ("::1", 8094, "/api/chat"));
    assert_eq!(endpoint.host_header(), "[::1]:8094");
    let endpoint: Endpoint = "example.com".parse().unwrap();
    assert!(endpoint.is_tls());
    assert_eq!((endpoint.host(), endpoint.port(), endpoint.path()), ("example.com", 443, "/chat"));
    assert_eq!(endpoint.host_header(), "example.com");
}

#[test]
fn a_query_is_sent_and_never_shown() {
    for (text, target, shown) in [
        ("wss://example.com?key=SECRET&a=b", "/chat?key=SECRET&a=b", "wss://example.com/chat?..."),
        ("https://example.com/api?SECRET", "/api/chat?SECRET", "wss://example.com/api/chat?..."),
        ("ws://example.com/x/?a=\u{e9}", "/x/?a=%C3%A9", "ws://example.com/x/?..."),
        ("wss://example.com?", "/chat", "wss://example.com/chat"),
    ] {
        let endpoint = Endpoint::parse(text).unwrap();
        assert_eq!((endpoint.target().as_str(), endpoint.to_string().as_str()), (target, shown), "{text}");
        assert!(!format!("{endpoint:?}").contains("SECRET"));
        assert_eq!(endpoint.has_query(), target.contains('?'));
    }
    assert_ne!(Endpoint::parse("wss://a?x=1"), Endpoint::parse("wss://a?x=2"));
    let long = format!("wss://example.com?{}", "x".repeat(MAX_URL));
    assert_eq!(Endpoint::parse(&long), Err(EndpointError::TooLong));
}

#[test]
fn the_longest_is_bounded_as_it_is_written_out() {
    let with_path = |path: String| Endpoint::parse(&format!("wss://example.com/{path}")).map(|_| ());
    let room = MAX_URL - "wss://example.com/".len();
    assert_eq!(with_path("x".repeat(room)), Ok(()));
    assert_eq!(with_path("x".repeat(room + 1)), Err(EndpointError::TooLong));
    // Six bytes for each of these two.
    assert_eq!(with_path("é".repeat(room / 6 + 1)), Err(EndpointError::TooLong));
}

#[test]
fn refuses_everything_else_without_echoing_it() {
    let cases = [
        ("wss://user:SECRET@example.com", EndpointError::UserInfo),
        ("wss://SECRET@example.com/?SECRET", EndpointError::UserInfo),
        ("wss://@example.com", EndpointError::UserInfo),
        ("SECRET@example.com:99999", EndpointError::UserInfo),
        ("wss://example.com:99999?SECRET", EndpointError::Port),
        ("wss://example.com/?SECRET#x", EndpointError::Fragment),
        ("wss://example.com/#SECRET", EndpointError::Fragment),
        ("ftp://example.com", EndpointError::Scheme),
        ("SECRET://example.com", EndpointError::Scheme),
        ("", EndpointError::EmptyHost),
        ("wss://", EndpointError::EmptyHost),
        ("wss:///chat", EndpointError::EmptyHost),
        ("wss://:443", EndpointError::EmptyHost),
        ("wss://example.com:0", EndpointError::Port),
        ("wss://example.com:65536", EndpointError::Port),
        ("wss://example.com:SECRET", EndpointError::Port),
        ("mailto:SECRET", EndpointError::Port),
        ("sk-SECRET", EndpointError::Token),
        (" sk-SECRET\n", EndpointError::Token),
        ("wss://::1/chat", EndpointError::EmptyHost),
        ("wss://[::1", EndpointError::Host),
        ("wss://[::1%25eth0]/", EndpointError::Host),
        ("wss://exa%mple.com", EndpointError::Host),
        ("wss://999.999.999.999", EndpointError::Host),
        ("wss://exam ple.com", EndpointError::Character),
        ("wss://example.com\\@SECRET", EndpointError::Character),
        ("wss://exam\tple.com", EndpointError::Character),
    ];
    for (text, expected) in cases {
        let error = Endpoint::parse(text).expect_err(text);
        assert_eq!(error, expected, "{text}");
        assert!(!format!("{error} {error:?}").contains("SECRET"));
    }
}

#[test]
fn knows_loopback_by_its_form() {
    for text in [
        "localhost",
        "ws://LOCALHOST:1",
        "a.localhost",
        "localhost.",
        "127.0.0.1",
        "127.9.9.9",
        "[::1]",
        "[::ffff:127.0.0.1]",
    ] {
        assert!(Endpoint::parse(text).unwrap().is_loopback(), "{text}");
    }
    for text in ["example.com", "localhost.example.com", "notlocalhost", "128.0.0.1", "[::2]", "10.0.0.1", "0.0.0.0"] {
        assert!(!Endpoint::parse(text).unwrap().is_loopback(), "{text}");
    }
}

#[test]
fn without_tls_all_but_this_machine_is_exposed() {
    let there = Some("http://proxy.example:3128");
    for (url, proxy, expected) in [
        ("wss://chat.example", there, None),
        ("wss://localhost", there, None),
        ("ws://localhost", None, None),
        ("ws://localhost", Some("http://127.0.0.1:3128"), None),
        ("ws://127.0.0.1", Some("socks5://LOCALHOST"), None),
        ("ws://[::1]", Some("socks5h://[::ffff:127.0.0.1]:1"), None),
        ("ws://chat.example", None, Some("chat.example")),
        ("ws://chat.example", Some("http://127.0.0.1:3128"), Some("chat.example")),
        ("ws://chat.example", there, Some("chat.example")),
        ("ws://localhost", there, Some("proxy.example")),
        ("ws://127.0.0.1", Some("socks5://192.0.2.1"), Some("192.0.2.1")),
        ("ws://[::1]", Some("socks5h://[2001:db8::1]:1"), Some("2001:db8::1")),
        ("ws://localhost", Some("localhost.example:1"), Some("localhost.example")),
    ] {
        let proxy = proxy.map(|url| Proxy::parse(url).unwrap());
        let endpoint = Endpoint::parse(url).unwrap();
        assert_eq!(endpoint.exposed_to(proxy.as_ref()), expected, "{url} by {proxy:?}");
    }
}
