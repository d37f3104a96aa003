/** Everything kept in a folder while an instance runs, and a home made of it again, on the real engine. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Enclume, launcher, run, ssh, sshReady, type Login } from './enclume.ts'

const LAUNCHER = fileURLToPath(new URL('../../enclume', import.meta.url))
const work = mkdtempSync(join(tmpdir(), 'enclume-backup-'))
const folder = join(work, 'kept')
let enclume: Enclume
let login: Login
let id: string

before(async () => {
  enclume = await Enclume.up()
  const key = await enclume.keyPair('backup')
  const group = (await enclume.ec2('create-security-group', '--group-name', 'backup', '--description', 'backup')).GroupId
  await enclume.ec2('authorize-security-group-ingress', '--group-id', group, '--protocol', 'tcp', '--port', '22', '--cidr', '0.0.0.0/0')
  const { Instances } = await enclume.ec2('run-instances', '--image-id', await enclume.image('debian-12'), '--instance-type', 't3.nano',
    '--key-name', 'backup', '--security-group-ids', group)
  id = Instances[0].InstanceId
  const { AllocationId, PublicIp } = await enclume.ec2('allocate-address')
  await enclume.state(id, 'running')
  await enclume.ec2('associate-address', '--allocation-id', AllocationId, '--instance-id', id)
  login = { key, user: 'admin', address: PublicIp }
  await sshReady(login)
})
after(async () => {
  await launcher('up')
  const { Addresses } = await enclume.ec2('describe-addresses')
  await enclume.ec2('terminate-instances', '--instance-ids', id)
  await enclume.state(id, 'terminated')
  for (const { AllocationId } of Addresses) await enclume.ec2('release-address', '--allocation-id', AllocationId)
  await enclume.ec2('delete-security-group', '--group-name', 'backup')
  await enclume.ec2('delete-key-pair', '--key-name', 'backup')
  enclume.close()
  rmSync(work, { recursive: true, force: true })
})

test('a backup of a running instance is whole, sparse and for root alone, and keeps the instance running', async () => {
  const { stdout: boot } = await ssh(login, 'echo kept > file; sync; cat /proc/sys/kernel/random/boot_id; stat -c %Y /proc/1')
  await launcher('backup', folder)
  const { volumes } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'))
  assert.equal(volumes.length, 1)
  const { size, blocks } = statSync(join(folder, 'volumes', `${volumes[0].name}.img`))
  assert.ok(size === 8 * 2 ** 30 && blocks * 512 < size / 4, `${size} bytes, ${blocks} blocks`)
  assert.deepEqual([statSync(join(folder, 'home')).mode & 0o77, statSync(join(folder, 'home', 'root-credentials.json')).mode & 0o77], [0, 0])
  assert.ok(readdirSync(join(folder, 'home')).includes('enclume.db'))
  assert.equal((await ssh(login, 'cat /proc/sys/kernel/random/boot_id; stat -c %Y /proc/1')).stdout, boot)
  const again = await run(LAUNCHER, ['backup', folder])
  assert.deepEqual([again.code, /is there already/.test(again.stderr)], [1, true])
})

test('a home is restored from it only where there is none, and what ran runs, with its files and its address', async () => {
  await ssh(login, 'echo later > file; sync')
  const occupied = await run(LAUNCHER, ['restore', folder])
  assert.deepEqual([occupied.code, /there is an Enclume in .* already/.test(occupied.stderr)], [1, true])
  await launcher('reset', '--yes')
  await launcher('restore', folder)
  await launcher('up')
  const found = await enclume.state(id, 'running')
  assert.equal(found.PublicIpAddress, login.address)
  await sshReady(login)
  assert.equal((await ssh(login, 'cat file')).stdout, 'kept\n')
})

test('a folder that is no whole backup is refused and makes nothing', async () => {
  const half = join(work, 'half')
  for (const [home, text] of [[half, undefined], [work, '{"format":99,"version":"9.0.0"}']] as const) {
    if (text) writeFileSync(join(home, 'manifest.json'), text)
    const { code, stderr } = await run(LAUNCHER, ['restore', home, '--home', join(work, 'home')])
    assert.deepEqual([code, /is no whole backup|written by a newer Enclume/.test(stderr)], [1, true], stderr)
  }
  assert.ok(!readdirSync(work).includes('home'))
})
