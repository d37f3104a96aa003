/** Private subnets behind a NAT gateway, and joined VPCs, on the real engine: packets are sent, not tables read. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { Enclume, eventually, must, ssh, serving, sshReady, visit, type Login } from './enclume.ts'

const ANY = '0.0.0.0/0'
const KEY = 'private'
let enclume: Enclume
let spaces: string[]
let bastion: Login
const vpcs: { vpc: string; gateway: string; subnet: string; table: string; group: string }[] = []
let hidden: { subnet: string; table: string }
let nat: { id: string; allocation: string; address: string }
/** The public instance, the private one beside it, and one in each of two other VPCs. */
const ids: string[] = []

const ec2 = (...args: string[]) => enclume.ec2(...args)
const routers = async () => (await must('ip', ['netns', 'list'])).split('\n').map(line => line.split(' ')[0]!)
  .filter(name => name.startsWith(`${enclume.home.prefix}-`)).sort()

async function subnetWithTable(vpc: string, cidr: string) {
  const subnet = (await ec2('create-subnet', '--vpc-id', vpc, '--cidr-block', cidr)).Subnet.SubnetId as string
  const table = (await ec2('create-route-table', '--vpc-id', vpc)).RouteTable.RouteTableId as string
  await ec2('associate-route-table', '--route-table-id', table, '--subnet-id', subnet)
  return { subnet, table }
}

/** A VPC with a public subnet, and a group that lets ssh and HTTP in from everywhere. */
async function network(block: string, cidr: string) {
  const vpc = (await ec2('create-vpc', '--cidr-block', block)).Vpc.VpcId
  const gateway = (await ec2('create-internet-gateway')).InternetGateway.InternetGatewayId
  await ec2('attach-internet-gateway', '--internet-gateway-id', gateway, '--vpc-id', vpc)
  const { subnet, table } = await subnetWithTable(vpc, cidr)
  await ec2('create-route', '--route-table-id', table, '--destination-cidr-block', ANY, '--gateway-id', gateway)
  await ec2('modify-subnet-attribute', '--subnet-id', subnet, '--map-public-ip-on-launch')
  const group = (await ec2('create-security-group', '--group-name', 'lab', '--description', 'lab', '--vpc-id', vpc)).GroupId
  for (const port of ['22', '80']) {
    await ec2('authorize-security-group-ingress', '--group-id', group, '--protocol', 'tcp', '--port', port, '--cidr', ANY)
  }
  return { vpc, gateway, subnet, table, group }
}

async function launch(name: string, subnet: string, group: string, address: string): Promise<void> {
  const { Instances } = await ec2('run-instances', '--image-id', await enclume.image('debian-12'), '--instance-type', 't3.nano', '--key-name', KEY,
    '--subnet-id', subnet, '--security-group-ids', group, '--private-ip-address', address, '--user-data', serving(name))
  ids.push(Instances[0].InstanceId)
}

async function natGateway(subnet: string): Promise<typeof nat> {
  const { AllocationId, PublicIp } = await ec2('allocate-address')
  const { NatGateway } = await ec2('create-nat-gateway', '--subnet-id', subnet, '--allocation-id', AllocationId)
  await ec2('wait', 'nat-gateway-available', '--nat-gateway-ids', NatGateway.NatGatewayId)
  return { id: NatGateway.NatGatewayId, allocation: AllocationId, address: PublicIp }
}

before(async () => {
  enclume = await Enclume.up()
  spaces = await routers()
  const key = await enclume.keyPair(KEY)
  const [one, two] = [await network('10.0.0.0/16', '10.0.0.0/24'), await network('10.1.0.0/16', '10.1.0.0/24')]
  const three = await network('10.2.0.0/16', '10.2.0.0/24')
  vpcs.push(one, two, three)
  hidden = await subnetWithTable(one.vpc, '10.0.1.0/24')
  nat = await natGateway(one.subnet)
  await ec2('create-route', '--route-table-id', hidden.table, '--destination-cidr-block', ANY, '--nat-gateway-id', nat.id)
  await launch('bastion', one.subnet, one.group, '10.0.0.10')
  await launch('hidden', hidden.subnet, one.group, '10.0.1.10')
  await launch('other', two.subnet, two.group, '10.1.0.10')
  await launch('third', three.subnet, three.group, '10.2.0.10')
  const running = await Promise.all(ids.map(id => enclume.state(id, 'running')))
  bastion = { key, user: 'admin', address: running[0].PublicIpAddress }
  other = `http://${running[2].PublicIpAddress}/`
  middle = { ...bastion, address: running[2].PublicIpAddress }
  await sshReady(bastion)
  await ssh(bastion, `umask 077; echo '${readFileSync(key, 'utf8')}' >key`)
  await eventually(async () => (await inside('true')).code === 0, { what: 'ssh over the bastion', timeoutMs: 60_000 })
}, { timeout: 900_000 })

after(async () => {
  if (ids.length > 0) await enclume.aws('ec2', 'terminate-instances', '--instance-ids', ...ids)
  await enclume.aws('ec2', 'delete-key-pair', '--key-name', KEY)
  enclume?.close()
})

/** The other VPC's instance, by its public address. */
let other: string
let middle: Login
/** On the private instance, by way of the public one beside it. */
const inside = (command: string, timeoutMs?: number) => ssh(bastion,
  `ssh -i key -o BatchMode=yes -o StrictHostKeyChecking=no -o LogLevel=ERROR -o ConnectTimeout=5 admin@10.0.1.10 "${command}"`, timeoutMs)
const fetched = (url: string) => `curl --silent --max-time 4 ${url}`

test('a private instance reaches the internet through the NAT gateway, and is seen by its Elastic IP', async () => {
  const page = await eventually(async () => (await inside(fetched(other))).stdout, { what: 'a page', timeoutMs: 60_000 })
  assert.equal(page, `other ${nat.address}`)
  assert.equal((await ssh(bastion, fetched(other))).stdout, `other ${bastion.address}`)
})

test('a private instance installs a package, where the host reaches a mirror', async t => {
  const lists = await inside('sudo apt-get update -q 2>&1', 120_000)
  if (lists.code !== 0 || /^(Err|W):/m.test(lists.stdout)) return t.skip('no package mirror is reached from here')
  const installed = await inside('sudo DEBIAN_FRONTEND=noninteractive apt-get install -qy tree >/dev/null 2>&1; tree --version', 120_000)
  assert.match(installed.stdout, /^tree v/)
})

test('nobody begins a connection to the NAT gateway or to who is behind it', async () => {
  assert.equal(await visit(`http://${nat.address}/`), 'timed out')
  assert.deepEqual((await ssh(bastion, fetched('http://10.0.0.4/'))).code, 28)
})

/** An active peering connection of two VPCs. */
async function joined(one: string, two: string): Promise<string> {
  const { VpcPeeringConnection } = await ec2('create-vpc-peering-connection', '--vpc-id', one, '--peer-vpc-id', two)
  const id = VpcPeeringConnection.VpcPeeringConnectionId
  await ec2('accept-vpc-peering-connection', '--vpc-peering-connection-id', id)
  await eventually(async () => {
    const { VpcPeeringConnections } = await ec2('describe-vpc-peering-connections', '--vpc-peering-connection-ids', id)
    return VpcPeeringConnections[0].Status.Code === 'active'
  }, { what: 'the connection active', timeoutMs: 30_000 })
  return id
}

test('joined VPCs reach each other by private addresses where both have a route, and no more when the connection is deleted', async () => {
  const [one, two, three] = vpcs as [typeof vpcs[0], typeof vpcs[0], typeof vpcs[0]]
  const [id, further] = [await joined(one.vpc, two.vpc), await joined(two.vpc, three.vpc)]
  const route = (table: string, cidr: string, over = id) =>
    ec2('create-route', '--route-table-id', table, '--destination-cidr-block', cidr, '--vpc-peering-connection-id', over)
  const page = async () => (await ssh(bastion, fetched('http://10.1.0.10/'))).stdout
  await route(one.table, '10.1.0.0/16')
  assert.equal(await page(), '', 'there is no way back yet')
  await route(two.table, '10.0.0.0/16')
  assert.equal(await eventually(page, { what: 'a page', timeoutMs: 30_000 }), 'other 10.0.0.10')
  // Through the one in the middle nobody passes, though every table has a route that says so.
  for (const [table, cidr, over] of [[one.table, '10.2.0.0/16', id], [three.table, '10.0.0.0/16', further], [two.table, '10.2.0.0/16', further],
    [three.table, '10.1.0.0/16', further]] as const) await route(table, cidr, over)
  const third = async (from: Login) => (await ssh(from, fetched('http://10.2.0.10/'))).stdout
  assert.equal(await eventually(() => third(middle), { what: 'a page', timeoutMs: 30_000 }), 'third 10.1.0.10')
  assert.equal(await third(bastion), '')
  await ec2('delete-vpc-peering-connection', '--vpc-peering-connection-id', further)
  await ec2('delete-vpc-peering-connection', '--vpc-peering-connection-id', id)
  await eventually(async () => await page() === '', { what: 'silence', timeoutMs: 30_000 })
})

test('without its NAT gateway a private subnet has no internet, and everything goes in the order of dependencies', async () => {
  await ec2('delete-nat-gateway', '--nat-gateway-id', nat.id)
  await ec2('wait', 'nat-gateway-deleted', '--nat-gateway-ids', nat.id)
  assert.equal((await inside(fetched(other))).code, 28)
  await ec2('release-address', '--allocation-id', nat.allocation)
  const all = ids.splice(0)
  await ec2('terminate-instances', '--instance-ids', ...all)
  for (const id of all) await enclume.state(id, 'terminated')
  await ec2('delete-subnet', '--subnet-id', hidden.subnet)
  await ec2('delete-route-table', '--route-table-id', hidden.table)
  for (const { vpc, gateway, subnet, table, group } of vpcs) {
    await ec2('detach-internet-gateway', '--internet-gateway-id', gateway, '--vpc-id', vpc)
    await ec2('delete-internet-gateway', '--internet-gateway-id', gateway)
    await ec2('delete-subnet', '--subnet-id', subnet)
    await ec2('delete-route-table', '--route-table-id', table)
    await ec2('delete-security-group', '--group-id', group)
    await ec2('delete-vpc', '--vpc-id', vpc)
  }
  await eventually(async () => assert.deepEqual(await routers(), spaces) === undefined, { what: 'routers gone', timeoutMs: 30_000 })
})
