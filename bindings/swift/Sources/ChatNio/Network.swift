import CChatNio

extension Configuration {
    /// A proxy to go through.
    public enum Proxy: Sendable, Hashable {
        /// The one at a URL: `http://` (by CONNECT), `socks5://` (names are looked up here) or `socks5h://` (the proxy
        /// looks them up), with a user name and a password before an `@` if it wants them, which no error shows.
        case url(String)
        /// The one that the environment names for a server's URL, as curl has it, if it names one: `https_proxy` or
        /// `HTTPS_PROXY` for TLS, `http_proxy` for none, then `all_proxy` or `ALL_PROXY`; never for what `no_proxy` or
        /// `NO_PROXY` names, nor for loopback. The environment is read when the configuration is made: no other thread
        /// may change it meanwhile.
        case environment(server: String)
    }

    /// A certificate to show to servers that ask for one, with its private key, which is not encrypted.
    public enum ClientCertificate: Sendable, Hashable {
        /// In PEM: the chain, its own certificate first, and the key. Both may be one text.
        case pem(chain: String, key: String)
        /// From files in PEM, which may be one.
        case files(chain: String, key: String)
    }

    /// Where the secrets of every TLS session go to, in the format of NSS: with them programs such as Wireshark, and
    /// everybody else who has them, can read all that is sent.
    public enum KeyLog: Sendable {
        /// To the end of a file.
        case file(String)
        /// To a function, line by line, without the lines' ends. It is called on the thread that drives the connection,
        /// and must not call this library.
        case lines(@Sendable (String) -> Void)
    }
}

extension Configuration.Proxy: CustomStringConvertible, CustomReflectable {
    /// Which kind it is: a proxy's URL may hold a password.
    public var description: String {
        switch self {
        case .url: "a proxy's URL"
        case .environment: "the environment's proxy"
        }
    }

    /// Shows no URL.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension Configuration.ClientCertificate: CustomStringConvertible, CustomReflectable {
    /// Which kind it is, with the files' names and no key.
    public var description: String {
        switch self {
        case .pem: "PEM"
        case .files(let chain, let key): "\(chain), \(key)"
        }
    }

    /// Shows no key.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension Configuration.Proxy {
    func set(_ config: OpaquePointer) -> Int32 {
        switch self {
        case .url(let url): url.withText { chatnio_config_set_proxy(config, $0, $1) }
        case .environment(let server):
            server.withText { chatnio_config_set_proxy_from_environment(config, $0, $1, nil) }
        }
    }
}

extension Configuration.ClientCertificate {
    func set(_ config: OpaquePointer) -> Int32 {
        let (chain, key, setter) =
            switch self {
            case .pem(let chain, let key): (chain, key, chatnio_config_set_client_certificate_pem)
            case .files(let chain, let key): (chain, key, chatnio_config_set_client_certificate_file)
            }
        return chain.withText { chain, chainLength in
            key.withText { setter(config, chain, chainLength, $0, $1) }
        }
    }
}

/// The host's function for key logs, at an address that the library can be given.
final class KeyLogLines: Sendable {
    private let take: @Sendable (String) -> Void

    init?(_ keyLog: Configuration.KeyLog?) {
        guard case .lines(let take) = keyLog else { return nil }
        self.take = take
    }

    /// Sets it; it must live as long as the configuration and whatever is made with that.
    func set(_ config: OpaquePointer) -> Int32 {
        chatnio_config_set_key_log_callback(
            config,
            { lines, line, length in
                let text = String(chatnio_text(data: line, len: length))
                Unmanaged<KeyLogLines>.fromOpaque(lines!).takeUnretainedValue().take(text)
            }, Unmanaged.passUnretained(self).toOpaque())
    }
}
