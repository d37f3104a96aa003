/** Disks that came from elsewhere as roots of machines, on the real host: a usual one with partitions, and those that are none or mean harm. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { NO_SYSTEM } from '#engine/port'
import { diskVolume, volumeFile } from '#engine/disk/layout'
import { run } from '#engine/disk/run'
import { ebs, openBench } from '#engine/disk/volumes.suite'

const [A, B] = ['i-0000000000000000a', 'i-0000000000000000b']
let bench: Awaited<ReturnType<typeof openBench>>
const work = mkdtempSync(join(tmpdir(), 'enclume-system-'))
before(async () => { bench = await openBench() })
after(async () => {
  await bench.close()
  rmSync(work, { recursive: true })
})
const fileOf = (disk: string) => volumeFile(bench.home, diskVolume(disk))

test('the root of a disk with partitions starts as a machine, with its files, all of the disk its own', async () => {
  await bench.machine(A)
  await bench.disk('vol-raw', 3)
  await bench.machines.attachDisk(A, ebs('vol-raw', 'xvdf'))
  await bench.shell(A, `printf 'label: gpt\\n,100M,U\\n,200M\\n,\\n' | sfdisk -q /dev/xvdf
    mkfs.ext4 -q /dev/xvdf2; mkfs.ext4 -q /dev/xvdf3; mkdir /mnt/new; mount /dev/xvdf3 /mnt/new
    cp -ax /. /mnt/new; rm -f /mnt/new/etc/systemd/network/* /mnt/new/usr/libexec/ec2-network; echo kept > /mnt/new/root/file
    rm /mnt/new/etc/systemd/system/local-fs.target.wants/volumes.service
    printf 'UUID=a / ext4 defaults 0 1\\nUUID=b /boot/efi vfat defaults 0 1\\ntmpfs /scratch tmpfs size=1m 0 0\\n' > /mnt/new/etc/fstab
    mkdir /mnt/new/scratch; umount /mnt/new`)
  await bench.machines.detachDisk(A, 'vol-raw', { force: false })
  await bench.disk('snap-system', 3, { system: 'vol-raw' })
  // Once more, as after a crash: it is there already.
  await bench.disk('snap-system', 3, { system: 'vol-raw' })
  await bench.disk('vol-root', 3, { disk: 'snap-system' })
  await bench.machines.create({ id: B, cpus: 1, memoryMiB: 512, rootDisk: 'vol-root', ports: [], disks: [] })
  try {
    await bench.start(B)
    const said = await bench.shell(B, `cat /root/file; df --output=size -BG / | tail -n 1; findmnt -no SIZE /scratch; cat /etc/fstab
      systemctl is-enabled ec2-network`)
    assert.deepEqual(said.split('\n').map(line => line.trim()), [
      'kept', '3G', '1M', '# UUID=a / ext4 defaults 0 1', '# UUID=b /boot/efi vfat defaults 0 1', 'tmpfs /scratch tmpfs size=1m 0 0', 'enabled', '',
    ])
  } finally {
    await bench.machines.delete(B)
  }
})

/** A tree that looks like a system, and what is other about it. */
async function systemOf(name: string, change: (tree: string) => unknown): Promise<string> {
  const tree = join(work, name)
  for (const dir of ['etc', 'sbin', 'usr/lib/systemd', 'etc/systemd']) mkdirSync(join(tree, dir), { recursive: true })
  writeFileSync(join(tree, 'etc/os-release'), 'ID=own\n')
  copyFileSync('/bin/true', join(tree, 'usr/lib/systemd/systemd'))
  writeFileSync(join(tree, 'usr/lib/systemd/systemd-networkd'), '')
  symlinkSync('/usr/lib/systemd/systemd', join(tree, 'sbin/init'))
  change(tree)
  const disk = `vol-${name}`
  await bench.disk(disk, 1)
  await run('mkfs.ext4', ['-q', '-d', tree, fileOf(disk)])
  return disk
}
const read = (disk: string, path: string) => run('debugfs', ['-R', `cat ${path}`, fileOf(disk)])

test('a file system without a table is taken, whatever its links and pipes are, and nothing outside of it is touched', async () => {
  const outside = join(work, 'outside')
  mkdirSync(outside)
  await systemOf('hostile', tree => {
    symlinkSync(outside, join(tree, 'etc/systemd/system'))
    symlinkSync(`${'../'.repeat(20)}${outside.slice(1)}/environment`, join(tree, 'etc/environment'))
    mkdirSync(join(tree, 'etc/cloud'))
    symlinkSync(outside, join(tree, 'etc/cloud/cloud.cfg.d'))
    mkdirSync(dirname(join(tree, outside)), { recursive: true })
    mkdirSync(join(tree, outside))
  })
  await bench.disk('snap-hostile', 1, { system: 'vol-hostile' })
  assert.equal(existsSync(join(outside, 'volumes.service')), false)
  assert.match(await read('snap-hostile', `${outside}/volumes.service`), /ExecStart/)
  await systemOf('pipes', tree => execFileSync('mkfifo', [join(tree, 'etc/fstab'), join(tree, 'etc/environment')]))
  await bench.disk('snap-pipes', 1, { system: 'vol-pipes' })
  assert.equal(await read('snap-pipes', '/etc/fstab'), '')
})

test('what is no system that could start here is refused with the reason, and leaves no disk', async () => {
  const bad: [string, () => Promise<unknown>, RegExp][] = [
    ['empty', () => bench.disk('vol-empty', 1), /neither an ext4 file system nor partitions/],
    ['xfs', async () => { await bench.disk('vol-xfs', 1); await run('mkfs.xfs', ['-q', fileOf('vol-xfs')]) }, /XFS/],
    ['data', () => systemOf('data', tree => rmSync(join(tree, 'etc/os-release'))), /without systemd/],
    ['other', () => systemOf('other', tree => writeFileSync(join(tree, 'usr/lib/systemd/systemd'), `\x7fELF${'x'.repeat(40)}`)),
      /another architecture/],
    ['bare', () => systemOf('bare', tree => rmSync(join(tree, 'usr/lib/systemd/systemd-networkd'))), /none of NetworkManager/],
    ['odd', () => systemOf('odd', tree => { rmSync(join(tree, 'etc/systemd'), { recursive: true }); writeFileSync(join(tree, 'etc/systemd'), '') }),
      /systemd/],
    ['torn', async () => {
      await systemOf('torn', () => {})
      await run('debugfs', ['-w', '-R', 'clri <2>', fileOf('vol-torn')])
    }, /damaged/],
    ['split', async () => {
      await bench.disk('vol-split', 1)
      const table = Buffer.alloc(512)
      table.writeUInt8(0x83, 450)
      table.writeUInt32LE(2048, 454)
      table.writeUInt32LE(204_800, 458)
      table.writeUInt16BE(0x55aa, 510)
      writeFileSync(fileOf('vol-split'), table, { flag: 'r+' })
    }, /none of its partitions/],
  ]
  for (const [name, make, reason] of bad) {
    await make()
    await assert.rejects(bench.disks.create({ id: `snap-${name}`, sizeGiB: 1, from: { system: `vol-${name}` } }), (error: Error) => {
      assert.ok(error.message.startsWith(NO_SYSTEM), `${name}: ${error.message}`)
      assert.match(error.message, reason)
      return true
    })
    assert.equal(await bench.disks.observe(`snap-${name}`), 'absent')
  }
})
