import ChatNio

// What may be shared between isolation domains, and what may not: the last two must not compile. See `../../test`.

func share<T: Sendable>(_: T) {}

func shareAll(client: Client, configuration: Configuration, auth: Auth, transcript: Transcript, request: Request) {
    share(client)
    share(configuration)
    share(auth)
    share(transcript)
    share(request)
}

func share(session: Session) { share(session) }

func share(connection: Connection) { share(connection) }
