import assert from 'node:assert/strict'
import { test } from 'node:test'
import { actions } from '#service/ec2/account/actions'
import { metadataDefaults } from '#service/ec2/account/metadata-defaults'
import { harness, PLACE } from '#service/ec2/harness.suite'

const account = () => harness(actions({ defaultVpc: async (_, { region }) => (region === 'us-east-1' ? 'vpc-1' : undefined) }))
const elsewhere = { ...PLACE, region: 'eu-west-1' }

test('the attributes of an account are given, all or by name', async () => {
  const { call, refusal } = account()
  const values = async (input: object, place = PLACE) => Object.fromEntries((await call('DescribeAccountAttributes', input, place))
    .AccountAttributes!.map(a => [a.AttributeName, a.AttributeValues!.map(v => v.AttributeValue).join()]))
  assert.deepEqual(await values({}), {
    'supported-platforms': 'VPC', 'default-vpc': 'vpc-1', 'max-instances': '20', 'vpc-max-security-groups-per-interface': '5',
    'max-elastic-ips': '5', 'vpc-max-elastic-ips': '5',
  })
  assert.deepEqual(await values({ AttributeNames: ['default-vpc'] }, elsewhere), { 'default-vpc': 'none' })
  assert.equal(await refusal('DescribeAccountAttributes', { AttributeNames: ['toString' as 'default-vpc'] }),
    'InvalidParameterValue: Value (toString) for parameter attributeName is invalid.')
})

test('metadata defaults are kept by region, changed member by member, and taken back', async () => {
  const { call, store } = account()
  assert.deepEqual(await call('GetInstanceMetadataDefaults', {}), { AccountLevel: {} })
  await call('ModifyInstanceMetadataDefaults', { HttpTokens: 'required', HttpPutResponseHopLimit: 2 })
  await call('ModifyInstanceMetadataDefaults', { InstanceMetadataTags: 'enabled', HttpEndpoint: 'enabled', HttpTokensEnforced: 'disabled' })
  const level = (await call('GetInstanceMetadataDefaults', {})).AccountLevel
  assert.deepEqual(level, {
    HttpTokens: 'required', HttpPutResponseHopLimit: 2, HttpEndpoint: 'enabled', InstanceMetadataTags: 'enabled',
    HttpTokensEnforced: 'disabled', ManagedBy: 'account',
  })
  assert.deepEqual(await metadataDefaults(store, PLACE), {
    httpTokens: 'required', hopLimit: 2, httpEndpoint: 'enabled', instanceTags: 'enabled', tokensEnforced: 'disabled',
  })
  assert.deepEqual(await metadataDefaults(store, elsewhere), {})
  await call('ModifyInstanceMetadataDefaults', {
    HttpTokens: 'no-preference', HttpPutResponseHopLimit: -1, InstanceMetadataTags: 'no-preference', HttpEndpoint: 'no-preference',
    HttpTokensEnforced: 'no-preference',
  })
  assert.deepEqual(await call('GetInstanceMetadataDefaults', {}), { AccountLevel: {} })
})

test('metadata defaults that make no sense are refused and leave what was', async () => {
  const { call, refusal } = account()
  for (const HttpPutResponseHopLimit of [0, 65, -2, 1.5]) {
    const asked = { HttpTokens: 'required', HttpPutResponseHopLimit } as const
    assert.match(await refusal('ModifyInstanceMetadataDefaults', asked), /^InvalidParameterValue/)
  }
  assert.match(await refusal('ModifyInstanceMetadataDefaults', { HttpTokens: 'maybe' as 'optional' }), /^InvalidParameterValue/)
  assert.match(await refusal('ModifyInstanceMetadataDefaults', { HttpTokens: 'required', DryRun: true }), /^DryRunOperation/)
  assert.deepEqual(await call('GetInstanceMetadataDefaults', {}), { AccountLevel: {} })
})

test('nothing is encrypted by default and there is no serial console', async () => {
  const { call, refusal } = account()
  assert.deepEqual(await call('GetEbsEncryptionByDefault', {}), { EbsEncryptionByDefault: false })
  assert.deepEqual(await call('GetSerialConsoleAccessStatus', {}), { SerialConsoleAccessEnabled: false, ManagedBy: 'account' })
  assert.match(await refusal('EnableEbsEncryptionByDefault', {}), /^UnsupportedOperation/)
})
