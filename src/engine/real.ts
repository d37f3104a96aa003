/** The real engine: Incus for machines and disks, the kernel's namespaces and nftables for networks. */
import { statfs } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import type { Home } from '#base/home'
import type { Log } from '#base/log'
import { openDisks } from '#engine/disk/disks'
import { daemonClient, POOL } from '#engine/incus/daemon'
import { openMachines } from '#engine/incus/machines'
import { openNetworks } from '#engine/net/networks'
import type { Capacity, Engine } from '#engine/port'

type Space = { space: { used: number; total: number } }
const GIB = 1024 ** 3

export function openReal(home: Home, log: Log): Engine {
  const client = daemonClient(home)
  const networks = openNetworks(home, log)
  return {
    name: 'incus',
    machines: openMachines(home, client, log),
    disks: openDisks(home, client, log),
    networks,
    capacity: () => capacity(home),
    close: () => networks.close(),
  }

  async function capacity({ dir }: Home): Promise<Capacity> {
    const { space: { total: totalBytes, used: usedBytes } } = await client.get<Space>(`/1.0/storage-pools/${POOL}/resources`)
    // The pool's file is sparse: what it may still grow by is bounded by the file system that it lies on.
    const under = await statfs(dir)
    const free = Math.min(totalBytes - usedBytes, under.bavail * under.bsize)
    return {
      cpus: cpus().length, memoryMiB: Math.floor(totalmem() / 1024 ** 2), diskGiB: Math.floor(totalBytes / GIB),
      diskFreeGiB: Math.floor(free / GIB), architecture: process.arch === 'arm64' ? 'arm64' : 'x86_64',
    }
  }
}
