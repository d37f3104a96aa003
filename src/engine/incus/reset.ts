/**
 * Removes all that the daemon of a home made on the host.
 *
 * Invariant: it needs nothing but the home's paths, because daemons die and leave containers, mounts and loop devices: each
 * is found by the path it was made with, and what lies outside the home is never touched.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Home } from '#base/home'
import type { Log } from '#base/log'
import { Unreachable } from '#engine/incus/client'
import { stopDaemon } from '#engine/incus/daemon'
import { daemonClient, incusDir } from '#engine/incus/place'
import { restoreHost } from '#engine/incus/host'
import { children, commandLine, processes, runs, until } from '#engine/incus/process'
import { isOfSlot, loopNumbers, loopsBelow, partLoop } from '#engine/disk/loop'
import { mountsBelow } from '#engine/disk/mount'
import { run } from '#engine/disk/run'
import { stopStorageHelper } from '#engine/storage/helper'

const GONE_MS = 20_000

/** Containers, disks, images, pool and limits, all of them, for ever. Idempotent, also after a part of it. */
export async function resetDaemon(home: Home, log: Log): Promise<void> {
  await stopContainers(home, log)
  await stopDaemon(home, log)
  await killContainers(home, log)
  await stopStorageHelper(home, log)
  const running = ['root', 'new', 'view'].map(name => join(home.run, name))
  const made = [...running, incusDir(home), join(home.dir, 'build'), join(home.dir, 'console')]
  for (const point of made.flatMap(dir => mountsBelow(dir))) await run('umount', [point])
  for (const pid of processes('')) await unmountFor(pid, made)
  const disks = made.flatMap(loopsBelow)
  // Also those whose disk was taken from below them: the next disk of that number would have them.
  const isLeft = (number: number) => isOfSlot(number, home.slot) || disks.some(disk => disk.number === partLoop(number)?.disk)
  const parts = loopNumbers().filter(number => partLoop(number) && isLeft(number)).map(number => `/dev/loop${number}`)
  for (const device of [...parts, ...disks.map(disk => disk.device)]) await run('losetup', ['--detach', device])
  const free = await until(async () => made.flatMap(loopsBelow).length === 0, GONE_MS)
  if (!free) throw new Error(`loop devices on files below ${home.dir} are still in use`)
  for (const dir of made) rmSync(dir, { recursive: true, force: true })
  await restoreHost(home, log)
  log.info('reset', { dir: home.dir })
}

/** A process in a mount namespace of its own (`ip netns exec` makes one) has copies of our mounts, which keep the disks busy. */
async function unmountFor(pid: number, dirs: string[]): Promise<void> {
  try {
    for (const point of dirs.flatMap(dir => mountsBelow(dir, String(pid))))
      await run('nsenter', [`--target=${pid}`, '--mount', 'umount', '--lazy', point])
  } catch (error) {
    // It ended meanwhile, and its copies with it. What has ended and waits for its parent has an empty command line.
    if (commandLine(pid)) throw error
  }
}

/** In order, if the daemon answers: it gives network devices back to the host. */
async function stopContainers(home: Home, log: Log): Promise<void> {
  const client = daemonClient(home)
  try {
    const instances = await client.get<{ name: string; status: string }[]>('/1.0/instances?recursion=1')
    for (const { name, status } of instances) {
      const path = `/1.0/instances/${encodeURIComponent(name)}`
      if (status !== 'Stopped') await client.act('PUT', `${path}/state`, { action: 'stop', force: true })
      await client.act('DELETE', path)
    }
  } catch (error) {
    if (!(error instanceof Unreachable)) log.warn('a container did not go in order', { error })
  }
}

/** Each container has a monitor that names the directory it belongs to; the guest's init is its child. */
async function killContainers(home: Home, log: Log): Promise<void> {
  const monitors = processes('[lxc monitor]').filter(pid => commandLine(pid)?.includes(` ${incusDir(home)}/containers `))
  for (const pid of monitors.flatMap(monitor => children(monitor))) process.kill(pid, 'SIGKILL')
  // A monitor whose init is gone tidies up and ends.
  const left = () => monitors.filter(pid => runs(pid, '[lxc monitor]'))
  if (await until(() => left().length === 0, GONE_MS)) return
  log.warn('monitors killed', { pids: left() })
  for (const pid of left()) process.kill(pid, 'SIGKILL')
}
