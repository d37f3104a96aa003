import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listOf, type Offer } from '#engine/image/server.suite'
import { fileUrl, findImage, readIndex, serverUrl, userOf } from '#engine/image/simplestreams'

const offer = (id: string, aliases: string, more: Partial<Offer> = {}): Offer => ({ id, aliases, root: Buffer.from(id), ...more })
const list = listOf([
  offer('ubuntu:noble:amd64:cloud', 'ubuntu/noble/cloud,ubuntu/24.04/cloud', { version: '20260101_07:42' }),
  offer('ubuntu:noble:amd64:cloud', 'ubuntu/noble/cloud,ubuntu/24.04/cloud', { version: '20260203_07:42', root: Buffer.from('newest') }),
  offer('ubuntu:noble:amd64:cloud', 'ubuntu/noble/cloud,ubuntu/24.04/cloud', { version: '20260401_07:42', say: { root: { sha256: 'none' } } }),
  offer('ubuntu:noble:amd64:default', 'ubuntu/noble/default,ubuntu/24.04/default,ubuntu/noble,ubuntu/24.04', { version: '20260901_07:42' }),
  offer('ubuntu:noble:arm64:cloud', 'ubuntu/noble/cloud,ubuntu/24.04/cloud', { version: '20260202_07:42' }),
  offer('ubuntu:noble:amd64:desktop', 'ubuntu/noble/desktop,ubuntu/24.04/desktop'),
  offer('debian:trixie:amd64:cloud', 'debian/trixie/cloud,debian/13/cloud'),
  offer('almalinux:9:amd64:cloud', 'almalinux/9/cloud', { kind: 'root.tar.xz' }),
  offer('rockylinux:9:amd64:cloud', 'rockylinux/9/cloud'),
  offer('amazonlinux:2023:amd64:default', 'amazonlinux/2023/default,amazonlinux/2023'),
  offer('alpine:3.22:amd64:cloud', 'alpine/3.22/cloud'),
  offer('centos:9-Stream:amd64:cloud', 'centos/9-Stream/cloud', { say: { meta: { combined_squashfs_sha256: undefined } } }),
])
const find = (name: string, arch = 'amd64') => findImage([list], { name, arch })

test('a name is the newest whole version of its cloud variant, whichever of its names is said', () => {
  const { name, os, variant, version, root } = find('ubuntu/24.04')
  assert.deepEqual({ name, os, variant, version, path: root.path }, {
    name: 'ubuntu/24.04', os: 'ubuntu', variant: 'cloud', version: '20260203_07:42',
    path: 'images/ubuntu/noble/amd64/cloud/20260203_07:42/rootfs.squashfs',
  })
  assert.deepEqual(find('ubuntu/noble'), find('ubuntu/24.04'))
  assert.equal(find('ubuntu/noble', 'arm64').version, '20260202_07:42')
})

test('without a cloud variant the default one counts', () => {
  assert.deepEqual([find('amazonlinux/2023').variant, userOf('amazonlinux')], ['default', 'ec2-user'])
})

test('a root file system may be a tar archive', () => {
  assert.equal(find('almalinux/9').root.kind, 'root.tar.xz')
})

test('aliases as on cloud-images.ubuntu.com, without a system and a variant, are read too', () => {
  const { products } = listOf([offer('ubuntu:noble:amd64:x', '24.04,n,noble')])
  delete (Object.values(products)[0] as { variant?: string }).variant
  assert.equal(findImage([{ products }], { name: 'ubuntu/24.04', arch: 'amd64' }).name, 'ubuntu/24.04')
})

test('a name that there is not is answered with those near it', () => {
  assert.throws(() => find('alma/9'), { name: 'ImportError', message: /^there is no image 'alma\/9' for amd64; there is almalinux\/9, / })
  assert.throws(() => find('debain/13'), /; there is debian\/13, /)
  assert.throws(() => find('debian/13', 's390x'), { message: "there is no image 'debian/13' for s390x" })
})

test('what machines cannot be made from, and what is not whole, is said', () => {
  assert.throws(() => find('alpine/3.22'), /^ImportError: alpine\/3.22 can't be used: machines are made from almalinux, /)
  assert.throws(() => find('centos/9-Stream'), /^ImportError: the server has no container image of centos\/9-Stream now/)
})

test('a list may be anything: nothing in it is relied on', () => {
  const product = { arch: 'amd64', aliases: 'debian/13', os: 'Debian', versions: { 1: { items: { x: null } } } }
  for (const strange of [null, 7, [], { products: [] }, { products: { a: null, b: { aliases: 3, versions: 'x' }, product } }]) {
    assert.throws(() => findImage([strange], { name: 'debian/13', arch: 'amd64' }), { name: 'ImportError' })
  }
})

test('an index names the lists of images', () => {
  const entry = { datatype: 'image-downloads', format: 'products:1.0', path: 'streams/v1/images.json' }
  assert.deepEqual(readIndex({ index: { images: entry, other: { ...entry, datatype: 'image-ids', path: 'x' } } }), ['streams/v1/images.json'])
  assert.throws(() => readIndex({ index: {} }), { name: 'ImportError' })
})

test('addresses are HTTPS, or on this host, and files stay below them', () => {
  assert.equal(serverUrl('https://images.example/mirror').href, 'https://images.example/mirror/')
  assert.equal(serverUrl('http://127.0.0.1:80').href, 'http://127.0.0.1/')
  for (const wrong of ['http://images.example', 'ftp://127.0.0.1/', 'file:///etc', 'images.example', 'https://a/?x']) {
    assert.throws(() => serverUrl(wrong), { name: 'ImportError' })
  }
  const server = serverUrl('https://images.example/mirror')
  assert.equal(fileUrl(server, 'images/a/2026_07:42/x.y').href, 'https://images.example/mirror/images/a/2026_07%3A42/x.y')
  assert.equal(fileUrl(server, 'https:evil/a?b#c').href, 'https://images.example/mirror/https%3Aevil/a%3Fb%23c')
  for (const wrong of ['../x', 'a/../../x', '/etc/passwd', '//evil/x', 'a//b', '.', '']) {
    assert.throws(() => fileUrl(server, wrong), { name: 'ImportError' })
  }
})
