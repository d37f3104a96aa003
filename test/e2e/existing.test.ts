/**
 * A second Enclume on the same host, whose instances live in an Incus that was there before: here the first one's, as an administrator's own
 * daemon with instances of his own in it.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { daemonClient, socketOf } from '#engine/incus/place'
import { Enclume, launcher, must, run, ssh, sshReady, traces, visit } from './enclume.ts'

const DIR = `${process.env.ENCLUME_HOME}-second`
let first: Enclume
let second: Enclume
let neighbour: { id: string; address: string }
const incus = () => daemonClient(first.home)
const names = async (path: string) => (await incus().get<string[]>(path)).map(url => url.split('/').pop()!).sort()
/** What the daemon has of its own, whatever others keep in it. */
const own = async () =>
  ({ pools: await names('/1.0/storage-pools'), projects: await names('/1.0/projects'), instances: await names('/1.0/instances') })

async function launch(enclume: Enclume, page: string) {
  const sg = (await enclume.ec2('create-security-group', '--group-name', 'second', '--description', 'second')).GroupId
  for (const port of ['22', '80']) {
    await enclume.ec2('authorize-security-group-ingress', '--group-id', sg, '--protocol', 'tcp', '--port', port, '--cidr', '0.0.0.0/0')
  }
  const key = await enclume.keyPair('second')
  const { Instances } = await enclume.ec2('run-instances', '--image-id', await enclume.image('debian-12'), '--instance-type', 't3.nano',
    '--key-name', 'second', '--security-group-ids', sg, '--user-data',
    `#!/bin/sh\nmkdir /srv/w; echo ${page} >/srv/w/index.html; systemd-run python3 -m http.server -d /srv/w 80\n`)
  const id = Instances[0].InstanceId as string
  const address = (await enclume.state(id, 'running')).PublicIpAddress as string
  await sshReady({ key, user: 'admin', address })
  return { id, address, key }
}

before(async () => {
  first = await Enclume.up()
  neighbour = await launch(first, 'first')
})
after(async () => {
  await launcher('reset', '--yes', '--home', DIR)
  second?.close()
  if (neighbour) await first.ec2('terminate-instances', '--instance-ids', neighbour.id)
  if (neighbour) await first.state(neighbour.id, 'terminated')
  first.close()
})

test('what can\'t hold instances is refused, and says why', async () => {
  const up = (url: string) => run(new URL('../../enclume', import.meta.url).pathname, ['up', '--home', DIR, '--incus', url])
  assert.match((await up('https://192.0.2.1:8443')).stderr, /--incus: an Incus on another machine can't be used yet/)
  assert.match((await up('unix:/nonexistent/unix.socket')).stderr, /--incus: there is no socket/)
})

test('an instance of the second boots in a project of its own, beside the other\'s with the same private range', async () => {
  const before = await own()
  second = await Enclume.up({ dir: DIR, options: ['--incus', `unix:${socketOf(first.home)}`] })
  const { id, address, key } = await launch(second, 'second')
  assert.equal((await ssh({ key, user: 'admin', address }, 'hostname -I')).stdout.trim(), (await second.instance(id)).PrivateIpAddress)
  const name = `enclume-${second.home.slot}`
  assert.deepEqual(await own(), { ...before, pools: [name, ...before.pools].sort(), projects: ['default', name] })
  assert.deepEqual(await names(`/1.0/instances?project=${name}`), [`${id}?project=${name}`])
  assert.deepEqual([await visit(`http://${address}/`), await visit(`http://${neighbour.address}/`)], ['second\n', 'first\n'])
})

test('`down` and `up` of the second bring its instance back, and leave the daemon and the first alone', async () => {
  const { pid } = JSON.parse(await launcher('status', '--json', '--home', first.home.dir)).engine
  await launcher('down', '--home', DIR)
  assert.equal(await visit(`http://${neighbour.address}/`), 'first\n')
  second = await Enclume.up({ dir: DIR })
  const { Reservations: [{ Instances: [instance] }] } = await second.ec2('describe-instances')
  await second.state(instance.InstanceId, 'running')
  assert.equal(JSON.parse(await launcher('status', '--json', '--home', DIR)).engine.pid, pid)
})

test('`reset` of the second takes its project and its pool along, and nothing else', async () => {
  await launcher('reset', '--yes', '--home', DIR)
  const { pools, projects } = await own()
  assert.deepEqual([pools, projects], [['pool'], ['default']])
  const { ports, mounts, loops } = await traces(second.home)
  assert.deepEqual({ ports, mounts, loops }, { ports: [], mounts: [], loops: [] })
  assert.doesNotMatch(await must('losetup', ['--list']), /storage-pools\/enclume-/)
  assert.equal(await visit(`http://${neighbour.address}/`), 'first\n')
})
