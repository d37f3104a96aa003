/** VPCs that a user designs, on the real engine: packets are sent, not tables read. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { Enclume, eventually, must, run, ssh, serving, sshReady, visit, type Login } from './enclume.ts'

const ANY = '0.0.0.0/0'
const BLOCK = '10.0.0.0/16'
const KEY = 'design'

let enclume: Enclume
let spaces: string[]
type Network = { vpc: string; gateway: string; open: string; toInternet: string; group: string }
const networks: Network[] = []
let hidden: { subnet: string; table: string; instance: string }
/** The public instances of both VPCs: both are 10.0.0.10. */
const instances: any[] = []
let bastion: Login

const ec2 = (...args: string[]) => enclume.ec2(...args)
const routers = async () => (await must('ip', ['netns', 'list'])).split('\n').map(line => line.split(' ')[0]!)
  .filter(name => name.startsWith(`${enclume.home.prefix}-`)).sort()

async function subnetWithTable(vpc: string, cidr: string) {
  const subnet = (await ec2('create-subnet', '--vpc-id', vpc, '--cidr-block', cidr)).Subnet.SubnetId as string
  const table = (await ec2('create-route-table', '--vpc-id', vpc)).RouteTable.RouteTableId as string
  await ec2('associate-route-table', '--route-table-id', table, '--subnet-id', subnet)
  return { subnet, table }
}

/** A VPC with a public subnet, and a group that lets ssh and HTTP in from everywhere and anything from within. */
async function network(): Promise<Network> {
  const vpc = (await ec2('create-vpc', '--cidr-block', BLOCK)).Vpc.VpcId
  const gateway = (await ec2('create-internet-gateway')).InternetGateway.InternetGatewayId
  await ec2('attach-internet-gateway', '--internet-gateway-id', gateway, '--vpc-id', vpc)
  const { subnet: open, table: toInternet } = await subnetWithTable(vpc, '10.0.0.0/24')
  await ec2('create-route', '--route-table-id', toInternet, '--destination-cidr-block', ANY, '--gateway-id', gateway)
  await ec2('modify-subnet-attribute', '--subnet-id', open, '--map-public-ip-on-launch')
  const group = (await ec2('create-security-group', '--group-name', 'lab', '--description', 'lab', '--vpc-id', vpc)).GroupId
  const allow = (...rule: string[]) => ec2('authorize-security-group-ingress', '--group-id', group, ...rule)
  await allow('--protocol', 'tcp', '--port', '22', '--cidr', ANY)
  await allow('--protocol', 'tcp', '--port', '80', '--cidr', ANY)
  await allow('--protocol', '-1', '--cidr', BLOCK)
  return { vpc, gateway, open, toInternet, group }
}

const launch = async (name: string, subnet: string, group: string, address: string): Promise<string> =>
  (await ec2('run-instances', '--image-id', await enclume.image('debian-12'), '--instance-type', 't3.nano', '--key-name', KEY,
    '--subnet-id', subnet, '--security-group-ids', group, '--private-ip-address', address, '--user-data', serving(name)))
    .Instances[0].InstanceId

before(async () => {
  enclume = await Enclume.up()
  spaces = await routers()
  const key = await enclume.keyPair(KEY)
  networks.push(await network(), await network())
  const [one, two] = networks as [Network, Network]
  const { subnet, table } = await subnetWithTable(one.vpc, '10.0.1.0/24')
  const ids = [await launch('one', one.open, one.group, '10.0.0.10'), await launch('two', two.open, two.group, '10.0.0.10')]
  hidden = { subnet, table, instance: await launch('hidden', subnet, one.group, '10.0.1.10') }
  instances.push(...await Promise.all(ids.map(id => enclume.state(id, 'running'))))
  await enclume.state(hidden.instance, 'running')
  bastion = { key, user: 'admin', address: instances[0].PublicIpAddress }
  await Promise.all([sshReady(bastion), sshReady({ ...bastion, address: instances[1].PublicIpAddress })])
  await ssh(bastion, `umask 077; echo '${readFileSync(key, 'utf8')}' >key`)
  await eventually(async () => (await inside('true')).code === 0, { what: 'ssh over the bastion', timeoutMs: 60_000 })
}, { timeout: 900_000 })

after(async () => {
  const ids = [...instances.map(i => i.InstanceId), hidden?.instance].filter(Boolean)
  if (ids.length > 0) await enclume.aws('ec2', 'terminate-instances', '--instance-ids', ...ids)
  await enclume.aws('ec2', 'delete-key-pair', '--key-name', KEY)
  enclume?.close()
})

/** On the private instance, by way of the public one beside it. */
const inside = (command: string) =>
  ssh(bastion, `ssh -i key -o BatchMode=yes -o StrictHostKeyChecking=no -o LogLevel=ERROR -o ConnectTimeout=5 admin@10.0.1.10 "${command}"`)
const fetched = (url: string) => `curl --silent --max-time 4 ${url}`
/** The internet, for the first VPC: the second one's public instance. */
const internet = () => `http://${instances[1].PublicIpAddress}/`

test('two VPCs with the same block lie side by side: each public address leads to its own instance', async () => {
  assert.deepEqual(instances.map(i => i.PrivateIpAddress), ['10.0.0.10', '10.0.0.10'])
  const pages = await Promise.all(instances.map(i => eventually(async () => {
    const page = await visit(`http://${i.PublicIpAddress}/`)
    return page !== 'refused' && page
  }, { what: 'a page', timeoutMs: 60_000 })))
  assert.deepEqual(pages, [`one ${enclume.hostAddress}`, `two ${enclume.hostAddress}`])
  const beside = await eventually(async () => (await ssh(bastion, fetched('http://10.0.1.10/'))).stdout, { what: 'a page', timeoutMs: 60_000 })
  assert.equal(beside, 'hidden 10.0.0.10')
  const fromTwo = await ssh({ ...bastion, address: instances[1].PublicIpAddress }, fetched('http://10.0.1.10/'))
  assert.deepEqual([fromTwo.code === 0, fromTwo.stdout], [false, ''])
})

test('a private instance has no public address and no way to the internet; a public one has both', async () => {
  assert.equal((await enclume.instance(hidden.instance)).PublicIpAddress, undefined)
  assert.equal((await ssh(bastion, fetched(internet()))).stdout, `two ${instances[0].PublicIpAddress}`)
  const { code, stdout } = await inside(fetched(internet()))
  assert.deepEqual([code, stdout], [28, ''])
})

test('ssh jumps over the bastion to the private instance, which nobody reaches otherwise', async () => {
  const options = ['BatchMode=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'ConnectTimeout=5']
  const words = options.flatMap(option => ['-o', option])
  const jump = `ssh ${words.join(' ')} -i ${bastion.key} -W %h:%p ${bastion.user}@${bastion.address}`
  const login = (...more: string[]) => run('ssh', [...words, ...more, '-i', bastion.key, 'admin@10.0.1.10', 'hostname -I'])
  assert.equal((await login('-o', `ProxyCommand=${jump}`)).stdout.trim(), '10.0.1.10')
  assert.equal((await login()).code, 255)
})

test('an ACL that forgets the ephemeral ports breaks the reply, and its repair mends it', async () => {
  const { vpc, open } = networks[1]!
  const page = async () => (await visit(internet())).replace(/^two .*/, 'two')
  const acl = (await ec2('create-network-acl', '--vpc-id', vpc)).NetworkAcl.NetworkAclId
  const entry = (direction: string, number: string, ports: string) => ec2('create-network-acl-entry', '--network-acl-id', acl, direction,
    '--rule-number', number, '--protocol', 'tcp', '--port-range', ports, '--cidr-block', ANY, '--rule-action', 'allow')
  await entry('--ingress', '100', 'From=80,To=80')
  await entry('--egress', '100', 'From=80,To=80')
  const associationOf = async () => {
    const { NetworkAcls } = await ec2('describe-network-acls', '--filters', `Name=association.subnet-id,Values=${open}`)
    return NetworkAcls[0].Associations.find((a: any) => a.SubnetId === open).NetworkAclAssociationId
  }
  const before = (await ec2('describe-network-acls', '--filters', `Name=association.subnet-id,Values=${open}`)).NetworkAcls[0].NetworkAclId
  assert.equal(await page(), 'two')
  await ec2('replace-network-acl-association', '--association-id', await associationOf(), '--network-acl-id', acl)
  await eventually(async () => await page() === 'timed out', { what: 'silence', timeoutMs: 30_000 })
  await entry('--egress', '110', 'From=1024,To=65535')
  await eventually(async () => await page() === 'two', { what: 'the page again', timeoutMs: 30_000 })
  await ec2('replace-network-acl-association', '--association-id', await associationOf(), '--network-acl-id', before)
  await ec2('delete-network-acl', '--network-acl-id', acl)
})

test('an instance routes for others once its source check is off', async () => {
  const id = instances[0].InstanceId
  const setUp = 'sudo sh -c "sysctl -qw net.ipv4.ip_forward=1 && iptables -t nat -A POSTROUTING -s 10.0.1.0/24 ! -d 10.0.0.0/16 -j MASQUERADE"'
  assert.equal((await ssh(bastion, setUp)).code, 0)
  await ec2('create-route', '--route-table-id', hidden.table, '--destination-cidr-block', ANY, '--instance-id', id)
  assert.equal((await inside(fetched(internet()))).code, 28)
  await ec2('modify-instance-attribute', '--instance-id', id, '--no-source-dest-check')
  const seen = await eventually(async () => (await inside(fetched(internet()))).stdout, { what: 'the internet', timeoutMs: 30_000 })
  assert.equal(seen, `two ${instances[0].PublicIpAddress}`)
  await ec2('delete-route', '--route-table-id', hidden.table, '--destination-cidr-block', ANY)
  await eventually(async () => (await inside(fetched(internet()))).code === 28, { what: 'no internet', timeoutMs: 30_000 })
})

test('what comes from the internet for a subnet passes the instance of the gateway\'s table, unless its source is checked', async () => {
  const [{ vpc, gateway }] = networks as [Network]
  const { InstanceId: id } = instances[0]
  const port = (await enclume.instance(id)).NetworkInterfaces[0].NetworkInterfaceId
  const { AllocationId, PublicIp } = await ec2('allocate-address')
  const given = (await ec2('associate-address', '--allocation-id', AllocationId, '--instance-id', hidden.instance)).AssociationId
  const steering = (await ec2('create-route-table', '--vpc-id', vpc)).RouteTable.RouteTableId
  const { AssociationId } = await ec2('associate-route-table', '--route-table-id', steering, '--gateway-id', gateway)
  await ec2('create-route', '--route-table-id', steering, '--destination-cidr-block', '10.0.1.0/24', '--network-interface-id', port)
  await ec2('create-route', '--route-table-id', hidden.table, '--destination-cidr-block', ANY, '--network-interface-id', port)
  const page = () => visit(`http://${PublicIp}/`)
  const becomes = (wanted: string) => eventually(async () => await page() === wanted, { what: wanted, timeoutMs: 30_000 })
  await becomes(`hidden ${enclume.hostAddress}`)
  const drop = (how: string) => ssh(bastion, `sudo iptables ${how} FORWARD -d 10.0.1.10 -p tcp --dport 80 -j DROP`)
  assert.equal((await drop('-I')).code, 0)
  assert.equal(await page(), 'timed out')
  assert.equal((await drop('-D')).code, 0)
  await becomes(`hidden ${enclume.hostAddress}`)
  await ec2('modify-instance-attribute', '--instance-id', id, '--source-dest-check')
  await becomes('timed out')
  await ec2('disassociate-route-table', '--association-id', AssociationId)
  await ec2('delete-route-table', '--route-table-id', steering)
  await ec2('disassociate-address', '--association-id', given)
  await ec2('release-address', '--allocation-id', AllocationId)
})

test('everything goes in the order of dependencies, and no router is left on the host', async () => {
  const ids = [...instances.splice(0).map(i => i.InstanceId), hidden.instance]
  const { stderr } = await enclume.aws('ec2', 'delete-vpc', '--vpc-id', networks[0]!.vpc)
  assert.match(stderr, /DependencyViolation/)
  await ec2('terminate-instances', '--instance-ids', ...ids)
  for (const id of ids) await enclume.state(id, 'terminated')
  await ec2('delete-subnet', '--subnet-id', hidden.subnet)
  await ec2('delete-route-table', '--route-table-id', hidden.table)
  for (const { vpc, gateway, open, toInternet, group } of networks) {
    await ec2('detach-internet-gateway', '--internet-gateway-id', gateway, '--vpc-id', vpc)
    await ec2('delete-internet-gateway', '--internet-gateway-id', gateway)
    await ec2('delete-subnet', '--subnet-id', open)
    await ec2('delete-route-table', '--route-table-id', toInternet)
    await ec2('delete-security-group', '--group-id', group)
    await ec2('delete-vpc', '--vpc-id', vpc)
  }
  await eventually(async () => assert.deepEqual(await routers(), spaces) === undefined, { what: 'routers gone', timeoutMs: 30_000 })
})
