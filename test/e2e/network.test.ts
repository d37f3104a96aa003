/** Groups, names and metadata between real instances: packets are sent, not tables read. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { processes } from '#engine/incus/process'
import { Enclume, eventually, must, run, ssh, sshReady, type Login, type Outcome } from './enclume.ts'

let enclume: Enclume
let image: string
let web: any
let app: any
let login: Login
let appLogin: Login
const groups: Record<string, string> = {}

const launch = (group: string, ...more: string[]) => enclume.ec2('run-instances', '--image-id', image, '--instance-type', 't3.nano',
  '--key-name', 'network', '--security-group-ids', groups[group]!, ...more)
const allow = (group: string, ...rule: string[]) => enclume.ec2('authorize-security-group-ingress', '--group-id', groups[group]!, ...rule)

before(async () => {
  enclume = await Enclume.up()
  const key = await enclume.keyPair('network')
  for (const name of ['net-web', 'net-app']) {
    groups[name] = (await enclume.ec2('create-security-group', '--group-name', name, '--description', name)).GroupId
    await allow(name, '--protocol', 'tcp', '--port', '22', '--cidr', `${enclume.hostAddress}/32`)
  }
  await allow('net-app', '--protocol', 'tcp', '--port', '8080', '--source-group', groups['net-web']!)
  image = await enclume.image('debian-12')
  const metadata = 'HttpPutResponseHopLimit=1,HttpTokens=required,InstanceMetadataTags=enabled'
  const launched = [await launch('net-web'), await launch('net-app', '--metadata-options', metadata, '--tag-specifications',
    'ResourceType=instance,Tags=[{Key=Role,Value=app}]')]
  ;[web, app] = await Promise.all(launched.map(({ Instances }) => enclume.state(Instances[0].InstanceId, 'running')))
  login = { key, user: 'admin', address: web.PublicIpAddress }
  appLogin = { key, user: 'admin', address: app.PublicIpAddress }
  await Promise.all([sshReady(login), sshReady(appLogin)])
  const serve = 'nohup python3 -m http.server 8080 >/dev/null 2>&1 & sleep 0'
  assert.equal((await ssh(appLogin, serve)).code, 0)
}, { timeout: 900_000 })

after(async () => {
  const ids = [web, app].filter(Boolean).map(i => i.InstanceId)
  if (ids.length > 0) await enclume.aws('ec2', 'terminate-instances', '--instance-ids', ...ids)
  for (const { InstanceId } of [web, app].filter(Boolean)) await enclume.state(InstanceId, 'terminated')
  for (const id of Object.values(groups).reverse()) await enclume.aws('ec2', 'delete-security-group', '--group-id', id)
  await enclume.aws('ec2', 'delete-key-pair', '--key-name', 'network')
  enclume?.close()
})

const fetchFrom = async (from: Login, url: string): Promise<string> => {
  const { stdout } = await ssh(from, `curl -s -o /dev/null -m 3 -w '%{http_code} %{exitcode}' ${url}`)
  return stdout.trim()
}

test('a group that another group refers to lets its members in, by private address, and nobody else', async () => {
  assert.equal(await fetchFrom(login, `http://${app.PrivateIpAddress}:8080/`), '200 0')
  assert.equal((await run('curl', ['-s', '-m', '3', `http://${app.PublicIpAddress}:8080/`])).code, 28)
})

test('names inside the VPC: private names, public names that lead to private addresses, and those without a domain', async () => {
  const resolve = async (name: string) => (await ssh(login, `getent ahostsv4 ${name} | head -1 | cut -d' ' -f1`)).stdout.trim()
  assert.equal(await resolve(app.PrivateDnsName), app.PrivateIpAddress)
  assert.equal(await resolve(app.PublicDnsName), app.PrivateIpAddress)
  assert.equal(await resolve(app.PrivateDnsName.split('.')[0]), app.PrivateIpAddress)
})

test('a rule that goes keeps the connections that it let in, and lets no new one in', async () => {
  const listen = `nohup python3 -c "
import socket
s = socket.create_server(('', 9000)); c, _ = s.accept()
while True:
    d = c.recv(100)
    if not d: break
    c.sendall(d)" >/dev/null 2>&1 & sleep 0`
  assert.equal((await ssh(appLogin, listen)).code, 0)
  await allow('net-app', '--protocol', 'tcp', '--port', '9000', '--cidr', `${web.PrivateIpAddress}/32`)
  const client = `python3 -c "
import socket, sys, time
c = socket.create_connection(('${app.PrivateIpAddress}', 9000), 5)
c.sendall(b'one'); print(c.recv(100).decode(), flush=True)
sys.stdin.readline()
c.sendall(b'two'); print(c.recv(100).decode(), flush=True)
try:
    socket.create_connection(('${app.PrivateIpAddress}', 9000), 2); print('let in')
except TimeoutError: print('timed out')"`
  // The client waits for a file, which stands for the moment after the rule is gone.
  const script = client.replace('sys.stdin.readline()', "import os\nwhile not os.path.exists('/tmp/gone'): time.sleep(0.05)")
  const talking = ssh(login, script)
  await eventually(async () => (await ssh(appLogin, "ss -tn state established '( sport = :9000 )' | grep -c 9000")).stdout.trim() === '1',
    { what: 'the connection', timeoutMs: 15_000 })
  await enclume.ec2('revoke-security-group-ingress', '--group-id', groups['net-app']!, '--protocol', 'tcp', '--port', '9000',
    '--cidr', `${web.PrivateIpAddress}/32`)
  assert.equal((await ssh(login, 'touch /tmp/gone')).code, 0)
  assert.deepEqual((await talking).stdout.trim().split('\n'), ['one', 'two', 'timed out'])
})

test('a rule for everybody that goes takes its untracked connections along', async () => {
  assert.equal((await ssh(appLogin, 'nohup python3 -m http.server 9001 >/dev/null 2>&1 & sleep 0')).code, 0)
  await eventually(async () => (await ssh(appLogin, "ss -tln '( sport = :9001 )' | grep -c 9001")).code === 0,
    { what: 'a server', timeoutMs: 15_000 })
  const open = ['--protocol', 'tcp', '--port', '9001', '--cidr', '0.0.0.0/0']
  await allow('net-app', ...open)
  const client = `python3 -c "
import os, socket, time
c = socket.create_connection(('${app.PrivateIpAddress}', 9001), 5)
open('/tmp/connected', 'w').close()
while not os.path.exists('/tmp/closed'): time.sleep(0.05)
c.settimeout(3); c.sendall(b'GET / HTTP/1.0' + bytes([13, 10, 13, 10]))
try: print(c.recv(4).decode())
except TimeoutError: print('cut')"`
  const talking = ssh(login, client)
  await eventually(async () => (await ssh(login, 'test -e /tmp/connected')).code === 0, { what: 'the connection', timeoutMs: 15_000 })
  await enclume.ec2('revoke-security-group-ingress', '--group-id', groups['net-app']!, ...open)
  assert.equal((await ssh(login, 'touch /tmp/closed')).code, 0)
  assert.equal((await talking).stdout.trim(), 'cut')
})

test('ICMP passes once a rule allows it', async () => {
  const ping = async () => (await ssh(login, `ping -c 1 -W 2 ${app.PrivateIpAddress} >/dev/null 2>&1; echo $?`)).stdout.trim()
  assert.notEqual(await ping(), '0')
  await allow('net-app', '--ip-permissions', `IpProtocol=icmp,FromPort=8,ToPort=-1,IpRanges=[{CidrIp=${web.PrivateIpAddress}/32}]`)
  await eventually(async () => await ping() === '0', { what: 'a ping', timeoutMs: 10_000 })
})

test('metadata: tags when enabled, refusals as AWS\'s, another network namespace is past hop limit 1', async () => {
  const imds = 'http://169.254.169.254/latest'
  const token = `TOKEN=$(curl -s -m 3 -X PUT ${imds}/api/token -H 'X-aws-ec2-metadata-token-ttl-seconds: 60')`
  const { stdout } = await ssh(appLogin, `${token}
    curl -s -H "X-aws-ec2-metadata-token: $TOKEN" ${imds}/meta-data/tags/instance/Role; echo
    curl -s -o /dev/null -w '%{http_code}\\n' -X PUT ${imds}/api/token
    curl -s -o /dev/null -w '%{http_code}\\n' -X PUT ${imds}/api/token -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' -H 'X-Forwarded-For: 1.2.3.4'
    curl -s -H "X-aws-ec2-metadata-token: $TOKEN" ${imds}/dynamic/instance-identity/document | grep -c ${app.InstanceId}`)
  assert.deepEqual(stdout.trim().split('\n'), ['app', '400', '403', '1'])
  // A namespace behind the instance's own, as containers on it have.
  const hop = (as: Login) => ssh(as, `sudo sh -c '
    unshare --net sleep 30 & far=$!
    until [ "$(readlink /proc/$far/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do :; done
    ip link add h$far type veth peer name far netns $far; ip addr add 10.99.0.1/30 dev h$far; ip link set h$far up
    in="nsenter --target $far --net"
    $in ip addr add 10.99.0.2/30 dev far; $in ip link set far up; $in ip route add default via 10.99.0.1
    sysctl -qw net.ipv4.ip_forward=1; iptables -t nat -A POSTROUTING -s 10.99.0.0/30 -j MASQUERADE
    $in dig +short +time=5 @169.254.169.253 ${app.PrivateDnsName} | tr "\\n" " "
    $in curl -s -m 3 -o /dev/null -w "%{http_code}" -X PUT ${imds}/api/token -H "X-aws-ec2-metadata-token-ttl-seconds: 60"
    iptables -t nat -F; kill $far'`)
  // What has no hop limit of its own, the resolver, answers there by the same way each time.
  const { PrivateIpAddress: own } = app
  assert.equal((await hop(appLogin)).stdout, `${own} 000`)
  for (const [limit, code] of [['2', '200'], ['1', '000']] as const) {
    await enclume.ec2('modify-instance-metadata-options', '--instance-id', app.InstanceId, '--http-put-response-hop-limit', limit)
    let last: Outcome | undefined
    const reached = async () => (last = await hop(appLogin)).stdout === `${own} ${code}`
    await eventually(reached, { what: `metadata at limit ${limit}`, timeoutMs: 15_000 }).catch(() => assert.fail(JSON.stringify(last)))
  }
})

/** Every way that these tests have into the instances. */
const works = async (): Promise<boolean> => await fetchFrom(login, `http://${app.PrivateIpAddress}:8080/`) === '200 0'
const spaceOf = (name: string) => `${enclume.home.prefix}-${name}`
/** Routers with a port of an instance: others are made again when they get one. */
const used = async () => {
  const found = await routers()
  const links = await Promise.all(found.map(name => must('ip', ['-n', name, '-oneline', 'link'])))
  return found.filter((_, i) => / e\d+-\d+[@:]/.test(links[i]!))
}
const routers = async () => (await must('ip', ['netns', 'list'])).match(new RegExp(`^${spaceOf('n')}\\d+`, 'gm')) ?? []

test('every dnsmasq killed is brought back: a lease is renewed, a new instance gets one, names resolve, and nothing else notices', {
  timeout: 300_000,
}, async () => {
  const daemons = () => processes(`--conf-file=${enclume.home.run}/net/`)
  const [killed, leased] = [daemons(), leaseOf(web.PrivateIpAddress)]
  assert.ok(killed.length >= 2, 'the host\'s and a router\'s')
  for (const pid of killed) process.kill(pid, 'SIGKILL')
  const { Instances: [{ InstanceId }] } = await launch('net-app')
  const back = async () => daemons().filter(pid => !killed.includes(pid)).length === killed.length
  await eventually(back, { what: 'as many as before', timeoutMs: 30_000 })
  assert.ok(await works())
  await ssh(login, 'sudo networkctl renew ens5')
  await eventually(async () => leaseOf(web.PrivateIpAddress) > leased, { what: 'a renewed lease', timeoutMs: 30_000 })
  const fresh = await enclume.state(InstanceId, 'running')
  await sshReady({ ...login, address: fresh.PublicIpAddress }, 180_000)
  assert.ok(leaseOf(fresh.PrivateIpAddress) > leased)
  for (const address of [web.PublicIpAddress, fresh.PublicIpAddress]) {
    assert.equal((await ssh({ ...login, address }, `getent ahostsv4 ${app.PrivateDnsName}`)).stdout.split(' ')[0], app.PrivateIpAddress)
  }
  await enclume.ec2('terminate-instances', '--instance-ids', InstanceId)
  await enclume.state(InstanceId, 'terminated')
})

/** When the lease of an address ends, in seconds; 0 without one. */
function leaseOf(address: string): number {
  const files = readdirSync(join(enclume.home.run, 'net')).map(name => join(enclume.home.run, 'net', name, 'leases')).filter(existsSync)
  const lines = files.flatMap(file => readFileSync(file, 'utf8').split('\n')).map(line => line.split(' '))
  return Number(lines.find(words => words[2] === address)?.[0] ?? 0)
}

test('the core, deleted by hand under running instances, is made again; connections inside the VPC outlive it', { timeout: 200_000 }, async () => {
  const began = (await ssh(login, 'cut -d" " -f22 /proc/1/stat')).stdout
  const talking = ssh(appLogin, `python3 -c "
import socket
s = socket.create_server(('', 9002)); c, _ = s.accept(); d = c.recv(9); c.sendall(d)" >/dev/null 2>&1 & sleep 0`)
  assert.equal((await talking).code, 0)
  await allow('net-app', '--protocol', 'tcp', '--port', '9002', '--source-group', groups['net-web']!)
  const held = `nohup python3 -c "
import os, socket, time
for n in range(100):
    try: c = socket.create_connection(('${app.PrivateIpAddress}', 9002), 5); break
    except ConnectionRefusedError: time.sleep(0.05)
open('/tmp/holding', 'w').close()
while not os.path.exists('/tmp/go-on'): time.sleep(0.05)
c.settimeout(5); c.sendall(b'still'); open('/tmp/heard', 'w').write(c.recv(9).decode())" >/dev/null 2>&1 & sleep 0`
  assert.equal((await ssh(login, held)).code, 0)
  await eventually(async () => (await ssh(login, 'test -e /tmp/holding')).code === 0, { what: 'a connection', timeoutMs: 15_000 })
  await must('ip', ['netns', 'del', spaceOf('core')])
  await eventually(works, { what: 'the instances again', timeoutMs: 50_000 })
  await ssh(login, 'touch /tmp/go-on')
  await eventually(async () => (await ssh(login, 'cat /tmp/heard')).stdout === 'still', { what: 'the old connection', timeoutMs: 15_000 })
  assert.equal((await ssh(login, 'cut -d" " -f22 /proc/1/stat')).stdout, began, 'nothing was booted')
})

test('a router, deleted by hand under running instances, is made again, and they get their devices back', { timeout: 300_000 }, async () => {
  const began = (await ssh(login, 'cut -d" " -f22 /proc/1/stat')).stdout
  const before = await used()
  for (const router of before) await must('ip', ['netns', 'del', router])
  // The old one goes on as long as a process is in it.
  await eventually(async () => (await used()).join() === before.join(), { what: 'the router', timeoutMs: 50_000 })
  await eventually(works, { what: 'the instances again', timeoutMs: 200_000 })
  assert.equal((await ssh(login, 'cut -d" " -f22 /proc/1/stat')).stdout, began, 'nothing was booted')
})
