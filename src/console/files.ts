/**
 * The console's built files.
 *
 * Invariant: nothing outside the built directory is ever read: all of it is read at the start (7 MB), and a request is looked up there. So pages go
 * on loading while a newer console is built in its place.
 */
import { globSync, readFileSync, statSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join } from 'node:path'

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2', '.woff': 'font/woff', '.png': 'image/png', '.json': 'application/json', '.txt': 'text/plain; charset=utf-8',
}
/** Compressed when it was built, beside itself. */
const PACKED = new Set(['.html', '.js', '.css', '.svg'])

export type Files = (request: IncomingMessage, response: ServerResponse, path: string) => void

/** What the page asks for by itself, which is a file or nothing: script, styles, an icon. Any deeper address may be a page, as that of `t3.micro`. */
const isFile = (path: string): boolean => path.startsWith('/assets/') || /^\/[^/]*\.[^/]*$/.test(path)

/** Answers a file, or the page for any other path: the page itself knows its routes. */
export function openFiles(dir: string | undefined): Files {
  const found = dir === undefined ? [] : globSync('**/*', { cwd: dir }).filter(name => statSync(join(dir, name)).isFile())
  const files = new Map(found.map(name => [name, readFileSync(join(dir!, name))]))
  return (request, response, path) => {
    const name = path.slice(1)
    const chosen = files.has(name) ? name : isFile(path) ? undefined : 'index.html'
    const whole = chosen === undefined ? undefined : files.get(chosen)
    if (chosen === undefined || whole === undefined) {
      const text = dir === undefined ? 'The console is not built here. Run: ./enclume up\n' : 'Not found\n'
      response.writeHead(dir === undefined ? 503 : 404, { 'content-type': 'text/plain; charset=utf-8' }).end(text)
      return
    }
    const type = extname(chosen)
    // Built names hold a digest of their content; the page names them anew.
    response.setHeader('cache-control', chosen.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache')
    response.setHeader('content-type', TYPES[type] ?? 'application/octet-stream')
    const accepted = String(request.headers['accept-encoding'] ?? '')
    const packed = PACKED.has(type) && accepted.includes('br') ? files.get(`${chosen}.br`) : undefined
    if (packed) response.setHeader('content-encoding', 'br')
    const body = packed ?? whole
    response.setHeader('content-length', body.length)
    response.writeHead(200).end(request.method === 'HEAD' ? undefined : body)
  }
}
