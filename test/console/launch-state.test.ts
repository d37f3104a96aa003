/** What the launch page's fields become in RunInstances, and in a template. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runInput, start, type Launch } from '../../console/src/pages/launch-state.ts'
import { dataOf, launchOf, overTemplate, type Data } from '../../console/src/pages/template-state.ts'

test('an interface is described only where the instance has no member for what is said of it', () => {
  const networkOf = (part: Partial<Launch>): unknown => {
    const { SubnetId, PrivateIpAddress, SecurityGroupIds, NetworkInterfaces } = runInput({ ...start, ...part }, ['sg-1'])
    return { SubnetId, PrivateIpAddress, SecurityGroupIds, NetworkInterfaces }
  }
  const none = { SubnetId: undefined, PrivateIpAddress: undefined, SecurityGroupIds: undefined, NetworkInterfaces: undefined }
  assert.deepEqual(
    [
      networkOf({}), networkOf({ subnet: 'subnet-1', privateIp: '10.0.0.9' }), networkOf({ publicIp: 'false', privateIp: '10.0.0.9' }),
      networkOf({ nicDescription: 'web' }),
    ],
    [
      { ...none, SecurityGroupIds: ['sg-1'] },
      { ...none, SubnetId: 'subnet-1', PrivateIpAddress: '10.0.0.9', SecurityGroupIds: ['sg-1'] },
      { ...none, NetworkInterfaces: [{ DeviceIndex: 0, AssociatePublicIpAddress: false, PrivateIpAddress: '10.0.0.9', Groups: ['sg-1'] }] },
      { ...none, NetworkInterfaces: [{ DeviceIndex: 0, Description: 'web', Groups: ['sg-1'] }] },
    ],
  )
})

/** What a template says of networks after its page began with `from` and was changed. */
const saidOf = (part: Partial<Launch>, from: Data = {}): unknown => {
  const launch: Launch = { ...start, ...launchOf(from, '/dev/xvda'), ...part }
  const said = dataOf({ name: '', words: '', root: false, launch, from }, runInput(launch, ['sg-1']))
  const { NetworkInterfaces, SecurityGroupIds, PrivateIpAddress } = said
  return { NetworkInterfaces, SecurityGroupIds, PrivateIpAddress }
}
const bare = { SecurityGroupIds: undefined, PrivateIpAddress: undefined }

test('a template says an address by its interface, and says it no more when the page does not', () => {
  const port = { DeviceIndex: 0, PrivateIpAddress: '10.0.0.9', Groups: ['sg-1'] }
  assert.deepEqual(saidOf({ privateIp: '10.0.0.9' }), { ...bare, NetworkInterfaces: [port] })
  const from = { NetworkInterfaces: [{ ...port, Description: 'web', SubnetId: 'subnet-1', Ipv6AddressCount: 1 }] }
  assert.deepEqual(saidOf({}, from), { ...bare, NetworkInterfaces: from.NetworkInterfaces })
  assert.deepEqual(saidOf({ privateIp: '', nicDescription: '' }, from),
    { ...bare, NetworkInterfaces: [{ DeviceIndex: 0, SubnetId: 'subnet-1', Groups: ['sg-1'], Ipv6AddressCount: 1 }] })
})

test('a launch by a template with an interface says another address by an interface, too', () => {
  const source = { id: 'lt-1', version: '1', data: { NetworkInterfaces: [{ DeviceIndex: 0, PrivateIpAddress: '10.0.0.9', Groups: ['sg-1'] }] } }
  const run = (address: string) => overTemplate(source, { PrivateIpAddress: address, SecurityGroupIds: ['sg-1'] })
  const by = { LaunchTemplate: { LaunchTemplateId: 'lt-1', Version: '1' } }
  assert.deepEqual(run('10.0.0.9'), by)
  assert.deepEqual(run('10.0.0.8'), { ...by, NetworkInterfaces: [{ DeviceIndex: 0, PrivateIpAddress: '10.0.0.8', Groups: ['sg-1'] }] })
})
