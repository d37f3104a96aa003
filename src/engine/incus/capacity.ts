/** What the host has for machines. Invariant: disk is the pool's, and never more than the file system under it can hold. */
import { statfsSync } from 'node:fs'
import os from 'node:os'
import type { Home } from '#base/home'
import type { Capacity } from '#engine/port'
import type { Client } from '#engine/incus/client'
import { poolOf } from '#engine/incus/place'

const GIB = 2 ** 30

export async function capacityOf(home: Home, client: Client): Promise<Capacity> {
  const { space } = await client.get<{ space: { used: number; total: number } }>(`/1.0/storage-pools/${poolOf(home)}/resources`)
  const { bavail, bsize } = statfsSync(home.dir)
  return {
    cpus: os.availableParallelism(), memoryMiB: Math.floor(os.totalmem() / 2 ** 20), diskGiB: Math.floor(space.total / GIB),
    diskFreeGiB: Math.floor(Math.min(space.total - space.used, bavail * bsize) / GIB),
    architecture: process.arch === 'arm64' ? 'arm64' : 'x86_64',
  }
}
