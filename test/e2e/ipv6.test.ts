/** IPv6 on the real engine: addresses by DHCP, and packets that groups, ACLs and tables let through or not. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { hostAddress6 } from '#base/home'
import { Enclume, eventually, ssh, serving, sshReady, visit, type Login } from './enclume.ts'

const KEY = 'ipv6'
const SIX = '::/0'
let enclume: Enclume
let login: Login
const ids: string[] = []
const ec2 = (...args: string[]) => enclume.ec2(...args)

type Net = { vpc: string; block: string; acl: string; group: string }
type Machine = { id: string; address: string; subnet: string; interface: string; public: string }
let one: Net, two: Net
/** In a subnet that leads to the internet gateway, in one that leads to the egress-only gateway, and in another VPC. */
let open: Machine, shut: Machine, beyond: Machine

async function network(block: string): Promise<Net> {
  const { Vpc } = await ec2('create-vpc', '--cidr-block', block, '--amazon-provided-ipv6-cidr-block')
  const vpc = Vpc.VpcId as string
  const gateway = (await ec2('create-internet-gateway')).InternetGateway.InternetGatewayId
  await ec2('attach-internet-gateway', '--internet-gateway-id', gateway, '--vpc-id', vpc)
  const { RouteTables } = await ec2('describe-route-tables', '--filters', `Name=vpc-id,Values=${vpc}`)
  const table = RouteTables[0].RouteTableId
  await ec2('create-route', '--route-table-id', table, '--destination-cidr-block', '0.0.0.0/0', '--gateway-id', gateway)
  await ec2('create-route', '--route-table-id', table, '--destination-ipv6-cidr-block', SIX, '--gateway-id', gateway)
  const group = (await ec2('create-security-group', '--group-name', 'lab', '--description', 'lab', '--vpc-id', vpc)).GroupId
  await ec2('authorize-security-group-ingress', '--group-id', group, '--protocol', 'tcp', '--port', '22', '--cidr', '0.0.0.0/0')
  await allow(group, 22)
  const { NetworkAcls } = await ec2('describe-network-acls', '--filters', `Name=vpc-id,Values=${vpc}`)
  return { vpc, block: Vpc.Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock, acl: NetworkAcls[0].NetworkAclId, group }
}

const permission = (port: number) => JSON.stringify([{ IpProtocol: 'tcp', FromPort: port, ToPort: port, Ipv6Ranges: [{ CidrIpv6: SIX }] }])
const allow = (group: string, port: number) => ec2('authorize-security-group-ingress', '--group-id', group, '--ip-permissions', permission(port))
const forbid = (group: string, port: number) => ec2('revoke-security-group-ingress', '--group-id', group, '--ip-permissions', permission(port))

async function subnet({ vpc, block }: Net, cidr: string, number: number): Promise<string> {
  const six = block.replace('00::/56', `0${number}::/64`)
  const id = (await ec2('create-subnet', '--vpc-id', vpc, '--cidr-block', cidr, '--ipv6-cidr-block', six)).Subnet.SubnetId
  await ec2('modify-subnet-attribute', '--subnet-id', id, '--assign-ipv6-address-on-creation')
  await ec2('modify-subnet-attribute', '--subnet-id', id, '--map-public-ip-on-launch')
  return id
}

async function launch(name: string, { group }: Net, at: string): Promise<string> {
  const { Instances } = await ec2('run-instances', '--image-id', await enclume.image('debian-12'), '--instance-type', 't3.nano', '--key-name', KEY,
    '--subnet-id', at, '--security-group-ids', group, '--user-data', serving(name))
  ids.push(Instances[0].InstanceId)
  return Instances[0].InstanceId
}

async function running(id: string): Promise<Machine> {
  const { Ipv6Address, SubnetId, NetworkInterfaces, PublicIpAddress } = await enclume.state(id, 'running')
  assert.deepEqual(NetworkInterfaces[0].Ipv6Addresses, [{ Ipv6Address, IsPrimaryIpv6: false }])
  return { id, address: Ipv6Address, subnet: SubnetId, interface: NetworkInterfaces[0].NetworkInterfaceId, public: PublicIpAddress }
}

before(async () => {
  enclume = await Enclume.up()
  const key = await enclume.keyPair(KEY)
  ;[one, two] = [await network('10.0.0.0/16'), await network('10.1.0.0/16')]
  const hidden = await subnet(one, '10.0.1.0/24', 2)
  const table = (await ec2('create-route-table', '--vpc-id', one.vpc)).RouteTable.RouteTableId
  await ec2('associate-route-table', '--route-table-id', table, '--subnet-id', hidden)
  const { EgressOnlyInternetGateway } = await ec2('create-egress-only-internet-gateway', '--vpc-id', one.vpc)
  await ec2('create-route', '--route-table-id', table, '--destination-ipv6-cidr-block', SIX,
    '--egress-only-internet-gateway-id', EgressOnlyInternetGateway.EgressOnlyInternetGatewayId)
  const made = [
    await launch('open', one, await subnet(one, '10.0.0.0/24', 1)), await launch('shut', one, hidden),
    await launch('beyond', two, await subnet(two, '10.1.0.0/24', 1)),
  ]
  ;[open, shut, beyond] = await Promise.all(made.map(running)) as [Machine, Machine, Machine]
  login = { key, user: 'admin', address: open.address }
  await sshReady({ ...login, address: open.public })
  await sshReady(login)
  await ssh(login, `umask 077; echo '${readFileSync(key, 'utf8')}' >key`)
  await eventually(async () => (await hop(shut, 'true')).code === 0, { what: 'ssh over IPv6 to the next subnet', timeoutMs: 60_000 })
}, { timeout: 900_000 })

after(async () => {
  if (ids.length > 0) await enclume.aws('ec2', 'terminate-instances', '--instance-ids', ...ids)
  for (const id of ids) await enclume.state(id, 'terminated')
  for (const net of [one, two].filter(Boolean)) await clear(net)
  await enclume.aws('ec2', 'delete-key-pair', '--key-name', KEY)
  enclume?.close()
}, { timeout: 300_000 })

/** A VPC and what was made in it, in the order of dependencies. */
async function clear({ vpc, group }: Net): Promise<void> {
  const of = ['--filters', `Name=vpc-id,Values=${vpc}`]
  const { EgressOnlyInternetGateways } = await ec2('describe-egress-only-internet-gateways')
  for (const { EgressOnlyInternetGatewayId: id, Attachments } of EgressOnlyInternetGateways) {
    if (Attachments[0].VpcId === vpc) await ec2('delete-egress-only-internet-gateway', '--egress-only-internet-gateway-id', id)
  }
  for (const { SubnetId } of (await ec2('describe-subnets', ...of)).Subnets) await ec2('delete-subnet', '--subnet-id', SubnetId)
  for (const { RouteTableId, Associations } of (await ec2('describe-route-tables', ...of)).RouteTables) {
    if (!Associations.some((a: any) => a.Main)) await ec2('delete-route-table', '--route-table-id', RouteTableId)
  }
  const { InternetGateways } = await ec2('describe-internet-gateways', '--filters', `Name=attachment.vpc-id,Values=${vpc}`)
  for (const { InternetGatewayId: id } of InternetGateways) {
    await ec2('detach-internet-gateway', '--internet-gateway-id', id, '--vpc-id', vpc)
    await ec2('delete-internet-gateway', '--internet-gateway-id', id)
  }
  await ec2('delete-security-group', '--group-id', group)
  await ec2('delete-vpc', '--vpc-id', vpc)
}

const page = (machine: { address: string }) => visit(`http://[${machine.address}]/`)
const fetched = (machine: Machine) => `curl --silent --max-time 4 http://[${machine.address}]/`
/** On another instance, over the open one. */
const hop = (machine: Machine, command: string) => ssh(login,
  `ssh -i key -o BatchMode=yes -o StrictHostKeyChecking=no -o LogLevel=ERROR -o ConnectTimeout=5 admin@${machine.address} "${command}"`)

test('an instance has its address by DHCP, its metadata say so, and ssh reaches it by that', async () => {
  const shown = JSON.parse((await ssh(login, 'ip -json -6 address show dev ens5 scope global')).stdout)
  // It also tells, as an empty object, of the address that it leaves out.
  const own = shown[0].addr_info.filter((a: any) => a.local).map((a: any) => [a.local, a.prefixlen, a.dynamic])
  assert.deepEqual(own, [[open.address, 128, true]])
  const base = 'http://169.254.169.254/latest/meta-data'
  const macs = `${base}/network/interfaces/macs/$(cat /sys/class/net/ens5/address)`
  const names = ['ipv6s', 'subnet-ipv6-cidr-blocks', 'vpc-ipv6-cidr-blocks']
  const { stdout } = await ssh(login, `T=$(curl -s -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token); `
    + [`${base}/ipv6`, ...names.map(name => `${macs}/${name}`)].map(url => `curl -s -H "X-aws-ec2-metadata-token: $T" ${url}; echo`).join('; '))
  assert.deepEqual(stdout.trim().split('\n'), [open.address, open.address, one.block.replace('00::/56', '01::/64'), one.block])
})

test('a group lets in by IPv6 what a rule for IPv6 allows, from the host and from other VPCs, and the caller is seen as itself', async () => {
  assert.equal(await page(open), 'timed out')
  await allow(one.group, 80)
  await allow(two.group, 80)
  const shown = async () => { const text = await page(open); return text.startsWith('open') && text }
  assert.equal(await eventually(shown, { what: 'a page', timeoutMs: 60_000 }), `open ${hostAddress6(enclume.home)}`)
  const called = () => ssh(login, fetched(beyond)).then(({ stdout }) => stdout)
  assert.equal(await eventually(called, { what: 'the other VPC\'s page', timeoutMs: 60_000 }), `beyond ${open.address}`)
  assert.equal((await ssh(login, fetched(shut))).stdout, `shut ${open.address}`)
})

test('the egress-only gateway lets out, and nobody in', async () => {
  assert.equal((await hop(shut, fetched(beyond))).stdout, `beyond ${shut.address}`)
  assert.equal(await page(shut), 'timed out')
  const back = await ssh({ ...login, address: beyond.address }, fetched(shut))
  assert.deepEqual([back.code, back.stdout], [28, ''])
  assert.equal((await ssh({ ...login, address: beyond.address }, fetched(open))).stdout, `open ${beyond.address}`)
})

test('a further address answers soon after it was assigned, and goes from the guest when it is taken away', async () => {
  const of = ['--network-interface-id', open.interface]
  const { AssignedIpv6Addresses: [further] } = await ec2('assign-ipv6-addresses', ...of, '--ipv6-address-count', '1')
  await sshReady({ ...login, address: further }, 30_000)
  await ec2('unassign-ipv6-addresses', ...of, '--ipv6-addresses', further)
  const isGone = async () => !(await ssh(login, 'ip -6 -o address show')).stdout.includes(further)
  await eventually(isGone, { what: `${further} gone`, timeoutMs: 30_000 })
  assert.equal((await ssh(login, 'true')).code, 0, 'its own is still there')
})

test('who speaks by another\'s address is not heard', async () => {
  const stolen = shut.address.replace(/:[^:]+$/, ':abcd')
  await ssh(login, `sudo ip -6 address add ${stolen}/128 dev ens5 nodad`)
  const spoofed = await ssh(login, `curl --interface ${stolen} --silent --max-time 3 http://[${shut.address}]/`)
  const own = await ssh(login, `curl --interface ${open.address} --silent --max-time 3 http://[${shut.address}]/`)
  await ssh(login, `sudo ip -6 address del ${stolen}/128 dev ens5`)
  assert.deepEqual([spoofed.code, own.stdout], [28, `shut ${open.address}`])
})

test('a network ACL\'s entry for IPv6 stops IPv6 alone', async () => {
  const entry = ['--network-acl-id', one.acl, '--ingress', '--rule-number', '90']
  await ec2('create-network-acl-entry', ...entry, '--protocol', '6', '--port-range', 'From=80,To=80', '--rule-action', 'deny',
    '--ipv6-cidr-block', SIX)
  await eventually(async () => await page(open) === 'timed out', { what: 'silence', timeoutMs: 30_000 })
  assert.equal((await ssh(login, 'true')).code, 0)
  await ec2('delete-network-acl-entry', ...entry)
  await eventually(async () => (await page(open)).startsWith('open'), { what: 'a page again', timeoutMs: 30_000 })
})

test('a rule that goes forbids again, and an address that is taken back is nobody\'s', async () => {
  await forbid(one.group, 80)
  await eventually(async () => await page(open) === 'timed out', { what: 'silence', timeoutMs: 30_000 })
  const { AssignedIpv6Addresses } = await ec2('assign-ipv6-addresses', '--network-interface-id', open.interface, '--ipv6-address-count', '1')
  const [added] = AssignedIpv6Addresses
  await ssh(login, `sudo ip -6 address add ${added}/128 dev ens5 nodad`)
  await sshReady({ ...login, address: added })
  await ec2('unassign-ipv6-addresses', '--network-interface-id', open.interface, '--ipv6-addresses', added)
  await eventually(async () => (await ssh({ ...login, address: added }, 'true')).code !== 0, { what: 'no way to the address', timeoutMs: 30_000 })
  assert.equal((await ssh(login, 'true')).code, 0)
})

test('an instance that was stopped comes back with its address', async () => {
  await ec2('stop-instances', '--instance-ids', open.id)
  await enclume.state(open.id, 'stopped')
  await ec2('start-instances', '--instance-ids', open.id)
  assert.equal((await enclume.state(open.id, 'running')).Ipv6Address, open.address)
  await sshReady(login)
})
