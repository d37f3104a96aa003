/** Describes of every resource: by id, by each of its filters, and page by page. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-ec2'
import { code, openBench, type Bench } from './kit.ts'

let bench: Bench
let instance: sdk.Instance
before(async () => {
  bench = await openBench()
  await bench.ec2.send(new sdk.CreateKeyPairCommand({ KeyName: 'described', KeyType: 'ed25519' }))
  instance = await bench.launch({ KeyName: 'described', TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'Name', Value: 'a*b' }] }] })
})
after(() => bench.close())

const send = (name: string, input: object): Promise<any> => bench.ec2.send(new (sdk as Record<string, any>)[`${name}Command`](input))
type Listed = { name: string; list: string; id: string; value: string }
/** Each filter finds the resource by the value given, and does not by another; together they find it too. */
async function finds({ name, list, id, value }: Listed, filters: Record<string, unknown>): Promise<void> {
  const all = Object.entries(filters).map(([Name, is]) => ({ Name, Values: [String(is)] }))
  const found = async (Filters: sdk.Filter[]) => {
    const items = (await send(name, { Filters }))[list] as Record<string, unknown>[]
    const flat = name === 'DescribeInstances' ? items.flatMap(r => r.Instances as Record<string, unknown>[]) : items
    return flat.map(item => item[id])
  }
  for (const filter of all) {
    assert.ok((await found([filter])).includes(value), `${name} by ${filter.Name}=${filter.Values[0]}`)
    assert.deepEqual(await found([{ ...filter, Values: ['no-such-value'] }]), [], `${name} by ${filter.Name}`)
    assert.ok((await found([{ Name: filter.Name, Values: ['no-such-value', `${filter.Values[0]!.slice(0, -1)}?`] }])).includes(value), filter.Name)
  }
  assert.deepEqual(await found(all), [value], `${name} by all`)
}

test('instances', async () => {
  const { InstanceId: value, NetworkInterfaces, BlockDeviceMappings, ...i } = instance
  const [eni] = NetworkInterfaces!
  await finds({ name: 'DescribeInstances', list: 'Reservations', id: 'InstanceId', value: value! }, {
    'instance-id': value, 'instance-state-name': 'running', 'instance-state-code': 16, 'instance-type': 't3.micro', 'image-id': i.ImageId,
    'key-name': 'described', 'availability-zone': i.Placement!.AvailabilityZone, 'vpc-id': i.VpcId, 'subnet-id': i.SubnetId,
    'private-ip-address': i.PrivateIpAddress, 'ip-address': i.PublicIpAddress, 'dns-name': i.PublicDnsName, 'private-dns-name': i.PrivateDnsName,
    'instance.group-name': 'default', 'instance.group-id': i.SecurityGroups![0]!.GroupId, 'root-device-name': '/dev/xvda',
    'block-device-mapping.volume-id': BlockDeviceMappings![0]!.Ebs!.VolumeId, 'block-device-mapping.delete-on-termination': true,
    'network-interface.network-interface-id': eni!.NetworkInterfaceId, 'network-interface.attachment.attachment-id': eni!.Attachment!.AttachmentId,
    'network-interface.addresses.private-ip-address': i.PrivateIpAddress, 'network-interface.mac-address': eni!.MacAddress,
    'owner-id': '123456789012', 'launch-index': 0, 'monitoring-state': 'disabled', architecture: 'x86_64', hypervisor: 'xen', tenancy: 'default',
    'metadata-options.http-tokens': i.MetadataOptions!.HttpTokens, 'source-dest-check': true,
    'tag-key': 'Name', 'virtualization-type': 'hvm', 'ebs-optimized': false,
    'launch-time': i.LaunchTime!.toISOString(),
  })
  const byName = async (...Values: string[]) =>
    (await send('DescribeInstances', { Filters: [{ Name: 'tag:Name', Values }] })).Reservations.length
  assert.deepEqual(await Promise.all([byName('a\\*b'), byName('a*'), byName('A*'), byName('a\\*'), byName('x', 'a?b')]), [1, 1, 0, 0, 1])
})

test('statuses', async () => {
  await bench.server.cloud.sweep()
  await bench.server.cloud.loop.idle()
  await finds({ name: 'DescribeInstanceStatus', list: 'InstanceStatuses', id: 'InstanceId', value: instance.InstanceId! }, {
    'availability-zone': instance.Placement!.AvailabilityZone, 'instance-state-name': 'running', 'instance-state-code': 16,
    'instance-status.status': 'ok', 'instance-status.reachability': 'passed', 'system-status.status': 'ok', 'system-status.reachability': 'passed',
  })
})

test('volumes', async () => {
  const VolumeId = instance.BlockDeviceMappings![0]!.Ebs!.VolumeId!
  const volume = (await send('DescribeVolumes', { VolumeIds: [VolumeId] })).Volumes[0] as sdk.Volume
  await finds({ name: 'DescribeVolumes', list: 'Volumes', id: 'VolumeId', value: VolumeId }, {
    'volume-id': VolumeId, 'attachment.instance-id': instance.InstanceId, 'attachment.device': '/dev/xvda', 'attachment.status': 'attached',
    'attachment.delete-on-termination': true, 'attachment.attach-time': volume.Attachments![0]!.AttachTime!.toISOString(),
    'availability-zone': volume.AvailabilityZone, 'create-time': volume.CreateTime!.toISOString(), encrypted: false, size: 8,
    'snapshot-id': volume.SnapshotId, status: 'in-use', 'volume-type': 'gp3', 'multi-attach-enabled': false,
  })
  await finds({ name: 'DescribeVolumeStatus', list: 'VolumeStatuses', id: 'VolumeId', value: VolumeId },
    { 'availability-zone': volume.AvailabilityZone, 'volume-status.status': 'ok', 'volume-status.details-name': 'io-enabled' })
  await bench.refuses(sdk.DeleteVolumeCommand, [[{ VolumeId }, 'VolumeInUse']])
  await bench.refuses(sdk.DescribeVolumesModificationsCommand, [[{ VolumeIds: [VolumeId] }, 'InvalidVolumeModification.NotFound']])
  assert.equal((await send('DescribeVolumeAttribute', { VolumeId, Attribute: 'autoEnableIO' })).AutoEnableIO.Value, false)
})

test('network interfaces', async () => {
  const id = instance.NetworkInterfaces![0]!.NetworkInterfaceId!
  const shown = (await send('DescribeNetworkInterfaces', { NetworkInterfaceIds: [id] })).NetworkInterfaces[0] as sdk.NetworkInterface
  assert.ok(shown.Attachment!.AttachTime instanceof Date)
  await finds({ name: 'DescribeNetworkInterfaces', list: 'NetworkInterfaces', id: 'NetworkInterfaceId', value: id }, {
    'network-interface-id': id, 'vpc-id': shown.VpcId, 'subnet-id': shown.SubnetId, 'private-ip-address': shown.PrivateIpAddress,
    'mac-address': shown.MacAddress, 'group-id': shown.Groups![0]!.GroupId, 'group-name': 'default', status: 'in-use', 'source-dest-check': true,
    'attachment.instance-id': instance.InstanceId, 'attachment.attachment-id': shown.Attachment!.AttachmentId, 'attachment.device-index': 0,
    'addresses.private-ip-address': shown.PrivateIpAddress, 'association.public-ip': instance.PublicIpAddress,
    'availability-zone': shown.AvailabilityZone, 'owner-id': '123456789012', 'attachment.status': 'attached', 'interface-type': 'interface',
  })
  const NetworkInterfaceId = id
  await send('ModifyNetworkInterfaceAttribute', { NetworkInterfaceId, SourceDestCheck: { Value: false } })
  assert.equal((await send('DescribeNetworkInterfaceAttribute', { NetworkInterfaceId, Attribute: 'sourceDestCheck' })).SourceDestCheck.Value, false)
  await bench.refuses(sdk.ModifyNetworkInterfaceAttributeCommand, [
    [{ NetworkInterfaceId }, 'MissingParameter'], [{ NetworkInterfaceId, Groups: [] }, 'MissingParameter'],
    [{ NetworkInterfaceId, Description: { Value: 'x'.repeat(256) } }, 'InvalidParameterValue'],
    [{ NetworkInterfaceId, Description: { Value: 'x' }, SourceDestCheck: { Value: true } }, 'InvalidParameterCombination'],
    [{ NetworkInterfaceId, EnaSrdSpecification: { EnaSrdEnabled: true } }, 'UnsupportedOperation'],
    [{ NetworkInterfaceId, Attachment: { AttachmentId: 'eni-attach-0', DeleteOnTermination: true } }, 'InvalidAttachmentID.NotFound'],
  ])
})

test('the default network', async () => {
  const vpc = (await send('DescribeVpcs', { VpcIds: [bench.vpcId] })).Vpcs[0] as sdk.Vpc
  const of = { 'vpc-id': bench.vpcId }
  await finds({ name: 'DescribeVpcs', list: 'Vpcs', id: 'VpcId', value: bench.vpcId }, {
    ...of, 'is-default': true, isDefault: true, cidr: '172.31.0.0/16', 'cidr-block-association.cidr-block': '172.31.0.0/16', state: 'available',
    'dhcp-options-id': vpc.DhcpOptionsId, 'owner-id': vpc.OwnerId,
  })
  const subnet = (await send('DescribeSubnets', { SubnetIds: [instance.SubnetId] })).Subnets[0] as sdk.Subnet
  assert.equal(subnet.AvailableIpAddressCount, 4096 - 5 - 1)
  await finds({ name: 'DescribeSubnets', list: 'Subnets', id: 'SubnetId', value: subnet.SubnetId! }, {
    ...of, 'subnet-id': subnet.SubnetId, 'availability-zone': subnet.AvailabilityZone, availabilityZone: subnet.AvailabilityZone,
    'availability-zone-id': subnet.AvailabilityZoneId, 'cidr-block': subnet.CidrBlock, 'default-for-az': true, state: 'available',
    'map-public-ip-on-launch': true, 'available-ip-address-count': 4090, 'subnet-arn': subnet.SubnetArn,
  })
  const [table] = (await send('DescribeRouteTables', {})).RouteTables as sdk.RouteTable[]
  const [gateway] = (await send('DescribeInternetGateways', {})).InternetGateways as sdk.InternetGateway[]
  await finds({ name: 'DescribeRouteTables', list: 'RouteTables', id: 'RouteTableId', value: table!.RouteTableId! }, {
    ...of, 'route-table-id': table!.RouteTableId, 'association.main': true, 'route.destination-cidr-block': '0.0.0.0/0', 'route.state': 'active',
    'route.gateway-id': gateway!.InternetGatewayId, 'route.origin': 'CreateRoute',
    'association.route-table-association-id': table!.Associations![0]!.RouteTableAssociationId,
  })
  await finds({ name: 'DescribeInternetGateways', list: 'InternetGateways', id: 'InternetGatewayId', value: gateway!.InternetGatewayId! },
    { 'internet-gateway-id': gateway!.InternetGatewayId, 'attachment.vpc-id': bench.vpcId, 'attachment.state': 'available' })
  const [acl] = (await send('DescribeNetworkAcls', {})).NetworkAcls as sdk.NetworkAcl[]
  await finds({ name: 'DescribeNetworkAcls', list: 'NetworkAcls', id: 'NetworkAclId', value: acl!.NetworkAclId! }, {
    ...of, default: true, 'association.subnet-id': subnet.SubnetId, 'entry.rule-action': 'deny', 'entry.rule-number': 100, 'entry.cidr': '0.0.0.0/0',
    'entry.protocol': '-1', 'entry.egress': true,
  })
  await finds({ name: 'DescribeDhcpOptions', list: 'DhcpOptions', id: 'DhcpOptionsId', value: vpc.DhcpOptionsId! },
    { 'dhcp-options-id': vpc.DhcpOptionsId, key: 'domain-name-servers', value: 'AmazonProvidedDNS' })
})

test('a subnet\'s attributes decide what is launched in it', async () => {
  const SubnetId = instance.SubnetId!
  const modify = (change: object) => send('ModifySubnetAttribute', { SubnetId, ...change })
  await modify({ MapPublicIpOnLaunch: { Value: false } })
  await modify({ PrivateDnsHostnameTypeOnLaunch: 'resource-name' })
  const plain = await bench.launch({ SubnetId })
  assert.deepEqual([plain.PublicIpAddress, plain.PrivateDnsName], [undefined, `${plain.InstanceId}.ec2.internal`])
  await bench.terminate(plain.InstanceId!)
  await modify({ MapPublicIpOnLaunch: { Value: true } })
  await modify({ PrivateDnsHostnameTypeOnLaunch: 'ip-name' })
  await bench.refuses(sdk.ModifySubnetAttributeCommand, [
    [{ SubnetId }, 'MissingParameter'],
    [{ SubnetId, MapPublicIpOnLaunch: { Value: true }, EnableDns64: { Value: false } }, 'InvalidParameterCombination'],
    [{ SubnetId, AssignIpv6AddressOnCreation: { Value: true } }, 'InvalidParameterValue'],
    [{ SubnetId, EnableDns64: { Value: true } }, 'UnsupportedOperation'],
    [{ SubnetId, PrivateDnsHostnameTypeOnLaunch: 'x' }, 'InvalidParameterValue'],
  ])
})

test('key pairs, groups, tags', async () => {
  const pair = (await send('DescribeKeyPairs', {})).KeyPairs[0] as sdk.KeyPairInfo
  await finds({ name: 'DescribeKeyPairs', list: 'KeyPairs', id: 'KeyPairId', value: pair.KeyPairId! },
    { 'key-name': 'described', 'key-pair-id': pair.KeyPairId, fingerprint: pair.KeyFingerprint })
  const group = (await send('DescribeSecurityGroups', { GroupNames: ['default'] })).SecurityGroups[0] as sdk.SecurityGroup
  await finds({ name: 'DescribeSecurityGroups', list: 'SecurityGroups', id: 'GroupId', value: group.GroupId! }, {
    'group-id': group.GroupId, 'group-name': 'default', 'vpc-id': bench.vpcId, 'owner-id': '123456789012', description: group.Description,
    'ip-permission.group-id': group.GroupId, 'egress.ip-permission.cidr': '0.0.0.0/0', 'ip-permission.protocol': '-1',
  })
  const tag = { key: 'Name', 'resource-id': instance.InstanceId, 'resource-type': 'instance' }
  await finds({ name: 'DescribeTags', list: 'Tags', id: 'ResourceId', value: instance.InstanceId! }, tag)
  await finds({ name: 'DescribeImages', list: 'Images', id: 'ImageId', value: bench.imageId }, {
    name: 'debian-12-ec2', architecture: 'x86_64', 'image-id': bench.imageId, 'is-public': true, 'owner-alias': 'amazon', state: 'available',
    'root-device-type': 'ebs', 'virtualization-type': 'hvm', 'block-device-mapping.volume-size': 8, description: bench.image.Description,
    'owner-id': bench.image.OwnerId, 'creation-date': bench.image.CreationDate,
  })
})

test('pages hold everything once, also when things come and go between them', async () => {
  const ids = await bench.run({ MinCount: 11, MaxCount: 11 })
  for (const id of ids) await bench.until(id, 'running')
  const lists: [string, string, string][] = [
    ['DescribeVolumes', 'Volumes', 'VolumeId'], ['DescribeNetworkInterfaces', 'NetworkInterfaces', 'NetworkInterfaceId'],
    ['DescribeVolumeStatus', 'VolumeStatuses', 'VolumeId'], ['DescribeInstanceStatus', 'InstanceStatuses', 'InstanceId'],
  ]
  for (const [name, list, id] of lists) {
    const all = (await send(name, {}))[list].map((item: any) => item[id]).sort()
    const seen: string[] = []
    let NextToken: string | undefined
    do {
      const page = await send(name, { MaxResults: 5, NextToken })
      assert.ok(page[list].length <= 5)
      seen.push(...page[list].map((item: any) => item[id]))
      NextToken = page.NextToken
    } while (NextToken)
    assert.deepEqual(seen.sort(), all, name)
    assert.equal(all.length, 12)
  }
  const idsOf = (...pages: any[]) =>
    pages.flatMap(page => page.Reservations).flatMap((r: sdk.Reservation) => r.Instances!.map(i => i.InstanceId!)).sort()
  const every = idsOf(await send('DescribeInstances', {}))
  const first = await send('DescribeInstances', { MaxResults: 5 })
  await bench.terminate(ids[0]!)
  const rest = await send('DescribeInstances', { MaxResults: 1000, NextToken: first.NextToken })
  assert.deepEqual(idsOf(first, rest), every)
  const other = { MaxResults: 5, NextToken: first.NextToken, Filters: [{ Name: 'instance-type', Values: ['t3.micro'] }] }
  await assert.rejects(send('DescribeInstances', other), code('InvalidNextToken'))
  await assert.rejects(send('DescribeVolumes', { NextToken: first.NextToken }), code('InvalidNextToken'))
  await assert.rejects(send('DescribeInstances', { MaxResults: 5, InstanceIds: [ids[0]] }), code('InvalidParameterCombination'))
  await assert.rejects(send('DescribeInstances', { MaxResults: 4 }), code('InvalidParameterValue'))
  await assert.rejects(send('DescribeInstances', { MaxResults: 5.5 }), code('InvalidParameterValue'))
  await bench.terminate(...ids)
})
