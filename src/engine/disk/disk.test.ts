/** The parts of disks and images that need no Incus. */
import assert from 'node:assert/strict'
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { homeAt } from '#base/home'
import { clearIdentity } from '#engine/disk/identity'
import { newestImage, seenImages } from '#engine/disk/image'
import { isWhole, sizeGiB, volumeFile, type Volume } from '#engine/disk/layout'
import { mirrorOf, parseSources } from '#engine/disk/mirror'

const scratch = mkdtempSync(join(tmpdir(), 'disk-'))
test.after(() => rmSync(scratch, { recursive: true }))

test('a copied system loses its machine id, host name and host keys, and nothing else', () => {
  const root = join(scratch, 'root')
  mkdirSync(join(root, 'etc/ssh'), { recursive: true })
  for (const name of ['machine-id', 'hostname', 'passwd', 'ssh/ssh_host_rsa_key', 'ssh/ssh_host_rsa_key.pub', 'ssh/sshd_config'])
    writeFileSync(join(root, 'etc', name), name)
  clearIdentity(root)
  const left = [readFileSync(join(root, 'etc/machine-id'), 'utf8'), readdirSync(join(root, 'etc')).sort(),
    readdirSync(join(root, 'etc/ssh'))]
  assert.deepEqual(left, ['', ['machine-id', 'passwd', 'ssh'], ['sshd_config']])
  clearIdentity(join(scratch, 'nothing'))
})

test('links that a guest laid lead nowhere', () => {
  const host = join(scratch, 'host')
  mkdirSync(join(host, 'ssh'), { recursive: true })
  for (const name of ['machine-id', 'hostname', 'ssh/ssh_host_rsa_key']) writeFileSync(join(host, name), 'precious')
  const etc = join(scratch, 'a')
  mkdirSync(etc)
  symlinkSync(host, join(etc, 'etc'))
  clearIdentity(etc)
  const inner = join(scratch, 'b')
  mkdirSync(join(inner, 'etc'), { recursive: true })
  for (const name of ['machine-id', 'hostname', 'ssh']) symlinkSync(join(host, name), join(inner, 'etc', name))
  clearIdentity(inner)
  const names = ['machine-id', 'hostname', 'ssh/ssh_host_rsa_key']
  const read = (name: string) => existsSync(join(host, name)) && readFileSync(join(host, name), 'utf8')
  assert.deepEqual(names.map(read), ['precious', 'precious', 'precious'])
  assert.ok(lstatSync(join(inner, 'etc/machine-id')).isFile())
})

test('sizes are read in every form that Incus writes', () => {
  const size = (text: string) => sizeGiB({ name: 'v', config: { size: text } })
  assert.deepEqual([size('10GiB'), size('10737418240'), size('10737418241B'), size('512MiB')], [10, 10, 11, 1])
  assert.throws(() => sizeGiB({ name: 'v', config: {} }), /volume v/)
})

test('only whole images are seen, and of two of a name the newer', () => {
  const common = { 'size': '8GiB', 'user.image': 'debian', 'user.description': 'd', 'user.user': 'u' }
  const image = (name: string, config: Record<string, string>): Volume => ({ name, config: { ...common, ...config } })
  const volumes = [
    image('image-debian-1', { 'user.created': '2026-01-01', 'user.ready': 'true' }),
    image('image-debian-2', { 'user.created': '2026-02-01', 'user.ready': 'true' }),
    image('image-debian-3', { 'user.created': '2026-03-01' }), { name: 'base-1', config: { 'size': '8GiB', 'user.ready': 'true' } },
  ]
  assert.equal(newestImage(volumes, 'debian')?.name, 'image-debian-2')
  assert.deepEqual(seenImages(volumes).map(({ name, created, sizeGiB: gib }) => [name, created, gib]), [['debian', '2026-02-01', 8]])
})

test('the mirror is Debian\'s own source on this host, not another vendor\'s', () => {
  const list = parseSources('# deb http://off/debian bookworm-updates main\ndeb [arch=amd64] https://vendor/debian bookworm stable\n'
    + 'deb http://mirror/debian/ bookworm-updates main\n', { deb822: false })
  const stanzas = parseSources('Types: deb\nURIs: http://sec/debian-security\nSuites: bookworm-security\n\n'
    + 'Types: deb\nEnabled: no\nURIs: http://x/\nSuites: a-updates\n', { deb822: true })
  assert.deepEqual(mirrorOf([...stanzas, ...list]), { archive: 'http://mirror/debian', security: 'http://sec/debian-security' })
  assert.equal(mirrorOf([]).archive, 'http://deb.debian.org/debian')
})

test('a volume without its file is half made, and where the whole pool is away nothing is known against it', () => {
  const home = homeAt({ dir: join(scratch, 'home') })
  const volume: Volume = { name: 'disk-vol-1', config: { 'user.ready': 'true' } }
  const file = volumeFile(home, volume.name)
  const away = isWhole(home, volume)
  mkdirSync(dirname(dirname(file)), { recursive: true })
  const cutOff = isWhole(home, volume)
  mkdirSync(dirname(file))
  writeFileSync(file, '')
  assert.deepEqual([away, cutOff, isWhole(home, volume), isWhole(home, { ...volume, config: {} })], [true, false, true, false])
})
