/**
 * Places of machines: each has a small number of its own among those of its Enclume, which decides its loop devices.
 *
 * Invariant: a machine's configuration holds its place; this only knows which are taken, and gives each to one machine.
 */
import { MACHINES } from '#engine/disk/loop'
import type { Client } from '#engine/incus/client'
import { placeOf, type Config } from '#engine/incus/attachment'

export type Places = {
  /** The machine's place: the one it has, or the lowest that is free. */
  take(machine: string): Promise<number>
  free(machine: string): void
}

export function openPlaces(client: Client): Places {
  let known: Promise<Map<string, number>> | undefined

  async function load(): Promise<Map<string, number>> {
    const instances = await client.get<{ name: string; config: Config }[]>('/1.0/instances?recursion=1')
    return new Map(instances.flatMap(({ name, config }) => {
      const place = placeOf(config)
      return place === undefined ? [] : [[name, place]]
    }))
  }

  return {
    async take(machine) {
      // An outage is not remembered as if there were no machines.
      const places = await (known ??= load().catch((error: unknown) => { known = undefined; throw error }))
      const has = places.get(machine)
      if (has !== undefined) return has
      const taken = new Set(places.values())
      for (let place = 0; place < MACHINES; place++) if (!taken.has(place)) {
        places.set(machine, place)
        return place
      }
      throw new Error(`there are ${MACHINES} machines already`)
    },
    free(machine) {
      void known?.then(places => places.delete(machine), () => {})
    },
  }
}
