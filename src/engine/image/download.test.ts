import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { silent } from '#base/log'
import { download, lookUp } from '#engine/image/download'
import { serve, type Offer } from '#engine/image/server.suite'
import { serverUrl } from '#engine/image/simplestreams'

const root = randomBytes(300_000)

async function open(t: TestContext, more: Partial<Offer> = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'enclume-download-'))
  const server = await serve([{ id: 'debian:trixie:amd64:cloud', aliases: 'debian/trixie/cloud,debian/13/cloud', root, ...more }])
  t.after(async () => { await server.close(); rmSync(dir, { recursive: true }) })
  const url = serverUrl(server.url)
  const found = await lookUp(url, { name: 'debian/13', arch: 'amd64' })
  return { dir, found, requests: server.requests, files: () => readdirSync(dir).sort(), fetch: () => download(url, found, dir, silent) }
}

test('a file that is right is kept, and not fetched a second time', async t => {
  const { fetch, requests, found } = await open(t)
  const file = await fetch()
  assert.deepEqual(readFileSync(file), root)
  const asked = requests.length
  assert.equal(await fetch(), file)
  assert.deepEqual([requests.length, requests.at(-1)], [asked, `/${found.root.path}`])
})

test('an interrupted download goes on where it ended', async t => {
  let cuts = 2
  const { fetch, requests, dir, found } = await open(t, {
    send: (response, offset) => {
      if (cuts-- <= 0) return void response.end(root.subarray(offset))
      if (offset === 0) response.writeHead(200, { 'content-length': root.length })
      response.write(root.subarray(offset, offset + 100_000))
      const cut = () => {
        const size = statSync(join(dir, `${found.root.sha256}.part`), { throwIfNoEntry: false })?.size
        if (size === offset + 100_000) response.destroy()
        else setImmediate(cut)
      }
      cut()
    },
  })
  assert.deepEqual(readFileSync(await fetch()), root)
  assert.deepEqual(requests.slice(-3), ['', ' from 100000', ' from 200000'].map(end => `/${found.root.path}${end}`))
})

test('a download that never ends well is an error, and the next one goes on', async t => {
  let broken = true
  const { fetch, files } = await open(t, {
    send: (response, offset) => void response.end(root.subarray(offset, broken ? offset + 1000 : undefined)),
  })
  await assert.rejects(fetch(), { name: 'ImportError', message: /can't be reached: .* ended after \d+ of 300000 bytes/ })
  assert.equal(files().filter(name => name.endsWith('.part')).length, 1)
  broken = false
  assert.deepEqual(readFileSync(await fetch()), root)
})

test('a wrong checksum is refused, and what was fetched is deleted', async t => {
  const spoilt = Buffer.from(root)
  spoilt[7]! ^= 1
  const { fetch, files, found } = await open(t, { send: response => void response.end(spoilt) })
  await assert.rejects(fetch(), { name: 'ImportError', message: /rootfs\.squashfs has a wrong SHA-256/ })
  assert.deepEqual(files(), [found.meta.sha256])
})

test('files that do not belong together are refused', async t => {
  const { fetch, files } = await open(t, { say: { meta: { combined_squashfs_sha256: '0'.repeat(64) } } })
  await assert.rejects(fetch(), { name: 'ImportError', message: /don't belong together/ })
  assert.deepEqual(files(), [])
})

test('no more is taken than was announced', async t => {
  const { fetch } = await open(t, { send: response => void response.end(Buffer.concat([root, root])) })
  await assert.rejects(fetch(), { name: 'ImportError', message: /larger than the 300000 bytes/ })
})

test('a server that redirects to what is not HTTPS elsewhere is not followed', async t => {
  const { fetch } = await open(t, { send: response => void response.writeHead(302, { location: 'http://192.0.2.1/x' }).end() })
  await assert.rejects(fetch(), { name: 'ImportError', message: /leads to http:\/\/192\.0\.2\.1\/x, which is not HTTPS/ })
})

test('a server that is not there is said in a sentence', async t => {
  const { dir } = await open(t)
  const gone = await serve([])
  await gone.close()
  await assert.rejects(lookUp(serverUrl(gone.url), { name: 'debian/13', arch: 'amd64' }),
    { name: 'ImportError', message: /^the image server 127\.0\.0\.1:\d+ can't be reached: connect ECONNREFUSED.* It is needed once/ })
  assert.ok(existsSync(dir))
})
