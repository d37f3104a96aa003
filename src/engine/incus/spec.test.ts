/** What a machine looks like to Incus, and what Incus says of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseEvent } from '#engine/incus/events'
import { configOf, devicesOf, limitsOf, portsAmong, rawConfig } from '#engine/incus/spec'

const paths = { root: '/run/en/root/d/fs', console: '/var/en/console/m.log', view: '/run/en/view/m', storage: '/run/en/storage.sock' }
const range = { first: 4096, last: 4097 }

test('every machine is unprivileged with ids of its own, and nothing but its root is its own to mount', () => {
  const config = configOf({ id: 'm', cpus: 1, memoryMiB: 512, rootDisk: 'd', ports: [], environment: { ZONE: 'a' } }, { place: 0, range }, paths)
  assert.deepEqual(
    ['security.idmap.isolated', 'security.guestapi', 'security.nesting', 'boot.autostart', 'user.root-disk', 'environment.ZONE']
      .map(key => config[key]),
    ['true', 'false', 'false', 'false', 'd', 'a'])
  assert.ok(Object.keys(config).every(key => !/privileged|syscalls/.test(key)))
})

test('no block device but its own is allowed, in the words of either kind of cgroup', () => {
  for (const unified of [false, true]) {
    const lines = rawConfig('m', paths, { range, unified }).split('\n')
    const word = unified ? 'lxc.cgroup2.devices' : 'lxc.cgroup.devices'
    const rules = lines.filter(line => line.startsWith('lxc.cgroup'))
    assert.equal(rules[0], `${word}.deny = a`)
    assert.deepEqual(rules.filter(rule => / b /.test(rule)), ['b *:* m', 'b 7:4096 rwm', 'b 7:4097 rwm'].map(rule => `${word}.allow = ${rule}`))
    assert.equal(lines[0], 'lxc.rootfs.path = dir:/run/en/root/d/fs')
  }
})

test('ports are known by their names in the guest and by their devices, and a baseline is a share between 1 and 100', () => {
  const devices = devicesOf({ ports: [{ port: 'a', device: 'x1', name: 'ens5' }, { port: 'b', device: 'x2', name: 'ens7' }] })
  assert.deepEqual(portsAmong({ ...devices, root: { type: 'disk', path: '/' } }), ['x1', 'x2'])
  assert.deepEqual(devices, {
    ens5: { type: 'nic', nictype: 'physical', parent: 'x1', name: 'ens5' },
    ens7: { type: 'nic', nictype: 'physical', parent: 'x2', name: 'ens7' },
  })
  const share = (cpuBaselinePercent?: number) => limitsOf({ cpus: 2, memoryMiB: 1, cpuBaselinePercent })['limits.cpu.allowance']
  assert.deepEqual([share(), share(20), share(0), share(135)], ['100%', '20%', '1%', '100%'])
})

test('only changes of a machine\'s power are events', () => {
  const event = (type: string, action: string, source: string) => parseEvent(JSON.stringify({ type, metadata: { action, source } }))
  assert.deepEqual([
    event('lifecycle', 'instance-shutdown', '/1.0/instances/i-1'),
    event('lifecycle', 'instance-restarted', '/1.0/instances/i-1?project=default'),
    event('lifecycle', 'instance-updated', '/1.0/instances/i-1'), event('logging', 'instance-started', '/1.0/instances/i-1'),
  ], [{ id: 'i-1', event: 'shutdown' }, { id: 'i-1', event: 'restarted' }, undefined, undefined])
})
