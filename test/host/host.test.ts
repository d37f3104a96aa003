/**
 * Enclume on a host as most have it and this one may not be: a Debian with systemd, AppArmor, a kernel of its own and unified control groups, in a
 * virtual machine. ENCLUME_HOST names the suite (trixie, bookworm), ENCLUME_HOST_FILES the files of end-to-end tests that are run there,
 * ENCLUME_HOST_DIR a folder where the machine is kept for another run.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { after, before, test } from 'node:test'
import { eventually, must } from '../e2e/enclume.ts'
import { makeVm, Vm, type Suite } from './vm.ts'

const SUITE = (process.env.ENCLUME_HOST ?? 'trixie') as Suite
const FILES = (process.env.ENCLUME_HOST_FILES ?? 'story,full').split(',')
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const HOUR = 3_600_000
/** What end-to-end tests use, as ./enclume test installs it. */
const CLIENTS = 'awscli python3-awscrt busybox iputils-ping curl openssl'
/** What an Enclume could leave on its host, but for packages and what they bring. */
const TRACES = [
  'nft list tables', 'ip -brief address show | grep -v ^eth0', 'ip netns list', 'ip route show | grep -v eth0', 'losetup --list',
  'cat /proc/sys/net/ipv4/ip_forward /proc/sys/fs/inotify/max_user_instances /proc/sys/kernel/keys/maxkeys', 'grep -e enclume -e incus /proc/mounts',
  'systemctl list-units --no-legend --plain "run-*.scope"', 'pgrep -a "incusd|dnsmasq"; ls -d /sys/fs/cgroup/lxc.payload* 2>&1',
  'ls -A /var/lib/enclume /run/enclume-0 /run/systemd/network 2>&1',
].join('; echo; ')

const kept = process.env.ENCLUME_HOST_DIR
const dir = kept ?? mkdtempSync(join(tmpdir(), 'enclume-host-'))
let vm: Vm | undefined
let traces: string
const here = (): Vm => vm!

before(async () => {
  if (!existsSync(join(dir, 'disk.img'))) await makeVm(dir, SUITE)
  const archive = join(dir, 'enclume.tar.gz')
  await must('sh', ['-c', `git -C ${ROOT} ls-files -z --cached --others --exclude-standard | tar -C ${ROOT} --null -T - -czf ${archive}`])
  vm = await Vm.boot(dir)
  await here().copy(archive, 'enclume.tar.gz')
  await here().must('mkdir -p enclume && tar -C enclume -xzf enclume.tar.gz && apt-get -q update', HOUR)
}, { timeout: HOUR })

after(async () => {
  await vm?.end()
  if (kept === undefined) rmSync(dir, { recursive: true, force: true })
})

test('it is such a host', async () => {
  assert.equal((await here().must('stat -fc %T /sys/fs/cgroup')).trim(), 'cgroup2fs')
  assert.equal((await here().must('cat /sys/module/apparmor/parameters/enabled')).trim(), 'Y')
  assert.equal((await here().must('ps -o comm= -p 1')).trim(), 'systemd')
})

test('one command sets it up, and says what to do next', { timeout: HOUR }, async () => {
  await here().must('cd enclume && ./enclume help', HOUR)
  traces = (await here().try(TRACES)).stdout
  const said = await here().must('cd enclume && ./enclume up', HOUR)
  assert.match(said, /Enclume is up\.[^]*endpoint +http:\/\/127\.0\.0\.1:4566/)
  assert.match(await here().must('cd enclume && ./enclume status'), /running/)
})

test('what runs outlasts the login that started it, and limits stay where systemd manages the tree', async () => {
  const groups = await here().must('cat $(pgrep -f "[i]ncusd --logfile|[s]rc/main.ts|[s]torage.py" | sed "s|.*|/proc/&/cgroup|")')
  for (const group of groups.trim().split('\n')) assert.match(group, /^0::\/system\.slice\/run-/)
  await here().must('systemctl daemon-reload')
  const controllers = (await here().must('cat /sys/fs/cgroup/cgroup.subtree_control')).trim().split(' ')
  for (const controller of ['cpu', 'io', 'memory', 'pids']) assert.ok(controllers.includes(controller), controllers.join(' '))
})

test('the end-to-end tests', async t => {
  await here().must(`DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install ${CLIENTS}`, HOUR)
  for (const name of FILES) {
    await t.test(basename(name), { timeout: HOUR }, async () => {
      const settings = 'ENCLUME_HOME=/var/lib/enclume ENCLUME_TEST_SLOT=0 ENCLUME_TEST_AWS=/usr/bin/aws ENCLUME_TEST_FORKS=1'
      const { code, stdout } = await here().try(`cd enclume && env ${settings} node_modules/.bin/node --test test/e2e/${name}.test.ts`, HOUR)
      assert.equal(code, 0, stdout.slice(-6000))
      assert.match(stdout, /^ℹ pass [1-9]/m)
    })
  }
})

test('after a boot of the host `up` brings back what ran, with its files and addresses', { timeout: HOUR }, async () => {
  const aws = 'cd enclume && eval "$(./enclume env)" && aws --output text ec2'
  const described = `${aws} describe-instances --filters Name=tag:Name,Values=boot --query`
  const shown = async (what: string) => (await here().must(`${described} 'Reservations[].Instances[].${what}'`, HOUR)).trim()
  await here().must(`${aws} create-key-pair --key-name boot --query KeyMaterial > ../boot.pem && chmod 600 ../boot.pem`)
  await here().must(`${aws} authorize-security-group-ingress --group-name default --protocol tcp --port 22 --cidr 0.0.0.0/0`)
  const image = (await here().must(`${aws} describe-images --filters Name=name,Values=debian-12 --query 'Images[].ImageId'`)).trim()
  const tags = 'ResourceType=instance,Tags=[{Key=Name,Value=boot}]'
  await here().must(`${aws} run-instances --image-id ${image} --instance-type t3.micro --key-name boot --tag-specifications '${tags}'`)
  const ssh = async (command: string) => {
    const address = await shown('PublicIpAddress')
    const options = '-i boot.pem -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=10'
    return eventually(async () => {
      const { code, stdout } = await here().try(`ssh ${options} admin@${address} '${command}'`)
      return code === 0 && { stdout }
    }, { what: command, timeoutMs: HOUR / 4 })
  }
  await ssh('echo kept > note && sync')
  const before = await shown('[InstanceId,PrivateIpAddress]')
  await here().reboot()
  await here().must('cd enclume && ./enclume up', HOUR)
  assert.equal((await ssh('cat note')).stdout, 'kept\n')
  assert.equal(await shown('[InstanceId,PrivateIpAddress]'), before)
})

test('after a reset nothing is left', { timeout: HOUR }, async () => {
  await here().must('cd enclume && ./enclume reset --yes', HOUR)
  assert.equal((await here().try(TRACES)).stdout, traces)
})
