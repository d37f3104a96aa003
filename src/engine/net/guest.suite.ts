/**
 * A guest of the real network tests: a program that runs in a namespace and does what a line of JSON on its input asks.
 *
 * Invariant: it answers every request with one line, and ends when its input does, so a test that dies leaves no process.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { connect, createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

export type Ask =
  | { do: 'listen'; port: number; six?: true }
  | { do: 'listenUdp'; port: number }
  | { do: 'connect'; host: string; port: number; from?: string; keep?: string; text?: string; waitMs?: number }
  | { do: 'say'; keep: string; text: string; waitMs?: number }
  | { do: 'askUdp'; host: string; port: number; waitMs?: number }
  | { do: 'send'; host: string; port: number; from: string; text: string; waitMs?: number }
  | { do: 'self'; host: string; port: number; protocol: 'tcp' | 'udp'; from: number; waitMs?: number }
  | { do: 'shout'; text: string }
  | { do: 'heard' }
  | { do: 'sink'; port: number }
  | { do: 'pump'; host: string; port: number; forMs: number }
  | { do: 'connects'; host: string; port: number; times: number }
  | { do: 'passes'; host: string; port: number; waitMs: number }
  | { do: 'flood'; host: string; port: number; forMs: number }
  | { do: 'questions'; server: string; name: string; forMs: number }
  | { do: 'resolve'; server: string; name: string; reverse?: boolean }

const WAIT_MS = 400
const kept = new Map<string, Socket>()

/** The next text that comes, or 'timeout'. */
const hear = (socket: Socket | UdpSocket, waitMs: number, event: 'data' | 'message') => new Promise<string>(resolve => {
  const timer = setTimeout(() => { socket.removeAllListeners(event); resolve('timeout') }, waitMs)
  socket.once(event, data => { clearTimeout(timer); resolve(String(data)) })
})

async function dial(ask: Extract<Ask, { do: 'connect' }>): Promise<string> {
  const socket = connect({ host: ask.host, port: ask.port, localAddress: ask.from })
  const waitMs = ask.waitMs ?? WAIT_MS
  const outcome = await new Promise<string>(resolve => {
    const timer = setTimeout(() => resolve('timeout'), waitMs)
    const end = (text: string) => { clearTimeout(timer); resolve(text) }
    socket.on('error', error => end((error as NodeJS.ErrnoException).code ?? String(error)))
    socket.once('connect', () => { if (ask.text) socket.write(ask.text) })
    // The other side says first whom it sees.
    socket.once('data', data => end(String(data)))
  })
  if (ask.keep && !['timeout'].includes(outcome)) kept.set(ask.keep, socket)
  else socket.destroy()
  return outcome === 'ECONNREFUSED' ? 'refused' : outcome
}

/** A server tells each caller by which address it sees it, then echoes. */
const callers = new Set<Socket>()
const listen = (port: number, six = false) => new Promise<string>((resolve, reject) => createServer(socket => {
  callers.add(socket.on('error', () => socket.destroy()).on('close', () => callers.delete(socket)))
  socket.write(socket.remoteAddress!.replace('::ffff:', ''))
  socket.pipe(socket)
}).on('error', reject).listen(port, six ? '::' : '0.0.0.0', () => resolve('listening')))

/** Texts that came by UDP, each with its sender's address. */
const heard: string[] = []
const listenUdp = (port: number) => new Promise<string>(resolve => {
  const socket = createSocket('udp4', (text, peer) => {
    heard.push(`${String(text)} ${peer.address}`)
    // The way back may not be there.
    socket.send(peer.address, peer.port, peer.address, () => {})
  })
  socket.bind(port, () => resolve('listening'))
})

/** One text, whose answer counts only when it comes from whom it was sent to. */
async function send(ask: Extract<Ask, { do: 'send' }>): Promise<string> {
  const socket = createSocket('udp4')
  socket.on('error', () => {})
  await new Promise<void>(resolve => socket.bind(0, ask.from, resolve))
  await new Promise<void>(resolve => socket.connect(ask.port, ask.host, () => resolve()))
  const answer = hear(socket, ask.waitMs ?? WAIT_MS, 'message')
  socket.send(ask.text)
  return answer.finally(() => socket.close())
}

/** From a port of one's own to another of one's own, by an address that others know one by: whether it comes. */
async function self({ host, port, protocol, from, waitMs = WAIT_MS }: Extract<Ask, { do: 'self' }>): Promise<string> {
  if (protocol === 'tcp') {
    const server = from === port ? undefined : createServer(socket => socket.destroy()).listen(port)
    const socket = connect({ host, port, localPort: from })
    const outcome = new Promise<string>(resolve => {
      setTimeout(() => resolve('timeout'), waitMs)
      socket.on('connect', () => resolve('came')).on('error', error => resolve((error as NodeJS.ErrnoException).code!))
    })
    return outcome.finally(() => { socket.destroy(); server?.close() })
  }
  const [sender, hearer] = from === port ? [createSocket('udp4')] : [createSocket('udp4'), createSocket('udp4')]
  await Promise.all([sender, hearer].map((socket, i) => socket && new Promise<void>(resolve => socket.bind(i === 0 ? from : port, resolve))))
  const answer = hear(hearer ?? sender, waitMs, 'message')
  sender.send('came', port, host)
  return answer.finally(() => { sender.close(); hearer?.close() })
}

/** A text each millisecond; how many were sent. */
const flood = ({ host, port, forMs }: Extract<Ask, { do: 'flood' }>) => new Promise<number>(resolve => {
  const socket = createSocket('udp4')
  socket.on('error', () => {})
  const began = performance.now()
  let sent = 0
  const timer = setInterval(() => {
    socket.send(`flood-${sent++}`, port, host, () => {})
    if (performance.now() - began < forMs) return
    clearInterval(timer)
    socket.close(() => resolve(sent))
  }, 1)
})

/** Asks for a name as fast as it goes; how often it asked, and was answered. */
const questions = ({ server, name, forMs }: Extract<Ask, { do: 'questions' }>) => new Promise<{ asked: number; answered: number }>(resolve => {
  const labels = name.split('.').map(label => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]))
  const question = Buffer.concat([Buffer.from('000101000001000000000000', 'hex'), ...labels, Buffer.from('0000010001', 'hex')])
  const [began, seen] = [performance.now(), { asked: 0, answered: 0 }]
  const socket = createSocket('udp4', () => { seen.answered++ }).on('error', () => {})
  const more = (): void => {
    if (performance.now() - began > forMs) { socket.close(() => resolve(seen)); return }
    for (let n = 0; n < 20; n++, seen.asked++) socket.send(question, 53, server, () => {})
    setImmediate(more)
  }
  socket.bind(more)
})

/** Takes all that comes, and says at the end how many bytes that were. */
const sink = (port: number) => new Promise<string>((resolve, reject) => createServer({ allowHalfOpen: true }, socket => {
  let bytes = 0
  socket.on('error', () => socket.destroy()).on('data', data => { bytes += data.length }).on('end', () => socket.end(`${bytes}`))
}).on('error', reject).listen(port, '0.0.0.0', () => resolve('listening')))

/** Sends as fast as it goes; how many bits a second the sink took. */
const pump = ({ host, port, forMs }: Extract<Ask, { do: 'pump' }>) => new Promise<number>((resolve, reject) => {
  const block = Buffer.alloc(1 << 20)
  const socket = connect({ host, port }).on('error', reject)
  let [began, heard] = [0, '']
  const more = (): void => {
    while (performance.now() - began < forMs) if (!socket.write(block)) { socket.once('drain', more); return }
    socket.end()
  }
  socket.on('connect', () => { began = performance.now(); more() }).setEncoding('utf8').on('data', text => { heard += text })
    .on('end', () => resolve(Number(heard) * 8000 / (performance.now() - began)))
})

/** Connects again and again; the median in microseconds. */
async function connects({ host, port, times }: Extract<Ask, { do: 'connects' }>): Promise<number> {
  const took: number[] = []
  for (let n = 0; n < times; n++) {
    const began = performance.now()
    await new Promise<void>((resolve, reject) => {
      const socket = connect({ host, port }).on('error', reject).on('connect', () => {
        took.push(performance.now() - began)
        socket.resetAndDestroy()
        resolve()
      })
    })
  }
  return took.sort((a, b) => a - b)[times >> 1]! * 1000
}

/** Begins a connection each millisecond; the moment, on the host's monotonic clock, at which the other side was first heard of. */
const passes = ({ host, port, waitMs }: Extract<Ask, { do: 'passes' }>) => new Promise<number | string>(resolve => {
  const sockets = new Set<Socket>()
  const end = (result: number | string) => {
    clearInterval(timer)
    for (const socket of sockets) socket.destroy()
    resolve(result)
  }
  const began = performance.now()
  const timer = setInterval(() => {
    if (performance.now() - began > waitMs) return end('timeout')
    const socket = connect({ host, port })
    sockets.add(socket)
    socket.on('error', ({ code }: NodeJS.ErrnoException) => end(code === 'ECONNREFUSED' ? monotonicMs() : code ?? 'error'))
  }, 1)
})
/** The same clock for every process of the host. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6

async function answer(ask: Ask): Promise<unknown> {
  switch (ask.do) {
    case 'listen': return listen(ask.port, ask.six)
    case 'listenUdp': return listenUdp(ask.port)
    case 'connect': return dial(ask)
    case 'say': {
      const socket = kept.get(ask.keep)!
      const heard = Promise.race([hear(socket, ask.waitMs ?? WAIT_MS, 'data'), new Promise<string>(resolve => {
        socket.once('error', error => resolve((error as NodeJS.ErrnoException).code!))
      })])
      socket.write(ask.text)
      return heard
    }
    case 'shout': {
      for (const socket of callers) socket.write(ask.text)
      return callers.size
    }
    case 'askUdp': {
      const socket = createSocket('udp4')
      const heard = hear(socket, ask.waitMs ?? WAIT_MS, 'message')
      socket.on('error', () => {}).send('?', ask.port, ask.host)
      return heard.finally(() => socket.close())
    }
    case 'sink': return sink(ask.port)
    case 'pump': return pump(ask)
    case 'connects': return connects(ask)
    case 'passes': return passes(ask)
    case 'self': return self(ask)
    case 'send': return send(ask)
    case 'flood': return flood(ask)
    case 'questions': return questions(ask)
    case 'heard': return heard.splice(0)
    case 'resolve': {
      const resolver = new Resolver({ timeout: 500, tries: 1 })
      resolver.setServers([ask.server])
      return ask.reverse ? resolver.reverse(ask.name) : resolver.resolve4(ask.name)
    }
  }
}

if (import.meta.main) {
  createInterface({ input: process.stdin }).on('line', async line => {
    const { id, ask } = JSON.parse(line) as { id: number; ask: Ask }
    const result = await answer(ask).catch((error: NodeJS.ErrnoException) => error.code ?? String(error))
    process.stdout.write(JSON.stringify({ id, result }) + '\n')
  }).on('close', () => process.exit())
}
