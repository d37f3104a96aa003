import assert from 'node:assert/strict'
import { test } from 'node:test'
import { harness, now, place } from '#service/ec2/vpc/harness.suite'

const attachment = {
  id: 'eni-attach-1', instance: 'i-0123456789abcdef0', deviceIndex: 0, deleteOnTermination: true, time: now.toISOString(),
}

async function withInterface() {
  const h = harness()
  const row = await h.launch({ attachment, description: 'Primary', tags: { Name: 'n' } })
  const NetworkInterfaceId = row.id
  const shown = async () => (await h.call('DescribeNetworkInterfaces', { NetworkInterfaceIds: [row.id] })).NetworkInterfaces![0]!
  return { ...h, row, NetworkInterfaceId, shown }
}

test('an interface is shown with its addresses, names, groups and attachment', async () => {
  const { call, row, shown } = await withInterface()
  const [group] = (await call('DescribeSecurityGroups', {})).SecurityGroups!
  const Association = { PublicIp: '198.18.0.2', PublicDnsName: 'ec2-198-18-0-2.compute-1.amazonaws.com', IpOwnerId: 'amazon' }
  const names = { PrivateIpAddress: '172.31.0.4', PrivateDnsName: 'ip-172-31-0-4.ec2.internal' }
  assert.deepEqual(JSON.parse(JSON.stringify(await shown())), {
    NetworkInterfaceId: row.id, OwnerId: place.account, Status: 'in-use', InterfaceType: 'interface', Description: 'Primary',
    AvailabilityZone: 'us-east-1a', AvailabilityZoneId: 'use1-az1', VpcId: row.spec.vpc, SubnetId: row.spec.subnet,
    MacAddress: '02:ec:00:00:00:01', ...names, PublicDnsName: Association.PublicDnsName,
    PrivateIpAddresses: [{ ...names, Primary: true, Association }], Association,
    Attachment: {
      AttachmentId: attachment.id, AttachTime: attachment.time, DeleteOnTermination: true, DeviceIndex: 0, NetworkCardIndex: 0,
      InstanceId: attachment.instance, InstanceOwnerId: place.account, Status: 'attached',
    },
    Groups: [{ GroupId: group!.GroupId, GroupName: 'default' }], Ipv6Addresses: [], SourceDestCheck: true, RequesterManaged: false,
    Operator: { Managed: false }, TagSet: [{ Key: 'Name', Value: 'n' }],
  })
})

test('interfaces are filtered by instance, address, group and status', async () => {
  const { call, launch, row } = await withInterface()
  const free = await launch({ publicIp: false })
  const ids = async (Name: string, ...Values: string[]) =>
    (await call('DescribeNetworkInterfaces', { Filters: [{ Name, Values }] })).NetworkInterfaces!.map(i => i.NetworkInterfaceId)
  assert.deepEqual([
    await ids('attachment.instance-id', attachment.instance), await ids('status', 'available'),
    await ids('association.public-ip', '198.18.0.*'),
    await ids('addresses.private-ip-address', '172.31.0.5'), await ids('group-name', 'web'), await ids('attachment.device-index', '0'),
  ], [[row.id], [free.id], [row.id], [free.id], [], [row.id]])
})

test('description, check, groups and deletion with the instance are changed one at a time', async () => {
  const { call, refused, NetworkInterfaceId, shown } = await withInterface()
  const GroupId = (await call('CreateSecurityGroup', { GroupName: 'web', Description: 'd' })).GroupId!
  await call('ModifyNetworkInterfaceAttribute', { NetworkInterfaceId, Description: { Value: 'x' } })
  await call('ModifyNetworkInterfaceAttribute', { NetworkInterfaceId, SourceDestCheck: { Value: false } })
  await call('ModifyNetworkInterfaceAttribute', { NetworkInterfaceId, Groups: [GroupId] })
  await call('ModifyNetworkInterfaceAttribute', {
    NetworkInterfaceId, Attachment: { AttachmentId: attachment.id, DeleteOnTermination: false },
  })
  assert.partialDeepStrictEqual(await shown(), {
    Description: 'x', SourceDestCheck: false, Groups: [{ GroupId, GroupName: 'web' }], Attachment: { DeleteOnTermination: false },
  })
  assert.deepEqual([
    (await refused('ModifyNetworkInterfaceAttribute', { NetworkInterfaceId }))[0],
    (await refused('ModifyNetworkInterfaceAttribute', {
      NetworkInterfaceId, Description: { Value: 'a' }, SourceDestCheck: { Value: true },
    }))[0],
    (await refused('ModifyNetworkInterfaceAttribute', { NetworkInterfaceId, Description: { Value: 'a'.repeat(256) } }))[0],
    (await refused('ModifyNetworkInterfaceAttribute', {
      NetworkInterfaceId, Attachment: { AttachmentId: 'eni-attach-2', DeleteOnTermination: true },
    }))[0],
    (await refused('ModifyNetworkInterfaceAttribute', { NetworkInterfaceId, EnablePrimaryIpv6: true }))[0],
    (await refused('ModifyNetworkInterfaceAttribute', { NetworkInterfaceId, Groups: ['sg-0123456789abcdef0'] }))[0],
  ], [
    'MissingParameter', 'InvalidParameterCombination', 'InvalidParameterValue', 'InvalidAttachmentID.NotFound', 'UnsupportedOperation',
    'InvalidGroup.NotFound',
  ])
})

test('attributes are told one at a time', async () => {
  const { call, refused, NetworkInterfaceId, shown } = await withInterface()
  const { Groups, Attachment } = await shown()
  assert.deepEqual([
    await call('DescribeNetworkInterfaceAttribute', { NetworkInterfaceId, Attribute: 'description' }),
    await call('DescribeNetworkInterfaceAttribute', { NetworkInterfaceId, Attribute: 'sourceDestCheck' }),
    await call('DescribeNetworkInterfaceAttribute', { NetworkInterfaceId, Attribute: 'groupSet' }),
    await call('DescribeNetworkInterfaceAttribute', { NetworkInterfaceId, Attribute: 'attachment' }),
  ], [
    { NetworkInterfaceId, Description: { Value: 'Primary' } }, { NetworkInterfaceId, SourceDestCheck: { Value: true } },
    { NetworkInterfaceId, Groups }, { NetworkInterfaceId, Attachment },
  ])
  assert.equal((await refused('DescribeNetworkInterfaceAttribute', { NetworkInterfaceId }))[0], 'InvalidParameterCombination')
})
