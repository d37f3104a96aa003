import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backportsSource, lacks, mirrorOf, namesOn, planPackages, readCandidates, readInstalled, readSystem } from '#launch/packages'

const bookworm = readSystem('PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nID=debian\n')
const trixie = readSystem('PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nVERSION_ID="13"\nVERSION_CODENAME=trixie\nID=debian\n')
const ubuntu = (version: string, codename = '') =>
  readSystem(`PRETTY_NAME='Ubuntu ${version}'\nID=ubuntu\nVERSION_ID="${version}"\nVERSION_CODENAME=${codename}\n`)
const wanted = ['incus-base', 'awscli', 'nftables']
const plan = (system: typeof bookworm, { installed = [] as string[], candidates = {} as Record<string, string> } = {}) =>
  planPackages({ system, wanted, installed: new Set(installed), candidates: new Map(Object.entries(candidates)) })

test('a system is read from os-release', () => {
  assert.deepEqual(bookworm, { id: 'debian', version: '12', codename: 'bookworm', name: 'Debian GNU/Linux 12 (bookworm)' })
})

test('Debian 12 takes Incus and a new AWS CLI from backports, the rest from itself', () => {
  assert.deepEqual(plan(bookworm, { candidates: { awscli: '2.9.19-1', nftables: '1.0.6' } }),
    { missing: ['incus-base', 'awscli', 'nftables'], backports: ['incus-base', 'awscli'], needsBackports: true })
})

test('another source that offers what is needed is enough', () => {
  assert.deepEqual(plan(bookworm, { installed: ['awscli', 'nftables'], candidates: { 'incus-base': '1:6.14' } }),
    { missing: ['incus-base'], backports: [], needsBackports: false })
})

test('what is installed is left alone', () => {
  assert.deepEqual(plan(bookworm, { installed: wanted }), { missing: [], backports: [], needsBackports: false })
})

test('Ubuntu has other names for some packages, and lacks some', () => {
  const asked = ['incus-base', 'awscli', 'chromium', 'nftables']
  assert.deepEqual([trixie, ubuntu('24.04', 'noble'), ubuntu('26.04', 'resolute')].map(system => namesOn(system, asked)),
    [asked, ['incus', 'nftables'], ['incus-base', 'awscli', 'nftables']])
  assert.deepEqual([trixie, ubuntu('24.04', 'noble')].map(system => lacks(system, 'awscli')), [false, true])
})

test('Debian 13 and Ubuntu 24.04 need no backports; older and other systems are refused by name', () => {
  const all = { missing: ['incus-base', 'awscli', 'nftables'], backports: [], needsBackports: false }
  assert.deepEqual([plan(trixie), plan(ubuntu('24.04')), plan(ubuntu('26.04'))], [all, all, all])
  for (const system of [ubuntu('22.04'), readSystem('ID=fedora\nVERSION_ID=42\nPRETTY_NAME="Fedora 42"'), readSystem('')])
    assert.match((plan(system) as { unsupported: string }).unsupported, /or newer; this is (Ubuntu 22\.04|Fedora 42|an unknown system)/)
})

test('dpkg and apt are read as they print', () => {
  assert.deepEqual([...readInstalled('acl installed\nattr config-files\nrsync not-installed\nuidmap installed\n')], ['acl', 'uidmap'])
  const printed = 'incus:\n  Installed: (none)\n  Candidate: (none)\n  Version table:\n' +
    'awscli:\n  Installed: (none)\n  Candidate: 2.9.19-1\n' +
    '  Version table:\n     2.17.3-1~bpo12+1 100\n        100 http://deb.debian.org/debian bookworm-backports/main amd64 Packages\n'
  assert.deepEqual([...readCandidates(printed)], [['awscli', '2.9.19-1']])
})

test('backports come from the mirror that the host uses', () => {
  const sources = 'deb http://security.debian.org/debian-security bookworm-security main\n' +
    'deb [signed-by=/k] https://mirror.example/debian/ bookworm main\n'
  assert.equal(mirrorOf(sources), 'https://mirror.example/debian/')
  assert.equal(mirrorOf('Types: deb\nURIs: http://deb.debian.org/debian\n'), 'http://deb.debian.org/debian')
  assert.equal(mirrorOf('URIs: http://deb.debian.org/debian-security\n'), 'http://deb.debian.org/debian')
  const source = backportsSource({ codename: 'bookworm', mirror: 'http://m/debian' })
  assert.match(source, /^URIs: http:\/\/m\/debian\nSuites: bookworm-backports$/m)
})
