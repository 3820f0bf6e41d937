import CChatNio

/// The C library that this program runs with.
public enum Library {
    /// Its version, such as "0.1.0".
    public static var version: String { String(cString: chatnio_version()) }

    /// The version that this package was compiled for. An older library at run time may miss functions.
    public static let compiledVersion = CHATNIO_VERSION
}
