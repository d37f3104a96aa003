/** Objects of buckets in memory, for worlds: visible when all of them has come. What they are made of is kept as it came, and so costs nothing. */
import type { ObjectPlace, Objects } from '#service/ec2/context'

export type FakeObjects = Objects & { byPlace: Map<string, Uint8Array[]> }
type Act = (name: string, work: () => Promise<void>) => Promise<void>

export function openFakeObjects(act: Act): FakeObjects {
  const byPlace = new Map<string, Uint8Array[]>()
  const nameOf = ({ bucket, key }: ObjectPlace) => `${bucket}/${key}`
  return {
    byPlace,
    size: async place => byPlace.get(nameOf(place))?.reduce((sum, piece) => sum + piece.length, 0),
    async* read(place) {
      const found = byPlace.get(nameOf(place))
      if (!found) throw new Error(`no object ${nameOf(place)}`)
      yield* found
    },
    write: (place, body) => act('object.write', async () => {
      const pieces: Uint8Array[] = []
      for await (const piece of body) pieces.push(piece)
      byPlace.set(nameOf(place), pieces)
    }),
  }
}
