import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { mountFile, mountsBelow, unmountFile } from '#engine/disk/mount'
import { run } from '#engine/disk/run'
import { prepare, unpack } from '#engine/image/import'

const SANDBOX = join(import.meta.dirname, 'sandbox.py')

/** A file system in a raw file, with what is done to it mounted; and a folder that nothing may be written to. */
async function scratch(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'enclume-sandbox-'))
  const file = join(dir, 'root.img')
  const point = join(dir, 'mounts', 'new', 'fs')
  await run('truncate', ['-s', '256M', file])
  await run('mkfs.ext4', ['-q', file])
  for (const path of [point, join(dir, 'outside')]) mkdirSync(path, { recursive: true })
  t.after(async () => {
    for (const mount of mountsBelow(dir)) await run('umount', [mount])
    rmSync(dir, { recursive: true })
  })
  async function mounted<T>(act: () => T): Promise<T> {
    await mountFile(file, point)
    try {
      return await act()
    } finally {
      await unmountFile(file, point)
      mkdirSync(point, { recursive: true })
    }
  }
  return { dir, point, target: { file, point, trusted: join(dir, 'trusted') }, mounted, outside: join(dir, 'outside') }
}

/** An archive with members as they are called, whatever they are called. Contents: text, a link's target, or a device. */
function hostileTar(file: string, members: [name: string, content: string | { link: string } | 'device'][]): void {
  const script = `
import io, json, sys, tarfile
with tarfile.open(sys.argv[1], 'w:xz') as tar:
    for name, content in json.loads(sys.argv[2]):
        info = tarfile.TarInfo(name)
        if content == 'device':
            info.type, info.devmajor, info.devminor = tarfile.BLKTYPE, 7, 0
        elif isinstance(content, dict):
            info.type, info.linkname = tarfile.SYMTYPE, content['link']
        else:
            info.size = len(content)
        tar.addfile(info, io.BytesIO(content.encode()) if info.size else None)`
  execFileSync('/usr/bin/python3', ['-c', script, file, JSON.stringify(members)])
}

/** Puts programs of the host and the libraries they need into a tree. */
function furnish(tree: string, programs: string[]): void {
  for (const program of programs) {
    const libraries = execFileSync('ldd', [program], { encoding: 'utf8' }).match(/\/\S+(?= \(0x)/g) ?? []
    for (const path of [program, ...libraries]) {
      mkdirSync(dirname(join(tree, path)), { recursive: true })
      copyFileSync(path, join(tree, path))
    }
  }
}

test('a tar archive whose members point outside writes nothing there', async t => {
  const { dir, target, outside } = await scratch(t)
  const up = '../'.repeat(20)
  for (const members of [
    [['way', { link: outside }], ['way/by-link', 'x']],
    [[`${up}${outside.slice(1)}/by-dots`, 'x']],
    [[`${outside}/by-root`, 'x']],
    [['a', { link: '.' }], ['a/way', { link: `${up}${outside.slice(1)}` }], ['way/by-two-links', 'x']],
  ] as Parameters<typeof hostileTar>[1][]) {
    const archive = join(dir, 'root.tar.xz')
    hostileTar(archive, members)
    // Refused or put below the mount point: either is right.
    await unpack(target, { archive, kind: 'root.tar.xz' }).catch((error: unknown) => assert.match(String(error), /tar: /))
    assert.deepEqual(readdirSync(outside), [], JSON.stringify(members))
  }
})

test('an unpacking program that is led astray can write nowhere else', async t => {
  const { target: { file, point }, mounted, outside } = await scratch(t)
  const wrapped = (script: string) => run('unshare', ['--mount', '--propagation', 'private', '--pid', '--fork',
    '/usr/bin/python3', SANDBOX, file, point, 'extract', 'sh', '-c', script, 'sh', point, outside])
  await wrapped('echo fine > "$1/inside"')
  await assert.rejects(wrapped('echo no > "$2/x"'), /Read-only file system/)
  await assert.rejects(wrapped('mount -o remount,rw,bind "$2"; mount -t tmpfs none "$2"; echo no > "$2/x"'), /Read-only file system/)
  assert.deepEqual([await mounted(() => readFileSync(join(point, 'inside'), 'utf8')), readdirSync(outside)], ['fine\n', []])
})

test('a squashfs image is unpacked with owners and modes', async t => {
  const { dir, point, target, mounted } = await scratch(t)
  mkdirSync(join(dir, 'tree'))
  writeFileSync(join(dir, 'tree', 'su'), 'x')
  await run('chown', ['12:34', join(dir, 'tree', 'su')])
  await run('chmod', ['4755', join(dir, 'tree', 'su')])
  await run('mksquashfs', [join(dir, 'tree'), join(dir, 'root.squashfs'), '-quiet', '-no-progress'])
  await unpack(target, { archive: join(dir, 'root.squashfs'), kind: 'squashfs' })
  const { uid, gid, mode } = await mounted(() => lstatSync(join(point, 'su')))
  assert.deepEqual({ uid, gid, mode: mode & 0o7777 }, { uid: 12, gid: 34, mode: 0o4755 })
})

test('links in a file system lead nowhere outside while it is prepared', async t => {
  const { point, target, mounted, outside } = await scratch(t)
  await mounted(() => {
    furnish(point, ['/bin/sh'])
    for (const name of ['etc', 'proc', 'run', 'dev']) symlinkSync(outside, join(point, name))
  })
  await assert.rejects(prepare(target, 'admin'))
  assert.deepEqual(readdirSync(outside), [])
})

test('programs of the file system, run while it is prepared, see nothing else, have no rights and end with it', async t => {
  const { point, target, mounted, outside } = await scratch(t)
  await mounted(async () => {
    furnish(point, ['/bin/sh', '/bin/mount', '/bin/mknod', '/bin/ls', '/bin/sleep', '/usr/sbin/chroot', '/usr/bin/unshare', '/usr/bin/nsenter'])
    await run('mknod', [join(point, 'disk'), 'b', '7', '0'])
    mkdirSync(join(point, 'etc'))
    // The preparation reads it with the shell: whatever is in there is run.
    writeFileSync(join(point, 'etc/os-release'), `
exec > /report 2>&1
try() { name=$1; shift; if "$@" > /dev/null 2>&1; then echo "$name works"; else echo "$name fails"; fi; }
try listing ls /etc/os-release
try device mknod /tmp/b b 7 0
try mount mount -t tmpfs none /tmp
try unshare unshare --mount ls
try chroot chroot /etc ls
try nsenter nsenter --target 1 --mount ls
try setting sh -c 'echo 1 > /proc/sys/kernel/printk'
try outside ls ${outside}
try host ls /proc/1/root${outside}
try disk ls /disk
sleep 1000 &
for pid in /proc/[0-9]*; do read -r name < $pid/comm && echo "sees $name"; done
exit 3
`)
  })
  await assert.rejects(prepare(target, 'admin'), { code: 3 })
  const lines = (await mounted(() => readFileSync(join(point, 'report'), 'utf8'))).trim().split('\n')
  const failing = ['device', 'mount', 'unshare', 'chroot', 'nsenter', 'setting', 'outside', 'host', 'disk'].map(name => `${name} fails`)
  assert.deepEqual(lines.filter(line => !line.startsWith('sees')), ['listing works', ...failing])
  assert.deepEqual(lines.filter(line => /^sees (?!(python3|sh|sleep)$)/.test(line)), [])
})
