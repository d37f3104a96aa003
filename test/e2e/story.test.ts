/** The course's story, from key pair to termination, by the AWS CLI, ssh and curl on the real engine. */
import assert from 'node:assert/strict'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { after, before, test } from 'node:test'
import { Enclume, eventually, run, ssh, sshReady, traces, visit, type Login } from './enclume.ts'

/** A second address of the host's, for being somebody else. TEST-NET-2 of RFC 5737. */
const STRANGER = '198.51.100.7'

let enclume: Enclume
let login: Login
let id: string
let group: string
let before0: Set<string>

before(async () => {
  enclume = await Enclume.up()
  await run('ip', ['address', 'replace', `${STRANGER}/32`, 'dev', 'lo'])
  before0 = new Set(Object.values(await traces(enclume.home)).flat())
}, { timeout: 900_000 })

after(async () => {
  await run('ip', ['address', 'delete', `${STRANGER}/32`, 'dev', 'lo'])
  if (id) await enclume.aws('ec2', 'terminate-instances', '--instance-ids', id)
  enclume?.close()
})

test('a key pair, and a group for a web application: SSH from one address, HTTP and HTTPS from everywhere', async () => {
  const key = await enclume.keyPair('votre-cle')
  login = { key, user: 'ec2-user', address: '' }
  group = (await enclume.ec2('create-security-group', '--group-name', 'web', '--description', 'Application web')).GroupId
  const allow = (port: string, cidr: string) =>
    enclume.ec2('authorize-security-group-ingress', '--group-id', group, '--protocol', 'tcp', '--port', port, '--cidr', cidr)
  await allow('22', `${enclume.hostAddress}/32`)
  await allow('80', '0.0.0.0/0')
  await allow('443', '0.0.0.0/0')
  const { SecurityGroups } = await enclume.ec2('describe-security-groups', '--group-ids', group)
  assert.deepEqual(SecurityGroups[0].IpPermissions.map((p: any) => [p.FromPort, p.IpRanges[0].CidrIp]).sort(),
    [[22, `${enclume.hostAddress}/32`], [443, '0.0.0.0/0'], [80, '0.0.0.0/0']])
})

test('run-instances with the course\'s user data: running, status ok, Hello World', async () => {
  copyFileSync(fileURLToPath(new URL('data/course-user-data.sh', import.meta.url)), join(enclume.dir, 'script.sh'))
  const launched = await enclume.ec2('run-instances', '--image-id', await enclume.image('debian-12-ec2'), '--instance-type', 't2.micro',
    '--key-name', 'votre-cle', '--security-group-ids', group, '--user-data', 'file://script.sh')
  id = launched.Instances[0].InstanceId
  await enclume.ec2('wait', 'instance-running', '--instance-ids', id)
  await enclume.ec2('wait', 'instance-status-ok', '--instance-ids', id)
  login.address = (await enclume.instance(id)).PublicIpAddress
  await sshReady(login)
  const page = await eventually(async () => {
    const seen = await visit(`http://${login.address}/`)
    return seen !== 'refused' && seen
  }, { what: 'the page', timeoutMs: 300_000 })
  assert.equal(page, 'Hello World from EC2!')
})

test('inside, the instance is what was asked for, and the metadata service wants a token', async () => {
  const { stdout: size } = await ssh(login, 'nproc; free -m | awk \'/^Mem/ {print $2}\'; df -BG --output=size / | tail -1; hostname')
  const [cpus, memory, disk, host] = size.trim().split('\n').map(line => line.trim())
  assert.equal(cpus, '1')
  assert.ok(Math.abs(Number(memory) - 1024) < 32, memory)
  assert.equal(disk, '8G')
  assert.equal(host, `ip-${(await enclume.instance(id)).PrivateIpAddress.replaceAll('.', '-')}`)
  const imds = 'http://169.254.169.254/latest'
  const { stdout: metadata } = await ssh(login, `
    curl -s -o /dev/null -w '%{http_code}\\n' ${imds}/meta-data/instance-id
    TOKEN=$(curl -s -X PUT ${imds}/api/token -H 'X-aws-ec2-metadata-token-ttl-seconds: 60')
    for path in instance-id public-ipv4 instance-type security-groups; do
      curl -s -H "X-aws-ec2-metadata-token: $TOKEN" ${imds}/meta-data/$path; echo
    done`)
  assert.deepEqual(metadata.trim().split('\n'), ['401', id, login.address, 't2.micro', 'web'])
})

test('every command of the course\'s troubleshooting chapter runs', async () => {
  const runs = async (command: string, wanted: RegExp) => {
    const { code, stdout, stderr } = await ssh(login, command)
    assert.equal(code, 0, `${command}: ${stderr}`)
    assert.match(stdout, wanted, command)
  }
  await runs('ps aux | grep node', /node index\.js/)
  await runs('sudo netstat -tuln | grep 80', /:80 /)
  await runs('ss -tuln', /:80 /)
  await runs('sudo iptables -L', /Chain INPUT/)
  await runs('sudo systemctl status ssh --no-pager', /active \(running\)/)
  await runs('tail /home/ec2-user/myapp/index.js', /Server running on port 80/)
  await runs('curl -s http://169.254.169.254/ -o /dev/null -w "%{http_code}"', /401|200/)
  // No firewalld is installed, as on Amazon's own images: systemctl says so, and nothing else happens.
  const { code } = await ssh(login, 'sudo systemctl stop firewalld')
  assert.ok(code === 0 || code === 5, `systemctl stop firewalld ended with ${code}`)
})

test('a group that does not allow a port lets it time out; an allowed port where nothing listens refuses', async () => {
  assert.equal(await visit(`http://${login.address}:8080/`), 'timed out')
  assert.equal((await ssh({ ...login, from: STRANGER }, 'true')).code, 255)
  assert.equal(await visit(`https://${login.address}/`), 'refused')
  assert.equal((await ssh(login, 'sudo pkill -x node')).code, 0)
  await eventually(async () => await visit(`http://${login.address}/`) === 'refused', { what: 'port 80 refused', timeoutMs: 20_000 })
})

test('stop and start: files and the private address are kept, the public address is another', async () => {
  const first = await enclume.instance(id)
  assert.equal((await ssh(login, 'echo kept > note')).code, 0)
  await enclume.ec2('stop-instances', '--instance-ids', id)
  await enclume.state(id, 'stopped')
  assert.equal((await enclume.instance(id)).PublicIpAddress, undefined)
  await enclume.ec2('start-instances', '--instance-ids', id)
  const second = await enclume.state(id, 'running')
  assert.equal(second.PrivateIpAddress, first.PrivateIpAddress)
  assert.notEqual(second.PublicIpAddress, first.PublicIpAddress)
  login.address = second.PublicIpAddress
  await sshReady(login)
  assert.equal((await ssh(login, 'cat note')).stdout, 'kept\n')
  // User data ran once for this instance; the server that it started in the foreground does not come back by itself.
  assert.equal(await visit(`http://${login.address}/`), 'refused')
})

test('the console output is the boot\'s', async () => {
  const { Output } = await enclume.ec2('get-console-output', '--instance-id', id)
  assert.match(Output, /systemd|login:|cloud-init/i)
})

test('reboot and shutdown typed inside are a reboot and a stop', async () => {
  const boot = (await ssh(login, 'cat /proc/1/stat | cut -d" " -f22')).stdout
  await ssh(login, 'sudo systemctl reboot')
  await eventually(async () => {
    const { code, stdout } = await ssh(login, 'cat /proc/1/stat | cut -d" " -f22')
    return code === 0 && stdout !== boot
  }, { what: 'the reboot', timeoutMs: 60_000 })
  assert.equal((await enclume.instance(id)).State.Name, 'running')
  await ssh(login, 'sudo shutdown -h now')
  const stopped = await enclume.state(id, 'stopped')
  assert.equal(stopped.StateReason.Code, 'Client.InstanceInitiatedShutdown')
})

test('terminate: gone, and nothing is left on the host', async () => {
  const root = (await enclume.instance(id)).BlockDeviceMappings[0].Ebs.VolumeId
  await enclume.ec2('terminate-instances', '--instance-ids', id)
  await enclume.ec2('wait', 'instance-terminated', '--instance-ids', id)
  // What was there before may have been another test's, and gone by now.
  const left = async () => Object.values(await traces(enclume.home)).flat().filter(trace => !before0.has(trace))
  await eventually(async () => (await left()).length === 0, { what: 'no traces', timeoutMs: 30_000 })
  assert.match((await enclume.aws('ec2', 'describe-volumes', '--volume-ids', root)).stderr, /InvalidVolume\.NotFound/)
  await enclume.ec2('delete-security-group', '--group-id', group)
})
