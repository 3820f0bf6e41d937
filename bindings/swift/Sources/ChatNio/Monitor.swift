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

    /// Under the lock, which is let go of meanwhile: waits for ``wake()``, without a limit when `seconds` is nil.
    ///
    /// - Returns: false when the time is over. It may return early.
    func wait(seconds: Int? = nil) -> Bool {
        guard let seconds else {
            pthread_cond_wait(change, mutex)
            return true
        }
        #if canImport(Darwin)
            var time = timespec(tv_sec: seconds, tv_nsec: 0)
            return pthread_cond_timedwait_relative_np(change, mutex, &time) == 0
        #else
            var time = timespec()
            clock_gettime(CLOCK_MONOTONIC, &time)
            time.tv_sec += seconds
            return pthread_cond_timedwait(change, mutex, &time) == 0
        #endif
    }
}

/// Starts a thread of its own for `body`.
///
/// - Throws: ``ChatNioError/Code/system`` when the system has none.
func startThread(_ body: @escaping @Sendable () -> Void) throws(ChatNioError) {
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
