/**
 * What machines use of the host's processors, as the kernel counts it for their control groups.
 *
 * Invariant: a count is of one boot: a container that starts anew has a new group, whose number in the kernel is another.
 */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Home } from '#base/home'
import type { Meters, ProcessorTime } from '#engine/port'
import { lxcName } from '#engine/incus/place'
import { unifiedCgroups } from '#engine/incus/host'
import { CGROUPS } from '#engine/incus/throttle'

const AT_ONCE = 50

/**
 * The group of a container: LXC adds a number to its name where one was left behind under it, and the highest is the newest. Pure.
 */
export function groupOf(name: string, there: readonly string[]): string | undefined {
  const own = `lxc.payload.${name}`
  const numberOf = (group: string): number => (group === own ? 0 : group.startsWith(`${own}-`) && /^\d+$/.test(group.slice(own.length + 1))
    ? Number(group.slice(own.length + 1)) : -1)
  return there.filter(group => numberOf(group) >= 0).sort((a, b) => numberOf(b) - numberOf(a))[0]
}

async function read(dir: string, unified: boolean): Promise<ProcessorTime | undefined> {
  try {
    const text = await readFile(join(dir, unified ? 'cpu.stat' : 'cpuacct.usage'), 'utf8')
    const seconds = unified ? Number(/^usage_usec (\d+)/m.exec(text)?.[1]) / 1e6 : Number(text) / 1e9
    return Number.isFinite(seconds) ? { seconds, boot: String((await stat(dir)).ino) } : undefined
  } catch (error) {
    // Gone since it was listed.
    if (['ENOENT', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

export function openMeters(home: Home): Meters {
  return {
    async processors(ids) {
      const unified = unifiedCgroups()
      const root = unified ? CGROUPS : join(CGROUPS, 'cpuacct')
      const there = await readdir(root).catch(() => undefined)
      if (!there) return 'unknown'
      const plain = new Set(there)
      const numbered = there.filter(name => /^lxc\.payload\..*-\d+$/.test(name))
      const found: Record<string, ProcessorTime> = {}
      for (let i = 0; i < ids.length; i += AT_ONCE) {
        await Promise.all(ids.slice(i, i + AT_ONCE).map(async id => {
          const name = lxcName(home, id)
          const group = groupOf(name, [...plain.has(`lxc.payload.${name}`) ? [`lxc.payload.${name}`] : [], ...numbered])
          const time = group === undefined ? undefined : await read(join(root, group), unified)
          if (time) found[id] = time
        }))
      }
      return found
    },
  }
}
