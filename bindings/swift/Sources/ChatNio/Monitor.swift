#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A lock, and a thread that waits for what others change under it.
final class Monitor: @unchecked Sendable {
    // Sendable: what a lock is for. Behind pointers, because a lock must stay where it is.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let change = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        pthread_mutex_init(mutex, nil)
        #if canImport(Darwin)
            pthread_cond_init(change, nil)
        #else
            // The wall clock may be set back.
            var attributes = pthread_condattr_t()
            pthread_condattr_init(&attributes)
            pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
            pthread_cond_init(change, &attributes)
            pthread_condattr_destroy(&attributes)
        #endif
    }

    deinit {
        pthread_cond_destroy(change)
        pthread_mutex_destroy(mutex)
        change.deallocate()
        mutex.deallocate()
    }

    /// Runs `body` under the lock, which must not be held already.
    func locked<R>(_ body: () throws -> R) rethrows -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body()
    }

    /// Under the lock: tells the thread that waits to look again.
    func wake() {
        pthread_cond_signal(change)
    }

    /// Under the lock, which is let go of meanwhile: waits for ``wake()``. It may return early.
    func wait(atMost limit: Duration) {
        var time = timespec()
        #if canImport(Darwin)
            add(limit, to: &time)
            pthread_cond_timedwait_relative_np(change, mutex, &time)
        #else
            clock_gettime(CLOCK_MONOTONIC, &time)
            add(limit, to: &time)
            pthread_cond_timedwait(change, mutex, &time)
        #endif
    }

    private func add(_ duration: Duration, to time: inout timespec) {
        let (seconds, attoseconds) = duration.components
        let nanoseconds = time.tv_nsec + Int(attoseconds / 1_000_000_000)
        time.tv_sec += Int(seconds) + nanoseconds / 1_000_000_000
        time.tv_nsec = nanoseconds % 1_000_000_000
    }
}

/// Starts a thread of its own for `body`.
///
/// - Throws: ``ChatNioError/Code/system`` when the system has none.
func startThread(_ body: @escaping @Sendable () -> Void) throws {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    let box = Unmanaged.passRetained(Box(body))
    #if canImport(Darwin)
        var thread: pthread_t?
        let status = pthread_create(&thread, nil, { run($0) }, box.toOpaque())
    #else
        var thread = pthread_t()
        let status = pthread_create(&thread, nil, { run($0!) }, box.toOpaque())
    #endif
    guard status == 0 else {
        box.release()
        throw ChatNioError(.system, "no thread can be started: \(String(cString: strerror(status)))")
    }
    #if canImport(Darwin)
        pthread_detach(thread!)
    #else
        pthread_detach(thread)
    #endif

    func run(_ context: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
        Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
        return nil
    }
}
