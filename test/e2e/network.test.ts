/** Groups, names and metadata between real instances: packets are sent, not tables read. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Enclume, eventually, run, ssh, sshReady, type Login } from './enclume.ts'

let enclume: Enclume
let web: any
let app: any
let login: Login
let appLogin: Login
const groups: Record<string, string> = {}

const allow = (group: string, ...rule: string[]) => enclume.ec2('authorize-security-group-ingress', '--group-id', groups[group]!, ...rule)

before(async () => {
  enclume = await Enclume.up()
  const key = await enclume.keyPair('network')
  for (const name of ['net-web', 'net-app']) {
    groups[name] = (await enclume.ec2('create-security-group', '--group-name', name, '--description', name)).GroupId
    await allow(name, '--protocol', 'tcp', '--port', '22', '--cidr', `${enclume.hostAddress}/32`)
  }
  await allow('net-app', '--protocol', 'tcp', '--port', '8080', '--source-group', groups['net-web']!)
  const image = await enclume.image('debian-12')
  const launch = async (group: string, ...more: string[]) => (await enclume.ec2('run-instances', '--image-id', image, '--instance-type', 't3.nano',
    '--key-name', 'network', '--security-group-ids', groups[group]!, ...more)).Instances[0].InstanceId as string
  const metadata = 'HttpPutResponseHopLimit=1,HttpTokens=required,InstanceMetadataTags=enabled'
  const ids = [await launch('net-web'), await launch('net-app', '--metadata-options', metadata, '--tag-specifications',
    'ResourceType=instance,Tags=[{Key=Role,Value=app}]')]
  ;[web, app] = await Promise.all(ids.map(id => enclume.state(id, 'running')))
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
  const hop = (as: Login) => ssh(as, `sudo sh -c '
    ip netns add far; ip link add hop type veth peer name hop1 netns far; ip addr add 10.99.0.1/30 dev hop; ip link set hop up
    ip -n far addr add 10.99.0.2/30 dev hop1; ip -n far link set hop1 up; ip -n far route add default via 10.99.0.1
    sysctl -qw net.ipv4.ip_forward=1; iptables -t nat -A POSTROUTING -s 10.99.0.0/30 -j MASQUERADE
    nsenter --net=/run/netns/far curl -s -m 3 -o /dev/null -w "%{http_code}" -X PUT ${imds}/api/token -H "X-aws-ec2-metadata-token-ttl-seconds: 60"
    iptables -t nat -F; ip netns del far'`)
  assert.match((await hop(appLogin)).stdout, /000$/)
})
