import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { checkDisk, checkPort, freeGiB, listener } from '#launch/preflight'

test('a port that is taken is refused with the name of the program and the option to change', async t => {
  const server = createServer().listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  assert.match(listener(port) ?? '', new RegExp(`\\(pid ${process.pid}\\)$`))
  const told = new RegExp(`port ${port} is in use by .* \\(pid ${process.pid}\\): stop it, or choose another with --port N`)
  await assert.rejects(checkPort(port, 'port'), told)
})

test('a port that is free passes', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  await checkPort(port, 'port')
  assert.equal(listener(port), undefined)
})

test('room is measured where the home will be, and too little is refused', () => {
  assert.equal(typeof freeGiB('/var/lib/not/there/yet'), 'number')
  assert.throws(() => checkDisk('/proc'), /\/proc has 0 GiB free and needs 8.*--home DIR/)
})
