/**
 * Files of an image server, fetched with a bound on their size.
 *
 * Invariant: a file has its name only when its SHA-256 was right; until then it is `.part`, and the next download goes on where
 * it ended. What has a wrong checksum is deleted. Nothing but HTTPS is followed, plain HTTP from and to this host apart.
 */
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { Agent as HttpAgent, get as httpGet, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, get as httpsGet } from 'node:https'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Log } from '#base/log'
import { fileUrl, findImage, ImportError, INDEX_PATH, readIndex, type Found, type Item } from '#engine/image/simplestreams'

const LIST_BYTES = 64 * 2 ** 20
const REDIRECTS = 5
const IDLE_MS = 30_000
const ATTEMPTS = 3

/** The newest image of a name on the server. */
export async function lookUp(server: URL, { name, arch }: { name: string; arch: string }): Promise<Found> {
  const lists = readIndex(await fetchJson(fileUrl(server, INDEX_PATH)))
  return findImage(await Promise.all(lists.map(path => fetchJson(fileUrl(server, path)))), { name, arch })
}

/** Both files of an image in `dir`, each checked, and both together. */
export async function download(server: URL, { meta, root, fingerprint }: Found, dir: string, log: Log): Promise<string> {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const files = [await fetchFile(server, meta, dir, log), await fetchFile(server, root, dir, log)]
  if (await sha256(files) === fingerprint) return files[1]!
  for (const file of files) rmSync(file)
  throw new ImportError(`the files of ${root.path} don't belong together: their combined SHA-256 is wrong`)
}

async function fetchFile(server: URL, item: Item, dir: string, log: Log): Promise<string> {
  const file = join(dir, item.sha256)
  const part = `${file}.part`
  if (existsSync(file)) return file
  for (let attempt = 1; ; attempt++) {
    try {
      await goOn(fileUrl(server, item.path), item, part, log)
      break
    } catch (error) {
      if (error instanceof ImportError || attempt === ATTEMPTS) throw error instanceof ImportError ? error : unreachable(server, error)
      log.warn('download interrupted', { file: item.path, error })
    }
  }
  if (await sha256([part]) !== item.sha256) {
    rmSync(part)
    throw new ImportError(`${item.path} has a wrong SHA-256: it was changed, or damaged on its way; it is not used`)
  }
  renameSync(part, file)
  return file
}

/** Fetches what is missing of the file. Throws any error when the connection ends early. */
async function goOn(url: URL, item: Item, part: string, log: Log): Promise<void> {
  let have = statSync(part, { throwIfNoEntry: false })?.size ?? 0
  if (have === item.size) return
  if (have > item.size) have = 0
  const response = await request(url, have > 0 ? { range: `bytes=${have}-` } : {})
  if (have > 0 && !(response.statusCode === 206 && response.headers['content-range'] === `bytes ${have}-${item.size - 1}/${item.size}`)) {
    if (response.statusCode !== 200) {
      response.destroy()
      rmSync(part)
      throw new Error(`${url.href} can't be resumed (HTTP ${response.statusCode})`)
    }
    have = 0
  }
  let said = Math.floor(have * 10 / item.size)
  await pipeline(response, async function* (source: AsyncIterable<Buffer>) {
    for await (const chunk of source) {
      have += chunk.length
      if (have > item.size) throw new ImportError(`${item.path} is larger than the ${item.size} bytes that the server said`)
      const tenth = Math.floor(have * 10 / item.size)
      if (tenth > said) log.info('download', { percent: (said = tenth) * 10, MiB: Math.round(have / 2 ** 20) })
      yield chunk
    }
  }, createWriteStream(part, { flags: response.statusCode === 206 ? 'a' : 'w', mode: 0o600 }))
  if (have < item.size) throw new Error(`${item.path} ended after ${have} of ${item.size} bytes`)
}

async function fetchJson(url: URL): Promise<unknown> {
  const parts: Buffer[] = []
  try {
    let bytes = 0
    for await (const chunk of await request(url) as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > LIST_BYTES) throw new ImportError(`${url.href} is larger than ${LIST_BYTES} bytes`)
      parts.push(chunk)
    }
  } catch (error) {
    throw error instanceof ImportError ? error : unreachable(url, error)
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'))
  } catch (error) {
    throw new ImportError(`${url.href} is not JSON: is this a simplestreams server?`, { cause: error })
  }
}

function unreachable({ host }: URL, error: unknown): ImportError {
  // An error of several addresses has a code alone.
  const why = (error as Error).message || (error as NodeJS.ErrnoException).code
  return new ImportError(`the image server ${host} can't be reached: ${why}. It is needed once, to fetch the image.`, { cause: error })
}

const isLocal = ({ protocol }: URL): boolean => protocol === 'http:'

/** The answer to a GET, redirects followed. The host's proxies (HTTPS_PROXY, NO_PROXY) are used, never for this host itself. */
async function request(url: URL, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  for (let at = url, hop = 0; hop <= REDIRECTS; hop++) {
    const response = await send(at, headers)
    const { statusCode = 0, headers: { location } } = response
    if (statusCode === 200 || statusCode === 206) return response
    response.destroy()
    if (![301, 302, 303, 307, 308].includes(statusCode) || location === undefined) {
      const said = `${at.href} answers HTTP ${statusCode}`
      throw statusCode >= 500 || statusCode === 416 ? new Error(said) : new ImportError(said)
    }
    const next = new URL(location, at)
    if (next.protocol !== 'https:' && !(isLocal(at) && next.origin === at.origin)) {
      throw new ImportError(`${at.href} leads to ${next.href}, which is not HTTPS`)
    }
    at = next
  }
  throw new ImportError(`${url.href} leads from one address to another without end`)
}

function send(url: URL, headers: Record<string, string>): Promise<IncomingMessage> {
  const get = isLocal(url) ? httpGet : httpsGet
  const agent = isLocal(url) ? new HttpAgent() : new HttpsAgent({ proxyEnv: process.env })
  return new Promise((resolve, reject) => {
    const sent = get(url, { agent, headers: { 'user-agent': 'enclume', ...headers } }, resolve)
    sent.on('error', reject).setTimeout(IDLE_MS, () => sent.destroy(new Error(`no answer for ${IDLE_MS / 1000} s`)))
  })
}

/** Of files one after the other. */
async function sha256(files: string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const file of files) for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
