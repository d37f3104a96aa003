/**
 * A virtual machine with a Debian as its installer leaves it (systemd, a kernel of its own, unified control groups, AppArmor), for trying there what
 * `up` does on a host that this one is not.
 *
 * Invariant: all of it is below one folder and one process; `end` takes both away. It reaches packages as this host does, and is reached by ssh on
 * loopback alone.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, globSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { mirrorOf } from '#launch/packages'
import { eventually, must, run, type Outcome } from '../e2e/enclume.ts'

export type Suite = 'bookworm' | 'trixie'

const PACKAGES = [
  'systemd-sysv', 'systemd-resolved', 'linux-image-amd64', 'openssh-server', 'ca-certificates', 'apparmor', 'dbus', 'iproute2', 'procps', 'curl',
  'nftables',
]
const DISK_GIB = 40
const MEMORY_MIB = 8192
/** A kernel under emulation says its first word within seconds, and greets within minutes. */
const [FIRST_WORD_MS, BOOT_MS] = [60_000, 600_000]
const NETWORK = '[Match]\\nName=en* eth*\\n[Network]\\nDHCP=yes\\n'

/** Its disk, kernel and key, made in `dir`. Some minutes, most of them the mirror's. */
export async function makeVm(dir: string, suite: Suite): Promise<void> {
  const file = (name: string) => join(dir, name)
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file('key')])
  const sources = globSync('/etc/apt/{sources.list,sources.list.d/*.{list,sources}}').map(path => readFileSync(path, 'utf8')).join('\n')
  const hooks = [
    `mkdir -p "$1/root/.ssh"; cp ${file('key.pub')} "$1/root/.ssh/authorized_keys"; chmod 700 "$1/root/.ssh"`,
    `printf '${NETWORK}' > "$1/etc/systemd/network/10-all.network"; chroot "$1" systemctl -q enable systemd-networkd ssh`,
    'echo host > "$1/etc/hostname"; echo "127.0.1.1 host" >> "$1/etc/hosts"; echo "/dev/vda / ext4 defaults 0 1" > "$1/etc/fstab"',
    // npm trusts there whom this host trusts: a company's proxy, say.
    'cp /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/certs/host-bundle.crt"; echo cafile=/etc/ssl/certs/host-bundle.crt > "$1/root/.npmrc"',
    `cp "$1"/boot/vmlinuz-* ${file('vmlinuz')}; cp "$1"/boot/initrd.img-* ${file('initrd')}`,
  ]
  await must('mmdebstrap', [
    '--quiet', '--mode=root', '--format=directory', '--variant=important', `--include=${PACKAGES.join(',')}`, '--aptopt=Acquire::Languages "none"',
    '--dpkgopt=force-unsafe-io', '--keyring=/usr/share/keyrings/debian-archive-keyring.gpg', ...hooks.map(hook => `--customize-hook=set -e; ${hook}`),
    suite, file('tree'), mirrorOf(sources),
  ], { timeoutMs: 1_800_000 })
  await must('truncate', ['-s', `${DISK_GIB}G`, file('disk.img')])
  await must('mkfs.ext4', ['-q', '-F', '-d', file('tree'), file('disk.img')], { timeoutMs: 600_000 })
  rmSync(file('tree'), { recursive: true })
}

export class Vm {
  readonly #dir: string
  readonly #port: number
  readonly #process: ChildProcess

  private constructor(dir: string, port: number, machine: ChildProcess) {
    this.#dir = dir
    this.#port = port
    this.#process = machine
  }

  /** Boots it, by the processor's own virtualisation where that works and by emulation elsewhere. Returns when it can be used. */
  static async boot(dir: string): Promise<Vm> {
    const port = await freePort()
    for (const accelerator of existsSync('/dev/kvm') ? ['kvm', 'tcg'] as const : ['tcg'] as const) {
      const vm = new Vm(dir, port, start(dir, { port, accelerator }))
      try {
        await vm.#firstWord()
        const booted = async () => (await vm.try('systemctl is-system-running --wait')).stdout.trim() !== ''
        await eventually(booted, { what: 'the host', timeoutMs: BOOT_MS })
        return vm
      } catch (error) {
        await vm.end()
        if (accelerator === 'tcg') throw error
      }
    }
    throw new Error('unreachable')
  }

  /** A /dev/kvm that is there may not run a kernel. */
  #firstWord(): Promise<unknown> {
    const said = () => existsSync(join(this.#dir, 'serial.log')) && /Linux version/.test(readFileSync(join(this.#dir, 'serial.log'), 'utf8'))
    const ended = () => this.#process.exitCode !== null || this.#process.signalCode !== null
    return eventually(async () => {
      if (ended()) return 'ended'
      return said() && 'said'
    }, { what: 'the kernel\'s first word', timeoutMs: FIRST_WORD_MS }).then(word => {
      if (word === 'ended') throw new Error(`the machine ended: ${readFileSync(join(this.#dir, 'qemu.log'), 'utf8').slice(-500)}`)
    })
  }

  /** Runs a command there by ssh. Its exit code is an answer. */
  try(command: string, timeoutMs = 60_000): Promise<Outcome> {
    return run('ssh', [...this.#options('-p'), 'root@127.0.0.1', command], { timeoutMs })
  }

  async must(command: string, timeoutMs?: number): Promise<string> {
    const { code, stdout, stderr } = await this.try(command, timeoutMs)
    if (code !== 0) throw new Error(`${command} ended with ${code}: ${stderr.slice(-2000)} ${stdout.slice(-2000)}`)
    return stdout
  }

  /** As its administrator would. */
  async reboot(): Promise<void> {
    const boot = async () => (await this.try('cat /proc/sys/kernel/random/boot_id')).stdout.trim()
    const before = await boot()
    await this.try('systemctl reboot')
    await eventually(async () => ![before, ''].includes(await boot()), { what: 'the host again', timeoutMs: BOOT_MS })
  }

  async copy(from: string, to: string): Promise<void> {
    await must('scp', [...this.#options('-P'), from, `root@127.0.0.1:${to}`], { timeoutMs: 300_000 })
  }

  /** As when the power goes. */
  async end(): Promise<void> {
    const gone = new Promise(resolve => this.#process.once('exit', resolve))
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.#process.kill('SIGKILL')
      await gone
    }
  }

  #options(port: '-p' | '-P'): string[] {
    const settings = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'ConnectTimeout=10', 'BatchMode=yes']
    return ['-i', join(this.#dir, 'key'), port, String(this.#port), ...settings.flatMap(setting => ['-o', setting])]
  }
}

/** What is emulated is what programs manage with: on all that QEMU can emulate, Node's compiler failed its own checks. */
const PROCESSORS = { kvm: 'host', tcg: 'Nehalem' }

function start(dir: string, { port, accelerator }: { port: number; accelerator: keyof typeof PROCESSORS }): ChildProcess {
  const file = (name: string) => join(dir, name)
  rmSync(file('serial.log'), { force: true })
  const output = openSync(file('qemu.log'), 'w')
  return spawn('qemu-system-x86_64', [
    '-machine', 'q35', '-accel', accelerator, '-cpu', PROCESSORS[accelerator], '-smp', '2', '-m', String(MEMORY_MIB),
    '-display', 'none', '-monitor', 'none', '-serial', `file:${file('serial.log')}`,
    '-kernel', file('vmlinuz'), '-initrd', file('initrd'), '-append', 'root=/dev/vda rw console=ttyS0 net.ifnames=0',
    '-drive', `file=${file('disk.img')},if=virtio,format=raw,discard=unmap`, '-device', 'virtio-rng-pci',
    '-netdev', `user,id=n,hostfwd=tcp:127.0.0.1:${port}-:22`, '-device', 'virtio-net-pci,netdev=n,romfile=',
  ], { stdio: ['ignore', output, output] })
}

function freePort(): Promise<number> {
  const server = createServer()
  return new Promise(resolve => server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    server.close(() => resolve(port))
  }))
}
