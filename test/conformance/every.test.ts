/** What holds for every implemented action of EC2 alike: DryRun, missing and malformed parameters, filters, pages. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-ec2'
import type { Operation } from '#kit/schema'
import { code, openBench, stateOf, type Bench } from './kit.ts'
import { prepareSamples, refusing, type Samples } from './samples.ts'

let bench: Bench
let samples: Samples
let operations: Operation[]

before(async () => {
  bench = await openBench()
  samples = await prepareSamples(bench)
  const { definition } = bench.server.cloud.services.find(s => s.definition.id === 'ec2')!
  operations = Object.keys(definition.actions).sort().map(name => definition.operations.get(name)!)
})
after(() => bench.close())

const send = (name: string, input: object): Promise<unknown> => {
  const Command = (sdk as Record<string, any>)[`${name}Command`]
  return bench.ec2.send(new Command(input))
}
const has = (operation: Operation, member: string) => operation.input.byName.has(member)
const good = (name: string): object => samples[name] ?? refusing[name]!.input(bench)

/** Members that a request needs for all that the model does not say so. */
const needed: Record<string, string> = { DescribeLaunchTemplateVersions: 'LaunchTemplateId' }

/** A good request's required members, without one of them. */
function required(name: string, besides?: string): object {
  const { input } = operations.find(o => o.name === name)!
  const isNeeded = (member: string) => input.byName.get(member)?.required || needed[name] === member
  return Object.fromEntries(Object.entries(good(name)).filter(([member]) => member !== besides && isNeeded(member)))
}

type Question = { name: string; input: object; codes: string[] }
/** Asks every question; the answers that were other than wanted, and the store must be as it was. */
async function wrong(questions: Question[]): Promise<string[]> {
  const before = await stateOf(bench.server)
  const found: string[] = []
  for (const { name, input, codes } of questions) {
    const answer = await send(name, input).then(() => 'success', (error: Error) => error.name)
    if (!codes.includes(answer)) found.push(`${name} ${JSON.stringify(input)}: ${answer}, not ${codes.join(' or ')}`)
  }
  assert.equal(await stateOf(bench.server), before)
  return found
}

test('every implemented action has a sample here', () => {
  assert.deepEqual(operations.map(o => o.name).filter(name => !(name in samples) && !(name in refusing)), [])
})

test('DryRun says of every good request that it would succeed, and changes nothing', async () => {
  const able = operations.filter(o => has(o, 'DryRun') && o.name in samples)
  assert.ok(able.length >= 60)
  assert.deepEqual(await wrong(able.map(({ name }) => ({ name, input: { ...good(name), DryRun: true }, codes: ['DryRunOperation'] }))), [])
})

test('actions that nothing can bring to success in a new account say why', async () => {
  const questions = Object.entries(refusing).map(([name, { input, code: wanted }]) => ({ name, input: input(bench), codes: [wanted] }))
  assert.deepEqual(await wrong(questions), [])
})

test('a required parameter that is missing is named', async () => {
  const questions = operations.flatMap(({ name, input }) => input.members.filter(m => m.required).map(m =>
    ({ name, input: required(name, m.name), codes: ['MissingParameter'] })))
  assert.deepEqual(await wrong(questions), [])
})

/** Members that hold ids: what ids they are, and what AWS answers to malformed and to unknown ones. */
const ids: Record<string, [prefix: string, malformed: string, missing: string]> = {
  InstanceId: ['i', 'InvalidInstanceID.Malformed', 'InvalidInstanceID.NotFound'],
  VolumeId: ['vol', 'InvalidVolumeID.Malformed', 'InvalidVolume.NotFound'],
  VpcId: ['vpc', 'InvalidVpcID.Malformed', 'InvalidVpcID.NotFound'],
  SubnetId: ['subnet', 'InvalidSubnetID.Malformed', 'InvalidSubnetID.NotFound'],
  NetworkInterfaceId: ['eni', 'InvalidNetworkInterfaceId.Malformed', 'InvalidNetworkInterfaceID.NotFound'],
  ImageId: ['ami', 'InvalidAMIID.Malformed', 'InvalidAMIID.NotFound'],
  GroupId: ['sg', 'InvalidGroupId.Malformed', 'InvalidGroup.NotFound'],
  SecurityGroupId: ['sg', 'InvalidGroupId.Malformed', 'InvalidGroup.NotFound'],
  SecurityGroupRuleId: ['sgr', 'InvalidSecurityGroupRuleId.Malformed', 'InvalidSecurityGroupRuleId.NotFound'],
  RouteTableId: ['rtb', 'InvalidRouteTableId.Malformed', 'InvalidRouteTableID.NotFound'],
  InternetGatewayId: ['igw', 'InvalidInternetGatewayId.Malformed', 'InvalidInternetGatewayID.NotFound'],
  NetworkAclId: ['acl', 'InvalidNetworkAclId.Malformed', 'InvalidNetworkAclID.NotFound'],
  DhcpOptionsId: ['dopt', 'InvalidDhcpOptionsId.Malformed', 'InvalidDhcpOptionID.NotFound'],
  AllocationId: ['eipalloc', 'InvalidAllocationID.NotFound', 'InvalidAllocationID.NotFound'],
  NatGatewayId: ['nat', 'NatGatewayMalformed', 'NatGatewayNotFound'],
  VpcPeeringConnectionId: ['pcx', 'InvalidVpcPeeringConnectionId.Malformed', 'InvalidVpcPeeringConnectionID.NotFound'],
  // As a route's target it has another code than by itself.
  'CreateRoute.NatGatewayId': ['nat', 'InvalidNatGatewayID.NotFound', 'InvalidNatGatewayID.NotFound'],
  'ReplaceRoute.NatGatewayId': ['nat', 'InvalidNatGatewayID.NotFound', 'InvalidNatGatewayID.NotFound'],
  LaunchTemplateId: ['lt', 'InvalidLaunchTemplateId.Malformed', 'InvalidLaunchTemplateId.NotFound'],
  SnapshotId: ['snap', 'InvalidSnapshotID.Malformed', 'InvalidSnapshot.NotFound'],
}
const idOf = (member: string) => [member, member.replace(/s$/, ''), `${member.replace(/s$/, '')}Id`].find(name => name in ids)

/** Groups by their names, which may be anything. */
const namedByName = new Set(['RunInstances.SecurityGroups'])

test('malformed and unknown ids have the codes of their resource', async () => {
  const questions = operations.flatMap(({ name, input }) => input.members.flatMap(({ name: member, target }): Question[] => {
    const kind = idOf(member)
    const value = target.kind === 'list' ? target.value!.target : target
    if (kind === undefined || value.kind !== 'string') return []
    const [prefix, malformed, missing] = ids[`${name}.${member}`] ?? ids[kind]!
    if (namedByName.has(`${name}.${member}`)) return []
    const rest = name.startsWith('Run') ? good(name) : required(name, member)
    const ask = (id: string, wanted: string) => ({ name, input: { ...rest, [member]: target.kind === 'list' ? [id] : id }, codes: [wanted] })
    return [ask(`${prefix}-xyz`, malformed), ask('nonsense', malformed), ask(`${prefix}-0123456789abcdef0`, missing)]
  }))
  assert.ok(questions.length >= 3 * 40, `only ${questions.length} questions`)
  assert.deepEqual(await wrong(questions), [])
})

/** A filter of what has no tags. */
const filterNames: Record<string, string> = {
  DescribeAvailabilityZones: 'zone-name', DescribeInstanceTypes: 'instance-type', DescribeInstanceTypeOfferings: 'location',
  DescribeIamInstanceProfileAssociations: 'instance-id', DescribeVolumesModifications: 'volume-id', DescribeRegions: 'region-name',
}

test('filters that do not exist, that have no name or too many values are refused by every action that has filters', async () => {
  const filtering = operations.filter(o => has(o, 'Filters'))
  assert.ok(filtering.length >= 20, `${filtering.length}`)
  const many = Array.from({ length: 201 }, (_, i) => `${i}`)
  assert.deepEqual(await wrong(filtering.flatMap(({ name }) => [
    { name, input: { ...required(name), Filters: [{ Name: 'no-such-filter', Values: ['x'] }] }, codes: ['InvalidParameterValue'] },
    { name, input: { ...required(name), Filters: [{ Values: ['x'] }] }, codes: ['MissingParameter'] },
    { name, input: { ...required(name), Filters: [{ Name: filterNames[name] ?? 'tag:x', Values: many }] }, codes: ['FilterLimitExceeded'] },
  ])), [])
})

test('a page size out of bounds and a token that is none are refused by every action that has pages', async () => {
  const paged = operations.filter(o => has(o, 'MaxResults') && has(o, 'NextToken'))
  assert.ok(paged.length >= 20, `${paged.length}`)
  assert.deepEqual(await wrong(paged.flatMap(({ name }) => [
    { name, input: { ...required(name), MaxResults: -1 }, codes: ['InvalidParameterValue'] },
    { name, input: { ...required(name), NextToken: 'nonsense' }, codes: ['InvalidNextToken'] },
  ])), [])
})

test('every other operation of EC2 is refused by name', async () => {
  const { definition } = bench.server.cloud.services.find(s => s.definition.id === 'ec2')!
  assert.equal(definition.operations.size, 823)
  const unsupported = [...definition.operations.keys()].filter(name => !(name in definition.actions))
  for (const name of unsupported) await assert.rejects(send(name, {}), code('UnsupportedOperation', new RegExp(name)), name)
})
