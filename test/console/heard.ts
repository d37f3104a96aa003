/** A server that only listens: what clients say to it, by the number in the path of their endpoint. Everyone is refused. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a request says, whoever says it: without the signature, what clients make up, and the order of members. */
export type Heard = { way: string; said: unknown }
const MADE_UP = ['ClientToken', 'Version', 'PresignedUrl', 'x-id']

function read(method: string, url: URL, target: string, body: string): Heard {
  const path = decodeURIComponent(url.pathname).replace(/\/$/, '')
  const query = Object.fromEntries([...url.searchParams].filter(([name]) => !MADE_UP.includes(name)))
  if (/^Action=|&Action=/.test(body)) {
    const members = [...new URLSearchParams(body)].filter(([name]) => !MADE_UP.includes(name)).sort(([a], [b]) => (a < b ? -1 : 1))
    return { way: `${method} ${path}`, said: Object.fromEntries(members) }
  }
  const said = body.startsWith('{') ? JSON.parse(body) as Record<string, unknown> : body
  if (typeof said === 'object') for (const name of MADE_UP) delete said[name]
  return { way: `${method} ${path} ${target}`, said: { query, body: said } }
}

export async function openEar(): Promise<{ url: string; heard: Map<string, Heard>; close(): Promise<void> }> {
  const heard = new Map<string, Heard>()
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const url = new URL(request.url!, 'http://ear')
      const [, id, ...rest] = url.pathname.split('/')
      url.pathname = `/${rest.join('/')}`
      heard.set(id!, read(request.method!, url, String(request.headers['x-amz-target'] ?? ''), Buffer.concat(parts).toString()))
      response.writeHead(403, { 'content-type': 'text/xml' }).end('<Response><Errors><Error><Code>Refused</Code></Error></Errors></Response>')
    })
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const close = () => new Promise<void>(done => {
    server.closeAllConnections()
    server.close(() => done())
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, heard, close }
}
