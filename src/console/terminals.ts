/**
 * Browser terminals: a WebSocket on one side, a program on a terminal of the host's on the other.
 *
 * Invariants: what a terminal may reach the caller's own rights decide, before anything runs; a terminal ends with its page, its session or
 * its program, and takes its program and its temporary key with it.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { acceptKey, BINARY, CLOSE, parseFrame, PING, PONG, serverFrame, TEXT } from '#base/websocket'
import type { Log } from '#base/log'
import { Refused, type Program, type Target } from '#console/targets'
import type { Session } from '#console/sessions'

export type TerminalOptions = {
  /** The program behind a terminal. Throws Refused with what to tell the user. */
  target(asked: Target): Promise<Program>
  log: Log
}
export type Opening = { request: IncomingMessage; socket: Duplex; head: Buffer; session: Session; query: URLSearchParams }
export type Terminals = {
  open(opening: Opening): Promise<void>
  /** Ends a session's terminals, or all. */
  end(session?: string): void
}

const PTY = fileURLToPath(new URL('pty.py', import.meta.url))
/** The distribution's, whatever else comes first in PATH. */
const PYTHON = '/usr/bin/python3'
const MESSAGE_BYTES = 256 * 1024
const MOST = 50
/** A page that reads slower than its program writes: the program waits. */
const QUEUE_BYTES = 1 << 20
const KILL_MS = 3000
const KINDS = ['instance-connect', 'session', 'serial'] as const

/** Says so and waits for nobody: a side that does not close its own would hold the socket for ever. */
export const turnAway = (socket: Duplex, status: string): void =>
  void socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\n\r\n`, () => socket.destroy())

export function openTerminals({ target, log }: TerminalOptions): Terminals {
  const running = new Map<Duplex, string>()

  async function open({ request, socket, head, session, query }: Opening): Promise<void> {
    if (!socket.writable) return void socket.destroy() // An earlier request on it has ended it, or who asked has left.
    // A page that has gone without a word closes its side alone, and HTTP's sockets would stay half open.
    socket.on('end', () => socket.destroy())
    const key = request.headers['sec-websocket-key']
    const kind = KINDS.find(name => name === query.get('kind'))
    if (!key || !kind || running.size >= MOST) return turnAway(socket, '400 Bad Request')
    request.socket.setTimeout(0)
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${acceptKey(key)}\r\n\r\n`)
    running.set(socket, session.id)
    socket.on('close', () => running.delete(socket))
    const say = (message: object) => socket.write(serverFrame(TEXT, Buffer.from(JSON.stringify(message))))
    try {
      const program = await target({
        kind, principal: session.principal, instance: query.get('instance') ?? '', region: query.get('region') ?? '', user: query.get('user') ?? '',
      })
      if (socket.destroyed) return program.done?.() // Nobody would ever end what began now.
      log.info('console.terminal', { kind, instance: query.get('instance') })
      await run({ socket, head, program, size: sizeOf({ cols: Number(query.get('cols')), rows: Number(query.get('rows')) }) ?? [80, 24], say })
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      say({ error: error.message })
      socket.end(serverFrame(CLOSE, Buffer.from([3, 232])))
    }
  }

  return {
    open,
    end(session) {
      for (const [socket, owner] of running) if (session === undefined || owner === session) socket.destroy()
    },
  }
}

type Running = { socket: Duplex; head: Buffer; program: Program; size: [number, number]; say(message: object): void }

async function run({ socket, head, program, size, say }: Running): Promise<void> {
  const child = spawn(PYTHON, ['-I', PTY, String(size[0]), String(size[1]), program.file, ...program.args], {
    env: { PATH: process.env.PATH, TERM: 'xterm-256color', LANG: 'C.UTF-8', ...program.env }, stdio: ['pipe', 'pipe', 'inherit', 'pipe'],
  })
  const ended = new Promise<number>(resolve => {
    child.on('error', () => resolve(127))
    child.on('close', code => resolve(code ?? 1))
  })
  child.stdin!.on('error', () => socket.destroy())
  child.stdout!.on('data', (data: Buffer) => {
    socket.write(serverFrame(BINARY, data))
    if (socket.writableLength > QUEUE_BYTES) {
      child.stdout!.pause()
      socket.once('drain', () => child.stdout!.resume())
    }
  })
  say({ ready: true })
  hear(socket, head, child)
  socket.on('close', () => {
    child.stdin!.end()
    setTimeout(() => child.kill('SIGKILL'), KILL_MS).unref()
  })
  try {
    say({ ended: await ended })
    socket.end(serverFrame(CLOSE, Buffer.from([3, 232])))
  } finally {
    program.done?.()
  }
}

/** What the page sends: bytes typed (binary), or a new size (text). */
function hear(socket: Duplex, head: Buffer, child: ChildProcess): void {
  const sizes = child.stdio[3] as import('node:stream').Writable
  sizes.on('error', () => {}) // The program has ended; its end is told by its own event.
  let rest = Buffer.alloc(0)
  /** Pings of a page that does not hear their answers are not answered for ever. */
  const answer = (payload: Buffer): void => {
    if (socket.writableLength < QUEUE_BYTES) socket.write(serverFrame(PONG, payload))
  }
  /** A program that does not read what is typed is not typed to for ever. */
  const type = (typed: Buffer): void => {
    if (child.stdin!.writableLength > QUEUE_BYTES) socket.destroy()
    else child.stdin!.write(typed)
  }
  const take = (data: Buffer): void => {
    rest = Buffer.concat([rest, data])
    try {
      for (let frame; (frame = parseFrame(rest, MESSAGE_BYTES)); rest = rest.subarray(frame.bytes)) {
        if (!frame.masked || !frame.last || frame.code === CLOSE) return void socket.destroy()
        if (frame.code === PING) answer(frame.payload)
        if (frame.code === BINARY) type(frame.payload)
        const size = frame.code === TEXT ? sizeOf(JSON.parse(frame.payload.toString()) as Size) : undefined
        if (size) sizes.write(`${size.join(' ')}\n`)
      }
    } catch {
      socket.destroy() // Not a frame, or not JSON: no page of ours.
    }
  }
  if (head.length > 0) take(head)
  socket.on('data', take)
}

type Size = { cols?: unknown; rows?: unknown } | null
function sizeOf(size: Size): [number, number] | undefined {
  const whole = (value: unknown): value is number => Number.isInteger(value) && (value as number) > 0 && (value as number) <= 1000
  return size && whole(size.cols) && whole(size.rows) ? [size.cols, size.rows] : undefined
}
