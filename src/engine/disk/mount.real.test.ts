/** Mounting raw files on the real kernel: root is needed. All is made in a home of its own and removed. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, before, test } from 'node:test'
import { readSuperblock } from '#engine/disk/ext4'
import { loopsBelow } from '#engine/disk/loop'
import { isMounted, mountFile, mountsBelow, unmountFile } from '#engine/disk/mount'
import { run } from '#engine/disk/run'

const dir = mkdtempSync(join(tmpdir(), 'enclume-mount-'))
const [file, point] = [join(dir, 'root.img'), join(dir, 'new/vol-1/fs')]

before(async () => {
  writeFileSync(file, '')
  truncateSync(file, 64 << 20)
  await run('mkfs.ext4', ['-q', file])
})
after(async () => {
  for (const left of mountsBelow(dir)) await run('umount', [left])
  rmSync(dir, { recursive: true })
})

test('a file is mounted as /dev/xvda1 without devices, and given up with its mount', async () => {
  await mountFile(file, point, { owner: 1000 })
  const line = readFileSync('/proc/mounts', 'utf8').split('\n').find(mount => mount.includes(` ${point} `))!
  const { device } = loopsBelow(file)[0]!
  const fact = (name: string) => readFileSync(`/sys/block/${basename(device)}/loop/${name}`, 'utf8').trim()
  assert.match(line, /^\/dev\/xvda1 \S+ ext4 \S*nodev/)
  assert.deepEqual([fact('autoclear'), existsSync(join(point, '../dev'))], ['1', false])
  await mountFile(file, point, { owner: 1000 })
  assert.equal(loopsBelow(file).length, 1)
  await assert.rejects(mountFile(file, join(dir, 'new/vol-2/fs')), /in use/)
  await unmountFile(file, point)
  assert.deepEqual([isMounted(point), loopsBelow(file), existsSync(point)], [false, [], false])
  await unmountFile(file, point)
})

test('what a process left that died over the mounting keeps nothing from being unmounted, and goes at the next look', async () => {
  await mountFile(file, point)
  const nodes = join(point, '../dev')
  const leave = () => { mkdirSync(nodes); writeFileSync(join(nodes, 'xvda1'), '') }
  leave()
  await mountFile(file, point)
  assert.equal(existsSync(nodes), false)
  leave()
  await unmountFile(file, point)
  assert.deepEqual([isMounted(point), existsSync(join(point, '..'))], [false, false])
})

test('what was copied while it was mounted is repaired first', async () => {
  await mountFile(file, point)
  writeFileSync(join(point, 'kept'), 'kept')
  await run('sync', ['--file-system', point])
  const copy = join(dir, 'copy.img')
  await run('cp', [file, copy])
  await unmountFile(file, point)
  assert.deepEqual([readSuperblock(file), readSuperblock(copy)], [{ isClean: true }, { isClean: false }])
  await mountFile(copy, point)
  assert.equal(readFileSync(join(point, 'kept'), 'utf8'), 'kept')
  await unmountFile(copy, point)
})

test('eight disks mounted at once get a loop device each', async () => {
  const disks = Array.from({ length: 8 }, (_, i) => ({ image: join(dir, `${i}.img`), at: join(dir, `new/many-${i}/fs`) }))
  for (const { image } of disks) await run('cp', ['--sparse=always', file, image])
  await Promise.all(disks.map(({ image, at }) => mountFile(image, at)))
  assert.deepEqual(disks.map(({ image, at }) => [isMounted(at), loopsBelow(image).length]), disks.map(() => [true, 1]))
  await Promise.all(disks.map(({ image, at }) => unmountFile(image, at)))
})

test('what is no ext4 has no superblock', () => {
  const other = join(dir, 'other')
  writeFileSync(other, Buffer.alloc(4096))
  assert.equal(readSuperblock(other), undefined)
  writeFileSync(other, 'short')
  assert.equal(readSuperblock(other), undefined)
})
