/** Interfaces and Elastic IP addresses of real instances: they move under them, and packets follow. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Enclume, eventually, ssh, sshReady, type Login } from './enclume.ts'

let enclume: Enclume
let group: string
let a: any
let b: any
let nic: any
let elastic: any
let key: string
let apart: string

const as = (address: string): Login => ({ key, user: 'admin', address })
const shown = async () => (await enclume.ec2('describe-network-interfaces', '--network-interface-ids', nic.NetworkInterfaceId)).NetworkInterfaces[0]
const attachment = (status: string | undefined) => eventually(async () => {
  const now = await shown()
  return now.Attachment?.Status === status && now
}, { what: `the interface ${status ?? 'detached'}`, timeoutMs: 20_000 })
const must = async (login: Login, command: string): Promise<string> => {
  const { code, stdout, stderr } = await ssh(login, command)
  assert.equal(code, 0, `${command}: ${stderr}`)
  return stdout.trim()
}

before(async () => {
  enclume = await Enclume.up()
  key = await enclume.keyPair('interfaces')
  group = (await enclume.ec2('create-security-group', '--group-name', 'interfaces', '--description', 'interfaces')).GroupId
  const allow = (...rule: string[]) => enclume.ec2('authorize-security-group-ingress', '--group-id', group, ...rule)
  await allow('--protocol', 'tcp', '--port', '22', '--cidr', `${enclume.hostAddress}/32`)
  await allow('--protocol', 'tcp', '--port', '22', '--source-group', group)
  await allow('--protocol', 'udp', '--port', '9000', '--cidr', '0.0.0.0/0')
  const image = await enclume.image('debian-12')
  const subnets = await enclume.ec2('describe-subnets', '--filters', 'Name=default-for-az,Values=true')
  const { SubnetId: subnet, VpcId: vpc, AvailabilityZone: zone } = subnets.Subnets[0]
  apart = (await enclume.ec2('create-subnet', '--vpc-id', vpc, '--cidr-block', '172.31.240.0/24', '--availability-zone', zone)).Subnet.SubnetId
  const launched = await enclume.ec2('run-instances', '--image-id', image, '--instance-type', 't3.nano', '--count', '2', '--key-name', 'interfaces',
    '--security-group-ids', group, '--subnet-id', subnet)
  ;[a, b] = await Promise.all(launched.Instances.map((i: any) => enclume.state(i.InstanceId, 'running')))
  await Promise.all([a, b].map(i => sshReady(as(i.PublicIpAddress))))
  nic = (await enclume.ec2('create-network-interface', '--subnet-id', apart, '--groups', group)).NetworkInterface
  elastic = await enclume.ec2('allocate-address')
  await enclume.ec2('associate-address', '--allocation-id', elastic.AllocationId, '--network-interface-id', nic.NetworkInterfaceId)
}, { timeout: 900_000 })

after(async () => {
  const ids = [a, b].filter(Boolean).map(i => i.InstanceId)
  if (ids.length > 0) await enclume.aws('ec2', 'terminate-instances', '--instance-ids', ...ids)
  for (const id of ids) await enclume.state(id, 'terminated')
  if (nic) await enclume.aws('ec2', 'delete-network-interface', '--network-interface-id', nic.NetworkInterfaceId)
  if (apart) await enclume.aws('ec2', 'delete-subnet', '--subnet-id', apart)
  if (elastic) await enclume.aws('ec2', 'release-address', '--allocation-id', elastic.AllocationId)
  if (group) await enclume.aws('ec2', 'delete-security-group', '--group-id', group)
  await enclume?.aws('ec2', 'delete-key-pair', '--key-name', 'interfaces')
  enclume?.close()
})

/** Attaches the interface; the guest answers from it by the way it came, as with amazon-ec2-net-utils. */
async function take(instance: any): Promise<string> {
  const { AttachmentId } = await enclume.ec2('attach-network-interface', '--network-interface-id', nic.NetworkInterfaceId,
    '--instance-id', instance.InstanceId, '--device-index', '1')
  await attachment('attached')
  await sshReady(as(elastic.PublicIp))
  assert.equal(await must(as(elastic.PublicIp), 'cat /sys/class/net/ens6/address'), nic.MacAddress)
  return AttachmentId
}
/** Who answers at a private address, as the other instance sees it. */
const greets = async (from: any, address: string): Promise<boolean> =>
  (await ssh(as(from.PublicIpAddress), `timeout 2 bash -c 'read -r line < /dev/tcp/${address}/22; echo $line'`)).stdout.startsWith('SSH-')

test('an interface moves hot from one instance to another, and its Elastic IP answers on the new one', { timeout: 300_000 }, async () => {
  const answers = async () => must(as(elastic.PublicIp), 'cat /proc/sys/kernel/hostname')
  const first = await take(a)
  assert.equal(await answers(), a.PrivateDnsName.split('.')[0])
  assert.ok(await greets(b, nic.PrivateIpAddress), 'from another subnet')
  await enclume.ec2('detach-network-interface', '--attachment-id', first)
  await attachment(undefined)
  assert.equal((await ssh(as(a.PublicIpAddress), 'test -e /sys/class/net/ens6')).code, 1)
  assert.equal((await ssh(as(elastic.PublicIp), 'true')).code, 255, 'it leads nowhere while it is nobody\'s')
  const second = await take(b)
  assert.equal(await answers(), b.PrivateDnsName.split('.')[0])
  // What the guest calls it is its own affair.
  await must(as(b.PublicIpAddress), 'sudo ip link set ens6 down && sudo ip link set ens6 name mine && sudo ip link set mine up')
  await enclume.ec2('detach-network-interface', '--attachment-id', second)
  await attachment(undefined)
})

test('a further address answers soon after it was assigned, on each interface, and no more once it is taken away', { timeout: 300_000 }, async () => {
  const attached = await take(b)
  const first = b.NetworkInterfaces[0].NetworkInterfaceId
  const assign = async (id: string): Promise<string> => (await enclume.ec2('assign-private-ip-addresses', '--network-interface-id', id,
    '--secondary-private-ip-address-count', '1')).AssignedPrivateIpAddresses[0].PrivateIpAddress
  const [own, further] = [await assign(first), await assign(nic.NetworkInterfaceId)]
  for (const address of [own, further]) await eventually(() => greets(a, address), { what: `${address} answering`, timeoutMs: 20_000 })
  await enclume.ec2('associate-address', '--allocation-id', elastic.AllocationId, '--network-interface-id', nic.NetworkInterfaceId,
    '--private-ip-address', further, '--allow-reassociation')
  await sshReady(as(elastic.PublicIp))
  assert.match(await must(as(elastic.PublicIp), 'echo $SSH_CONNECTION'), new RegExp(` ${further.replaceAll('.', '\\.')} 22$`))
  const shown = () => must(as(b.PublicIpAddress), 'ip -o -4 address show; ip rule show')
  assert.ok((await shown()).includes(`from ${further} lookup 10001`))
  await enclume.ec2('unassign-private-ip-addresses', '--network-interface-id', first, '--private-ip-addresses', own)
  await eventually(async () => !(await shown()).includes(` ${own}/`), { what: `${own} gone from the guest`, timeoutMs: 20_000 })
  await enclume.ec2('detach-network-interface', '--attachment-id', attached)
  await attachment(undefined)
  await eventually(async () => !(await shown()).includes(' lookup 10001'), { what: 'the rules of what was detached gone', timeoutMs: 20_000 })
})

test('an Elastic IP survives stop and start, where Amazon\'s own address changes', { timeout: 300_000 }, async () => {
  await enclume.ec2('associate-address', '--allocation-id', elastic.AllocationId, '--instance-id', b.InstanceId)
  await sshReady(as(elastic.PublicIp))
  await enclume.ec2('stop-instances', '--instance-ids', a.InstanceId, b.InstanceId)
  for (const { InstanceId } of [a, b]) await enclume.state(InstanceId, 'stopped')
  await enclume.ec2('start-instances', '--instance-ids', a.InstanceId, b.InstanceId)
  const [other, same] = [await enclume.state(a.InstanceId, 'running'), await enclume.state(b.InstanceId, 'running')]
  assert.equal(same.PublicIpAddress, elastic.PublicIp)
  assert.notEqual(other.PublicIpAddress, a.PublicIpAddress)
  await Promise.all([sshReady(as(elastic.PublicIp)), sshReady(as(other.PublicIpAddress))])
  assert.equal(await must(as(elastic.PublicIp), 'cat /proc/sys/kernel/hostname'), b.PrivateDnsName.split('.')[0])
  a = other
  b = same
})

test('a packet from an address that is not the interface\'s own dies, until the source check is switched off', { timeout: 300_000 }, async () => {
  const [from, to] = [as(a.PublicIpAddress), as(b.PublicIpAddress)]
  await must(to, `nohup python3 -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 9000))
while True:
    data, (source, _) = s.recvfrom(100)
    print(data.decode(), source, file=open('/tmp/heard', 'a'), flush=True)" >/dev/null 2>&1 & sleep 0`)
  const spoofed = '172.31.15.200'
  await must(from, `sudo ip address add ${spoofed}/32 dev lo`)
  const send = (source: string, word: string) => must(from, `python3 -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('${source}', 0)); s.sendto(b'${word}', ('${b.PrivateIpAddress}', 9000))"`)
  const heard = () => must(to, 'cat /tmp/heard 2>/dev/null || true')
  // Each is sent again until the last is heard: the listener may not be up yet, and order is kept on one path.
  const until = (source: string, word: string) => eventually(async () => {
    await send(source, word)
    return (await heard()).includes(word)
  }, { what: `${word} heard`, timeoutMs: 20_000 })
  await until(a.PrivateIpAddress, 'honest')
  for (let n = 0; n < 3; n++) await send(spoofed, 'forged')
  await until(a.PrivateIpAddress, 'after')
  assert.ok(!(await heard()).includes('forged'))
  await enclume.ec2('modify-network-interface-attribute', '--no-source-dest-check',
    '--network-interface-id', a.NetworkInterfaces[0].NetworkInterfaceId)
  await until(spoofed, 'routed')
  assert.ok((await heard()).includes(`routed ${spoofed}`))
})
