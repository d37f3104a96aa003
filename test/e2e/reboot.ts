/**
 * What a host that went down must bring back beside its instances: an Elastic IP, a data volume that /etc/fstab mounts, and a private subnet
 * whose way out is a NAT gateway, with IPv6.
 */
import assert from 'node:assert/strict'
import { eventually, ssh, sshReady, type Enclume, type Login } from './enclume.ts'

export type Furniture = {
  /** The instance's Elastic IP. */
  address: string
  /** All of it works. */
  check(): Promise<void>
  /** Once the instance is terminated. */
  remove(): Promise<void>
}

const SIX = '::/0'

export async function furnish(enclume: Enclume, { instance, login, image }: { instance: any; login: Login; image: string }): Promise<Furniture> {
  const ec2 = (...args: string[]): Promise<any> => enclume.ec2(...args)
  const disk = async () => {
    const { VolumeId } = await ec2('create-volume', '--size', '1', '--availability-zone', instance.Placement.AvailabilityZone)
    await ec2('wait', 'volume-available', '--volume-ids', VolumeId)
    await ec2('attach-volume', '--volume-id', VolumeId, '--instance-id', instance.InstanceId, '--device', '/dev/xvdf')
    const script = `sudo sh -euc 'while ! test -b /dev/xvdf; do sleep 0.2; done; mkfs.ext4 -q /dev/xvdf; mkdir /data
      echo "/dev/xvdf /data ext4 defaults 0 2" >>/etc/fstab; mount /data; echo kept >/data/file; sync'`
    const { code, stderr } = await ssh(login, script)
    assert.equal(code, 0, stderr)
    return VolumeId as string
  }
  const [room, VolumeId] = await Promise.all([furnishRoom(enclume, image), disk()])
  const { AllocationId, PublicIp: address } = await ec2('allocate-address')
  await ec2('associate-address', '--allocation-id', AllocationId, '--instance-id', instance.InstanceId)
  return {
    address,
    async check() {
      await sshReady({ ...login, address })
      assert.deepEqual(await ssh({ ...login, address }, 'findmnt -no SOURCE,FSTYPE /data; cat /data/file'), {
        code: 0, stdout: '/dev/xvdf ext4\nkept\n', stderr: '',
      })
      await sshReady({ ...login, address: room.address })
      const greeting = `timeout 5 bash -c 'head -c 4 </dev/tcp/${address}/22'`
      const greets = async () => (await ssh({ ...login, address: room.address }, greeting)).stdout === 'SSH-'
      await eventually(greets, { what: 'the way out by NAT', timeoutMs: 30_000 })
    },
    async remove() {
      await ec2('delete-volume', '--volume-id', VolumeId)
      await ec2('release-address', '--allocation-id', AllocationId)
      await room.remove()
    },
  }
}

/** A VPC with an instance in a private subnet, which the host reaches by its IPv6 address alone. */
async function furnishRoom(enclume: Enclume, image: string) {
  const ec2 = (...args: string[]): Promise<any> => enclume.ec2(...args)
  const { Vpc } = await ec2('create-vpc', '--cidr-block', '10.61.0.0/16', '--amazon-provided-ipv6-cidr-block')
  const vpc = ['--vpc-id', Vpc.VpcId]
  const six = Vpc.Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock.replace('00::/56', '01::/64')
  const { InternetGateway: { InternetGatewayId: gateway } } = await ec2('create-internet-gateway')
  await ec2('attach-internet-gateway', '--internet-gateway-id', gateway, ...vpc)
  const [{ Subnet: open }, { Subnet: shut }, { RouteTables: [main] }, { RouteTable: own }, { AllocationId }, { GroupId }] = await Promise.all([
    ec2('create-subnet', ...vpc, '--cidr-block', '10.61.0.0/24'),
    ec2('create-subnet', ...vpc, '--cidr-block', '10.61.1.0/24', '--ipv6-cidr-block', six),
    ec2('describe-route-tables', '--filters', `Name=vpc-id,Values=${Vpc.VpcId}`, 'Name=association.main,Values=true'),
    ec2('create-route-table', ...vpc), ec2('allocate-address'),
    ec2('create-security-group', '--group-name', 'room', '--description', 'room', ...vpc),
  ])
  const route = (table: any, ...to: string[]) => ec2('create-route', '--route-table-id', table.RouteTableId, ...to)
  const rule = JSON.stringify([{ IpProtocol: 'tcp', FromPort: 22, ToPort: 22, Ipv6Ranges: [{ CidrIpv6: SIX }] }])
  const [{ NatGateway: { NatGatewayId: nat } }] = await Promise.all([
    ec2('create-nat-gateway', '--subnet-id', open.SubnetId, '--allocation-id', AllocationId),
    route(main, '--destination-cidr-block', '0.0.0.0/0', '--gateway-id', gateway),
    route(own, '--destination-ipv6-cidr-block', SIX, '--gateway-id', gateway),
    ec2('associate-route-table', '--route-table-id', own.RouteTableId, '--subnet-id', shut.SubnetId),
    ec2('authorize-security-group-ingress', '--group-id', GroupId, '--ip-permissions', rule),
  ])
  await route(own, '--destination-cidr-block', '0.0.0.0/0', '--nat-gateway-id', nat)
  const { Instances: [{ InstanceId }] } = await ec2('run-instances', '--image-id', image, '--instance-type', 't3.nano', '--key-name', 'faults',
    '--subnet-id', shut.SubnetId, '--security-group-ids', GroupId, '--ipv6-address-count', '1')
  const { Ipv6Address: address, PublicIpAddress } = await enclume.state(InstanceId, 'running')
  assert.equal(PublicIpAddress, undefined)
  await ec2('wait', 'nat-gateway-available', '--nat-gateway-ids', nat)
  return {
    address: address as string,
    async remove() {
      await ec2('terminate-instances', '--instance-ids', InstanceId)
      await Promise.all([enclume.state(InstanceId, 'terminated'), ec2('delete-nat-gateway', '--nat-gateway-id', nat)])
      await ec2('wait', 'nat-gateway-deleted', '--nat-gateway-ids', nat)
      await ec2('release-address', '--allocation-id', AllocationId)
      for (const { SubnetId } of [open, shut]) await ec2('delete-subnet', '--subnet-id', SubnetId)
      await ec2('detach-internet-gateway', '--internet-gateway-id', gateway, ...vpc)
      await ec2('delete-internet-gateway', '--internet-gateway-id', gateway)
      await ec2('delete-route-table', '--route-table-id', own.RouteTableId)
      await ec2('delete-security-group', '--group-id', GroupId)
      await ec2('delete-vpc', ...vpc)
    },
  }
}
