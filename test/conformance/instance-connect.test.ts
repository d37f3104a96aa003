/** EC2 Instance Connect by the SDK for JavaScript, and what the instance's metadata then offers. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { EC2InstanceConnectClient, SendSSHPublicKeyCommand, type SendSSHPublicKeyCommandInput } from '@aws-sdk/client-ec2-instance-connect'
import { StopInstancesCommand } from '@aws-sdk/client-ec2'
import { lookup } from '#service/ec2/imds/door'
import type { InstanceRow } from '#service/ec2/instance/instance'
import type { InterfaceRow } from '#service/ec2/network-interface/network-interface'
import { code, openBench, type Bench } from './kit.ts'
import { keys } from './server.ts'

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8Gcx2C3GLX1x4Vb0Vf4hoVgO5n9NQ0bNl0XyQXjtTq mine'
let bench: Bench
let connect: EC2InstanceConnectClient

before(async () => {
  bench = await openBench()
  connect = new EC2InstanceConnectClient({ endpoint: bench.server.url, region: 'us-east-1', credentials: keys, maxAttempts: 1 })
})
after(async () => { connect.destroy(); await bench.close() })

const send = (input: Partial<SendSSHPublicKeyCommandInput>) =>
  connect.send(new SendSSHPublicKeyCommand({ InstanceOSUser: 'ec2-user', SSHPublicKey: KEY, ...input } as SendSSHPublicKeyCommandInput))

/** What the instance's metadata offers at a time. */
async function offered(id: string, afterMs: number): Promise<Record<string, string[]> | undefined> {
  const { store, cloud } = bench.server
  const row = await store.get<InstanceRow>('instance', id)
  const nic = await store.get<InterfaceRow>('network-interface', row!.spec.interfaces[0]!)
  const clock = () => new Date(Date.now() + afterMs)
  return (await lookup({ reader: store, home: cloud.context.home, roleOf: async () => undefined, clock }, nic!.spec.fabric))?.connectKeys
}

test('a key is offered to its user of its instance for a minute, and to nobody else', async () => {
  const [one, other] = [await bench.launch(), await bench.launch()]
  assert.equal((await send({ InstanceId: one.InstanceId })).Success, true)
  await send({ InstanceId: one.InstanceId, InstanceOSUser: 'root' })
  assert.deepEqual(await offered(one.InstanceId!, 0), { 'ec2-user': [KEY], 'root': [KEY] })
  assert.deepEqual([await offered(other.InstanceId!, 0), await offered(one.InstanceId!, 61_000)], [{}, {}])
})

test('a key that is sent again is offered once, for another minute', async () => {
  const { InstanceId } = await bench.launch()
  await send({ InstanceId })
  await send({ InstanceId })
  assert.deepEqual(await offered(InstanceId!, 0), { 'ec2-user': [KEY] })
})

test('what can\'t be is refused with AWS\'s codes', async () => {
  const { InstanceId, Placement } = await bench.launch()
  const refuses = (input: Partial<SendSSHPublicKeyCommandInput>, wanted: string) => assert.rejects(send(input), code(wanted), JSON.stringify(input))
  await refuses({ InstanceId: 'i-0123456789abcdef0' }, 'EC2InstanceNotFoundException')
  await refuses({ InstanceId, AvailabilityZone: `${Placement!.AvailabilityZone}x` }, 'EC2InstanceNotFoundException')
  await refuses({ InstanceId, SSHPublicKey: 'nonsense' }, 'InvalidArgsException')
  await refuses({ InstanceId, SSHPublicKey: `${KEY}\ncommand="x" ${KEY}` }, 'InvalidArgsException')
  await refuses({ InstanceId, InstanceOSUser: '../x' }, 'InvalidArgsException')
  await bench.ec2.send(new StopInstancesCommand({ InstanceIds: [InstanceId!] }))
  await bench.until(InstanceId!, 'stopped')
  await refuses({ InstanceId }, 'EC2InstanceStateInvalidException')
})
