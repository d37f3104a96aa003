/** The disk that holds the records fills up: what was answered stands, what is refused is told so, and all goes on when there is room. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { homeAt } from '#base/home'
import { silent } from '#base/log'
import { openCloud } from '#cloud'
import { openFake } from '#engine/fake'
import { ApiError } from '#kit/error'
import { openSqlite } from '#store/sqlite'
import { audit } from './audit.ts'
import { untilNone } from './world.ts'

const principal = { account: '123456789012', arn: 'arn:aws:iam::123456789012:root', userId: '123456789012', root: true }
const caller = { principal, region: 'us-east-1', requestId: 'r', sourceIp: '127.0.0.1', userAgent: 'test' }
const run = (command: string, ...args: string[]) => assert.equal(spawnSync(command, args).status, 0, command)

test('a full disk refuses by name, loses nothing, and is well again with room', {
  timeout: 60_000, skip: process.getuid!() !== 0 && 'it mounts a file system',
}, async t => {
  const dir = mkdtempSync(join(tmpdir(), 'enclume-full-'))
  run('mount', '-t', 'tmpfs', '-o', 'size=4m', 'none', dir)
  t.after(() => { run('umount', '-l', dir); rmSync(dir, { recursive: true }) })
  const [file, ballast] = [join(dir, 'enclume.db'), join(dir, 'ballast')]
  const engine = openFake()
  const open = async () => {
    const store = openSqlite(file)
    const cloud = await openCloud({
      home: homeAt({ dir }), engine, store, log: silent, clock: () => new Date(), history: join(dir, 'history.db'), pause: { first: 1, longest: 4 },
    })
    cloud.start()
    const call = async (operation: string, input: object = {}): Promise<any> => cloud.dispatch({ service: 'ec2', operation, input, caller })
    return { store, cloud, call, close: async () => { await cloud.close(); await store.close() } }
  }
  let server = await open()
  const { Images } = await server.call('DescribeImages')
  const launch = { ImageId: Images[0].ImageId, InstanceType: 't3.nano', MinCount: 1, MaxCount: 1 }
  await server.call('RunInstances', launch)
  await server.cloud.loop.idle()
  writeFileSync(ballast, Buffer.alloc(1 << 20))

  const answered: string[] = []
  const refused: unknown[] = []
  for (let n = 0; refused.length < 5; n++) {
    await server.call('CreateSecurityGroup', { GroupName: `group-${n}`, Description: 'x'.repeat(250) })
      .then(({ GroupId }) => answered.push(GroupId), error => refused.push(error))
  }
  const codes = refused.map(error => (error instanceof ApiError ? `${error.status} ${error.code}` : String(error)))
  assert.deepEqual(codes, Array(5).fill('503 Unavailable'))
  // What is seen, also by the next server, is what was answered.
  const groups = async (): Promise<string[]> => (await server.call('DescribeSecurityGroups')).SecurityGroups
    .filter((one: any) => one.GroupName !== 'default').map((one: any) => one.GroupId).sort()
  assert.deepEqual(await groups(), answered.sort())

  rmSync(ballast)
  const { Instances } = await server.call('RunInstances', launch)
  await untilNone(() => audit({ engine, store: server.store, file }))
  await server.close()
  server = await open()
  assert.deepEqual(await groups(), answered)
  await server.call('TerminateInstances', { InstanceIds: [Instances[0].InstanceId] })
  await untilNone(() => audit({ engine, store: server.store, file }))
  await server.close()
})
