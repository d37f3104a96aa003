/** A server that only listens: what clients say to it, by the first part of their endpoint's path. All are refused but whole programs. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseXml, type Element } from '#wire/xmlparse'

/** What a request says, whoever says it: without the signature, what clients make up, and the order of members. */
export type Heard = { way: string; said: unknown }
const MADE_UP = ['ClientToken', 'Version', 'PresignedUrl', 'x-id']

/** CloudWatch is spoken to in JSON by the SDK, and by members of a query by the CLI: as members, numbers plain. */
function membersOf(value: unknown, at = ''): [string, unknown][] {
  if (Array.isArray(value)) return value.flatMap((one, i) => membersOf(one, `${at}.member.${i + 1}`))
  if (typeof value !== 'object' || value === null) return [[at, String(value)]]
  return Object.entries(value).flatMap(([name, one]) => membersOf(one, at === '' ? name : `${at}.${name}`))
}
const CLOUDWATCH = /^GraniteServiceVersion20100801\./
const plain = (members: [string, unknown][]): object => Object.fromEntries(
  members.filter(([name]) => !MADE_UP.includes(name)).map(([name, value]) => [name, /^\d+\.0$/.test(String(value)) ? String(Number(value)) : value])
    .sort(([a], [b]) => (a! < b! ? -1 : 1)),
)

/** What an XML body says, whatever the order of its members and the way in which its characters are spelt. */
const inOrder = ({ name, text, children }: Element): Record<string, unknown> =>
  ({ name, text: text.trim(), children: children.map(inOrder).sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1)) })

function bodyOf(body: string): Record<string, unknown> | string {
  if (body.startsWith('{')) return JSON.parse(body) as Record<string, unknown>
  return body.startsWith('<') ? inOrder(parseXml(body)) : body
}

export function read({ method, url: { pathname, searchParams }, target, body }: { method: string; url: URL; target: string; body: string }): Heard {
  const path = decodeURIComponent(pathname).replace(/\/$/, '')
  const query = Object.fromEntries([...searchParams].filter(([name]) => !MADE_UP.includes(name)))
  if (/^Action=|&Action=/.test(body)) return { way: `${method} ${path}`, said: plain([...new URLSearchParams(body)]) }
  const said = bodyOf(body)
  if (CLOUDWATCH.test(target)) return { way: `${method} ${path}`, said: plain([['Action', target.replace(CLOUDWATCH, '')], ...membersOf(said)]) }
  if (typeof said === 'object') for (const name of MADE_UP) delete said[name]
  return { way: `${method} ${path} ${target}`, said: { query, body: said } }
}

/** `all`: of a program, which goes on only when it is answered. */
export type Ear = { url: string; heard: Map<string, Heard>; all: Map<string, Heard[]>; close(): Promise<void> }

export async function openEar(): Promise<Ear> {
  const heard = new Map<string, Heard>()
  const all = new Map<string, Heard[]>()
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const url = new URL(request.url!, 'http://ear')
      const [, id, ...rest] = url.pathname.split('/')
      url.pathname = `/${rest.join('/')}`
      const target = String(request.headers['x-amz-target'] ?? '')
      const said = read({ method: request.method!, url, target, body: Buffer.concat(parts).toString() })
      heard.set(id!, said)
      all.set(id!, [...(all.get(id!) ?? []), said])
      if (id!.startsWith('program')) return response.writeHead(200).end(target === '' ? '<Answer/>' : '{}')
      return response.writeHead(403, { 'content-type': 'text/xml' }).end('<Response><Errors><Error><Code>Refused</Code></Error></Errors></Response>')
    })
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const close = () => new Promise<void>(done => {
    server.closeAllConnections()
    server.close(() => done())
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, heard, all, close }
}
