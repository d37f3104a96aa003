import assert from 'node:assert/strict'
import { test } from 'node:test'
import { harness, PLACE } from '#service/ec2/harness.suite'
import { actions } from '#service/ec2/region/actions'
import { useRegion, zoneId } from '#service/ec2/region/region'

const { call, refusal, store } = harness(actions, useRegion)
const names = async (input: object, place = PLACE) => (await call('DescribeRegions', input, place)).Regions!.map(r => r.RegionName)

test('only regions that need no opt-in are listed until an account uses others', async () => {
  const account = '999900001111'
  const before = await names({}, { account, region: 'us-east-1' })
  assert.deepEqual([before.length, before.includes('eu-west-3'), before.includes('af-south-1')], [17, true, false])
  await store.transact(tx => useRegion(tx, { account, region: 'af-south-1' }))
  await store.transact(tx => useRegion(tx, { account, region: 'home-west-1' }))
  const optedIn = { Filters: [{ Name: 'opt-in-status', Values: ['opted-in'] }] }
  const { Regions: regions = [] } = await call('DescribeRegions', optedIn, { account, region: 'us-east-1' })
  assert.deepEqual(regions, [
    { RegionName: 'af-south-1', Endpoint: 'ec2.af-south-1.amazonaws.com', OptInStatus: 'opted-in', Geography: [{ Name: 'South Africa' }] },
    { RegionName: 'home-west-1', Endpoint: 'ec2.home-west-1.amazonaws.com', OptInStatus: 'opted-in' },
  ])
})

test('all regions, regions by name and regions by filter are given', async () => {
  assert.equal((await names({ AllRegions: true })).length, 36)
  assert.deepEqual(await names({ RegionNames: ['ap-east-1'] }), ['ap-east-1'])
  assert.deepEqual(await names({ Filters: [{ Name: 'endpoint', Values: ['*us-west*'] }] }), ['us-west-1', 'us-west-2'])
  assert.deepEqual(await names({}, { ...PLACE, region: 'mars-north-1' }).then(all => all.includes('mars-north-1')), true)
})

test('unknown regions, zones and filters are refused', async () => {
  assert.equal(await refusal('DescribeRegions', { RegionNames: ['us-east-1', 'xx-none-1'] }),
    'InvalidParameterValue: Invalid region: [xx-none-1]')
  assert.equal(await refusal('DescribeRegions', { DryRun: true }), 'DryRunOperation: Request would have succeeded, but DryRun flag is set.')
  assert.equal(await refusal('DescribeAvailabilityZones', { ZoneNames: ['eu-west-1a'] }),
    'InvalidParameterValue: Invalid availability zone: [eu-west-1a]')
  assert.equal(await refusal('DescribeAvailabilityZones', { ZoneIds: ['use1-az9'] }),
    'InvalidParameterValue: Invalid availability zone-id: [use1-az9]')
  assert.equal(await refusal('DescribeAvailabilityZones', { Filters: [{ Name: 'nonsense', Values: [] }] }),
    "InvalidParameterValue: The filter 'nonsense' is invalid")
})

test('each region has the zones a, b and c', async () => {
  const { AvailabilityZones: zones = [] } = await call('DescribeAvailabilityZones', {})
  assert.deepEqual(zones[1], {
    RegionName: 'us-east-1', ZoneName: 'us-east-1b', ZoneId: 'use1-az2', ZoneType: 'availability-zone', State: 'available', Messages: [],
    OptInStatus: 'opt-in-not-required', GroupName: 'us-east-1-zg-1', NetworkBorderGroup: 'us-east-1',
    GroupLongName: 'US East (N. Virginia) 1', Geography: [{ Name: 'United States of America' }],
  })
  const filtered = await call('DescribeAvailabilityZones', { Filters: [{ Name: 'zone-id', Values: ['use1-az1', 'use1-az3'] }] })
  assert.deepEqual(filtered.AvailabilityZones!.map(z => z.ZoneName), ['us-east-1a', 'us-east-1c'])
  const byId = await call('DescribeAvailabilityZones', { ZoneIds: ['use1-az3'] })
  assert.deepEqual(byId.AvailabilityZones!.map(z => z.ZoneName), ['us-east-1c'])
})

test('zone ids are AWS\'s', () => {
  const zones = {
    'ap-southeast-4a': 'apse4-az1', 'af-south-1c': 'afs1-az3', 'ca-central-1c': 'cac1-az4', 'mx-central-1a': 'mxc1-az1',
    'eu-north-1b': 'eun1-az2', 'ca-west-1b': 'caw1-az2', 'il-central-1a': 'ilc1-az1', 'us-gov-east-1a': 'usge1-az1',
    'ap-northeast-3b': 'apne3-az2',
  }
  assert.deepEqual(Object.keys(zones).map(zoneId), Object.values(zones))
})
