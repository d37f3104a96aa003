/**
 * One at a time, across processes.
 *
 * The lock is a listening socket in Linux's abstract namespace: the kernel gives the name to one process and takes it back when that
 * process ends, however it ends. So there is no file to go stale and no pid to mistake.
 */
import { createHash } from 'node:crypto'
import { connect, createServer, type Server } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { Failure } from '#launch/failure'

const address = (name: string): string => `\0enclume-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`

function listen(name: string, note: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    // To whoever asks, the holder says what it is doing.
    const server = createServer(socket => { socket.on('error', () => {}); socket.end(note) })
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)))
    server.listen(address(name), () => { server.unref(); resolve(server) })
  })
}

function askHolder(name: string): Promise<string> {
  return new Promise(resolve => {
    let note = ''
    const socket = connect(address(name)).setEncoding('utf8').setTimeout(1000)
    socket.on('data', chunk => { note += chunk }).on('timeout', () => socket.destroy())
    socket.on('error', () => {}).on('close', () => resolve(note || 'another process'))
  })
}

/** Does the work while holding the lock. When another process still holds it after `waitMs`, a Failure that names that process. */
export async function withLock<T>(name: string, options: { waitMs?: number; note?: string }, work: () => Promise<T>): Promise<T> {
  const { waitMs = 0, note = process.argv.slice(2).join(' ') } = options
  const deadline = Date.now() + waitMs
  for (;;) {
    const server = await listen(name, `\`enclume ${note}\` (pid ${process.pid})`)
    if (server) {
      try { return await work() } finally { server.close() }
    }
    if (Date.now() >= deadline) throw new Failure(`${await askHolder(name)} is at work on this; wait until it is done`)
    await pause(20)
  }
}
