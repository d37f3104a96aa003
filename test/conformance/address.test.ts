/** Elastic IP addresses by the SDK for JavaScript, over HTTP, on the fake engine. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-ec2'
import { code, openBench, type Bench } from './kit.ts'

let bench: Bench
let ec2: Bench['ec2']

before(async () => {
  bench = await openBench();
  ({ ec2 } = bench)
})
after(() => bench.close())

const allocate = async (more: sdk.AllocateAddressCommandInput = {}) => ec2.send(new sdk.AllocateAddressCommand({ Domain: 'vpc', ...more }))
const release = (AllocationId: string) => ec2.send(new sdk.ReleaseAddressCommand({ AllocationId }))
const associate = async (input: sdk.AssociateAddressCommandInput) => (await ec2.send(new sdk.AssociateAddressCommand(input))).AssociationId!
const shown = async (AllocationId: string) =>
  (await ec2.send(new sdk.DescribeAddressesCommand({ AllocationIds: [AllocationId] }))).Addresses![0]!
/** What the network was last told: private address -> public address. */
async function told(): Promise<Record<string, string | undefined>> {
  await bench.server.cloud.loop.idle()
  const ports = [...bench.server.engine.networksById.values()].flatMap(network => network.ports)
  return Object.fromEntries(ports.flatMap(port => port.addresses).map(address => [address.private, address.public]))
}

test('an address is allocated with tags, found by filters, and released', async () => {
  const Tags = [{ Key: 'Name', Value: 'web' }]
  const { AllocationId, PublicIp, ...rest } = await allocate({ TagSpecifications: [{ ResourceType: 'elastic-ip', Tags }] })
  assert.deepEqual([rest.Domain, rest.PublicIpv4Pool, rest.NetworkBorderGroup], ['vpc', 'amazon', 'us-east-1'])
  const found = async (Name: string, ...Values: string[]) =>
    (await ec2.send(new sdk.DescribeAddressesCommand({ Filters: [{ Name, Values }] }))).Addresses
  const view = { AllocationId, PublicIp, Domain: 'vpc', PublicIpv4Pool: 'amazon', NetworkBorderGroup: 'us-east-1', Tags }
  assert.deepEqual([await found('public-ip', PublicIp!), await found('tag:Name', 'web'), await found('instance-id', 'i-*')], [[view], [view], []])
  await release(AllocationId!)
  await bench.refuses(sdk.DescribeAddressesCommand, [
    [{ AllocationIds: [AllocationId] }, 'InvalidAllocationID.NotFound'], [{ PublicIps: [PublicIp] }, 'InvalidAddress.NotFound'],
  ])
  await bench.refuses(sdk.ReleaseAddressCommand, [
    [{ AllocationId }, 'InvalidAllocationID.NotFound'], [{}, 'MissingParameter'], [{ AllocationId, PublicIp }, 'InvalidParameterCombination'],
  ])
  const again = await allocate({ Address: PublicIp })
  assert.equal(again.PublicIp, PublicIp)
  await bench.refuses(sdk.AllocateAddressCommand, [
    [{ Address: PublicIp }, 'InvalidIPAddress.InUse'], [{ Address: '192.0.2.1' }, 'InvalidAddress.NotFound'],
    [{ Domain: 'standard' }, 'InvalidParameterValue'], [{ NetworkBorderGroup: 'eu-west-1' }, 'InvalidParameterValue'],
    [{ CustomerOwnedIpv4Pool: 'x' }, 'UnsupportedOperation'], [{ DryRun: true }, 'DryRunOperation'],
  ])
  await release(again.AllocationId!)
})

test('five addresses are the most in a region', async () => {
  const ids: string[] = []
  for (let i = 0; i < 5; i++) ids.push((await allocate()).AllocationId!)
  await bench.refuses(sdk.AllocateAddressCommand, [[{}, 'AddressLimitExceeded', /^The maximum number of addresses has been reached\.$/]])
  for (const id of ids) await release(id)
})

test('an associated address takes the place of Amazon\'s, survives stop and start, and another of Amazon\'s comes when it goes', async () => {
  const before = await bench.launch()
  const id = before.InstanceId!
  const { AllocationId, PublicIp } = await allocate()
  const AssociationId = await associate({ AllocationId, InstanceId: id })
  assert.equal(await associate({ AllocationId, InstanceId: id }), AssociationId)
  const NetworkInterfaceId = before.NetworkInterfaces![0]!.NetworkInterfaceId
  assert.partialDeepStrictEqual(await shown(AllocationId!), {
    AssociationId, InstanceId: id, NetworkInterfaceId, PrivateIpAddress: before.PrivateIpAddress, NetworkInterfaceOwnerId: '123456789012',
  })
  const now = await bench.one(id)
  assert.deepEqual([now.PublicIpAddress, now.NetworkInterfaces![0]!.Association!.IpOwnerId], [PublicIp, '123456789012'])
  assert.equal((await told())[before.PrivateIpAddress!], PublicIp)
  await bench.refuses(sdk.ReleaseAddressCommand, [[{ AllocationId }, 'InvalidIPAddress.InUse']])
  await ec2.send(new sdk.StopInstancesCommand({ InstanceIds: [id] }))
  assert.equal((await bench.until(id, 'stopped')).PublicIpAddress, PublicIp)
  await ec2.send(new sdk.StartInstancesCommand({ InstanceIds: [id] }))
  assert.equal((await bench.until(id, 'running')).PublicIpAddress, PublicIp)
  await ec2.send(new sdk.DisassociateAddressCommand({ AssociationId }))
  const { PublicIpAddress: next } = await bench.one(id)
  assert.ok(next && ![PublicIp, before.PublicIpAddress].includes(next))
  assert.equal((await told())[before.PrivateIpAddress!], next)
  await bench.refuses(sdk.DisassociateAddressCommand, [
    [{ AssociationId }, 'InvalidAssociationID.NotFound'], [{}, 'MissingParameter'], [{ AssociationId, PublicIp }, 'InvalidParameterCombination'],
  ])
  await associate({ AllocationId, InstanceId: id })
  await bench.terminate(id)
  assert.equal((await shown(AllocationId!)).AssociationId, undefined)
  await release(AllocationId!)
})

test('an address moves to another instance, unless re-association is refused', async () => {
  const [a, b] = [await bench.launch(), await bench.launch()]
  const [first, second] = [await allocate(), await allocate()]
  const { AllocationId, PublicIp } = first
  const one = await associate({ AllocationId, InstanceId: a.InstanceId })
  await associate({ AllocationId: second.AllocationId, InstanceId: b.InstanceId })
  await bench.refuses(sdk.AssociateAddressCommand, [
    [{ AllocationId, InstanceId: b.InstanceId, AllowReassociation: false }, 'Resource.AlreadyAssociated', new RegExp(one)],
    [{ AllocationId: second.AllocationId, InstanceId: a.InstanceId, AllowReassociation: false }, 'Resource.AlreadyAssociated'],
    [{ AllocationId, InstanceId: b.InstanceId, NetworkInterfaceId: 'eni-0123456789abcdef0' }, 'InvalidParameterCombination'],
    [{ AllocationId, InstanceId: b.InstanceId, PrivateIpAddress: '10.9.9.9' }, 'InvalidParameterValue'],
    [{ AllocationId }, 'MissingParameter'], [{ InstanceId: b.InstanceId }, 'MissingParameter'],
    [{ PublicIp: '198.18.31.7', InstanceId: b.InstanceId }, 'InvalidAddress.NotFound'],
  ])
  assert.notEqual(await associate({ PublicIp, InstanceId: b.InstanceId }), one)
  const addresses = async () => [(await bench.one(a.InstanceId!)).PublicIpAddress, (await bench.one(b.InstanceId!)).PublicIpAddress]
  const [left, moved] = await addresses()
  assert.equal(moved, PublicIp)
  assert.ok(left && left !== PublicIp && left !== second.PublicIp, 'one of Amazon\'s own comes instead')
  assert.equal((await shown(second.AllocationId!)).AssociationId, undefined)
  await bench.terminate(a.InstanceId!, b.InstanceId!)
  for (const { AllocationId: id } of [first, second]) await release(id!)
})

test('another account\'s address is refused, and a gone instance can\'t have one', async () => {
  const { AllocationId } = await allocate()
  const { InstanceId } = await bench.launch()
  await bench.terminate(InstanceId!)
  await bench.refuses(sdk.AssociateAddressCommand, [[{ AllocationId, InstanceId }, 'InvalidInstanceID', /terminated instance/]])
  const { store } = bench.server
  const row = (await store.get('elastic-ip', AllocationId!))!
  await store.transact(async tx => {
    await tx.remove(row)
    await tx.put({ ...row, account: '444455556666', generation: 0 }, 'created')
  })
  await assert.rejects(release(AllocationId!), code('AuthFailure'))
  await store.transact(async tx => tx.remove((await tx.get('elastic-ip', AllocationId!))!))
})

test('the reverse name is kept and reset', async () => {
  const { AllocationId, PublicIp } = await allocate()
  const attributes = async () => (await ec2.send(new sdk.DescribeAddressesAttributeCommand({ AllocationIds: [AllocationId!] }))).Addresses
  const modify = (DomainName: string) => ec2.send(new sdk.ModifyAddressAttributeCommand({ AllocationId, DomainName }))
  assert.deepEqual((await modify('Mail.example.org')).Address, { AllocationId, PublicIp, PtrRecord: 'mail.example.org.' })
  assert.deepEqual(await attributes(), [{ AllocationId, PublicIp, PtrRecord: 'mail.example.org.' }])
  await assert.rejects(modify('not a name'), code('InvalidParameterValue'))
  await ec2.send(new sdk.ResetAddressAttributeCommand({ AllocationId, Attribute: 'domain-name' }))
  assert.deepEqual(await attributes(), [{ AllocationId, PublicIp }])
  await release(AllocationId!)
})
