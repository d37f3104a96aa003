/** Plain Incus on the same daemon, with the root file system of the AMI `debian-12-ec2`: what launches are measured against. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { incusDir } from '#engine/incus/place'
import { must, type Enclume } from '../../e2e/enclume.ts'

const NAME = 'bench-reference'

export type Plain = {
  /** Answers when `incus launch` does. */
  launch(name?: string): Promise<void>
  /** The same with `incus copy` of one that is off, and a start: how plain Incus makes another of what was configured once. */
  copy(from: string, name: string): Promise<void>
  stop(name: string): Promise<void>
  remove(name?: string): Promise<void>
  /** A volume of Incus's own with random data in it, of so many MiB. */
  volume(name: string, mib: number): Promise<void>
  /** Gives an instance that runs the volume. */
  attach(volume: string, name?: string): Promise<void>
  snapshotVolume(volume: string): Promise<void>
  snapshot(name?: string): Promise<void>
  /** Which no instance has any more. */
  removeVolume(name: string): Promise<void>
  close(): Promise<void>
}

export async function openPlain({ home }: Enclume): Promise<Plain> {
  // The client reads more configuration from a standard input that is no terminal, and waits for its end.
  const incus = (...args: string[]) => must('sh', ['-c', 'exec incus "$@" </dev/null', 'sh', ...args], {
    env: { ...process.env, INCUS_DIR: incusDir(home) },
  })
  const dir = mkdtempSync(join(tmpdir(), 'enclume-bench-'))
  try {
    const volumes = await incus('storage', 'volume', 'list', 'pool', '--format', 'csv', '--columns', 'n')
    const name = volumes.split('\n').find(volume => volume.startsWith('image-debian-12-ec2'))!
    const file = join(incusDir(home), 'storage-pools/pool/custom', `default_${name}`, 'root.img')
    await must('mkdir', ['-p', join(dir, 'root')])
    await must('mount', ['-o', 'ro,loop,noload', file, join(dir, 'root')])
    try {
      writeFileSync(join(dir, 'metadata.yaml'), 'architecture: x86_64\ncreation_date: 1767225600\n')
      await must('tar', ['-C', dir, '-cf', join(dir, 'metadata.tar'), 'metadata.yaml'])
      await must('mksquashfs', [join(dir, 'root'), join(dir, 'root.squashfs'), ...'-noI -noD -noF -noX -quiet -no-progress'.split(' ')])
    } finally {
      await must('umount', [join(dir, 'root')])
    }
    await incus('image', 'import', join(dir, 'metadata.tar'), join(dir, 'root.squashfs'), '--alias', NAME)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
  // Plain Incus gives an instance a network interface too: the cheapest that there is, a pair of devices without a bridge.
  await incus('profile', 'create', NAME)
  await incus('profile', 'device', 'add', NAME, 'eth0', 'nic', 'nictype=p2p', 'name=eth0')
  return {
    async launch(name = NAME) {
      await incus('launch', NAME, name, '--quiet', '--storage', 'pool', '--profile', NAME,
        '--config', 'security.idmap.isolated=true', '--config', 'security.guestapi=false')
    },
    async copy(from, name) {
      await incus('copy', from, name, '--instance-only', '--quiet')
      await incus('start', name)
    },
    async stop(name) { await incus('stop', '--force', name) },
    async remove(name = NAME) { await incus('delete', '--force', name) },
    async volume(name, mib) {
      await incus('storage', 'volume', 'create', 'pool', name)
      const file = join(incusDir(home), 'storage-pools/pool/custom', `default_${name}`, 'data')
      await must('dd', ['if=/dev/urandom', `of=${file}`, 'bs=1M', `count=${mib}`, 'oflag=direct', 'status=none'])
    },
    async attach(volume, name = NAME) { await incus('config', 'device', 'add', name, 'data', 'disk', 'pool=pool', `source=${volume}`, 'path=/mnt') },
    async snapshotVolume(volume) { await incus('storage', 'volume', 'snapshot', 'create', 'pool', volume, 'one') },
    async snapshot(name = NAME) { await incus('snapshot', 'create', name, 'one') },
    async removeVolume(name) { await incus('storage', 'volume', 'delete', 'pool', name) },
    async close() {
      await incus('image', 'delete', NAME)
      await incus('profile', 'delete', NAME)
    },
  }
}
