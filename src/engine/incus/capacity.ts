/** What the host has for machines. */
import os from 'node:os'
import type { Home } from '#base/home'
import type { Capacity } from '#engine/port'
import type { Client } from '#engine/incus/client'
import { poolOf } from '#engine/incus/place'

export async function capacityOf(home: Home, client: Client): Promise<Capacity> {
  const { space } = await client.get<{ space: { total: number } }>(`/1.0/storage-pools/${poolOf(home)}/resources`)
  return {
    cpus: os.availableParallelism(), memoryMiB: Math.floor(os.totalmem() / 2 ** 20), diskGiB: Math.floor(space.total / 2 ** 30),
    architecture: process.arch === 'arm64' ? 'arm64' : 'x86_64',
  }
}
