/** What the launch page's fields become in RunInstances. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runInput, start, type Launch } from '../../console/src/pages/launch-state.ts'

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
