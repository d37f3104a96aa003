/**
 * A guest that means harm, as root: the host and its neighbour stay well. Each attack is real and bounded; meanwhile the neighbour serves, its
 * metadata and its resolver answer it, and the API answers everybody.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { incusDir } from '#engine/incus/place'
import { Enclume, eventually, must, ssh, sshReady, type Login, type Outcome } from './enclume.ts'

/** A guest without memory may take long to answer again. */
const ATTACK = { timeout: 300_000 }
/** How long an attack goes on, in seconds. */
const SECONDS = 4

let enclume: Enclume
let attacker: any
let neighbour: any
let bad: Login
let good: Login
let group: string

before(async () => {
  enclume = await Enclume.up()
  const key = await enclume.keyPair('hostile')
  group = (await enclume.ec2('create-security-group', '--group-name', 'hostile', '--description', 'hostile')).GroupId
  for (const port of ['22', '8080'])
    await enclume.ec2('authorize-security-group-ingress', '--group-id', group, '--protocol', 'tcp', '--port', port, '--cidr', '0.0.0.0/0')
  const { Instances } = await enclume.ec2('run-instances', '--image-id', await enclume.image('debian-12'), '--instance-type', 't3.nano',
    '--count', '2', '--key-name', 'hostile', '--security-group-ids', group)
  ;[attacker, neighbour] = await Promise.all(Instances.map((one: any) => enclume.state(one.InstanceId, 'running')))
  bad = { key, user: 'admin', address: attacker.PublicIpAddress }
  good = { key, user: 'admin', address: neighbour.PublicIpAddress }
  await Promise.all([sshReady(bad), sshReady(good)])
  assert.equal((await ssh(good, 'nohup python3 -m http.server 8080 >/dev/null 2>&1 & sleep 0')).code, 0)
  await eventually(async () => (await fetch(`http://${good.address}:8080/`)).ok, { what: 'the neighbour\'s page', timeoutMs: 20_000 })
}, { timeout: 900_000 })

after(async () => {
  const ids = [attacker, neighbour].filter(Boolean).map(one => one.InstanceId)
  if (ids.length > 0) await enclume.aws('ec2', 'terminate-instances', '--instance-ids', ...ids)
  for (const id of ids) await enclume.state(id, 'terminated')
  await enclume.aws('ec2', 'delete-security-group', '--group-id', group)
  await enclume.aws('ec2', 'delete-key-pair', '--key-name', 'hostile')
  enclume?.close()
}, { timeout: 300_000 })

/** A program of the guest's root. */
const python = (login: Login, program: string): Promise<Outcome> =>
  ssh(login, `sudo timeout ${SECONDS * 5} python3 -c ${JSON.stringify(program).replaceAll('\\n', '\n').replaceAll('$', '\\$')}`, 90_000)

const METADATA = `T=$(curl -sf -m 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token) \
&& curl -sf -m 5 -H "X-aws-ec2-metadata-token: $T" http://169.254.169.254/latest/meta-data/instance-id`

/** Looks at the neighbour from outside, at the neighbour's own view, and at the API, until the attack is over. Answers what went wrong. */
async function during<T>(t: { diagnostic(text: string): void }, attack: Promise<T>): Promise<T> {
  let over = false
  const wrong: string[] = []
  let [answers, longestMs] = [0, 0]
  const watch = async (what: string, look: () => Promise<unknown>) => {
    while (!over) {
      const began = performance.now()
      await look().then(() => { answers++ }, (error: Error) => wrong.push(`${what}: ${error.message}`))
      longestMs = Math.max(longestMs, performance.now() - began)
      await pause(100)
    }
  }
  const watching = Promise.all([
    watch('web', async () => assert.equal((await fetch(`http://${good.address}:8080/`, { signal: AbortSignal.timeout(5000) })).status, 200)),
    watch('api', () => enclume.instance(neighbour.InstanceId)),
    watch('metadata', async () => assert.equal((await ssh(good, METADATA)).stdout, neighbour.InstanceId)),
    watch('names', async () => assert.match((await ssh(good, `getent ahostsv4 ${attacker.PrivateDnsName}`)).stdout, /^172\./)),
  ])
  const result = await attack.finally(() => { over = true })
  await watching
  t.diagnostic(`${answers} answers meanwhile, the longest after ${Math.round(longestMs)} ms`)
  assert.deepEqual(wrong, [])
  assert.ok(answers > 4)
  return result
}

test('a guest that wants all memory loses its own process', ATTACK, async t => {
  const { code } = await during(t, python(bad, 'b = bytearray(8 << 30)\nfor i in range(0, len(b), 4096): b[i] = 1'))
  assert.notEqual(code, 0)
  await sshReady(bad)
})

test('a guest that fills its disk fills its own', ATTACK, async t => {
  const pool = async () => {
    const lines = await must('df', ['--output=used', '--block-size=1M', join(incusDir(enclume.home), 'storage-pools/pool')])
    return Number(lines.split('\n')[1])
  }
  const before = await pool()
  const { stderr } = await during(t, ssh(bad,
    'sudo fallocate -l 100G /full; sudo sh -c "while fallocate -l 64M /f$((n=n+1)); do :; done"; df --output=avail /'))
  assert.match(stderr, /No space left on device/)
  assert.ok(await pool() - before < 512, `the pool has ${await pool()} MiB where it had ${before}`)
  assert.equal((await ssh(bad, 'sudo rm -f /full /f*; sudo touch /room && sudo rm /room')).code, 0)
})

test('requests to the metadata service are bounded for each interface', ATTACK, async t => {
  const { stdout } = await during(t, python(bad, `
import http.client, threading, time
end, seen, lock = time.time() + ${SECONDS}, {}, threading.Lock()
def ask():
    while time.time() < end:
        try:
            c = http.client.HTTPConnection('169.254.169.254', timeout=2)
            c.request('PUT', '/latest/api/token', headers={'X-aws-ec2-metadata-token-ttl-seconds': '60'})
            s = c.getresponse().status
        except OSError: s = 0
        with lock: seen[s] = seen.get(s, 0) + 1
ts = [threading.Thread(target=ask) for _ in range(24)]
[x.start() for x in ts]; [x.join() for x in ts]
print(sorted(seen.items()))`))
  t.diagnostic(`answers by status: ${stdout.trim()}`)
  assert.match(stdout, /\(200, \d+\)/)
})

test('floods of packets, to the neighbour and to everywhere, leave it reachable', ATTACK, async t => {
  const { stdout } = await during(t, python(bad, `
import socket, time, os
end, sent = time.time() + ${SECONDS}, 0
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while time.time() < end:
    for port in range(1024, 3024):
        for to in ('${neighbour.PrivateIpAddress}', '10.%d.%d.%d' % tuple(os.urandom(3)), '169.254.169.253'):
            try: u.sendto(b'x', (to, port)); sent += 1
            except OSError: pass
print(sent)`))
  t.diagnostic(`${stdout.trim()} packets`)
  assert.ok(Number(stdout) > 1000)
})

/** Questions for names that are and are not, and noise, to whoever answers names, leases and times there. */
const NOISE = `
import socket, struct, time, os
end, sent, heard = time.time() + ${SECONDS}, 0, 0
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.setblocking(False)
name = lambda text: b''.join(bytes([len(part)]) + part for part in text.encode().split(b'.')) + b'\\0'
ask = lambda text, kind: os.urandom(2) + bytes.fromhex('01000001000000000000') + name(text) + struct.pack('>HH', kind, 1)
while time.time() < end:
    for to in ('169.254.169.253', 'RESOLVER'):
        for data in (ask('NAME', 1), ask(os.urandom(9).hex() + '.example', 255), ask(os.urandom(9).hex() + '.ec2.internal', 1),
            os.urandom(40), ask('a.' * 60, 1)[:-9], bytes.fromhex('0001010000ff00ff00ff00ff') + b'\\xc0\\x0c' * 200):
            try: u.sendto(data, (to, 53)); sent += 1
            except OSError: pass
    try: u.sendto(os.urandom(300), ('RESOLVER', 67)); u.sendto(os.urandom(48), ('169.254.169.123', 123)); sent += 2
    except OSError: pass
    try:
        while True: u.recv(2000); heard += 1
    except OSError: pass
print(sent, heard)`

test('questions without end and noise, to the resolver and to the server of leases, keep no name from the neighbour', ATTACK, async t => {
  const { stdout, stderr } = await during(t, python(bad, NOISE.replaceAll('RESOLVER', '172.31.0.2').replaceAll('NAME', neighbour.PrivateDnsName)))
  t.diagnostic(`${stdout.trim()} sent and answered ${stderr.trim()}`)
  assert.ok(Number(stdout.split(' ')[0]) > 1000)
  const renewed = await ssh(good, `sudo networkctl renew ens5 && getent ahostsv4 ${attacker.PrivateDnsName}`)
  assert.equal(renewed.code, 0, renewed.stderr)
})

/** Raw frames: a name server's, a router's and a neighbour's, none of which the guest is. */
const LIES = `
import socket, struct, time, os
own = open('/sys/class/net/ens5/address').read().strip()
mac = lambda text: bytes.fromhex(text.replace(':', ''))
ip = socket.inet_aton
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); raw.bind(('ens5', 0))
def arp(says, sender, target):
    head = b'\\xff' * 6 + sender + struct.pack('>HHHBBH', 0x0806, 1, 0x0800, 6, 4, 2)
    return head + sender + ip(says) + b'\\xff' * 6 + ip(target)
def udp(source, to, sport, dport, data, sender):
    u = struct.pack('>HHHH', sport, dport, 8 + len(data), 0) + data
    h = struct.pack('>BBHHHBBH4s4s', 0x45, 0, 20 + len(u), 1, 0, 64, 17, 0, ip(source), ip(to))
    s = sum(struct.unpack('>10H', h)); s = (s & 0xffff) + (s >> 16); s = ~((s & 0xffff) + (s >> 16)) & 0xffff
    return b'\\xff' * 6 + sender + b'\\x08\\x00' + h[:10] + struct.pack('>H', s) + h[12:] + u
def discover(who):
    head = struct.pack('>BBBBIHH', 1, 1, 6, 0, int.from_bytes(os.urandom(4), 'big'), 0, 0x8000)
    return head + bytes(16) + who + bytes(10) + bytes(192) + bytes.fromhex('63825363350101ff')
end, sent = time.time() + ${SECONDS}, 0
while time.time() < end:
    for frame in (
        arp('NEIGHBOUR', mac(own), 'GATEWAY'), arp('GATEWAY', mac(own), 'NEIGHBOUR'), arp('NEIGHBOUR', mac('02:ec:00:00:ff:ff'), 'GATEWAY'),
        udp('0.0.0.0', '255.255.255.255', 68, 67, discover(b'\\x02\\xec' + os.urandom(4)), mac(own)),
        udp('0.0.0.0', '255.255.255.255', 68, 67, discover(mac('NEIGHBOURMAC')), mac('NEIGHBOURMAC')),
        udp('GATEWAY', '255.255.255.255', 67, 68, discover(mac(own)), mac(own)),
        udp('NEIGHBOUR', '169.254.169.254', 5000, 80, b'x', mac(own)),
    ):
        raw.send(frame); sent += 1
print(sent)`

test('who lies of its addresses takes nobody\'s traffic, and no leases', ATTACK, async t => {
  const gateway = (await ssh(bad, "ip -4 route show default | cut -d' ' -f3")).stdout.trim()
  const leases = () => readFileSync(join(enclume.home.run, 'net', '1', 'leases'), 'utf8').trim().split('\n').length
  const before = leases()
  const program = LIES.replaceAll('NEIGHBOURMAC', neighbour.NetworkInterfaces[0].MacAddress).replaceAll('NEIGHBOUR', neighbour.PrivateIpAddress)
    .replaceAll('GATEWAY', gateway)
  const { stdout, stderr } = await during(t, python(bad, program))
  t.diagnostic(`${stdout.trim()} frames ${stderr.trim()}`)
  assert.ok(Number(stdout) > 1000)
  assert.ok(leases() <= Math.max(before, 2), `${leases()} leases where there were ${before}`)
  assert.equal((await ssh(good, 'sudo dhclient -1 -v ens5 2>&1 | grep -c bound || sudo networkctl renew ens5')).code, 0)
  assert.equal((await enclume.instance(neighbour.InstanceId)).PrivateIpAddress, (await ssh(good, "hostname -I | cut -d' ' -f1")).stdout.trim())
})

test('what belongs to the host is neither read nor changed', ATTACK, async () => {
  const tricks: Record<string, string> = {
    'write the core pattern': 'echo "|/tmp/x" > /proc/sys/kernel/core_pattern',
    'pull the emergency brake': 'echo b > /proc/sysrq-trigger',
    'open the host\'s disk': 'mknod /tmp/d b 254 0 && head -c1 /tmp/d || { mknod /tmp/e b 7 0 && head -c1 /tmp/e; }',
    'read memory': 'mknod /tmp/m c 1 1 && head -c1 /tmp/m',
    'read kernel messages': 'mknod /tmp/k c 1 11 && timeout 2 head -c1 /tmp/k',
    'mount a device': 'mount /dev/loop0 /mnt',
    'mount debugfs': 'mount -t debugfs none /mnt',
    'mount securityfs': 'mount -t securityfs none /mnt',
    'load a module': 'printf x > /tmp/x.ko; insmod /tmp/x.ko',
    'set the clock': 'date -s 2001-01-01',
    'change the host\'s network': 'nsenter -t 1 -n ip link show en0h 2>/dev/null | grep en0h',
    'reach the daemon': 'test -e /dev/incus/sock || ls /var/lib/incus/unix.socket',
    'see other processes': 'ls /proc/*/exe -l 2>/dev/null | grep -E "incusd|dnsmasq|main.ts"',
    'raise a limit of its own': 'F=/sys/fs/cgroup/memory.max; test -e $F || F=/sys/fs/cgroup/memory/memory.limit_in_bytes; echo 8G > $F',
  }
  const done: string[] = []
  for (const [what, trick] of Object.entries(tricks)) {
    const { code } = await ssh(bad, `sudo sh -c ${JSON.stringify(trick).replaceAll('$', '\\$')}`)
    if (code === 0) done.push(what)
  }
  assert.deepEqual(done, [])
})

test('a fork bomb is held, and ends when its instance is stopped by force', ATTACK, async t => {
  await during(t, ssh(bad, `sudo sh -c 'b() { b | b & }; b' >/dev/null 2>&1 & sleep ${SECONDS}`, 15_000))
  await enclume.ec2('stop-instances', '--force', '--instance-ids', attacker.InstanceId)
  await enclume.state(attacker.InstanceId, 'stopped')
  await enclume.ec2('start-instances', '--instance-ids', attacker.InstanceId)
  const { PublicIpAddress } = await enclume.state(attacker.InstanceId, 'running')
  await sshReady({ ...bad, address: PublicIpAddress })
  assert.equal(await eventually(async () => (await ssh(good, 'echo well')).stdout, { what: 'the neighbour', timeoutMs: 10_000 }), 'well\n')
})
