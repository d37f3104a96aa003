import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Call } from '#kit/action'
import { actions as make, offerings } from '#service/ec2/instance-type/actions'

const zones = (region: string) => ['a', 'b', 'c'].map((letter, i) => ({ name: region + letter, id: `use1-az${i + 1}` }))
const actions = make(zones)
const call = <I>(input: I) => ({ input, account: '1', region: 'us-east-1' }) as unknown as Call<I>
const types = (input: object) => actions.DescribeInstanceTypes(call(input) as never)
const names = async (input: object) => (await types(input)).InstanceTypes.map(type => type.InstanceType)

test('types are found by name, and a name that is none is refused', async () => {
  assert.deepEqual(await names({ InstanceTypes: ['t3.micro', 'm5.large', 't3.micro'] }), ['m5.large', 't3.micro'])
  await assert.rejects(types({ InstanceTypes: ['t3.micro', 'x9.huge', 't3.gigantic'] }), {
    code: 'InvalidInstanceType', message: 'The following supplied instance types do not exist: [x9.huge, t3.gigantic]',
  })
  await assert.rejects(types({ InstanceTypes: ['t3.micro'], MaxResults: 5 }), { code: 'InvalidParameterCombination' })
})

test('types are filtered by their members', async () => {
  const filter = (Name: string, ...Values: string[]) => ({ Name, Values })
  assert.deepEqual(await names({ Filters: [filter('free-tier-eligible', 'true')] }), ['t3.micro', 't3.small', 't4g.micro', 't4g.small'])
  assert.deepEqual(await names({ Filters: [filter('instance-type', 't2.*'), filter('vcpu-info.default-vcpus', '1')] }),
    ['t2.micro', 't2.nano', 't2.small'])
  const smallArm = [filter('processor-info.supported-architecture', 'arm64'), filter('memory-info.size-in-mib', '512')]
  assert.deepEqual(await names({ Filters: smallArm }), ['t4g.nano'])
  await assert.rejects(types({ Filters: [filter('colour', 'red')] }), { code: 'InvalidParameterValue' })
})

test('pages give every type once', async () => {
  const seen: unknown[] = []
  let NextToken: string | undefined
  do {
    const page = await types({ MaxResults: 25, NextToken })
    seen.push(...page.InstanceTypes.map(type => type.InstanceType))
    NextToken = page.NextToken
  } while (NextToken)
  assert.deepEqual([seen.length, new Set(seen).size], [132, 132])
})

test('offerings are by region, by zone name or by zone id', async () => {
  const places = { region: 'us-east-1', zones: zones('us-east-1') }
  const located = (at: 'region' | 'availability-zone' | 'availability-zone-id' | 'outpost') =>
    [...new Set(offerings(at, places).map(row => row.Location))]
  assert.deepEqual(located('region'), ['us-east-1'])
  assert.deepEqual(located('availability-zone'), ['us-east-1a', 'us-east-1b', 'us-east-1c'])
  assert.deepEqual(located('availability-zone-id'), ['use1-az1', 'use1-az2', 'use1-az3'])
  assert.deepEqual(located('outpost'), [])
  assert.throws(() => offerings('moon' as never, places), { code: 'InvalidParameterValue' })
  const input = { LocationType: 'availability-zone', Filters: [{ Name: 'instance-type', Values: ['t2.micro'] }] }
  const { InstanceTypeOfferings: found } = await actions.DescribeInstanceTypeOfferings(call(input) as never)
  assert.deepEqual(found.map(row => `${row.InstanceType} ${row.Location}`), ['a', 'b', 'c'].map(z => `t2.micro us-east-1${z}`))
})
