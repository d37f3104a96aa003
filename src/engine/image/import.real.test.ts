import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { homeAt } from '#base/home'
import { silent } from '#base/log'
import { openDisks } from '#engine/disk/disks'
import { hostMirror, RELEASE } from '#engine/disk/mirror'
import { run } from '#engine/disk/run'
import { importImage } from '#engine/image/import'
import { serve, type Offer } from '#engine/image/server.suite'
import type { Client } from '#engine/incus/client'
import { startDaemon, stopDaemon } from '#engine/incus/daemon'
import { restoreHost } from '#engine/incus/host'
import { openMachines } from '#engine/incus/machines'
import { until } from '#engine/incus/process'
import { sweepLeftovers } from '#launch/leftovers'

const dir = mkdtempSync('/var/tmp/enclume-import-')
const home = homeAt({ dir: join(dir, 'home'), slot: Number(process.env['ENCLUME_TEST_SLOT'] ?? 7) })
const offer: Offer = { id: 'debian:bookworm:amd64:default', aliases: 'debian/bookworm,debian/12', root: Buffer.alloc(0) }
offer.id = offer.id.replace('amd64', process.arch === 'arm64' ? 'arm64' : 'amd64')
let client: Client
const names = async () => {
  const seen = await openDisks(home, client, silent).images()
  assert.ok(seen !== 'unknown')
  return seen.map(({ name, user, sizeGiB }) => ({ name, user, sizeGiB }))
}

/** A small Debian as container images are: with systemd, without cloud-init, ssh server and sudo. */
before(async () => {
  chmodSync(dir, 0o711)
  mkdirSync(home.dir)
  client = await startDaemon(home, silent, { poolGiB: 30 })
  await run('mmdebstrap', ['--mode=root', '--variant=minbase', '--aptopt=Acquire::Languages "none"', '--dpkgopt=force-unsafe-io', '--quiet',
    '--keyring=/usr/share/keyrings/debian-archive-keyring.gpg',
    '--include=systemd-sysv,systemd-resolved,dbus,iproute2,netbase,ca-certificates', RELEASE, join(dir, 'tree'), hostMirror().archive])
  await run('mksquashfs', [join(dir, 'tree'), join(dir, 'root.squashfs'), '-comp', 'lzo', '-quiet', '-no-progress', '-e', 'dev'])
  rmSync(join(dir, 'tree'), { recursive: true })
  offer.root = readFileSync(join(dir, 'root.squashfs'))
})
after(async () => {
  await stopDaemon(home, silent)
  await restoreHost(home, silent)
  await sweepLeftovers(home, () => {})
  for (const path of [dir, home.run]) rmSync(path, { recursive: true, force: true })
})

test('an image that cannot be prepared is never listed, and nothing of it stays', async t => {
  await run('sh', ['-c', 'mkdir "$0" && echo no > "$0/file" && mksquashfs "$0" "$0.squashfs" -quiet -no-progress', join(dir, 'bad')])
  const server = await serve([{ ...offer, root: readFileSync(join(dir, 'bad.squashfs')) }])
  t.after(() => server.close())
  await assert.rejects(importImage(home, client, { name: 'debian/12', server: server.url }, silent),
    { name: 'ImportError', message: /^debian\/12 can't be prepared: / })
  assert.deepEqual([await names(), await client.get('/1.0/storage-pools/pool/volumes/custom')], [[], []])
})

test('an image is imported once; a newer one takes its place; a machine made from it runs its init', async t => {
  const server = await serve([offer])
  t.after(() => server.close())
  const imported = () => importImage(home, client, { name: 'debian/bookworm', server: server.url }, silent)
  assert.equal(await imported(), 'debian/12')
  assert.deepEqual(await names(), [{ name: 'debian/12', user: 'admin', sizeGiB: 8 }])
  const [volume] = await client.get<string[]>('/1.0/storage-pools/pool/volumes/custom')
  server.requests.length = 0
  await imported()
  assert.deepEqual(server.requests, ['/streams/v1/index.json', '/streams/v1/images.json'])
  assert.deepEqual(await client.get('/1.0/storage-pools/pool/volumes/custom'), [volume])

  const disks = openDisks(home, client, silent)
  const machines = openMachines(home, client, silent)
  await disks.create({ id: 'd', sizeGiB: 8, from: { image: 'debian/12' } })
  await machines.create({ id: 'm', cpus: 1, memoryMiB: 512, rootDisk: 'd', ports: [] })
  try {
    await machines.start('m')
    const printed = async () => Buffer.from(await machines.console('m')).toString('utf8')
    assert.ok(await until(async () => /Welcome to .*Debian GNU\/Linux 12/.test(await printed()), 60_000), 'init does not greet')
    assert.ok(await until(async () => /Reached target .*(basic|network-pre)/i.test(await printed()), 60_000), await printed())
    assert.doesNotMatch(await printed(), /FAILED/)
  } finally {
    await machines.kill('m')
    await machines.delete('m')
    await disks.delete('d')
  }

  const newer = await serve([offer, { ...offer, version: '20260202_00:00', root: Buffer.concat([offer.root, Buffer.alloc(4096)]) }])
  t.after(() => newer.close())
  await importImage(home, client, { name: 'debian/12', server: newer.url }, silent)
  const after = await client.get<string[]>('/1.0/storage-pools/pool/volumes/custom')
  assert.deepEqual([after.length, after[0] !== volume, await names()], [1, true, [{ name: 'debian/12', user: 'admin', sizeGiB: 8 }]])
})
