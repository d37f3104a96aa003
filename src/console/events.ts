/**
 * Live events: which kinds of things have changed, as server-sent events. What has changed, the page asks the API, with its own rights.
 *
 * Invariant: an event says kinds alone, never an id or a content; a session that has ended hears nothing more.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'

/** Tells of which kinds something has changed. Returns what ends it. */
export type Watch = (callback: (kinds: string[]) => void) => () => void

/** Changes within this time are told together. */
const GATHER_MS = 100
const BEAT_MS = 15_000
const MOST = 200
const QUEUE_BYTES = 64 * 1024

export type Events = {
  /** Streams until the page goes away. */
  stream(request: IncomingMessage, response: ServerResponse, session: string): void
  /** Ends the streams of a session, or all. */
  end(session?: string): void
}

export function openEvents(watch: Watch): Events {
  const streams = new Map<ServerResponse, string>()
  const kinds = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  /** A page that does not read is let go: it asks again when it does. */
  const tell = (text: string): void => {
    for (const response of streams.keys()) {
      if (response.writableLength > QUEUE_BYTES) response.destroy()
      else response.write(text)
    }
  }
  const flush = (): void => {
    timer = undefined
    const data = JSON.stringify({ kinds: [...kinds] })
    kinds.clear()
    tell(`event: change\ndata: ${data}\n\n`)
  }
  const unwatch = watch(changed => {
    if (streams.size === 0) return
    for (const kind of changed) if (!kind.startsWith('console-')) kinds.add(kind)
    if (kinds.size > 0) timer ??= setTimeout(flush, GATHER_MS).unref()
  })
  const beat = setInterval(() => tell(': beat\n\n'), BEAT_MS).unref()
  return {
    stream(request, response, session) {
      if (streams.size >= MOST) {
        response.writeHead(503).end()
        return
      }
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
      response.write('event: ready\ndata: {}\n\n')
      streams.set(response, session)
      request.socket.setTimeout(0)
      response.on('close', () => streams.delete(response))
    },
    end(session) {
      for (const [response, owner] of streams) if (session === undefined || owner === session) response.end()
      if (session !== undefined) return
      clearInterval(beat)
      clearTimeout(timer)
      unwatch()
    },
  }
}
